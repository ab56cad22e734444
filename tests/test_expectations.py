"""What a failure shows is short, and says what matters."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from trackspec import Metric, Param, RunStatus
from trackspec_conformance.expectations import shown, shown_error
from trackspec_conformance.source import source_of


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("n" * 500, "'n' * 500"),
        (["a", ("b" * 500, 1)], "['a', ('b' * 500, 1)]"),
        ({"b": "x" * 500, "a": None}, "{'a': None, 'b': 'x' * 500}"),
        (10**400, "10**400"),
        (Fraction(10**400, 3), "Fraction(10**400, 3)"),
        (123_456_789, "123456789"),
        (RunStatus.FINISHED, "RunStatus.FINISHED"),
        (Metric("m", 1.0, 2), "Metric(key='m', value=1.0, timestamp=2, step=0)"),
        (Metric("m", 1.0, None), "Metric(key='m', value=1.0, timestamp=None, step=0)"),  # type: ignore[arg-type]
        (Metric("m", 1.0, 2, 3, "r"), "Metric(key='m', value=1.0, timestamp=2, step=3, run_id='r')"),
        ((), "()"),
        ((1,), "(1,)"),
        (float("nan"), "nan"),
    ],
)
def test_a_value_is_shown_in_short(value: Any, text: str) -> None:
    """Long texts and numbers are told by how they are made, and an optional field that is None not at all."""
    assert shown(value) == text


def test_an_error_is_shown_in_short() -> None:
    """A run of one character is not shown to its end, and a message has one line."""
    assert shown_error(OSError(36, f"File name too long:\n{'é' * 250}/a")) == (
        "OSError: [Errno 36] File name too long: ééé…/a"
    )


def test_what_is_logged_is_no_id_because_it_reads_as_a_small_one() -> None:
    """A store may count its ids, and a check may log a number."""
    assert source_of(["2", Param("p", "2")], {"2": "answer_1"}, "") == "[answer_1, Param('p', '2')]"
