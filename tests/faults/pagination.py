"""Backends whose pages lose, repeat or never end."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any

from tests.faults import fault
from tests.faults.searching import ArgumentsStore, SearchingStore
from trackspec import Experiment, PagedList, Run
from trackspec.errors import invalid
from trackspec.memory_store import MemoryStore
from trackspec.search.order import SortKey, compare_sort_keys, run_sort_key
from trackspec.search.parser import parse_run_filter
from trackspec.search.query import ExperimentQuery, RunQuery


class _OtherPage(ArgumentsStore):
    """Answers another page than the right one."""

    def other_page(self, page: PagedList[Any], given: dict[str, Any]) -> PagedList[Any]:
        """The page that is answered."""
        return page

    def search_runs(self, *args: Any, **kwargs: Any) -> PagedList[Run]:
        page = super().search_runs(*args, **kwargs)
        return self.other_page(page, kwargs)

    def search_experiments(self, *args: Any, **kwargs: Any) -> PagedList[Experiment]:
        page = super().search_experiments(*args, **kwargs)
        return self.other_page(page, kwargs)


# -- page size --------------------------------------------------------------------------------------------------


@fault("page.size-bounds")
class EmptyPagesAreAnswered(ArgumentsStore):
    """A page of no items, or of less, holds one."""

    def other_arguments(self, given: dict[str, Any]) -> dict[str, Any]:
        size = given.get("max_results")
        return given | {"max_results": 1} if isinstance(size, int) and size <= 0 else given


@fault("page.size-bounds")
class PagesHaveNoUpperBound(ArgumentsStore):
    """A page may be of any size."""

    def other_arguments(self, given: dict[str, Any]) -> dict[str, Any]:
        size = given.get("max_results")
        return given | {"max_results": 50_000} if isinstance(size, int) and size > 50_000 else given


@fault("page.size-bounds")
class PagesHaveALowBound(ArgumentsStore):
    """A page of more than ten thousand items is refused."""

    def other_arguments(self, given: dict[str, Any]) -> dict[str, Any]:
        if isinstance(given.get("max_results"), int) and given["max_results"] > 10_000:
            raise invalid("max_results is at most 10000.")
        return given


@fault("page.size-type")
class PageSizesAreConverted(ArgumentsStore):
    """A page size of another type is made an integer."""

    def other_arguments(self, given: dict[str, Any]) -> dict[str, Any]:
        if isinstance(given.get("max_results"), (bool, float, str)):
            return given | {"max_results": int(given["max_results"])}
        return given


@fault("page.size-none")
class NoPageSizeIsRefused(ArgumentsStore):
    """None is no page size."""

    def other_arguments(self, given: dict[str, Any]) -> dict[str, Any]:
        if given.get("max_results", 1) is None:
            raise invalid("max_results is an integer.")
        return given


@fault("page.size-omitted")
class PageSizesAreNeeded(ArgumentsStore):
    """A search without a page size is refused."""

    def other_arguments(self, given: dict[str, Any]) -> dict[str, Any]:
        if "max_results" not in given:
            raise invalid("max_results is missing.")
        return given


@fault("page.size-kept")
class RunPagesHaveNoBound(SearchingStore):
    """Every page of runs holds all of them."""

    def search_runs(self, *args: Any, **kwargs: Any) -> PagedList[Run]:
        return super().search_runs(*args, **kwargs | ({"max_results": 50_000} if "max_results" in kwargs else {}))


@fault("page.size-kept")
class ExperimentPagesHaveNoBound(SearchingStore):
    """Every page of experiments holds all of them."""

    def search_experiments(self, *args: Any, **kwargs: Any) -> PagedList[Experiment]:
        return super().search_experiments(*args, **kwargs | {"max_results": 50_000})


@fault("page.full", "page.no-token-at-the-end")
class EveryPageButTheEmptyOneHasAToken(_OtherPage):
    """The end of a search is told by an empty page."""

    def other_page(self, page: PagedList[Any], given: dict[str, Any]) -> PagedList[Any]:
        if page and page.token is None:
            return PagedList(page, self._token(page, given))
        return page

    def _token(self, page: PagedList[Any], given: dict[str, Any]) -> str:
        return "end"

    def other_arguments(self, given: dict[str, Any]) -> dict[str, Any]:
        if given.get("page_token") == "end":
            return given | {"page_token": None, "filter_string": "tags.none = 'x'"}
        return given


@fault("page.full")
class PagesAreFilledByHalf(_OtherPage):
    """A page holds fewer items than were asked for, though there are more."""

    def other_arguments(self, given: dict[str, Any]) -> dict[str, Any]:
        return given | {"max_results": max(1, given["max_results"] - 1)} if given.get("max_results") else given


class _BoundToMore(MemoryStore):
    """Hides something of the query in its tokens, and refuses those that hide something else."""

    def hidden(self, given: dict[str, Any]) -> str:
        """What is hidden."""
        return ""

    def search_runs(self, *args: Any, **kwargs: Any) -> PagedList[Run]:
        token = kwargs.get("page_token")
        if token:
            hidden, _, rest = token.partition(".")
            if hidden != self.hidden(kwargs):
                raise invalid("The page token was not issued for this query.")
            kwargs["page_token"] = rest
        page = super().search_runs(*args, **kwargs)
        return PagedList(page, page.token and f"{self.hidden(kwargs)}.{page.token}")


@fault("page.size-may-change")
class TokensAreBoundToTheirSize(_BoundToMore):
    """A token is refused with another page size."""

    def hidden(self, given: dict[str, Any]) -> str:
        return str(given.get("max_results"))


@fault("page.token-reopened")
class TokensAreBoundToTheirObject(_BoundToMore):
    """A token is good in the store object that issued it."""

    def hidden(self, given: dict[str, Any]) -> str:
        return str(id(self))


# -- walking ----------------------------------------------------------------------------------------------------


@fault("page.sum", "page.full")
class EveryPageIsTheFirst(ArgumentsStore):
    """The token is ignored."""

    def other_arguments(self, given: dict[str, Any]) -> dict[str, Any]:
        return given | {"page_token": None}


@fault("page.sum")
class ThereIsOnePage(_OtherPage):
    """No page has a token, and what does not fit on the first one is never seen."""

    def other_page(self, page: PagedList[Any], given: dict[str, Any]) -> PagedList[Any]:
        return PagedList(page)


@fault("page.sum")
class PagesBeginOneTooLate(SearchingStore):
    """The first item of each later page of runs is skipped."""

    def run_page(self, runs: list[Run], query: RunQuery) -> list[Run]:
        page = super().run_page(runs, replace(query, limit=sys.maxsize))
        return page[:0] + (page[1:] if query.after else page)[: query.limit]


@fault("page.sum")
class PagesBeginOneTooEarly(SearchingStore):
    """The last item of each page of experiments is the first of the next one."""

    def experiment_page(self, experiments: list[Experiment], query: ExperimentQuery) -> list[Experiment]:
        if query.after is None:
            return super().experiment_page(experiments, query)
        before = len(experiments) - len(super().experiment_page(experiments, replace(query, limit=sys.maxsize)))
        return experiments[before - 1 : before - 1 + query.limit]


@fault("page.sum")
class LaterPagesComeInTheDefaultOrder(SearchingStore):
    """The order is forgotten with the first page of experiments."""

    def experiment_page(self, experiments: list[Experiment], query: ExperimentQuery) -> list[Experiment]:
        page = super().experiment_page(experiments, query)
        return page if query.after is None else page[::-1]


@fault("page.no-token-at-the-end")
class FullPagesHaveATokenOfRuns(SearchingStore):
    """A page of runs that is full has a token, though nothing follows."""

    def search_runs(self, *args: Any, **kwargs: Any) -> PagedList[Run]:
        page = super().search_runs(*args, **kwargs)
        return PagedList(page, "more") if len(page) == kwargs.get("max_results") and not page.token else page


@fault("page.no-token-at-the-end")
class EmptyPagesHaveAToken(MemoryStore):
    """An empty page of experiments has a token."""

    def search_experiments(self, *args: Any, **kwargs: Any) -> PagedList[Experiment]:
        page = super().search_experiments(*args, **kwargs)
        return page or PagedList([], "more")


class _OtherPosition(SearchingStore):
    """Compares the position of a page otherwise than it orders."""

    def passed(self, key: SortKey, after: SortKey, query: RunQuery) -> bool:
        """Whether an item lies behind the position."""
        comparison = compare_sort_keys(query.order_by)
        return comparison(key, after) > 0

    def run_page(self, runs: list[Run], query: RunQuery) -> list[Run]:
        after = query.after
        if after is not None:
            runs = [run for run in runs if self.passed(run_sort_key(run, query.order_by), after, query)]
        return runs[: query.limit]


@fault("page.ties")
class TiesAreLost(_OtherPosition):
    """A page begins behind all items that equal the last one in their columns and start time."""

    def passed(self, key: SortKey, after: SortKey, query: RunQuery) -> bool:
        return compare_sort_keys(query.order_by)([*key[:-1], ""], [*after[:-1], ""]) > 0


@fault("page.ties")
class TiesAreRepeated(_OtherPosition):
    """A page begins with the items that equal the last one in their columns and start time."""

    def passed(self, key: SortKey, after: SortKey, query: RunQuery) -> bool:
        if key == after:
            return False
        return compare_sort_keys(query.order_by)([*key[:-1], ""], [*after[:-1], ""]) >= 0


@fault("page.missing-and-nan")
class PositionsOfNothingAreLost(_OtherPosition):
    """Behind a run that lacks the key, or whose metric is NaN, nothing follows."""

    def passed(self, key: SortKey, after: SortKey, query: RunQuery) -> bool:
        if any(rank for rank, _ in after[:-2]):
            return False
        return super().passed(key, after, query)


@fault("page.missing-and-nan")
class PositionsAtInfinityAreLost(_OtherPosition):
    """An infinite position is read as the largest double, so that infinities repeat or vanish."""

    def passed(self, key: SortKey, after: SortKey, query: RunQuery) -> bool:
        finite = [
            [rank, max(-sys.float_info.max, min(sys.float_info.max, value)) if isinstance(value, float) else value]
            for rank, value in after[:-2]
        ]
        return super().passed(key, [*finite, *after[-2:]], query)


@fault("page.filtered")
class PagesAreFilteredAfterwards(SearchingStore):
    """A page is cut first and filtered then, so that it is short."""

    def search_runs(self, *args: Any, **kwargs: Any) -> PagedList[Run]:
        clauses = parse_run_filter(args[1]) if len(args) > 1 else ()
        if not clauses or "max_results" not in kwargs:
            return super().search_runs(*args, **kwargs)
        page = super().search_runs(args[0], None, **kwargs)
        return PagedList([run for run in page if self.matches(run, clauses)], page.token)


@fault("page.token-reusable")
class TokensAreUsedUp(MemoryStore):
    """A token is good once."""

    def __init__(self, store_uri: str = "memory:") -> None:
        super().__init__(store_uri)
        self._used: set[str] = set()

    def search_runs(self, *args: Any, **kwargs: Any) -> PagedList[Run]:
        token = kwargs.get("page_token")
        if token in self._used:
            raise invalid("The page token was used.")
        page = super().search_runs(*args, **kwargs)
        if token:
            self._used.add(token)
        return page
