"""Backends that misread filters."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from tests.faults import fault
from tests.faults.searching import LenientStore, RewritingStore, SearchingStore
from trackspec import PagedList, Run, TrackspecError
from trackspec.errors import ErrorCode, invalid
from trackspec.memory_store import MemoryStore
from trackspec.search.query import RunQuery
from trackspec.search.syntax import Comparator, Comparison, Filter, Identifier

_STRING = re.compile(r"'[^']*'|\"[^\"]*\"|`[^`]*`")


def outside_strings(filter_string: str) -> str:
    """A filter without what stands in its quotes."""
    return _STRING.sub("''", filter_string)


@fault(
    "search.malformed-filter-refused",
    "search.comparator-refused",
    "search.unknown-entity-refused",
    "search.unknown-attribute-refused",
    "search.text-takes-strings",
    "search.numbers-take-numbers",
    "search.in-takes-strings",
    "search-experiments.filter-refused",
)
class AnyFilterIsAccepted(LenientStore):
    """A filter that is not understood is ignored."""


@fault("search.clauses-all-hold", "search.any-filter")
class OnlyTheFirstClauseCounts(MemoryStore):
    """The clauses behind the first AND are dropped."""

    def _search_runs(self, query: RunQuery) -> list[Run]:
        return super()._search_runs(replace(query, filter=query.filter[:1]))


@fault("search.clauses-all-hold")
class AnyClauseWillDo(SearchingStore):
    """Clauses are joined by OR."""

    def matches(self, run: Run, clauses: Filter) -> bool:
        return not clauses or any(self.clause_holds(clause, run) for clause in clauses)


@fault("search.any-filter")
class OneClauseForEachKey(MemoryStore):
    """Of two clauses on the same key, the last one counts."""

    def _search_runs(self, query: RunQuery) -> list[Run]:
        last = {clause.identifier: clause for clause in query.filter}
        return super()._search_runs(replace(query, filter=tuple(last.values())))


@fault("search.no-filter")
class TheEmptyFilterFindsNothing(MemoryStore):
    """The empty filter is one that nothing fits."""

    def search_runs(
        self, experiment_ids: Sequence[str], filter_string: str | None = None, *args: Any, **kwargs: Any
    ) -> PagedList[Run]:
        if filter_string == "":
            return PagedList()
        return super().search_runs(experiment_ids, filter_string, *args, **kwargs)


@fault("search.blank-filter-refused")
class BlankFiltersAreStripped(LenientStore):
    """A filter of white space finds everything."""

    def pardons(self, filter_string: Any) -> bool:
        return isinstance(filter_string, str) and filter_string.isspace()


@fault("search.filter-type", "search-experiments.filter-type")
class OtherTypesAreNoFilter(LenientStore):
    """A filter that is no string finds everything."""

    def pardons(self, filter_string: Any) -> bool:
        return not isinstance(filter_string, str)


@fault("search.malformed-filter-refused")
class WhatFollowsOrIsDropped(RewritingStore):
    """A filter is read up to its OR."""

    def rewritten(self, filter_string: str) -> str:
        return re.split(r" OR ", filter_string)[0] if " OR params" in filter_string else filter_string


@fault("search.unjoined-clauses-refused")
class ClausesNeedNoAnd(RewritingStore):
    """Clauses that follow each other are joined silently."""

    def rewritten(self, filter_string: str) -> str:
        return re.sub(r"(?<=[\d'L]) (?=(metrics|params|tags)\.)", " AND ", filter_string)


@fault("search.stray-and-refused")
class StrayAndsAreIgnored(RewritingStore):
    """A leading, trailing, doubled or lone AND is dropped."""

    def rewritten(self, filter_string: str) -> str:
        return " AND ".join(part for part in re.split(r"\s*\bAND\b\s*", filter_string) if part)


@fault("search.keywords-in-any-case", "search-experiments.keywords-in-any-case")
class KeywordsAreInCapitals(RewritingStore):
    """A keyword in small letters is refused."""

    def rewritten(self, filter_string: str) -> str:
        if re.search(r"\s(like|ilike|in|is|not|null|and)\b", outside_strings(filter_string)):
            raise invalid("Keywords are in capitals.")
        return filter_string


@fault("search.white-space-is-free")
class FiltersStandOnOneLine(RewritingStore):
    """A filter with a line break in it is refused."""

    def rewritten(self, filter_string: str) -> str:
        if "\n" in outside_strings(filter_string):
            raise invalid("A filter stands on one line.")
        return filter_string


@fault("search.white-space-is-free")
class ComparatorsNeedSpace(RewritingStore):
    """A comparator without spaces around it is refused."""

    def rewritten(self, filter_string: str) -> str:
        if re.search(r"\w(=|!=|<|>)|(=|<|>)[\d']", outside_strings(filter_string)):
            raise invalid("There are spaces around a comparator.")
        return filter_string


@fault("search.comparator-refused")
class TextIsGreaterOrLess(LenientStore):
    """Params and tags are compared by size, that is, not at all."""

    def pardons(self, filter_string: Any) -> bool:
        return isinstance(filter_string, str) and bool(re.match(r"(params|tags)\.\w+ [<>]", filter_string))


@fault("search.many-clauses")
class SixteenClausesAreRead(MemoryStore):
    """Clauses behind the sixteenth are dropped."""

    def _search_runs(self, query: RunQuery) -> list[Run]:
        return super()._search_runs(replace(query, filter=query.filter[:16]))


@fault("search.oversized-filter")
class LongFiltersBreakTheStore(RewritingStore):
    """A filter of many clauses ends in an internal error."""

    def rewritten(self, filter_string: str) -> str:
        if filter_string.count(" AND ") > 999:
            raise TrackspecError("Expression tree is too large.", ErrorCode.INTERNAL_ERROR)
        return filter_string


@fault("search.entity-spellings")
class ParametersAreUnknown(RewritingStore):
    """Only the short spellings of params are understood."""

    def rewritten(self, filter_string: str) -> str:
        if outside_strings(filter_string).startswith("parameter"):
            raise invalid("There is no entity 'parameter'.")
        return filter_string


@fault("search.entity-spellings")
class ParamsAreReadAsTags(RewritingStore):
    """The spelling ``param`` reads tags."""

    def rewritten(self, filter_string: str) -> str:
        return re.sub(r"^param\.", "tag.", filter_string)


@fault("search.unknown-entity-refused")
class EntitiesAreFolded(RewritingStore):
    """An entity is understood in any case."""

    def rewritten(self, filter_string: str) -> str:
        return re.sub(r"^\w+\.", lambda entity: entity.group().lower(), filter_string)


@fault("search.unknown-attribute-refused")
class UnknownAttributesAreIgnored(LenientStore):
    """A clause on an unknown attribute does not count."""

    def pardons(self, filter_string: Any) -> bool:
        return isinstance(filter_string, str) and "gadget" in filter_string and "gadget.k" not in filter_string


@fault("search.attribute-aliases")
class StartTimeHasNoAlias(RewritingStore):
    """The alias ``Created`` is unknown."""

    def rewritten(self, filter_string: str) -> str:
        if filter_string.startswith("Created"):
            raise invalid("There is no attribute 'Created'.")
        return filter_string


@fault("search.attribute-aliases")
class CreatedIsTheEnd(RewritingStore):
    """The alias ``created`` reads the end time."""

    def rewritten(self, filter_string: str) -> str:
        return filter_string.replace("created", "end_time")


@fault("search.quoted-keys")
class KeysInDoubleQuotesAreRefused(RewritingStore):
    """Only backticks quote a key."""

    def rewritten(self, filter_string: str) -> str:
        if re.search(r'(metric|param|tag)s?\."', filter_string):
            raise invalid("A key stands in backticks.")
        return filter_string


class _OtherKey(SearchingStore):
    """Reads another key than the one that a clause names."""

    def other_key(self, key: str) -> str:
        """The key that is read."""
        return key

    def clause_holds(self, clause: Comparison, run: Run) -> bool:
        identifier = Identifier(clause.identifier.entity, self.other_key(clause.identifier.key))
        return super().clause_holds(replace(clause, identifier=identifier), run)


@fault("search.quoted-keys")
class KeysEndAtASlash(_OtherKey):
    """Of a key with a slash, the part before it is read."""

    def other_key(self, key: str) -> str:
        return key.split("/", maxsplit=1)[0]


@fault("search.dots-in-keys")
class EntitiesEndAtTheLastDot(_OtherKey):
    """Of a key with dots, the last part is read."""

    def other_key(self, key: str) -> str:
        return key.rpartition(".")[2]


@fault("search.keys-are-exact")
class KeysAreFolded(SearchingStore):
    """Params whose keys differ in case are taken for one another."""

    def clause_holds(self, clause: Comparison, run: Run) -> bool:
        params = {key.lower(): value for key, value in run.data.params.items()}
        folded = replace(run, data=replace(run.data, params=run.data.params | params))
        return super().clause_holds(clause, folded)


@fault("search.keys-are-exact")
class KeysMatchByPrefix(SearchingStore):
    """A tag is found under the beginning of its key."""

    def clause_holds(self, clause: Comparison, run: Run) -> bool:
        named = [key for key in run.data.tags if key.startswith(clause.identifier.key)]
        tags = {clause.identifier.key: run.data.tags[named[0]]} if named else {}
        return super().clause_holds(clause, replace(run, data=replace(run.data, tags=run.data.tags | tags)))


@fault("search.empty-key-refused")
class EmptyKeysAreAccepted(LenientStore):
    """A clause without a key is ignored."""

    def pardons(self, filter_string: Any) -> bool:
        return isinstance(filter_string, str) and bool(re.match(r"\w+\.(``|\"\"| )", filter_string))


@fault("search.double-quoted-strings")
class StringsStandInSingleQuotes(RewritingStore):
    """A string in double quotes is refused."""

    def rewritten(self, filter_string: str) -> str:
        if '= "' in filter_string or 'LIKE "' in filter_string:
            raise invalid("A string stands in single quotes.")
        return filter_string


@fault("search.quote-escape", "search-experiments.quote-escape")
class DoubledQuotesStayDoubled(RewritingStore):
    """There is no escape: two quotes in a row are two."""

    def rewritten(self, filter_string: str) -> str:
        return re.sub(r"(?<=\w)''(?=\w)", "''''", filter_string)


@fault("search.backslash-is-a-character")
class BackslashesEscape(SearchingStore):
    r"""The two characters ``\n`` in a string are a line break."""

    def value_holds(self, clause: Comparison, value: Any) -> bool:
        if isinstance(clause.value, str):
            clause = replace(clause, value=clause.value.replace("\\n", "\n"))
        return super().value_holds(clause, value)


@fault("search.strings-are-data")
class EqualityKnowsWildcards(SearchingStore):
    """A percent sign in a string that is compared with ``=`` stands for any text."""

    def value_holds(self, clause: Comparison, value: Any) -> bool:
        if clause.comparator is Comparator.EQ and isinstance(clause.value, str):
            clause = replace(clause, comparator=Comparator.LIKE)
        return super().value_holds(clause, value)


@fault("search.strings-are-data")
class QuotesEndTheString(RewritingStore):
    """A filter whose string holds the other kind of quote is refused."""

    def rewritten(self, filter_string: str) -> str:
        if "' OR '" in filter_string:
            raise invalid("A string holds no quotes.")
        return filter_string


@fault("search.text-takes-strings")
class NumbersAreText(RewritingStore):
    """A number that is compared with a param is taken for its digits."""

    def rewritten(self, filter_string: str) -> str:
        return re.sub(r"^(params\.\w+ =) (\d+)$", r"\1 '\2'", filter_string)


@fault("search.number-forms")
class ExponentsAreRefused(RewritingStore):
    """A number with an exponent is refused."""

    def rewritten(self, filter_string: str) -> str:
        if re.search(r"\d[eE][+-]?\d", outside_strings(filter_string)):
            raise invalid("A number has no exponent.")
        return filter_string


@fault("search.number-forms")
class SignsAreLost(SearchingStore):
    """A negative number in a filter is read as a positive one."""

    def value_holds(self, clause: Comparison, value: Any) -> bool:
        if isinstance(clause.value, float):
            clause = replace(clause, value=abs(clause.value))
        return super().value_holds(clause, value)


@fault("search.numbers-take-numbers")
class QuotedNumbersAreNumbers(RewritingStore):
    """A number in quotes is compared with a metric."""

    def rewritten(self, filter_string: str) -> str:
        return re.sub(r"""^(metrics\.\w+ =) ['"](\d+)['"]""", r"\1 \2", filter_string)


@fault("search.in-takes-strings")
class ListsOfWordsBreakTheStore(RewritingStore):
    """A list that holds a bare word ends in an internal error."""

    def rewritten(self, filter_string: str) -> str:
        if re.search(r"IN \([a-z]", filter_string):
            raise TrackspecError("malformed node or string", ErrorCode.INTERNAL_ERROR)
        return filter_string


@fault("search.refused-without-runs")
class FiltersAreReadRunByRun(MemoryStore):
    """Where there is no run, no filter is looked at."""

    def search_runs(
        self, experiment_ids: Sequence[str], filter_string: str | None = None, *args: Any, **kwargs: Any
    ) -> PagedList[Run]:
        if not any(record.info.experiment_id in experiment_ids for record in self._state.runs.values()):
            return PagedList()
        return super().search_runs(experiment_ids, filter_string, *args, **kwargs)
