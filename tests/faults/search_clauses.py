"""Backends that compare wrongly."""

from __future__ import annotations

import math
import re
import sys
import unicodedata
from dataclasses import replace
from typing import Any

from tests.faults import fault
from tests.faults.searching import SearchingStore
from trackspec import Run
from trackspec.search.evaluate import holds, ilike, like
from trackspec.search.query import RunQuery
from trackspec.search.syntax import Comparator, Comparison, Entity

RUN_NAME_TAG = "mlflow.runName"


# -- metrics ----------------------------------------------------------------------------------------------------


class _OtherComparator(SearchingStore):
    """Reads one comparator as another."""

    read: Comparator
    instead_of: Comparator
    entity = Entity.METRIC

    def value_holds(self, clause: Comparison, value: Any) -> bool:
        if clause.comparator is self.instead_of and clause.identifier.entity is self.entity:
            clause = replace(clause, comparator=self.read)
        return super().value_holds(clause, value)


@fault("search.metric-comparators")
class AtLeastIsMore(_OtherComparator):
    """``>=`` leaves out what is equal."""

    read, instead_of = Comparator.GT, Comparator.GE


@fault("search.metric-comparators")
class LessIsAtMost(_OtherComparator):
    """``<`` takes in what is equal."""

    read, instead_of = Comparator.LE, Comparator.LT


@fault("search.metric-comparators")
class UnequalIsMore(_OtherComparator):
    """``!=`` leaves out what is less."""

    read, instead_of = Comparator.GT, Comparator.NE


@fault("search.metric-comparators")
class MetricsCompareAsText(SearchingStore):
    """A metric is compared with the digits of the number."""

    def value_holds(self, clause: Comparison, value: Any) -> bool:
        if isinstance(value, float) and isinstance(clause.value, float):
            return holds(replace(clause, value=str(clause.value)), str(value))
        return super().value_holds(clause, value)


@fault("search.metric-latest")
class TheGreatestValueIsSeen(SearchingStore):
    """A clause sees the greatest value of a metric."""

    def clause_holds(self, clause: Comparison, run: Run) -> bool:
        points = self._state.runs[run.info.run_id].points.get(clause.identifier.key)
        if clause.identifier.entity is Entity.METRIC and points:
            return self.value_holds(clause, max(point.value for point in points))
        return super().clause_holds(clause, run)


@fault("search.metric-latest")
class AnyValueIsSeen(SearchingStore):
    """A clause holds if it holds for any point of a metric."""

    def clause_holds(self, clause: Comparison, run: Run) -> bool:
        points = self._state.runs[run.info.run_id].points.get(clause.identifier.key)
        if clause.identifier.entity is Entity.METRIC and points:
            return any(self.value_holds(clause, point.value) for point in points)
        return super().clause_holds(clause, run)


@fault("search.metric-nan")
class NanIsZero(SearchingStore):
    """NaN compares as 0."""

    def value_holds(self, clause: Comparison, value: Any) -> bool:
        if isinstance(value, float) and math.isnan(value):
            value = 0.0
        return super().value_holds(clause, value)


@fault("search.metric-nan")
class NanFulfilsNothing(SearchingStore):
    """NaN compares as NULL does, as nothing at all."""

    def value_holds(self, clause: Comparison, value: Any) -> bool:
        if isinstance(value, float) and math.isnan(value):
            return False
        return super().value_holds(clause, value)


@fault("search.missing-key")
class MissingIsUnequal(SearchingStore):
    """A run without the key fulfils ``!=``."""

    def value_holds(self, clause: Comparison, value: Any) -> bool:
        if value is None and clause.comparator is Comparator.NE:
            return True
        return super().value_holds(clause, value)


@fault("search.missing-key")
class MissingTextIsEmpty(SearchingStore):
    """A missing param is read as the empty text."""

    def value_holds(self, clause: Comparison, value: Any) -> bool:
        if value is None and clause.identifier.entity is Entity.PARAM and clause.value is not None:
            value = ""
        return super().value_holds(clause, value)


@fault("search.missing-key", "search.times")
class RunsThatGoOnEndedIn1970(SearchingStore):
    """A run that has not ended is read as one that ended at 0."""

    def value_holds(self, clause: Comparison, value: Any) -> bool:
        if value is None and clause.identifier.key == "end_time":
            value = 0
        return super().value_holds(clause, value)


@fault("search.numbers-are-exact")
class MetricsAreEqualWithinTolerance(SearchingStore):
    """Metrics that are close to a number equal it."""

    def value_holds(self, clause: Comparison, value: Any) -> bool:
        if clause.comparator is Comparator.EQ and isinstance(value, float) and isinstance(clause.value, float):
            return math.isclose(value, clause.value)
        return super().value_holds(clause, value)


@fault("search.infinite-numbers")
class InfinitiesAreClamped(SearchingStore):
    """An infinity compares as the largest double."""

    def value_holds(self, clause: Comparison, value: Any) -> bool:
        if isinstance(value, float) and math.isinf(value):
            value = math.copysign(sys.float_info.max, value)
        return super().value_holds(clause, value)


# -- text -------------------------------------------------------------------------------------------------------


@fault("search.text-equality")
class TextIsFolded(SearchingStore):
    """Params that differ in case are equal."""

    def value_holds(self, clause: Comparison, value: Any) -> bool:
        if isinstance(value, str) and isinstance(clause.value, str) and clause.comparator is Comparator.EQ:
            return value.lower() == clause.value.lower()
        return super().value_holds(clause, value)


@fault("search.text-equality")
class TrailingBlanksDoNotCount(SearchingStore):
    """Values that differ in trailing blanks are equal."""

    def value_holds(self, clause: Comparison, value: Any) -> bool:
        if clause.identifier.entity is Entity.TAG and isinstance(value, str):
            value = value.rstrip(" ")
        return super().value_holds(clause, value)


@fault("search.text-equality")
class AccentsDoNotCount(SearchingStore):
    """Values that differ in accents are equal."""

    def value_holds(self, clause: Comparison, value: Any) -> bool:
        if isinstance(value, str):
            value = "".join(c for c in unicodedata.normalize("NFD", value) if not unicodedata.combining(c))
        return super().value_holds(clause, value)


class _OtherPattern(SearchingStore):
    """Reads the patterns of LIKE in its own way."""

    def fits(self, value: str, pattern: str) -> bool:
        """Whether a value fits a pattern."""
        return like(value, pattern)

    def value_holds(self, clause: Comparison, value: Any) -> bool:
        if clause.comparator is Comparator.LIKE and isinstance(value, str):
            return self.fits(value, str(clause.value))
        return super().value_holds(clause, value)

    @staticmethod
    def regular_expression(pattern: str, any_text: str = ".*", one_character: str = ".") -> str:
        """The pattern as a regular expression."""
        return re.escape(pattern).replace("%", any_text).replace("_", one_character)


@fault("search.like")
class PercentIsAtLeastOneCharacter(_OtherPattern):
    """A percent sign does not stand for no text."""

    def fits(self, value: str, pattern: str) -> bool:
        return bool(re.fullmatch(self.regular_expression(pattern, any_text=".+"), value, re.DOTALL))


@fault("search.like")
class OnlyPrefixesAreSought(_OtherPattern):
    """A pattern is read up to its first percent sign."""

    def fits(self, value: str, pattern: str) -> bool:
        return super().fits(value, pattern.partition("%")[0] + "%" if "%" in pattern else pattern)


@fault("search.like")
class LikeIsEquality(_OtherPattern):
    """LIKE compares as ``=`` does."""

    def fits(self, value: str, pattern: str) -> bool:
        return value == pattern


@fault("search.like-one-character")
class UnderscoresAreOptional(_OtherPattern):
    """An underscore stands for no character, too."""

    def fits(self, value: str, pattern: str) -> bool:
        return bool(re.fullmatch(self.regular_expression(pattern, one_character=".?"), value, re.DOTALL))


@fault("search.like-one-character")
class UnderscoresAreLiteral(_OtherPattern):
    """An underscore stands for itself."""

    def fits(self, value: str, pattern: str) -> bool:
        return bool(re.fullmatch(self.regular_expression(pattern, one_character="_"), value, re.DOTALL))


@fault("search.like-one-character")
class UnderscoresAreBytes(_OtherPattern):
    """An underscore stands for one byte."""

    def fits(self, value: str, pattern: str) -> bool:
        return like(value.encode().decode("latin-1"), pattern.encode().decode("latin-1"))


@fault("search.like-is-anchored")
class PatternsFitAnywhere(_OtherPattern):
    """A pattern is sought anywhere in the value."""

    def fits(self, value: str, pattern: str) -> bool:
        return like(value, f"%{pattern}%")


@fault("search.like-is-anchored")
class PatternsFitAtTheStart(_OtherPattern):
    """A pattern fits a value that goes on behind it."""

    def fits(self, value: str, pattern: str) -> bool:
        return like(value, f"{pattern}%")


@fault("search.like-is-case-sensitive")
class LikeIsIlike(_OtherPattern):
    """LIKE ignores case."""

    def fits(self, value: str, pattern: str) -> bool:
        return ilike(value, pattern)


@fault("search.like-line-breaks")
class PatternsEndAtTheLine(_OtherPattern):
    """No wildcard stands for a line break."""

    def fits(self, value: str, pattern: str) -> bool:
        return bool(re.fullmatch(self.regular_expression(pattern), value))


@fault("search.like-literals")
class PatternsAreRegularExpressions(_OtherPattern):
    """A full stop in a pattern stands for any character."""

    def fits(self, value: str, pattern: str) -> bool:
        return like(value, pattern.replace(".", "_"))


@fault("search.like-literals")
class BackslashesEscapeWildcards(_OtherPattern):
    """A backslash in a pattern takes the meaning of the next character."""

    def fits(self, value: str, pattern: str) -> bool:
        return like(value, pattern) if "\\" not in pattern else value == pattern.replace("\\", "")


@fault("search.ilike")
class IlikeIsLike(SearchingStore):
    """ILIKE tells cases apart."""

    def value_holds(self, clause: Comparison, value: Any) -> bool:
        if clause.comparator is Comparator.ILIKE:
            clause = replace(clause, comparator=Comparator.LIKE)
        return super().value_holds(clause, value)


@fault("search.ilike")
class IlikeFitsAnywhere(SearchingStore):
    """ILIKE seeks its pattern anywhere in the value."""

    def value_holds(self, clause: Comparison, value: Any) -> bool:
        if clause.comparator is Comparator.ILIKE:
            clause = replace(clause, value=f"%{clause.value}%")
        return super().value_holds(clause, value)


@fault("search.is-null", "search.is-not-null")
class EmptyIsNull(SearchingStore):
    """An empty value is as good as none."""

    def value_holds(self, clause: Comparison, value: Any) -> bool:
        if clause.comparator in (Comparator.IS_NULL, Comparator.IS_NOT_NULL) and value == "":
            value = None
        return super().value_holds(clause, value)


@fault("search.is-null", "search.is-not-null")
class PresenceIsNotJudged(SearchingStore):
    """IS NULL and IS NOT NULL hold for every run."""

    def value_holds(self, clause: Comparison, value: Any) -> bool:
        return clause.value is None or super().value_holds(clause, value)


@fault("search.strings-are-data")
class NullIsSpelledOut(SearchingStore):
    """A value that reads NULL is taken for none."""

    def value_holds(self, clause: Comparison, value: Any) -> bool:
        return super().value_holds(clause, None if value == "NULL" else value)


@fault("search.any-filter")
class TheFourthClauseIsDropped(SearchingStore):
    """Three clauses are read."""

    def _search_runs(self, query: RunQuery) -> list[Run]:
        return super()._search_runs(replace(query, filter=query.filter[:3]))
