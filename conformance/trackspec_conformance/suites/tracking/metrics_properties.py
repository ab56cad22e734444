"""Property checks of the chapter on metrics."""

import math

from hypothesis import strategies as st

from trackspec import Metric, TrackingStore
from trackspec_conformance import strategies
from trackspec_conformance.checks import check
from trackspec_conformance.expectations import expect_equal
from trackspec_conformance.exploring import explore
from trackspec_conformance.fresh import Fresh


@check("metric.keys-exact")
def keys_that_collide_elsewhere_stay_apart(store: TrackingStore, fresh: Fresh) -> None:
    """Each of several look-alike keys has its own value."""

    def holds(keys: list[str]) -> None:
        points = [Metric(key, float(number), 0, 0) for number, key in enumerate(keys)]
        run_id = fresh.run()

        store.log_batch(run_id, points, [], [])

        expected = {key: float(number) for number, key in enumerate(keys)}
        expect_equal(expected, store.get_run(run_id).data.metrics, "the run's metrics")

    explore(fresh, strategies.distinct_keys(min_size=2, max_size=20), holds, examples=25)


@check("metric.finite-values")
def any_finite_value_reads_back(store: TrackingStore, fresh: Fresh) -> None:
    """Finite doubles of every size read back to the last bit."""

    def holds(values: list[float]) -> None:
        points = [Metric(f"m{number}", value, 0, 0) for number, value in enumerate(values)]
        run_id = fresh.run()

        store.log_batch(run_id, points, [], [])

        expected = {f"m{number}": value for number, value in enumerate(values)}
        expect_equal(expected, store.get_run(run_id).data.metrics, "the run's metrics")

    finite = st.floats(allow_nan=False, allow_infinity=False)
    explore(fresh, st.lists(finite, min_size=1, max_size=20), holds, examples=10)


@check("metric.latest-any-arrival")
def arrival_does_not_matter(store: TrackingStore, fresh: Fresh) -> None:
    """The same points, one by one or shuffled into one batch, have the same latest point."""

    def holds(arrivals: tuple[list[Metric], list[Metric]]) -> None:
        points, shuffled = arrivals
        one_by_one, at_once = fresh.run(), fresh.run()

        for point in points:
            store.log_metric(one_by_one, point)
        store.log_batch(at_once, shuffled, [], [])

        expect_equal(
            store.get_run(one_by_one).data.latest_metrics,
            store.get_run(at_once).data.latest_metrics,
            "the latest point of the same points in another order",
        )

    points = strategies.crowded_points(values=(math.nan, 0.0, 1.0, -1.0), timestamps=(0,), steps=(0, 1))
    histories = strategies.crowded_histories(points, max_size=5)
    explore(fresh, histories.flatmap(lambda points: st.tuples(st.just(points), st.permutations(points))), holds)
