"""Faulty backends for search: wrong about one kind of value, or about one detail of the grammar."""

from __future__ import annotations

import fnmatch
import re
import unicodedata
from dataclasses import replace
from typing import Any

from trackspec import DatasetInput, PagedList, Run
from trackspec.errors import invalid
from trackspec.memory_store import MemoryStore
from trackspec.search.evaluate import like, run_matches
from trackspec.search.order import run_value
from trackspec.search.query import RunQuery
from trackspec.search.syntax import Comparator, Comparison, Entity

from . import fault


class _ComparesOnItsOwn(MemoryStore):
    """A clause on one kind of identifier is judged by ``_holds``."""

    entity: Entity | None = None
    key: str | None = None
    comparators = frozenset(Comparator)

    def _holds(self, value: Any, clause: Comparison) -> bool:
        raise NotImplementedError

    def _judges(self, clause: Comparison) -> bool:
        identifier = clause.identifier
        return (
            self.entity in (None, identifier.entity)
            and self.key in (None, identifier.key)
            and clause.comparator in self.comparators
        )

    def _search_runs(self, query: RunQuery) -> list[Run]:
        mine = [clause for clause in query.filter if self._judges(clause)]
        others = tuple(clause for clause in query.filter if clause not in mine)
        found = super()._search_runs(replace(query, filter=others, limit=10**9))
        matching = [run for run in found if all(self._fits(run, clause) for clause in mine)]
        return matching[: query.limit]

    def _fits(self, run: Run, clause: Comparison) -> bool:
        value = run_value(run, clause.identifier)
        return value is not None and self._holds(value, clause)


@fault("search.run-id", "search.run-id-in")
class RunIdsAreFolded(_ComparesOnItsOwn):
    """Run ids that differ in case are equal."""

    key, comparators = "run_id", frozenset({Comparator.EQ, Comparator.IN, Comparator.NOT_IN})

    def _holds(self, value: Any, clause: Comparison) -> bool:
        listed = [clause.value] if clause.comparator is Comparator.EQ else clause.value
        found = value.lower() in [item.lower() for item in listed]  # type: ignore[union-attr]
        return found != (clause.comparator is Comparator.NOT_IN)


@fault("search.run-id-in")
class ListsHoldPrefixes(_ComparesOnItsOwn):
    """A run is listed where the beginning of its id is."""

    key, comparators = "run_id", frozenset({Comparator.IN, Comparator.NOT_IN})

    def _holds(self, value: Any, clause: Comparison) -> bool:
        return value.startswith(tuple(clause.value)) != (clause.comparator is Comparator.NOT_IN)  # type: ignore[arg-type]


@fault("search.artifact-uri")
class ArtifactUrisAreEqualByPrefix(_ComparesOnItsOwn):
    """An artifact URI equals the beginning of it."""

    key, comparators = "artifact_uri", frozenset({Comparator.EQ})

    def _holds(self, value: Any, clause: Comparison) -> bool:
        return bool(value.startswith(clause.value))


@fault("search.times")
class EndsAreNeverOnTheBound(_ComparesOnItsOwn):
    """``>=`` on an end time leaves out what is equal."""

    key, comparators = "end_time", frozenset({Comparator.GE})

    def _holds(self, value: Any, clause: Comparison) -> bool:
        return bool(value > clause.value)


@fault("search.text-equality")
class TagsAreEqualInForm(_ComparesOnItsOwn):
    """Tags of one Unicode normal form are equal."""

    entity, comparators = Entity.TAG, frozenset({Comparator.EQ})

    def _holds(self, value: Any, clause: Comparison) -> bool:
        return unicodedata.normalize("NFC", value) == unicodedata.normalize("NFC", str(clause.value))


@fault("search.text-equality")
class ParamsAreEqualByTheirStart(_ComparesOnItsOwn):
    """Params are equal if their first 255 characters are."""

    entity, comparators = Entity.PARAM, frozenset({Comparator.EQ})

    def _holds(self, value: Any, clause: Comparison) -> bool:
        return bool(value[:255] == str(clause.value)[:255])


@fault("search.text-equality")
class TagsAreEqualAsNumbers(_ComparesOnItsOwn):
    """Tags that read as the same number are equal."""

    entity, comparators = Entity.TAG, frozenset({Comparator.EQ})

    def _holds(self, value: Any, clause: Comparison) -> bool:
        try:
            return float(value) == float(str(clause.value))
        except ValueError:
            return bool(value == clause.value)


@fault("search.text-equality")
class EmptyStringsFindNothing(_ComparesOnItsOwn):
    """The empty value is not equal to the empty string."""

    comparators = frozenset({Comparator.EQ})
    entity = Entity.PARAM

    def _holds(self, value: Any, clause: Comparison) -> bool:
        return bool(value and value == clause.value)


@fault("search.like-literals")
class PatternsOfTagsAreGlobs(_ComparesOnItsOwn):
    """A pattern on a tag is read as a glob."""

    entity, comparators = Entity.TAG, frozenset({Comparator.LIKE})

    def _holds(self, value: Any, clause: Comparison) -> bool:
        glob = str(clause.value).replace("%", "*").replace("_", "?")
        return re.fullmatch(fnmatch.translate(glob), value) is not None


@fault("search.like-literals")
class PatternsOfNamesAreRegularExpressions(_ComparesOnItsOwn):
    """A pattern on a run's name is read as a regular expression."""

    key, comparators = "run_name", frozenset({Comparator.LIKE})

    def _holds(self, value: Any, clause: Comparison) -> bool:
        pattern = str(clause.value).replace("%", ".*").replace("_", ".")
        try:
            return re.fullmatch(pattern, value, re.DOTALL) is not None
        except re.error:
            return False


@fault("search.like-one-character")
class UnderscoresInTagsAreUtf16(_ComparesOnItsOwn):
    """An underscore in a pattern on a tag stands for one UTF-16 unit."""

    entity, comparators = Entity.TAG, frozenset({Comparator.LIKE})

    def _holds(self, value: Any, clause: Comparison) -> bool:
        def units(text: str) -> str:
            return "".join(map(chr, memoryview(text.encode("utf-16-le")).cast("H")))

        return like(units(value), units(str(clause.value)))


@fault("search.dataset-any-input")
class ListedNowhere(MemoryStore):
    """``NOT IN`` on a dataset holds where it holds for every input."""

    def _search_runs(self, query: RunQuery) -> list[Run]:
        excluding = [
            clause
            for clause in query.filter
            if clause.identifier.entity is Entity.DATASET and clause.comparator is Comparator.NOT_IN
        ]
        including = [replace(clause, comparator=Comparator.IN) for clause in excluding]
        return [
            run
            for run in super()._search_runs(query)
            if not any(run_matches(run, (clause,)) for clause in including)
        ]


@fault("search.dataset-context")
class TheFirstTagIsTheContext(MemoryStore):
    """The context of an input is the value of its first tag."""

    def _search_runs(self, query: RunQuery) -> list[Run]:
        context = [clause for clause in query.filter if clause.identifier.key == "context"]
        others = tuple(clause for clause in query.filter if clause not in context)
        found = super()._search_runs(replace(query, filter=others))
        return [run for run in found if all(self._fits(run, clause) for clause in context)]

    def _fits(self, run: Run, clause: Comparison) -> bool:
        inputs = tuple(self._first_tag_only(used) for used in run.inputs.dataset_inputs)
        return run_matches(replace(run, inputs=replace(run.inputs, dataset_inputs=inputs)), (clause,))

    def _first_tag_only(self, used: DatasetInput) -> DatasetInput:
        return replace(used, tags=tuple(replace(tag, key="mlflow.data.context") for tag in used.tags[:1]))


class _ReadsFiltersFirst(MemoryStore):
    """A filter is read by ``_read`` before it is parsed."""

    def _read(self, filter_string: str) -> str:
        return filter_string

    def search_runs(
        self, experiment_ids: Any, filter_string: Any = None, *others: Any, **options: Any
    ) -> PagedList[Run]:
        read = self._read(filter_string) if isinstance(filter_string, str) else filter_string
        return super().search_runs(experiment_ids, read, *others, **options)


@fault("search.strings-are-data")
class AndEndsAClause(_ReadsFiltersFirst):
    """A filter with an AND in one of its strings is refused."""

    def _read(self, filter_string: str) -> str:
        for clause in re.split(r"\sAND\s", filter_string):
            if clause.count('"') % 2:
                raise invalid("A clause ends in the middle of a string.")
        return filter_string


@fault("search.strings-are-data")
class SmallAndsAreMadeGreat(_ReadsFiltersFirst):
    """Keywords are put into capitals, in strings too."""

    def _read(self, filter_string: str) -> str:
        return re.sub(r"\band\b", "AND", filter_string)


@fault("search.strings-are-data")
class SpacesAreMadeOne(_ReadsFiltersFirst):
    """Several spaces in a filter are one, in strings too."""

    def _read(self, filter_string: str) -> str:
        return re.sub(r"[ ]+", " ", filter_string)


@fault("search.strings-are-data")
class LineBreaksAreSpaces(_ReadsFiltersFirst):
    """Line breaks in a filter are spaces, in strings too."""

    def _read(self, filter_string: str) -> str:
        return re.sub(r"[\n\t]", " ", filter_string)


@fault("search.strings-are-data")
class PercentSignsAreFormatted(_ReadsFiltersFirst):
    """Two percent signs in a string are one."""

    def _read(self, filter_string: str) -> str:
        return filter_string.replace("%%", "%")


@fault("search.number-rare-forms")
class SignedExponentsAreRefused(_ReadsFiltersFirst):
    """A number with a plus sign in its exponent is refused."""

    def _read(self, filter_string: str) -> str:
        if re.search(r"\de\+", filter_string):
            raise invalid("An exponent has no plus sign.")
        return filter_string


@fault("search.white-space-is-free")
class IsNullStandsOnOneSpace(_ReadsFiltersFirst):
    """The words of IS NULL stand one space apart."""

    def _read(self, filter_string: str) -> str:
        if re.search(r"IS(\s\s|[\n\t])|NOT(\s\s|[\n\t])", filter_string):
            raise invalid("There is one space between IS and NULL.")
        return filter_string


@fault("search.white-space-in-keywords")
class NotInIsOneWord(_ReadsFiltersFirst):
    """The words of NOT IN stand one space apart."""

    def _read(self, filter_string: str) -> str:
        if re.search(r"NOT(?! IN)\s+IN", filter_string):
            raise invalid("There is one space between NOT and IN.")
        return filter_string


@fault("search.quoted-keys")
class QuotedKeysAreAscii(_ReadsFiltersFirst):
    """A quoted key with a letter beyond ASCII is refused."""

    def _read(self, filter_string: str) -> str:
        if re.search(r"\.[`\"][^`\"]*[^\x00-\x7f]", filter_string):
            raise invalid("A key is ASCII.")
        return filter_string


@fault("search.quoted-keys")
class QuotedKeysAreTrimmed(_ReadsFiltersFirst):
    """A quoted key loses the spaces around it."""

    def _read(self, filter_string: str) -> str:
        return re.sub(r"\.([`\"]) *([^`\"]*?) *([`\"])", r".\1\2\3", filter_string)


@fault("search.clauses-all-hold")
class OneClauseOnTagsCounts(MemoryStore):
    """Of several clauses on tags the last one counts."""

    def _search_runs(self, query: RunQuery) -> list[Run]:
        on_tags = [clause for clause in query.filter if clause.identifier.entity is Entity.TAG]
        kept = tuple(clause for clause in query.filter if clause not in on_tags[:-1])
        return super()._search_runs(replace(query, filter=kept))
