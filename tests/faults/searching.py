"""The model with its searches taken apart, so that a fault replaces one part and leaves the rest."""

from __future__ import annotations

import functools
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from trackspec import Experiment, PagedList, Run, TrackspecError
from trackspec.memory_store import MemoryStore
from trackspec.search.evaluate import experiment_matches, holds, run_matches
from trackspec.search.order import SortKey, compare_sort_keys, experiment_sort_key, run_sort_key, run_value
from trackspec.search.query import ExperimentQuery, RunQuery
from trackspec.search.syntax import Comparison, Entity, Filter, OrderBy


class SearchingStore(MemoryStore):
    """Filters, orders and cuts in three steps."""

    def _search_runs(self, query: RunQuery) -> list[Run]:
        everything = replace(query, filter=(), order_by=(), after=None, limit=sys.maxsize)
        found = [run for run in super()._search_runs(everything) if self.matches(run, query.filter)]
        return self.run_page(self.ordered(found, query.order_by), query)

    def matches(self, run: Run, clauses: Filter) -> bool:
        """Whether a run is found."""
        return all(self.clause_holds(clause, run) for clause in clauses)

    def clause_holds(self, clause: Comparison, run: Run) -> bool:
        """Whether one clause holds for a run."""
        if clause.identifier.entity is Entity.DATASET:
            return run_matches(run, (clause,))
        return self.value_holds(clause, run_value(run, clause.identifier))

    def value_holds(self, clause: Comparison, value: Any) -> bool:
        """Whether one clause holds for a value."""
        return holds(clause, value)

    def ordered(self, runs: list[Run], order_by: tuple[OrderBy, ...]) -> list[Run]:
        """The runs in their order."""
        position = functools.cmp_to_key(self.comparison(order_by))
        return sorted(runs, key=lambda run: position(self.sort_key(run, order_by)))

    def comparison(self, order_by: tuple[OrderBy, ...]) -> Any:
        """A three-way comparison of sort keys."""
        return compare_sort_keys(order_by)

    def sort_key(self, run: Run, order_by: tuple[OrderBy, ...]) -> SortKey:
        """What a run is ordered by."""
        return run_sort_key(run, order_by)

    def run_page(self, runs: list[Run], query: RunQuery) -> list[Run]:
        """The runs behind the query's position, up to its limit."""
        if query.after is not None:
            position = functools.cmp_to_key(self.comparison(query.order_by))
            after = position(query.after)
            runs = [run for run in runs if position(self.sort_key(run, query.order_by)) > after]
        return runs[: query.limit]

    def _search_experiments(self, query: ExperimentQuery) -> list[Experiment]:
        everything = replace(query, filter=(), order_by=(), after=None, limit=sys.maxsize)
        found = [
            experiment
            for experiment in super()._search_experiments(everything)
            if self.experiment_matches(experiment, query.filter)
        ]
        return self.experiment_page(self.ordered_experiments(found, query.order_by), query)

    def experiment_matches(self, experiment: Experiment, clauses: Filter) -> bool:
        """Whether an experiment is found."""
        return all(self.experiment_clause_holds(clause, experiment) for clause in clauses)

    def experiment_clause_holds(self, clause: Comparison, experiment: Experiment) -> bool:
        """Whether one clause holds for an experiment."""
        return experiment_matches(experiment, (clause,))

    def ordered_experiments(
        self, experiments: list[Experiment], order_by: tuple[OrderBy, ...]
    ) -> list[Experiment]:
        """The experiments in their order."""
        position = functools.cmp_to_key(compare_sort_keys(order_by))
        return sorted(experiments, key=lambda item: position(experiment_sort_key(item, order_by)))

    def experiment_page(self, experiments: list[Experiment], query: ExperimentQuery) -> list[Experiment]:
        """The experiments behind the query's position, up to its limit."""
        if query.after is not None:
            position = functools.cmp_to_key(compare_sort_keys(query.order_by))
            after = position(query.after)
            experiments = [
                item for item in experiments if position(experiment_sort_key(item, query.order_by)) > after
            ]
        return experiments[: query.limit]


class RewritingStore(MemoryStore):
    """Reads another filter than it was given."""

    def rewritten(self, filter_string: str) -> str:
        """The filter that is read instead; it may also raise."""
        return filter_string

    def search_runs(
        self, experiment_ids: Sequence[str], filter_string: str | None = None, *args: Any, **kwargs: Any
    ) -> PagedList[Run]:
        if isinstance(filter_string, str):
            filter_string = self.rewritten(filter_string)
        return super().search_runs(experiment_ids, filter_string, *args, **kwargs)

    def search_experiments(self, *args: Any, **kwargs: Any) -> PagedList[Experiment]:
        if isinstance(kwargs.get("filter_string"), str):
            kwargs["filter_string"] = self.rewritten(kwargs["filter_string"])
        return super().search_experiments(*args, **kwargs)


class LenientStore(MemoryStore):
    """Takes some of what it ought to refuse for no filter at all."""

    def pardons(self, filter_string: Any) -> bool:
        """Whether this filter, which is no good, is let through."""
        return True

    def search_runs(
        self, experiment_ids: Sequence[str], filter_string: str | None = None, *args: Any, **kwargs: Any
    ) -> PagedList[Run]:
        try:
            return super().search_runs(experiment_ids, filter_string, *args, **kwargs)
        except TrackspecError:
            if not self.pardons(filter_string):
                raise
            return super().search_runs(experiment_ids, None, *args, **kwargs)

    def search_experiments(self, *args: Any, **kwargs: Any) -> PagedList[Experiment]:
        try:
            return super().search_experiments(*args, **kwargs)
        except TrackspecError:
            if "filter_string" not in kwargs or not self.pardons(kwargs["filter_string"]):
                raise
            return super().search_experiments(*args, **kwargs | {"filter_string": None})


class ArgumentsStore(MemoryStore):
    """Reads other arguments than it was given, in both searches."""

    def other_arguments(self, given: dict[str, Any]) -> dict[str, Any]:
        """The arguments that are read, by name; it may also raise."""
        return given

    def search_runs(self, *args: Any, **kwargs: Any) -> PagedList[Run]:
        names = ("experiment_ids", "filter_string", "run_view_type", "max_results", "order_by", "page_token")
        return super().search_runs(**self.other_arguments(dict(zip(names, args, strict=False)) | kwargs))

    def search_experiments(self, *args: Any, **kwargs: Any) -> PagedList[Experiment]:
        names = ("view_type", "max_results", "filter_string", "order_by", "page_token")
        return super().search_experiments(**self.other_arguments(dict(zip(names, args, strict=False)) | kwargs))
