"""Values as Python source, short enough to read: what a recorded call was given."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import Enum
from fractions import Fraction
from typing import Any

_LONG_TEXT = 60
_LONG_LIST = 8
_MONOTONY = re.compile(rf"(.)\1{{{_LONG_TEXT},}}|(?:(?!(.)\2{{{_LONG_TEXT},}}).)+", re.DOTALL)
"""A long run of one character, or what stands between two of them."""


def source_of(value: Any, names: Mapping[str, str], namespace: str) -> str:
    """A value as an expression.

    :param names: for each id or token that an earlier call returned, the expression that gives it.
    :param namespace: text that the script replaces by text of its own, ``{ns}`` in an f-string.
    """
    if isinstance(value, str) and not isinstance(value, Enum):
        return _text(value, names, namespace)
    if type(value) is bytes:
        return _bytes(value)
    if type(value) is float:
        return repr(value) if value - value == 0 else f"float({str(value)!r})"
    if type(value) is bytes and len(value) > _LONG_TEXT and value == value[:1] * len(value):
        return f"{value[:1]!r} * {len(value)}"
    if type(value) is int:
        return _integer(value)
    if type(value) is Fraction:
        return f"Fraction({_integer(value.numerator)}, {_integer(value.denominator)})"
    if isinstance(value, Enum):
        return f"{type(value).__name__}.{value.name}"
    if is_dataclass(value) and not isinstance(value, type):
        # Some stores count their ids: what is logged and happens to read as a small one is not one.
        known = {text: expression for text, expression in names.items() if len(text) > 3}
        shown = [
            f"{keyword}{source_of(getattr(value, name), known, namespace)}" for name, keyword in _given(value)
        ]
        return f"{type(value).__name__}({', '.join(shown)})"
    if type(value) is list:
        series = _series(value)
        return series or f"[{', '.join(source_of(item, names, namespace) for item in value)}]"
    if type(value) is tuple:
        items = [source_of(item, names, namespace) for item in value]
        return f"({', '.join(items)}{',' if len(items) == 1 else ''})"
    if type(value) is dict:
        pairs = [[source_of(half, names, namespace) for half in pair] for pair in value.items()]
        return f"{{{', '.join(map(': '.join, pairs))}}}"
    if isinstance(value, Iterator):
        return "iter([])"  # what it would have given is gone once it was read
    text = repr(value)
    return "object()" if text.startswith("<") else text


def _integer(value: int) -> str:
    """An integer; a power of ten that has more digits than anybody counts is written as one."""
    digits = str(abs(value))
    if len(digits) <= _LONG_TEXT or digits.strip("0") != "1":
        return repr(value)
    return f"{'-' if value < 0 else ''}10**{len(digits) - 1}"


def _bytes(value: bytes) -> str:
    if len(value) > _LONG_TEXT and not value.strip(value[:1]):
        return f"{value[:1]!r} * {len(value)}"
    return repr(value)


def _text(text: str, names: Mapping[str, str], namespace: str) -> str:
    if text in names:
        return names[text]
    if len(text) > _LONG_TEXT:
        for period in (1, 2, 3, 4):
            if text == (text[:period] * len(text))[: len(text)] and len(text) % period == 0:
                return f"{text[:period]!r} * {len(text) // period}"
        pieces = [match.group() for match in _MONOTONY.finditer(text)]
        if 1 < len(pieces) <= _LONG_LIST:
            return " + ".join(_text(piece, names, namespace) for piece in pieces)
    known = [value for value in names if len(value) > 3 and value in text]
    if not known and not (namespace and namespace in text):
        return repr(text)
    source = repr(text).replace("{", "{{").replace("}", "}}")
    for value in sorted(known, key=len, reverse=True):
        source = source.replace(value, f"{{{names[value]}}}")
    if namespace:
        source = source.replace(namespace, "{ns}")
    return f"f{source}"


def _given(value: Any) -> list[tuple[str, str]]:
    """The fields of an entity that a caller gives, each with its keyword where one before it is left out."""
    given: list[tuple[str, str]] = []
    left_out = False
    for item in fields(value):
        if not item.compare or (item.default is None and getattr(value, item.name) is None):
            left_out = True
        else:
            given.append((item.name, f"{item.name}=" if left_out else ""))
    return given


def _series(items: Sequence[Any]) -> str | None:
    """A long list of entities that differ only by counting, as a comprehension; None if it is no such list."""
    if len(items) < _LONG_LIST or not is_dataclass(items[0]) or len({type(item) for item in items}) != 1:
        return None
    given = _given(items[0])
    counted = [_counted([getattr(item, name) for item in items]) for name, _ in given]
    if any(column is None for column in counted) or any(_given(item) != given for item in items):
        return None
    columns = [f"{keyword}{column}" for (_, keyword), column in zip(given, counted, strict=True)]
    return f"[{type(items[0]).__name__}({', '.join(columns)}) for i in range({len(items)})]"


def _counted(column: list[Any]) -> str | None:
    """An expression in ``i`` that gives the column's values in turn."""
    first = column[0]
    if all(type(value) is type(first) and value == first for value in column):
        return source_of(first, {}, "")
    if {type(value) for value in column} <= {int, float} and type(column[1]) is type(first):
        step = column[1] - first
        if not step or any(value != first + step * i for i, value in enumerate(column)):
            return None
        counted = "i" if step == 1 else f"i * {step!r}"
        counted = counted if not first else f"{first!r} + {counted}"
        return f"float({counted})" if type(first) is float and counted == "i" else counted
    if type(first) is str and (match := re.fullmatch(r"(.*?)0*(\D*)", first, re.DOTALL)):
        return _counted_text(column, match[1])
    return None


def _counted_text(column: list[str], prefix: str) -> str | None:
    width = len(column[0]) - len(prefix)
    for pattern in ("{i}", f"{{i:0{width}}}"):
        if column == [prefix + pattern.format(i=i) for i in range(len(column))]:
            return "f" + repr(prefix.replace("{", "{{").replace("}", "}}") + pattern)
    return None
