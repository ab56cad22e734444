"""Faulty backends for search: wrong where filters, views, orders and pages meet."""

from __future__ import annotations

import functools
import struct
from dataclasses import replace
from typing import Any

from trackspec import Run, ViewType
from trackspec.entities import RUN_NAME_TAG
from trackspec.memory_store import MemoryStore
from trackspec.search.order import SortKey, compare_sort_keys, run_sort_key
from trackspec.search.query import RunQuery
from trackspec.search.syntax import Entity, OrderBy

from . import fault


@fault("search.unknown-experiments")
class AHundredExperimentsAreSearched(MemoryStore):
    """Of several experiments the first hundred are searched."""

    def _search_runs(self, query: RunQuery) -> list[Run]:
        return super()._search_runs(replace(query, experiment_ids=query.experiment_ids[:100]))


@fault("search.unknown-experiments")
class SearchesReadIdsAsNumbers(MemoryStore):
    """Zeros before an experiment's id do not count in a search."""

    def _search_runs(self, query: RunQuery) -> list[Run]:
        ids = tuple(experiment_id.lstrip("0") or "0" for experiment_id in query.experiment_ids)
        return super()._search_runs(replace(query, experiment_ids=ids))


@fault("search.whole-runs")
class SearchesAnswerTwentyParams(MemoryStore):
    """A search answers no more than twenty params of a run."""

    def _search_runs(self, query: RunQuery) -> list[Run]:
        return [
            replace(run, data=replace(run.data, params=dict(list(run.data.params.items())[:20])))
            for run in super()._search_runs(query)
        ]


@fault("search.whole-runs")
class SearchesCutTags(MemoryStore):
    """A search answers the first 5000 characters of a tag."""

    def _search_runs(self, query: RunQuery) -> list[Run]:
        return [
            replace(run, data=replace(run.data, tags={key: tag[:5000] for key, tag in run.data.tags.items()}))
            for run in super()._search_runs(query)
        ]


class _ForgetsTheView(MemoryStore):
    """Where ``_forgets`` holds for a query, all runs are seen."""

    seen_instead = ViewType.ALL

    def _forgets(self, query: Any) -> bool:
        return False

    def _search_runs(self, query: RunQuery) -> list[Run]:
        forgotten = replace(query, view_type=self.seen_instead)
        return super()._search_runs(forgotten if self._forgets(query) else query)


@fault("search.view-active", "search.view-deleted")
class FiltersSeeAllRuns(_ForgetsTheView):
    """With a filter, active and deleted runs are found."""

    def _forgets(self, query: Any) -> bool:
        return bool(query.filter)


@fault("search.view-active", "search.view-deleted")
class OrdersSeeAllRuns(_ForgetsTheView):
    """With a column to order by, active and deleted runs are found."""

    def _forgets(self, query: Any) -> bool:
        return bool(query.order_by)


@fault("search.view-active", "search.view-deleted")
class LaterPagesSeeAllRuns(_ForgetsTheView):
    """The pages behind the first one hold active and deleted runs."""

    def _forgets(self, query: Any) -> bool:
        return query.after is not None


@fault("search.view-all")
class FiltersSeeActiveRuns(_ForgetsTheView):
    """With a filter, the view of all runs leaves out the deleted ones."""

    seen_instead = ViewType.ACTIVE_ONLY

    def _forgets(self, query: Any) -> bool:
        return bool(query.filter) and query.view_type is ViewType.ALL


@fault("search.view-deleted")
class DeletedRunsAreNotFiltered(MemoryStore):
    """The view of deleted runs ignores the filter."""

    def _search_runs(self, query: RunQuery) -> list[Run]:
        unfiltered = query.view_type is ViewType.DELETED_ONLY
        return super()._search_runs(replace(query, filter=()) if unfiltered else query)


class _OrdersOnItsOwn(MemoryStore):
    """A column of a run's sort key is altered by ``_column``."""

    def _column(self, clause: OrderBy, column: list[Any], run: Run) -> list[Any]:
        return column

    def _sort_key(self, run: Run, order_by: tuple[OrderBy, ...]) -> SortKey:
        key = run_sort_key(run, order_by)
        columns = [self._column(clause, column, run) for clause, column in zip(order_by, key, strict=False)]
        return [*columns, *key[len(order_by) :]]

    def _search_runs(self, query: RunQuery) -> list[Run]:
        if query.after is not None:
            return super()._search_runs(query)
        found = super()._search_runs(replace(query, limit=10**9))
        position = functools.cmp_to_key(compare_sort_keys(query.order_by))
        found.sort(key=lambda run: position(self._sort_key(run, query.order_by)))
        return found[: query.limit]


@fault("search.order-text")
class LongTextOrdersByItsStart(_OrdersOnItsOwn):
    """Of a tag the first 32 characters order."""

    def _column(self, clause: OrderBy, column: list[Any], run: Run) -> list[Any]:
        return [0, column[1][:32]] if clause.identifier.entity is Entity.TAG and column[0] == 0 else column


@fault("search.order-attribute")
class TheTagOrdersByName(_OrdersOnItsOwn):
    """A run is ordered by the tag that mirrors its name."""

    def _column(self, clause: OrderBy, column: list[Any], run: Run) -> list[Any]:
        if clause.identifier.key != "run_name":
            return column
        tag = run.data.tags.get(RUN_NAME_TAG)
        return [2, None] if tag is None else [0, tag]


@fault("search.order-attribute")
class TimesOrderAsDoubles(_OrdersOnItsOwn):
    """Start times order as doubles."""

    def _column(self, clause: OrderBy, column: list[Any], run: Run) -> list[Any]:
        return [0, float(column[1])] if clause.identifier.key == "start_time" else column


@fault("search.order-metric")
class MetricsOrderInSinglePrecision(_OrdersOnItsOwn):
    """Metrics order as single-precision numbers."""

    def _column(self, clause: OrderBy, column: list[Any], run: Run) -> list[Any]:
        if clause.identifier.entity is not Entity.METRIC or column[0] != 0 or abs(column[1]) > 1e38:
            return column
        return [0, struct.unpack("f", struct.pack("f", column[1]))[0]]
