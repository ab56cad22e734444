"""Backends that order runs wrongly."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from tests.faults import fault
from tests.faults.searching import SearchingStore
from trackspec import ErrorCode, PagedList, Run, TrackspecError
from trackspec.errors import invalid
from trackspec.search.order import MISSING, NAN, PRESENT, SortKey
from trackspec.search.syntax import Entity, OrderBy


@fault("search.default-order")
class TheOldestRunComesFirst(SearchingStore):
    """Runs come in the order in which they started."""

    def ordered(self, runs: list[Run], order_by: tuple[OrderBy, ...]) -> list[Run]:
        found = super().ordered(runs, order_by)
        return found if order_by else sorted(found, key=lambda run: run.info.start_time)


@fault("search.default-order")
class StartTimesOrderAsText(SearchingStore):
    """Start times are ordered by their digits."""

    def ordered(self, runs: list[Run], order_by: tuple[OrderBy, ...]) -> list[Run]:
        found = super().ordered(runs, order_by)
        return found if order_by else sorted(found, key=lambda run: str(run.info.start_time), reverse=True)


@fault("search.order-ties")
class RunIdsDescend(SearchingStore):
    """Runs that are equal but for their ids come by descending id."""

    def ordered(self, runs: list[Run], order_by: tuple[OrderBy, ...]) -> list[Run]:
        found = sorted(runs, key=lambda run: run.info.run_id, reverse=True)
        found.sort(key=lambda run: -run.info.start_time)
        return found if not order_by else super().ordered(runs, order_by)


@fault("search.order-ties")
class RunIdsBreakTies(SearchingStore):
    """Runs that the columns leave equal come by run id alone."""

    def sort_key(self, run: Run, order_by: tuple[OrderBy, ...]) -> SortKey:
        key = super().sort_key(run, order_by)
        return [*key[:-2], 0, key[-1]] if order_by else key


@fault(
    "search.order-metric",
    "search.order-text",
    "search.order-attribute",
    "search.order-columns",
    "search.order-direction",
    "search.order-quoted-keys",
    "search.any-order",
)
class OrdersAreIgnored(SearchingStore):
    """Every ``order_by`` is accepted, and none applied."""

    def ordered(self, runs: list[Run], order_by: tuple[OrderBy, ...]) -> list[Run]:
        return super().ordered(runs, ())


class _OtherValue(SearchingStore):
    """Orders by something else than the values."""

    entity: Entity

    def other_value(self, value: Any, run: Run, key: str) -> Any:
        """What is ordered by instead of a value."""
        return value

    def sort_key(self, run: Run, order_by: tuple[OrderBy, ...]) -> SortKey:
        key = super().sort_key(run, order_by)
        for column, (rank, value) in enumerate(key[:-2]):
            identifier = order_by[column].identifier
            if identifier.entity is self.entity and rank == PRESENT:
                key[column] = [rank, self.other_value(value, run, identifier.key)]
        return key


@fault("search.order-metric")
class MetricsOrderAsText(_OtherValue):
    """Metrics are ordered by their digits."""

    entity = Entity.METRIC

    def other_value(self, value: Any, run: Run, key: str) -> Any:
        return str(value)


@fault("search.order-metric")
class TheGreatestValueOrders(_OtherValue):
    """A metric orders by the greatest of its values."""

    entity = Entity.METRIC

    def other_value(self, value: Any, run: Run, key: str) -> Any:
        return max(point.value for point in self._state.runs[run.info.run_id].points[key])


@fault("search.order-text")
class TextOrdersByLetter(_OtherValue):
    """Params are ordered as in a dictionary, small and capital letters alike."""

    entity = Entity.PARAM

    def other_value(self, value: Any, run: Run, key: str) -> Any:
        return value.lower()


@fault("search.order-text")
class TextOrdersByUtf16(_OtherValue):
    """Tags are ordered by the units of UTF-16."""

    entity = Entity.TAG

    def other_value(self, value: Any, run: Run, key: str) -> Any:
        return value.encode("utf-16-be")


@fault("search.order-attribute")
class StatusesOrderByNumber(_OtherValue):
    """Statuses are ordered by their numbers in a protocol."""

    entity = Entity.ATTRIBUTE

    def other_value(self, value: Any, run: Run, key: str) -> Any:
        return "RUNNING SCHEDULED FINISHED FAILED KILLED".index(value) if key == "status" else value


@fault("search.order-attribute")
class UsersDoNotOrder(_OtherValue):
    """Ordering by user leaves all runs equal."""

    entity = Entity.ATTRIBUTE

    def other_value(self, value: Any, run: Run, key: str) -> Any:
        return "" if key == "user_id" else value


class _OtherColumns(SearchingStore):
    """Reads other columns than those that are given."""

    def other_columns(self, order_by: Any) -> Any:
        """The columns that are read; it may also raise."""
        return order_by

    def search_runs(
        self, experiment_ids: Sequence[str], filter_string: str | None = None, *args: Any, **kwargs: Any
    ) -> PagedList[Run]:
        kwargs["order_by"] = self.other_columns(kwargs.get("order_by"))
        return super().search_runs(experiment_ids, filter_string, *args, **kwargs)


@fault("search.order-direction")
class EveryColumnAscends(_OtherColumns):
    """DESC is ignored."""

    def ordered(self, runs: list[Run], order_by: tuple[OrderBy, ...]) -> list[Run]:
        return super().ordered(runs, tuple(replace(column, ascending=True) for column in order_by))


@fault("search.order-direction")
class DirectionsAreInCapitals(_OtherColumns):
    """``desc`` in small letters is ignored."""

    def other_columns(self, order_by: Any) -> Any:
        return [column.removesuffix(" desc") for column in order_by] if order_by else order_by


@fault("search.order-columns")
class TheFirstColumnOrders(_OtherColumns):
    """Columns behind the first are ignored."""

    def ordered(self, runs: list[Run], order_by: tuple[OrderBy, ...]) -> list[Run]:
        return super().ordered(runs, order_by[:1])


@fault("search.order-columns", "search.any-order")
class LaterColumnsWeighMore(_OtherColumns):
    """Columns are applied from the last to the first."""

    def ordered(self, runs: list[Run], order_by: tuple[OrderBy, ...]) -> list[Run]:
        return super().ordered(runs, order_by[::-1])


@fault("search.any-order")
class TheThirdColumnIsIgnored(SearchingStore):
    """Two columns are read."""

    def ordered(self, runs: list[Run], order_by: tuple[OrderBy, ...]) -> list[Run]:
        return super().ordered(runs, order_by[:2])


@fault("search.many-columns")
class EightColumnsOrder(_OtherColumns):
    """Columns behind the eighth are refused."""

    def other_columns(self, order_by: Any) -> Any:
        if order_by and len(order_by) > 8:
            raise invalid("At most 8 columns order.")
        return order_by


class _OtherRanks(SearchingStore):
    """Puts NaN or missing values elsewhere."""

    def comparison(self, order_by: tuple[OrderBy, ...]) -> Callable[[SortKey, SortKey], int]:
        usual: Callable[[SortKey, SortKey], int] = super().comparison(order_by)

        def compare(left: SortKey, right: SortKey) -> int:
            return usual(self._moved(left, order_by), self._moved(right, order_by))

        return compare

    def _moved(self, key: SortKey, order_by: tuple[OrderBy, ...]) -> SortKey:
        moved = [
            [self.rank(rank, column.ascending), value]
            for (rank, value), column in zip(key[:-2], order_by, strict=True)
        ]
        return [*moved, *key[-2:]]

    def rank(self, rank: int, ascending: bool) -> int:
        """The rank that is taken instead."""
        return rank


@fault("search.order-missing-last")
class MissingKeysComeFirst(_OtherRanks):
    """A run without the key comes before those that have it."""

    def rank(self, rank: int, ascending: bool) -> int:
        return -1 if rank == MISSING else rank


@fault("search.order-missing-last")
class MissingKeysAreLeast(_OtherRanks):
    """A run without the key comes last where the column descends, and else first."""

    def rank(self, rank: int, ascending: bool) -> int:
        return -1 if rank == MISSING and ascending else rank


@fault("search.order-missing-last")
class MissingKeysAreHidden(SearchingStore):
    """A run that lacks the key of a column is not found."""

    def ordered(self, runs: list[Run], order_by: tuple[OrderBy, ...]) -> list[Run]:
        found = super().ordered(runs, order_by)
        return [run for run in found if not any(rank == MISSING for rank, _ in self.sort_key(run, order_by)[:-2])]


@fault("search.order-nan")
class NanComesFirst(_OtherRanks):
    """NaN comes before all numbers."""

    def rank(self, rank: int, ascending: bool) -> int:
        return -1 if rank == NAN else rank


@fault("search.order-nan")
class NanIsTheGreatestNumber(_OtherRanks):
    """NaN comes before the numbers where the column descends."""

    def rank(self, rank: int, ascending: bool) -> int:
        return -1 if rank == NAN and not ascending else rank


@fault("search.order-nan")
class NanIsMissing(_OtherRanks):
    """Runs with NaN mix with those that lack the metric."""

    def rank(self, rank: int, ascending: bool) -> int:
        return MISSING if rank == NAN else rank


@fault("search.order-unknown-key")
class UnknownColumnsAreRefused(_OtherColumns):
    """A key that was never logged is refused."""

    def other_columns(self, order_by: Any) -> Any:
        if order_by and "never" in order_by[0]:
            raise invalid("There is no such key.")
        return order_by


@fault("search.order-quoted-keys")
class QuotesAreRefusedInColumns(_OtherColumns):
    """A column's key takes no quotes."""

    def other_columns(self, order_by: Any) -> Any:
        if order_by and any("`" in str(column) for column in order_by):
            raise invalid("A column takes no quotes.")
        return order_by


@fault("search.order-twice")
class TheLastMentionCounts(_OtherColumns):
    """Of two mentions of a column, the last one orders."""

    def other_columns(self, order_by: Any) -> Any:
        return order_by[::-1] if order_by and len(order_by) == 2 else order_by


@fault("search.order-twice")
class ColumnsNamedTwiceBreakTheStore(_OtherColumns):
    """A column that is named twice ends in an internal error."""

    def other_columns(self, order_by: Any) -> Any:
        if order_by and len({column.split(" ", 1)[0] for column in order_by}) < len(order_by):
            raise TrackspecError("order_by contains duplicate fields", ErrorCode.INTERNAL_ERROR)
        return order_by


@fault("search.order-malformed-refused")
class OtherColumnsAreIgnored(_OtherColumns):
    """A column that is not understood is left out."""

    def search_runs(self, *args: Any, **kwargs: Any) -> PagedList[Run]:
        try:
            return super().search_runs(*args, **kwargs)
        except TrackspecError:
            if not (isinstance(kwargs.get("order_by"), list) and "metrics.fine" in kwargs["order_by"]):
                raise
            return super().search_runs(*args, **kwargs | {"order_by": None})


@fault("search.order-type")
class OneColumnNeedsNoList(_OtherColumns):
    """A string is taken for a list of one."""

    def other_columns(self, order_by: Any) -> Any:
        return [order_by] if isinstance(order_by, str) else order_by


@fault("search.order-type")
class ColumnsOfOtherTypesAreIgnored(_OtherColumns):
    """What is no string is left out of the columns."""

    def other_columns(self, order_by: Any) -> Any:
        return (
            [column for column in order_by if isinstance(column, str)] if isinstance(order_by, list) else order_by
        )


@fault("search.default-order", "search.order-ties")
class RunsComeAsTheyMay(SearchingStore):
    """Without ``order_by``, runs come in any order."""

    def ordered(self, runs: list[Run], order_by: tuple[OrderBy, ...]) -> list[Run]:
        found = super().ordered(runs, order_by)
        return found if order_by else random.Random(len(found)).sample(found, len(found))
