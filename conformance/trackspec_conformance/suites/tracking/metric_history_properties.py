"""Property checks of the chapter on metric history."""

from collections.abc import Sequence

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from trackspec import Metric, TrackingStore
from trackspec.search.order import metric_order
from trackspec_conformance import strategies
from trackspec_conformance.checks import check
from trackspec_conformance.expectations import expect, expect_equal
from trackspec_conformance.exploring import explore
from trackspec_conformance.fresh import Fresh

Interval = tuple[list[Metric], int, tuple[int, int]]
"""The points of a run, how many of them to draw, and the bounds between which."""


def _intervals() -> SearchStrategy[Interval]:
    bounds = st.tuples(strategies.steps(), strategies.steps()).map(lambda pair: (min(pair), max(pair)))
    finite = strategies.crowded_points(values=strategies.FINITE_VALUES)
    return st.tuples(strategies.crowded_histories(finite), st.integers(1, 12), bounds)


def _distinct(points: Sequence[Metric]) -> list[Metric]:
    """The points by step, timestamp and value, each once."""
    by_place = {metric_order(point): point for point in points}
    return [by_place[place] for place in sorted(by_place)]


@check("history.same-point-once")
def a_history_is_a_set_of_points(store: TrackingStore, fresh: Fresh) -> None:
    """Points that often repeat one another, in two batches, are each in the history once."""

    def holds(points: list[Metric]) -> None:
        middle = len(points) // 2
        run_id = fresh.run(metrics=points[:middle])

        store.log_batch(run_id, points[middle:], [], [])

        history = store.get_metric_history(run_id, "m")
        expect_equal(_distinct(points), sorted(history, key=metric_order), "the history, sorted")

    finite = strategies.crowded_points(values=strategies.FINITE_VALUES)
    explore(fresh, strategies.crowded_histories(finite), holds, examples=25)


@check("history.pages-complete")
def pages_of_any_size_add_up(store: TrackingStore, fresh: Fresh) -> None:
    """Whatever the page size, the pages one after the other are the whole history."""

    def holds(drawn: tuple[list[Metric], int]) -> None:
        points, size = drawn
        run_id = fresh.run(metrics=points)
        whole = list(store.get_metric_history(run_id, "m"))

        pages: list[Metric] = []
        token = None
        while len(pages) < len(whole):
            page = store.get_metric_history(run_id, "m", size, token)
            expect(0 < len(page) <= size, f"1 to {size} points", page)
            pages += page
            token = page.token

        expect(len(whole) > 0, "some points", whole)
        expect_equal(whole, pages, f"the points of pages of {size}")
        expect_equal(None, token, "the last page's token")

    histories = strategies.crowded_histories(max_size=12).map(_distinct)
    with_size = histories.flatmap(lambda points: st.tuples(st.just(points), strategies.page_sizes(len(points))))
    explore(fresh, with_size, holds, examples=25)


@check("history.keys-apart")
def histories_of_look_alike_keys_stay_apart(store: TrackingStore, fresh: Fresh) -> None:
    """Each of several look-alike keys has the history that was logged to it."""

    def holds(keys: list[str]) -> None:
        points = {key: Metric(key, float(number), number, number) for number, key in enumerate(keys)}
        run_id = fresh.run(metrics=list(points.values()))

        for key, point in points.items():
            expect_equal([point], list(store.get_metric_history(run_id, key)), f"the history of {key!r}")

    keys = strategies.distinct_keys(min_size=4, max_size=8)
    # Paths and long names are the business of the requirements on keys; here they would only be in the way.
    plain = keys.map(lambda drawn: [key for key in drawn if "/" not in key and len(key) < 80])
    explore(fresh, plain, holds, examples=20)


@check("interval.no-more-than-logged")
def any_interval_is_drawn_from(store: TrackingStore, fresh: Fresh) -> None:
    """Whatever the points and the bounds, those drawn are in the interval, were logged, and come once."""

    def holds(case: Interval) -> None:
        points, size, (start, end) = case
        run_id = fresh.run(metrics=points)

        drawn = store.get_metric_history_bulk_interval([run_id], "m", size, start, end)

        inside = [metric_order(point) for point in _distinct(points) if start <= point.step <= end]
        places = [metric_order(point) for point in drawn]
        expect(bool(drawn) == bool(inside), "points exactly if there are some in the interval", drawn)
        expect_equal(len(set(places)), len(places), "the number of different points")
        expect_equal(set(), set(places) - set(inside), "points that are not in the interval")

    explore(fresh, _intervals(), holds, examples=25)


@check("interval.at-most-max-results")
def no_interval_is_overdrawn(store: TrackingStore, fresh: Fresh) -> None:
    """Whatever the points and the bounds, no more points are drawn than asked for."""

    def holds(case: Interval) -> None:
        points, size, (start, end) = case
        run_id = fresh.run(metrics=points)

        drawn = store.get_metric_history_bulk_interval([run_id], "m", size, start, end)

        expect(len(drawn) <= size, f"at most {size} points", drawn)

    explore(fresh, _intervals(), holds, examples=15)
