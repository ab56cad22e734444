"""From the text of a filter or an ordering to its syntax tree.

The grammar is ``filter.lark``; what names mean is in :mod:`trackspec.search.vocabulary`. Every refusal
is an INVALID_PARAMETER_VALUE whose message names the part at fault.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from lark import Lark, Token, Transformer, UnexpectedInput, UnexpectedToken, v_args

from trackspec import arguments, limits
from trackspec.errors import invalid
from trackspec.search.syntax import Comparator, Comparison, Entity, Filter, Identifier, OrderBy, Value
from trackspec.search.vocabulary import EXPERIMENTS, MEMBERSHIP, NUMERIC, PRESENCE, RUNS


def parse_run_filter(filter_string: str | None) -> Filter:
    """The clauses of a filter of runs; none for None and the empty string.

    :raises TrackspecError: INVALID_PARAMETER_VALUE if it is no filter of runs.
    """
    return _filter(filter_string, "runs")


def parse_experiment_filter(filter_string: str | None) -> Filter:
    """The clauses of a filter of experiments; none for None and the empty string.

    :raises TrackspecError: INVALID_PARAMETER_VALUE if it is no filter of experiments.
    """
    return _filter(filter_string, "experiments")


def parse_run_order(order_by: Sequence[str] | None) -> tuple[OrderBy, ...]:
    """The columns of an ordering of runs, each once, as first mentioned.

    :raises TrackspecError: INVALID_PARAMETER_VALUE if one of them is no column of runs.
    """
    return _order(order_by, "runs")


def parse_experiment_order(order_by: Sequence[str] | None) -> tuple[OrderBy, ...]:
    """The columns of an ordering of experiments, each once, as first mentioned.

    :raises TrackspecError: INVALID_PARAMETER_VALUE if one of them is no column of experiments.
    """
    return _order(order_by, "experiments")


_VOCABULARIES = {"runs": RUNS, "experiments": EXPERIMENTS}

_LONGEST_REMEMBERED = limits.MAX_ORDER_COLUMN_LENGTH
"""Longer texts are parsed each time: a memory of them could grow without bound."""


def _filter(filter_string: object, subject: str) -> Filter:
    source = arguments.filter_string(filter_string)
    if not source:
        return ()
    parse = _parsed_filter if len(source) <= _LONGEST_REMEMBERED else _parsed_filter.__wrapped__
    return parse(source, subject)


def _order(order_by: object, subject: str) -> tuple[OrderBy, ...]:
    columns: dict[Identifier, OrderBy] = {}
    for source in arguments.order_by(order_by):
        column = _parsed_column(source, subject)
        columns.setdefault(column.identifier, column)
    if len(columns) > limits.MAX_ORDER_COLUMNS:
        raise invalid(f"order_by takes at most {limits.MAX_ORDER_COLUMNS} columns; it has {len(columns)}.")
    return tuple(columns.values())


@lru_cache(maxsize=512)
def _parsed_filter(source: str, subject: str) -> Filter:
    clauses: tuple[_Clause, ...] = _parse(source, "filter")
    if len(clauses) > limits.MAX_FILTER_CLAUSES:
        raise invalid(f"A filter takes at most {limits.MAX_FILTER_CLAUSES} clauses; it has {len(clauses)}.")
    listed = sum(len(clause.value) for clause in clauses if isinstance(clause.value, tuple))
    if listed > limits.MAX_FILTER_IN_VALUES:
        raise invalid(f"A filter lists at most {limits.MAX_FILTER_IN_VALUES} strings; it has {listed}.")
    return tuple(_comparison(clause, subject) for clause in clauses)


@lru_cache(maxsize=512)
def _parsed_column(source: str, subject: str) -> OrderBy:
    name, ascending = _parse(source, "order")
    identifier = _identifier(name, subject)
    if identifier.entity not in _VOCABULARIES[subject].orderable:
        raise invalid(f"{name} cannot order {subject}.")
    return OrderBy(identifier, ascending)


def _comparison(clause: _Clause, subject: str) -> Comparison:
    name, comparator, value = clause
    identifier = _identifier(name, subject)
    allowed = _VOCABULARIES[subject].comparators(identifier)
    if comparator not in allowed:
        raise invalid(f"{name} does not take the comparator {comparator.value}.")
    if comparator in PRESENCE or comparator in MEMBERSHIP:
        return Comparison(identifier, comparator, value)
    if isinstance(value, str) and allowed is NUMERIC:
        raise invalid(f"{name} compares with a number, not with the string {_excerpt(value)}.")
    if isinstance(value, (int, float)):
        if allowed is not NUMERIC:
            raise invalid(f"{name} compares with a quoted string, not with the number {value}.")
        if identifier.entity is Entity.METRIC:
            value = float(value)
        elif not limits.INT64_MIN <= value <= limits.INT64_MAX:
            # Times are 64-bit integers, to which all numbers beyond are as good as infinite.
            value = math.copysign(math.inf, value)
    return Comparison(identifier, comparator, value)


def _identifier(name: _Name, subject: str) -> Identifier:
    """What a name means, its aliases resolved."""
    vocabulary = _VOCABULARIES[subject]
    entity = Entity.ATTRIBUTE if name.entity is None else vocabulary.entities.get(name.entity)
    if entity is None:
        raise invalid(f"{name}: {subject} have no entity {_excerpt(name.entity or '')}.")
    key = vocabulary.aliases.get(name.key, name.key) if entity is Entity.ATTRIBUTE else name.key
    if not key:
        raise invalid(f"{name}: the key is empty.")
    identifier = Identifier(entity, key)
    if not vocabulary.comparators(identifier):
        raise invalid(f"{name}: {subject} have no {entity.value} {_excerpt(key)} to search by.")
    return identifier


def _parse(source: str, start: str) -> Any:
    try:
        return _grammar().parse(source, start)
    except UnexpectedInput as error:
        if isinstance(error, UnexpectedToken) and error.token.type == "$END":
            found = "it ends too early"
        else:
            at = error.pos_in_stream or 0
            found = f"unexpected {_excerpt(source[at:])} at character {at}"
        what = "filter" if start == "filter" else "item of order_by"
        raise invalid(f"Malformed {what} {_excerpt(source)}: {found}.") from None


@cache
def _grammar() -> Lark:
    grammar = Path(__file__).with_name("filter.lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", start=["filter", "order"], transformer=_Tree(), maybe_placeholders=False)


class _Name(NamedTuple):
    """An identifier as it is spelled."""

    entity: str | None
    key: str

    def __str__(self) -> str:
        return _excerpt(self.key if self.entity is None else f"{self.entity}.{self.key}")


class _Clause(NamedTuple):
    """A clause as it is spelled."""

    name: _Name
    comparator: Comparator
    value: Value


@v_args(inline=True)
class _Tree(Transformer[Token, Any]):
    """What each rule of the grammar makes. The tokens of comparators are called as their enum members."""

    def filter(self, *clauses: _Clause) -> tuple[_Clause, ...]:
        return clauses

    def comparison(self, name: _Name, comparator: Token, value: Value = None) -> _Clause:
        return _Clause(name, Comparator[comparator.type], value)

    def number(self, token: Token) -> int | float:
        # Beyond 300 digits int() is slow, and nothing that is compared tells such an integer from infinity.
        return int(token) if token.lstrip("-").isdigit() and len(token) <= 300 else float(token)

    def string(self, token: Token) -> str:
        quote = token[0]
        return token[1:-1].replace(quote * 2, quote)

    def strings(self, *items: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(items))

    def attribute(self, key: str) -> _Name:
        return _Name(None, key)

    def part(self, entity: Token, key: str) -> _Name:
        return _Name(entity[:-1], key)

    def bare(self, token: Token) -> str:
        return str(token)

    def order(self, name: _Name, direction: Token | None = None) -> tuple[_Name, bool]:
        return name, direction is None or direction.type == "ASC"


def _excerpt(source: str) -> str:
    return repr(source if len(source) <= 60 else f"{source[:57]}...")
