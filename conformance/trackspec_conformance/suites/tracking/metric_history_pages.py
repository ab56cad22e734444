"""The checks of the chapter on metric history: reading it page by page."""

import base64
from typing import Any

from trackspec import ErrorCode, Metric, PagedList, TrackingStore
from trackspec_conformance.checks import check
from trackspec_conformance.expectations import expect, expect_equal, refused, unless_refused
from trackspec_conformance.fresh import Fresh


def _points(count: int) -> list[Metric]:
    """Points whose order is the same by step and by timestamp."""
    return [Metric("m", float(number), 1_000 + number, number) for number in range(count)]


def _token(page: PagedList[Metric]) -> str:
    """A page's token, which must be there."""
    expect(isinstance(page.token, str) and page.token != "", "a token for the next page", page.token)
    assert page.token is not None
    return page.token


@check("history.page-size")
def a_page_is_as_long_as_asked_for(store: TrackingStore, fresh: Fresh) -> None:
    """Pages of 1, of 3 and of more than there are hold 1, 3 and all points."""
    run_id = fresh.run(metrics=_points(5))

    for size in (1, 3, 5, 6):
        page = store.get_metric_history(run_id, "m", size)
        expect_equal(_points(5)[:size], list(page), f"the first page of {size}")


@check("history.pages-complete")
def pages_add_up_to_the_history(store: TrackingStore, fresh: Fresh) -> None:
    """Pages of 3 hold 8 points once each, the last page 2."""
    run_id = fresh.run(metrics=_points(8))

    first = store.get_metric_history(run_id, "m", 3)
    second = store.get_metric_history(run_id, "m", 3, _token(first))
    third = store.get_metric_history(run_id, "m", 3, _token(second))

    pages = [list(first), list(second), list(third)]
    expect_equal([_points(8)[:3], _points(8)[3:6], _points(8)[6:]], pages, "the three pages")


@check("history.pages-complete")
def ties_add_up_to_the_history(store: TrackingStore, fresh: Fresh) -> None:
    """Pages that end between points of one step and timestamp, NaN among them, hold each of them once."""
    values = (float("nan"), float("-inf"), -1.0, 0.0, 1.0, float("inf"))
    run_id = fresh.run(metrics=[Metric("m", value, 1_000, 1) for value in values])
    whole = list(store.get_metric_history(run_id, "m"))

    pages: list[Metric] = []
    token = None
    for _ in values:
        page = store.get_metric_history(run_id, "m", 1, token)
        pages += page
        token = page.token

    expect_equal(6, len(whole), "the number of points")
    expect_equal(whole, pages, "the points of six pages of one")


@check("history.last-page")
def the_last_page_has_no_token(store: TrackingStore, fresh: Fresh) -> None:
    """A page that ends with the last point has no token, whether it is full or not."""
    run_id = fresh.run(metrics=_points(4))

    expect_equal(None, store.get_metric_history(run_id, "m", 4).token, "the token of a page of all 4")
    expect_equal(None, store.get_metric_history(run_id, "m", 5).token, "the token of a page of 5")
    first = store.get_metric_history(run_id, "m", 2)
    second = store.get_metric_history(run_id, "m", 2, _token(first))
    expect_equal(None, second.token, "the token of the second page of 2")


@check("history.pages-stable")
def points_that_arrive_shift_no_page(store: TrackingStore, fresh: Fresh) -> None:
    """Points that arrive before and behind the end of a page repeat none of the others, and hide none."""
    run_id = fresh.run(metrics=_points(6))
    first = store.get_metric_history(run_id, "m", 3)
    before = [Metric("m", 0.5, 500 + number, -1 - number) for number in range(2)]
    late = [*before, Metric("m", 99.0, 9_000, 99)]
    store.log_batch(run_id, late, [], [])

    rest = store.get_metric_history(run_id, "m", 100, _token(first))

    # Whether the new ones come along is left open.
    known = [point for point in rest if point not in late]
    expect_equal(_points(6)[3:], known, "the points that were there, after the first page")


@check("history.max-results-limit")
def the_greatest_page_is_accepted(store: TrackingStore, fresh: Fresh) -> None:
    """A page size of 50,000 is accepted."""
    run_id = fresh.run(metrics=_points(3))

    page = store.get_metric_history(run_id, "m", 50_000)

    expect_equal((_points(3), None), (list(page), page.token), "the page and its token")


@check("history.max-results-above-limit")
def too_great_a_page_is_refused_or_served(store: TrackingStore, fresh: Fresh) -> None:
    """A page size of 50,001 and one of a million are refused, or served with what there is."""
    run_id = fresh.run(metrics=_points(3))

    for size in (50_001, 1_000_000):
        with unless_refused(ErrorCode.INVALID_PARAMETER_VALUE):
            page = store.get_metric_history(run_id, "m", size)
            expect_equal(_points(3), list(page), "the page")


@check("history.max-results-not-positive-refused")
def a_page_of_nothing_is_refused(store: TrackingStore, fresh: Fresh) -> None:
    """Page sizes of 0 and below are refused."""
    run_id = fresh.run(metrics=_points(5))

    for size in (0, -1, -3):
        with refused(ErrorCode.INVALID_PARAMETER_VALUE):
            store.get_metric_history(run_id, "m", size)


@check("history.max-results-no-integer-refused")
def a_page_size_is_an_integer(store: TrackingStore, fresh: Fresh) -> None:
    """Fractions, texts, bools and lists are refused as page sizes."""
    run_id = fresh.run(metrics=_points(5))
    sizes: tuple[Any, ...] = (1.5, 2.0, "2", True, float("nan"), [2])

    for size in sizes:
        with refused(ErrorCode.INVALID_PARAMETER_VALUE):
            store.get_metric_history(run_id, "m", size)


@check("history.bad-token-refused")
def an_invented_token_is_refused(store: TrackingStore, fresh: Fresh) -> None:
    """Texts that are no token, and offsets dressed up as one, are refused."""
    run_id = fresh.run(metrics=_points(5))
    invented = ["x", "2", "None", "\u00e9", "a" * 5000]
    bodies = ("{}", "[]", "null", '"x"', '{"offset": 0}', '{"offset": -1}', '{"offset": 1.5}', '{"offset": 2e30}')
    invented += [base64.b64encode(body.encode()).decode() for body in bodies]
    strangers: tuple[Any, ...] = (*invented, 2, b"x", True)

    for token in strangers:
        with refused(ErrorCode.INVALID_PARAMETER_VALUE):
            store.get_metric_history(run_id, "m", 2, token)


@check("history.token-of-another-metric-refused")
def a_token_belongs_to_one_history(store: TrackingStore, fresh: Fresh) -> None:
    """The token of one history is refused with another key and with another run."""
    same_places = [Metric(key, point.value, point.timestamp, point.step) for key in "mn" for point in _points(5)]
    run_id, other_id = fresh.run(metrics=same_places), fresh.run(metrics=same_places)
    token = _token(store.get_metric_history(run_id, "m", 2))

    with refused(ErrorCode.INVALID_PARAMETER_VALUE):
        store.get_metric_history(run_id, "n", 2, token)
    with refused(ErrorCode.INVALID_PARAMETER_VALUE):
        store.get_metric_history(other_id, "m", 2, token)
