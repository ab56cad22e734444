"""Names for runs that were given none."""

import secrets

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
    return f"{secrets.choice(_ADJECTIVES)}-{secrets.choice(_NOUNS)}-{secrets.randbelow(1000)}"
