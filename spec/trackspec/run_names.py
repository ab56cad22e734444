"""Names for runs that were given none."""

import os

_ADJECTIVES = [
    "amber",
    "bold",
    "brisk",
    "calm",
    "clever",
    "crisp",
    "eager",
    "gentle",
    "keen",
    "lively",
    "mellow",
    "nimble",
    "quiet",
    "rapid",
    "steady",
    "vivid",
]
_NOUNS = [
    "badger",
    "cedar",
    "comet",
    "falcon",
    "fjord",
    "heron",
    "lynx",
    "maple",
    "marten",
    "otter",
    "owl",
    "pine",
    "raven",
    "robin",
    "tern",
    "willow",
]


def generate() -> str:
    """A name of the form ``adjective-noun-number``; not unique."""
    drawn = int.from_bytes(os.urandom(4), "big")  # once: each call of the system takes longer than all the rest
    drawn, number = divmod(drawn, 1000)
    drawn, noun = divmod(drawn, len(_NOUNS))
    return f"{_ADJECTIVES[drawn % len(_ADJECTIVES)]}-{_NOUNS[noun]}-{number}"
