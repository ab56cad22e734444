"""Backends whose tokens are taken for others, or lose their place."""

from __future__ import annotations

import base64
import json
import sys
from dataclasses import replace
from typing import Any

from tests.faults import fault
from tests.faults.searching import ArgumentsStore
from trackspec import Experiment, PagedList, Run, TrackspecError
from trackspec.errors import invalid
from trackspec.memory_store import MemoryStore
from trackspec.search import page_token as page_tokens
from trackspec.search.parser import parse_run_filter, parse_run_order
from trackspec.search.query import RunQuery


class _Offsets(ArgumentsStore):
    """Counts the items that were served."""

    def other_arguments(self, given: dict[str, Any]) -> dict[str, Any]:
        self._offset, self._size = self._count(given.get("page_token")), given.get("max_results") or 1000
        return given | {"page_token": None, "max_results": 50_000}

    def search_runs(self, *args: Any, **kwargs: Any) -> PagedList[Run]:
        return self._cut(super().search_runs(*args, **kwargs))

    def search_experiments(self, *args: Any, **kwargs: Any) -> PagedList[Experiment]:
        return self._cut(super().search_experiments(*args, **kwargs))

    @staticmethod
    def _count(token: str | None) -> int:
        if not token:
            return 0
        try:
            return int(json.loads(base64.b64decode(token))["offset"])
        except (ValueError, KeyError, TypeError):
            raise invalid("Invalid page token.") from None

    def _cut(self, found: PagedList[Any]) -> PagedList[Any]:
        end = self._offset + self._size
        token = base64.b64encode(json.dumps({"offset": end}).encode()).decode() if end < len(found) else None
        return PagedList(found[self._offset : end], token)


@fault("page.stable-under-deletes", "page.stable-under-inserts")
class TokensAreOffsets(_Offsets):
    """A token counts the items that were served."""


@fault("page.token-refused")
class OffsetsAreTakenFromAnyone(_Offsets):
    """A token that holds a count is accepted, whoever made it."""


@fault(
    "page.token-bound-to-order",
    "page.token-bound-to-filter",
    "page.token-bound-to-experiments",
    "page.token-bound-to-view",
    "page.token-bound-to-call",
)
class TokensAreBoundToNothing(_Offsets):
    """A token goes with any search."""


@fault("page.stable-under-deletes")
class TokensNameTheLastItem(MemoryStore):
    """A token holds the id of the last item, and is lost with it."""

    def _search_runs(self, query: RunQuery) -> list[Run]:
        if query.after is not None and query.after[-1] not in self._visible(query):
            return []
        return super()._search_runs(query)

    def _visible(self, query: RunQuery) -> set[str]:
        everything = replace(query, after=None, limit=sys.maxsize)
        return {run.info.run_id for run in super()._search_runs(everything)}


@fault("page.stable-under-deletes", "page.stable-under-inserts")
class ExperimentPagesAreCounted(_Offsets):
    """A token of experiments counts those that were served."""

    def search_runs(self, *args: Any, **kwargs: Any) -> PagedList[Run]:
        return MemoryStore.search_runs(self, *args, **kwargs)


@fault("page.no-token")
class TheEmptyTokenIsRefused(ArgumentsStore):
    """The empty string is no token."""

    def other_arguments(self, given: dict[str, Any]) -> dict[str, Any]:
        if given.get("page_token") == "":
            raise invalid("Invalid page token.")
        return given


class _PardonedTokens(MemoryStore):
    """Takes some tokens that it ought to refuse for none at all."""

    def pardons(self, token: Any) -> bool:
        """Whether this token, which is no good, is let through."""
        return True

    def search_runs(self, *args: Any, **kwargs: Any) -> PagedList[Run]:
        try:
            return super().search_runs(*args, **kwargs)
        except TrackspecError:
            if "page_token" not in kwargs or not self.pardons(kwargs["page_token"]):
                raise
            return super().search_runs(*args, **kwargs | {"page_token": None})


@fault("page.token-refused")
class GarbageIsNoToken(_PardonedTokens):
    """A token that cannot be read asks for the first page."""

    def pardons(self, token: Any) -> bool:
        return bool(token == "garbage")


@fault("page.token-refused")
class OtherTypesAreNoTokens(_PardonedTokens):
    """A token of another type than text asks for the first page."""

    def pardons(self, token: Any) -> bool:
        return not isinstance(token, str)


@fault("page.token-altered")
class TokensAreNotSealed(_PardonedTokens):
    """A token that was altered asks for the first page."""

    def pardons(self, token: Any) -> bool:
        return isinstance(token, str) and len(token) > 40


class _LooselyBound(MemoryStore):
    """Binds tokens to less of the query."""

    def loosened(self, bound: dict[str, Any]) -> dict[str, Any]:
        """What tokens are bound to."""
        return bound

    def search_runs(self, *args: Any, **kwargs: Any) -> PagedList[Run]:
        names = ("experiment_ids", "filter_string", "run_view_type", "max_results", "order_by", "page_token")
        given = dict(zip(names, args, strict=False)) | kwargs
        size, token = given.pop("max_results", None), given.pop("page_token", None)
        whole = super().search_runs(**given, max_results=50_000)
        if size is None:
            return whole
        bound = {
            "experiment_ids": sorted(given["experiment_ids"]),
            "filter": parse_run_filter(given.get("filter_string")),
            "view": str(given.get("run_view_type", "ViewType.ACTIVE_ONLY")),
            "order": parse_run_order(given.get("order_by")),
        }
        query = tuple(self.loosened(bound).items())
        position = page_tokens.redeem(query, token, bool)
        start = 0 if position is None else int(position[0])
        rest = whole[start : start + size]
        more = start + size < len(whole)
        return PagedList(rest, page_tokens.issue(query, [start + size]) if more else None)


@fault("page.token-bound-to-order")
class TokensGoWithAnyOrder(_LooselyBound):
    """A token is accepted with another order."""

    def loosened(self, bound: dict[str, Any]) -> dict[str, Any]:
        return bound | {"order": None}


@fault("page.token-bound-to-order")
class TokensGoWithBothDirections(_LooselyBound):
    """A token is accepted with the same columns in another direction."""

    def loosened(self, bound: dict[str, Any]) -> dict[str, Any]:
        return bound | {"order": tuple(column.identifier for column in bound["order"])}


@fault("page.token-bound-to-filter")
class TokensGoWithAnyFilter(_LooselyBound):
    """A token is accepted with another filter."""

    def loosened(self, bound: dict[str, Any]) -> dict[str, Any]:
        return bound | {"filter": None}


@fault("page.token-bound-to-filter")
class TokensGoWithOtherValues(_LooselyBound):
    """A token is accepted with a filter on the same keys."""

    def loosened(self, bound: dict[str, Any]) -> dict[str, Any]:
        return bound | {"filter": tuple(clause.identifier for clause in bound["filter"])}


@fault("page.token-bound-to-experiments")
class TokensGoWithAnyExperiment(_LooselyBound):
    """A token is accepted with other experiments."""

    def loosened(self, bound: dict[str, Any]) -> dict[str, Any]:
        return bound | {"experiment_ids": None}


@fault("page.token-bound-to-view")
class TokensGoWithAnyView(_LooselyBound):
    """A token is accepted with another view type."""

    def loosened(self, bound: dict[str, Any]) -> dict[str, Any]:
        return bound | {"view": None}
