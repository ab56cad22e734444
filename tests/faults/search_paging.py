"""Faulty backends for search: wrong about experiments where they are right about runs, or about large pages."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from typing import Any

from trackspec import Experiment, PagedList, Run, ViewType, arguments
from trackspec.memory_store import MemoryStore
from trackspec.search import page_token as page_tokens
from trackspec.search.evaluate import like
from trackspec.search.order import experiment_sort_key
from trackspec.search.parser import parse_experiment_filter, parse_experiment_order
from trackspec.search.query import ExperimentQuery, RunQuery
from trackspec.search.syntax import Comparator, Comparison, Entity

from . import fault


class _ComparesExperimentsOnItsOwn(MemoryStore):
    """A clause on one kind of identifier is judged by ``_holds``."""

    entity: Entity | None = None
    key: str | None = None
    comparators = frozenset({Comparator.EQ})

    def _holds(self, experiment: Experiment, clause: Comparison) -> bool:
        raise NotImplementedError

    def _search_experiments(self, query: ExperimentQuery) -> list[Experiment]:
        mine = [
            clause
            for clause in query.filter
            if self.entity in (None, clause.identifier.entity)
            and self.key in (None, clause.identifier.key)
            and clause.comparator in self.comparators
        ]
        others = tuple(clause for clause in query.filter if clause not in mine)
        found = super()._search_experiments(replace(query, filter=others, limit=10**9))
        return [item for item in found if all(self._holds(item, clause) for clause in mine)][: query.limit]


@fault("search-experiments.name")
class NamesAreEqualInForm(_ComparesExperimentsOnItsOwn):
    """Names of one Unicode normal form are equal in a filter."""

    key = "name"

    def _holds(self, experiment: Experiment, clause: Comparison) -> bool:
        return unicodedata.normalize("NFC", experiment.name) == unicodedata.normalize("NFC", str(clause.value))


@fault("search-experiments.name")
class BackslashesEscapeInNames(_ComparesExperimentsOnItsOwn):
    """A backslash in a pattern on a name is an escape."""

    key, comparators = "name", frozenset({Comparator.LIKE})

    def _holds(self, experiment: Experiment, clause: Comparison) -> bool:
        return like(experiment.name, str(clause.value).replace("\\\\", "\\"))


@fault("search-experiments.id")
class ExperimentsAreFoundByNumber(_ComparesExperimentsOnItsOwn):
    """Zeros before an id do not count in a filter."""

    key = "experiment_id"

    def _holds(self, experiment: Experiment, clause: Comparison) -> bool:
        return experiment.experiment_id == (str(clause.value).lstrip("0") or "0")


@fault("search-experiments.tags")
class ExperimentTagsAreFolded(_ComparesExperimentsOnItsOwn):
    """Values of tags that differ in case are equal."""

    entity = Entity.TAG

    def _holds(self, experiment: Experiment, clause: Comparison) -> bool:
        value = experiment.tags.get(clause.identifier.key)
        return value is not None and value.lower() == str(clause.value).lower()


@fault("search-experiments.tags")
class ExperimentTagKeysAreFolded(_ComparesExperimentsOnItsOwn):
    """A clause reads every tag whose key differs in case."""

    entity = Entity.TAG

    def _holds(self, experiment: Experiment, clause: Comparison) -> bool:
        wanted = clause.identifier.key.lower()
        return clause.value in [value for key, value in experiment.tags.items() if key.lower() == wanted]


@fault("search-experiments.view-all")
class ClausesSeeActiveExperiments(MemoryStore):
    """With two clauses, the view of all experiments leaves out the deleted ones."""

    def _search_experiments(self, query: ExperimentQuery) -> list[Experiment]:
        forgets = len(query.filter) > 1 and query.view_type is ViewType.ALL
        return super()._search_experiments(replace(query, view_type=ViewType.ACTIVE_ONLY) if forgets else query)


@fault("search-experiments.view-active", "search-experiments.view-deleted")
class OrdersSeeAllExperiments(MemoryStore):
    """With a column to order by, active and deleted experiments are found."""

    def _search_experiments(self, query: ExperimentQuery) -> list[Experiment]:
        return super()._search_experiments(replace(query, view_type=ViewType.ALL) if query.order_by else query)


@fault("search-experiments.whole")
class SearchesAnswerTenTags(MemoryStore):
    """A search answers no more than ten tags of an experiment."""

    def _search_experiments(self, query: ExperimentQuery) -> list[Experiment]:
        found = super()._search_experiments(query)
        return [replace(experiment, tags=dict(list(experiment.tags.items())[:10])) for experiment in found]


@fault("search-experiments.whole")
class SearchesTidyLocations(MemoryStore):
    """A search answers locations in small letters."""

    def _search_experiments(self, query: ExperimentQuery) -> list[Experiment]:
        found = super()._search_experiments(query)
        return [replace(item, artifact_location=item.artifact_location.lower()) for item in found]


@fault("page.full")
class AHundredRunsAreAPage(MemoryStore):
    """A page of runs never holds more than a hundred."""

    def search_runs(self, *others: Any, max_results: Any = 1000, **options: Any) -> PagedList[Run]:
        size = 100 if type(max_results) is int and 100 < max_results <= 50_000 else max_results
        return super().search_runs(*others, max_results=size, **options)


@fault("page.full")
class FiftyExperimentsAreAPage(MemoryStore):
    """A page of experiments never holds more than fifty."""

    def search_experiments(self, *others: Any, max_results: Any = 1000, **options: Any) -> PagedList[Experiment]:
        size = 50 if type(max_results) is int and 50 < max_results <= 50_000 else max_results
        return super().search_experiments(*others, max_results=size, **options)


@fault("page.sum")
class LaterPagesAreOfOneExperiment(MemoryStore):
    """The pages behind the first one hold runs of the first experiment only."""

    def _search_runs(self, query: RunQuery) -> list[Run]:
        some = query.experiment_ids[:1] if query.after else query.experiment_ids
        return super()._search_runs(replace(query, experiment_ids=some))


class _BindsTokensOfExperiments(MemoryStore):
    """A token of experiments is bound to what ``_bound`` makes of a search."""

    def _bound(self, view_type: ViewType, clauses: Any, columns: Any) -> tuple[Any, ...]:
        return view_type, clauses, columns

    def search_experiments(
        self,
        view_type: ViewType = ViewType.ACTIVE_ONLY,
        max_results: int | None = 1000,
        filter_string: str | None = None,
        order_by: Any = None,
        page_token: str | None = None,
    ) -> PagedList[Experiment]:
        clauses, columns = parse_experiment_filter(filter_string), parse_experiment_order(order_by)
        view_type, size = arguments.view_type(view_type), arguments.max_results(max_results)
        bound = ("experiments", *self._bound(view_type, clauses, columns))
        after = page_tokens.redeem(bound, page_token, bool)
        found = self._search_experiments(ExperimentQuery(clauses, view_type, columns, after, size + 1))
        last = (
            page_tokens.issue(bound, experiment_sort_key(found[size - 1], columns)) if len(found) > size else None
        )
        return PagedList(found[:size], last)


@fault("page.token-bound-to-filter")
class TokensOfExperimentsGoWithAnyFilter(_BindsTokensOfExperiments):
    """A token of experiments is accepted with another filter."""

    def _bound(self, view_type: ViewType, clauses: Any, columns: Any) -> tuple[Any, ...]:
        return view_type.name, columns


@fault("page.token-bound-to-order")
class TokensOfExperimentsGoWithAnyOrder(_BindsTokensOfExperiments):
    """A token of experiments is accepted with another order of as many columns."""

    def _bound(self, view_type: ViewType, clauses: Any, columns: Any) -> tuple[Any, ...]:
        return view_type.name, clauses, len(columns)


@fault("page.token-bound-to-view")
class TokensOfExperimentsGoWithAnyView(_BindsTokensOfExperiments):
    """A token of experiments is accepted with another view type."""

    def _bound(self, view_type: ViewType, clauses: Any, columns: Any) -> tuple[Any, ...]:
        return clauses, columns
