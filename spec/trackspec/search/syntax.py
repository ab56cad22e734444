"""The syntax tree of filters and orderings.

The parser makes it; it is evaluated in memory, or compiled to SQL.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Entity(Enum):
    """What an identifier names a part of."""

    ATTRIBUTE = "attribute"
    METRIC = "metric"
    PARAM = "param"
    TAG = "tag"
    DATASET = "dataset"


class Comparator(Enum):
    """How a clause compares. The value is the canonical spelling."""

    EQ = "="
    NE = "!="
    LT = "<"
    LE = "<="
    GT = ">"
    GE = ">="
    LIKE = "LIKE"
    ILIKE = "ILIKE"
    IN = "IN"
    NOT_IN = "NOT IN"
    IS_NULL = "IS NULL"
    IS_NOT_NULL = "IS NOT NULL"


@dataclass(frozen=True)
class Identifier:
    """An entity and the key within it, aliases resolved: ``attr.Created`` is ATTRIBUTE ``start_time``."""

    entity: Entity
    key: str


Value = str | int | float | tuple[str, ...] | None


@dataclass(frozen=True)
class Comparison:
    """One clause.

    :ivar value: None for IS [NOT] NULL; the strings of an IN list, each once; for a metric a float; for a time
        an int of 64 bits or a float; a string for all else. A float may be infinite and is never NaN.
    """

    identifier: Identifier
    comparator: Comparator
    value: Value


Filter = tuple[Comparison, ...]
"""Clauses of which every one must hold; the empty filter matches everything."""


@dataclass(frozen=True)
class OrderBy:
    """One ordering column."""

    identifier: Identifier
    ascending: bool
