"""Page tokens, and the default page size, which no check of the suite can afford to judge."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trackspec import ErrorCode, TrackspecError, open_store
from trackspec.limits import DEFAULT_MAX_RESULTS
from trackspec.memory_store import MemoryStore
from trackspec.search import page_token
from trackspec.search.parser import parse_run_filter, parse_run_order

QUERY = ("runs", ("1",), "ACTIVE_ONLY", (), ())


def anything(position: list[object]) -> bool:
    """Any position will do."""
    return True


FORGED = (
    [],
    [1, "r", 5],
    ["1", "r"],
    [1.5, "r"],
    [True, "r"],
    [2**63, "r"],
    [1, 5],
    [1, "\ud800"],
    [1, "\0"],
    [[0, 1.0], 1, "r"],
    [[0, "text"], [0, 5], 1, "r"],
    [[0, 1.0], [3, None], 1, "r"],
    [[0, 1.0], [0, None], 1, "r"],
    [[0, 1.0], [2, 5], 1, "r"],
    [[0, math.nan], [0, 5], 1, "r"],
    [[0, 1.0], [0, "5"], 1, "r"],
    [[0, 1.0], 5, 1, "r"],
)
"""What a token holds that no store has made, though its digest is right."""


@pytest.mark.parametrize("position", FORGED)
@pytest.mark.parametrize("uri", ["memory:", "sqlite:///{}/store.db", "file:{}/store"])
def test_a_forged_token_is_refused(position: list[object], uri: str, tmp_path: Path) -> None:
    """The digest is no secret; what a token holds is judged all the same."""
    with open_store(uri.format(tmp_path)) as store:
        for order_by in ([], ["metrics.m", "start_time DESC"]):
            bound = ("runs", ("0",), "ACTIVE_ONLY", parse_run_filter(None), parse_run_order(order_by))
            token = page_token.issue(bound, position)
            with pytest.raises(TrackspecError) as refusal:
                store.search_runs(["0"], order_by=order_by, page_token=token)
            assert refusal.value.error_code is ErrorCode.INVALID_PARAMETER_VALUE
        run_id = store.create_run("0", "", 0, [], None).info.run_id
        with pytest.raises(TrackspecError) as refusal:
            store.get_metric_history(run_id, "m", 1, page_token.issue(("history", run_id, "m"), position))
        assert refusal.value.error_code is ErrorCode.INVALID_PARAMETER_VALUE


@given(st.lists(st.integers() | st.floats(allow_nan=False) | st.text() | st.none() | st.just([1, None])))
def test_a_token_gives_its_position_back(position: list[object]) -> None:
    """What was issued is redeemed, infinities included."""
    assert page_token.redeem(QUERY, page_token.issue(QUERY, position), anything) == position


def test_no_token_has_no_position() -> None:
    """None and the empty string ask for the first page."""
    assert page_token.redeem(QUERY, None, anything) is None
    assert page_token.redeem(QUERY, "", anything) is None


@pytest.mark.parametrize("alteration", ["A", "_", "=", "é", " "])
def test_an_altered_token_is_refused(alteration: str) -> None:
    """Every character counts, also those that decode to the same bytes."""
    token = page_token.issue(QUERY, [[0, math.inf], 1, "r"])

    for place in range(len(token)):
        altered = token[:place] + alteration + token[place + 1 :]
        for candidate in {altered, token[:place], token[:place] + alteration + token[place:]} - {token, ""}:
            with pytest.raises(TrackspecError) as refusal:
                page_token.redeem(QUERY, candidate, anything)
            assert refusal.value.error_code is ErrorCode.INVALID_PARAMETER_VALUE


@pytest.mark.parametrize("stranger", [5, b"abc", "abc", ["abc"], "W10=", "\ud800"])
def test_what_is_no_token_is_refused(stranger: object) -> None:
    """Garbage of any type is refused."""
    with pytest.raises(TrackspecError):
        page_token.redeem(QUERY, stranger, anything)


def test_a_token_belongs_to_its_query() -> None:
    """Another query refuses it."""
    with pytest.raises(TrackspecError):
        page_token.redeem((*QUERY, "other"), page_token.issue(QUERY, []), anything)


@pytest.mark.parametrize("options", [{}, {"max_results": None}])
def test_a_page_holds_a_thousand_by_default(options: dict[str, Any]) -> None:
    """The first page ends behind the default number of runs, and the second one holds the rest."""
    with MemoryStore() as store:
        experiment_id = store.create_experiment("many")
        for number in range(DEFAULT_MAX_RESULTS + 1):
            store.create_run(experiment_id, "me", number, None, f"run-{number}")

        first = store.search_runs([experiment_id], **options)
        second = store.search_runs([experiment_id], page_token=first.token, **options)

    assert [len(first), len(second), second.token] == [DEFAULT_MAX_RESULTS, 1, None]
