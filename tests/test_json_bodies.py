"""Bodies that are read fast are read as strictly as those that are read plainly."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from trackspec.errors import TrackspecError
from trackspec.protocol import body
from trackspec_reference import json_bodies

NAMES = st.sampled_from(['"a"', '"b"', r'"\u0061"', r'"\":"', r'"\u0022:"', r'"\"\u003a"', '"é"', r'"\\"'])
SPACES = st.sampled_from(["", "", "", " ", "\n\t"])
TEXTS = st.one_of(NAMES, st.text(max_size=4).map(json.dumps))
NUMBERS = st.sampled_from(
    ["0", "-0", "1.5", "1e400", "9223372036854775808", "1E5", "NaN", "01", "-9223372036854775809"]
)


def _object(members: list[tuple[str, str, str, str]]) -> str:
    return "{" + ",".join(f"{name}{before}:{after}{value}" for name, before, after, value in members) + "}"


def _grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    members = st.lists(st.tuples(NAMES, SPACES, SPACES, inner), max_size=4)
    return st.one_of(members.map(_object), st.lists(inner, max_size=3).map(lambda items: f"[{','.join(items)}]"))


VALUES = st.recursive(st.one_of(TEXTS, NUMBERS, st.sampled_from(["null", "true"])), _grown, max_leaves=8)


def _read(read: Any, text: bytes) -> Any:
    try:
        return json.dumps(read(text))
    except TrackspecError as error:
        return error.error_code


@given(_grown(VALUES).map(str.encode))
@example(b'{"a":1,"a":1}')
@example(rb'{"a" :"\":","a" :"\":"}')
@example(rb'{"a":"\u0022:","a":"\u0022:"}')
@example(rb'{"a":"\"\u003A","a":"\"\u003a"}')
@example(b'{"a":{"b":1},"a":{"b":1,"c":2}}')
@example(rb'{"a":"\\","a":"\\"}')
@example(b'{"a":1}{"b":2}')
@example(b'\xef\xbb\xbf{"a":1}')
@example(b'{"a":"\xff"}')
@example(b"[" * 100_000)
@example(b'{"a":' * 1020 + b"1" + b"}" * 1020)
def test_a_request_is_read_as_the_model_reads_it(text: bytes) -> None:
    """Whatever is refused for being said twice, unusual or no JSON is refused; all else has the same values."""
    fast, plain = _read(json_bodies.read_body, text), _read(body.read_body, text)

    assert fast == plain or (isinstance(plain, str) and _beyond_64_bits(plain) == _beyond_64_bits(fast))


def _beyond_64_bits(text: str) -> Any:
    """The values, where an integer that no field takes is as good as the number nearest to it."""
    return json.loads(text, parse_int=lambda digits: int(digits) if abs(int(digits)) < 2**63 else float(digits))
