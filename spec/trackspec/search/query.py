"""A validated search, as a store's own code receives it."""

from __future__ import annotations

from dataclasses import dataclass

from trackspec.entities import ViewType
from trackspec.search.order import SortKey
from trackspec.search.syntax import Filter, OrderBy


@dataclass(frozen=True)
class ExperimentQuery:
    """One page of a search for experiments.

    :ivar order_by: the caller's columns, each once, without the tie-breakers
        (``creation_time DESC, experiment_id ASC``).
    :ivar after: the sort key of the last item of the page before, or None for the first page.
    :ivar limit: return up to this many items, best first.
    """

    filter: Filter
    view_type: ViewType
    order_by: tuple[OrderBy, ...]
    after: SortKey | None
    limit: int


@dataclass(frozen=True)
class RunQuery:
    """One page of a search for runs.

    The fields are as for experiments, and the tie-breakers ``start_time DESC, run_id ASC``.
    """

    experiment_ids: tuple[str, ...]
    filter: Filter
    view_type: ViewType
    order_by: tuple[OrderBy, ...]
    after: SortKey | None
    limit: int
