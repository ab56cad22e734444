"""How a check says what it expects. A failed expectation carries both sides, for the report."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from enum import Enum
from fractions import Fraction
from typing import Any

from trackspec.errors import ErrorCode
from trackspec_conformance.source import source_of

_MONOTONY = re.compile(r"(.)\1{40,}")
"""A run of one character that nobody wants to read to its end."""


_LONGEST = 600
"""Characters that are shown of a value."""


class Unexpected(AssertionError):
    """An answer that the contract does not permit.

    :ivar expected: what it asks for.
    :ivar got: what came.
    """

    def __init__(self, expected: str, got: str) -> None:
        super().__init__(f"expected {expected}; got {got}")
        self.expected = expected
        self.got = got


class IllTyped(Unexpected):
    """An answer that is not of the type that the interface promises.

    :ivar requirement: the id of what says so, which a check of its own judges.
    """

    def __init__(self, requirement: str, expected: str, got: str) -> None:
        super().__init__(expected, got)
        self.requirement = requirement


class NotApplicable(Exception):
    """The check has no meaning for this subject, for the reason given."""


def expect_equal(expected: Any, got: Any, what: str = "") -> None:
    """Require equality, NaN being equal to NaN and an int never to a bool.

    :param what: names the value where the calls do not, such as ``"the param's value"``.
    """
    if not same(expected, got):
        place, expected, got = _narrowed(expected, got)
        where = ", at ".join(part for part in (what, place) if part)
        raise Unexpected(_labelled(where, expected), shown(got))


def _narrowed(expected: Any, got: Any) -> tuple[str, Any, Any]:
    """Where two values that are too long to show begin to differ, and what is there in both."""
    place = ""
    while max(len(_told(expected)), len(_told(got))) > _LONGEST:
        if is_dataclass(expected) and isinstance(got, type(expected)):
            names = [item.name for item in fields(expected) if item.compare]
            steps = [(f".{name}", getattr(expected, name), getattr(got, name)) for name in names]
        elif isinstance(expected, list) and isinstance(got, list) and len(expected) == len(got):
            steps = [(f"[{number}]", *pair) for number, pair in enumerate(zip(expected, got, strict=True))]
        elif isinstance(expected, dict) and isinstance(got, dict) and expected.keys() == got.keys():
            steps = [(f"[{key!r}]", expected[key], got[key]) for key in expected]
        else:
            break
        step, expected, got = next(step for step in steps if not same(*step[1:]))
        place += step
    return place, expected, got


def expect_one_of(permitted: Collection[Any], got: Any, what: str = "") -> None:
    """Require one of the permitted answers."""
    if not any(same(answer, got) for answer in permitted):
        raise Unexpected(_labelled(what, "one of " + ", ".join(map(shown, permitted)), literal=True), shown(got))


def expect(condition: bool, expected: str, got: Any) -> None:
    """Require a condition that is no equality; ``expected`` says it in words."""
    if not condition:
        raise Unexpected(expected, got if isinstance(got, str) else shown(got))


@contextmanager
def refused(*codes: ErrorCode) -> Iterator[None]:
    """Require that the call in the block raises an error with one of these codes."""
    wanted = "a refusal with " + " or ".join(code.value for code in codes)
    try:
        yield
    except Unexpected:
        raise
    except Exception as error:
        if error_code(error) not in {code.value for code in codes}:
            raise Unexpected(wanted, shown_error(error)) from error
    else:
        raise Unexpected(wanted, "no error")


@contextmanager
def raising() -> Iterator[None]:
    """Require that the call in the block raises, whichever error it is."""
    try:
        yield
    except Unexpected:
        raise
    except Exception:
        return
    raise Unexpected("an error", "no error")


@contextmanager
def refused_here(code: ErrorCode) -> Iterator[None]:
    """Require that the call in the block raises an error with this code, or Python's own for a local file."""
    wanted = f"a refusal with {code.value}, or an OSError of the local file system"
    try:
        yield
    except Unexpected:
        raise
    except Exception as error:
        if error_code(error) != code.value and not _is_local(error):
            raise Unexpected(wanted, shown_error(error)) from error
    else:
        raise Unexpected(wanted, "no error")


def _is_local(error: Exception) -> bool:
    of_networks = isinstance(error, (ConnectionError, TimeoutError))
    return isinstance(error, OSError) and not of_networks and type(error).__module__ in ("builtins", "shutil")


@contextmanager
def unless_refused(*codes: ErrorCode) -> Iterator[None]:
    """Permit that the call in the block is refused with one of these codes instead of being answered."""
    permitted = "an answer, or a refusal with " + " or ".join(code.value for code in codes)
    try:
        yield
    except Unexpected:
        raise
    except Exception as error:
        if error_code(error) not in {code.value for code in codes}:
            raise Unexpected(permitted, shown_error(error)) from error


def error_code(error: BaseException) -> str | None:
    """The error code that an exception carries: its ``error_code`` attribute, whatever its class."""
    code = getattr(error, "error_code", None)
    return getattr(code, "value", code) if isinstance(code, str) else None


def shown_error(error: BaseException) -> str:
    """An exception in one line: its code or class, and its message."""
    message = " ".join(str(getattr(error, "message", error)).split())
    brief = _MONOTONY.sub(lambda run: f"{run[1] * 3}…", message)
    return f"{error_code(error) or type(error).__name__}: {_cut(brief, 300)}"


def shown(value: Any) -> str:
    """A value in one line, as ``repr`` tells it: long texts in short, and no optional field that is None."""
    return _cut(_told(value), _LONGEST)


def _told(value: Any) -> str:
    if is_dataclass(value) and not isinstance(value, type):
        told = [(item, getattr(value, item.name)) for item in fields(value)]
        filled = [f"{item.name}={_told(content)}" for item, content in told if content is not None or item.default]
        return f"{type(value).__name__}({', '.join(filled)})"
    if type(value) is dict:
        pairs = [(_told(key), _told(content)) for key, content in value.items()]
        return f"{{{', '.join(f'{key}: {content}' for key, content in sorted(pairs))}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_told, value))}]"
    if type(value) is tuple:
        return f"({', '.join(map(_told, value))}{',' if len(value) == 1 else ''})"
    if isinstance(value, (str, bytes, int, Fraction, Enum)):
        return source_of(value, {}, "")
    return repr(value)


def same(left: Any, right: Any) -> bool:
    """Deep equality in which NaN equals NaN and True is not 1. The right side may be of a subclass."""
    if isinstance(left, float) and isinstance(right, float) and math.isnan(left):
        return math.isnan(right)
    if isinstance(left, bool) is not isinstance(right, bool):
        return False
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, (list, tuple)) and isinstance(right, (list, tuple)):
        return len(left) == len(right) and all(map(same, left, right))
    if is_dataclass(left) and isinstance(right, type(left)):
        return all(same(getattr(left, f.name), getattr(right, f.name)) for f in fields(left) if f.compare)
    return bool(left == right)


def _labelled(what: str, expected: Any, *, literal: bool = False) -> str:
    text = expected if literal else shown(expected)
    return f"{what}: {text}" if what else text


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"
