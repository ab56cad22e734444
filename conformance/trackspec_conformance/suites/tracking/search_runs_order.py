"""The checks of the chapter on search: the order of runs."""

from __future__ import annotations

import math

from trackspec import ErrorCode, Metric, Param, RunStatus, RunTag, TrackingStore
from trackspec_conformance.checks import check
from trackspec_conformance.expectations import expect_equal, refused, unless_refused
from trackspec_conformance.fresh import Fresh
from trackspec_conformance.searching import names, something_to_search

FOUND = ("search.runs-of-experiments",)
INVALID = ErrorCode.INVALID_PARAMETER_VALUE


@check("search.default-order", rests_on=FOUND)
def the_latest_run_comes_first(store: TrackingStore, fresh: Fresh) -> None:
    """Runs come by start time, whatever the order in which they were made."""
    experiment_id = fresh.experiment()
    for start_time in (2000, 9000, 1000, 10000):
        fresh.run(experiment_id, run_name=str(start_time), start_time=start_time)

    expect_equal(["10000", "9000", "2000", "1000"], names(store.search_runs([experiment_id])))


@check("search.order-ties", rests_on=FOUND)
def ties_are_broken(store: TrackingStore, fresh: Fresh) -> None:
    """Among equals the latest start comes first, and then the least run id."""
    experiment_id = fresh.experiment()
    old, new = (
        [fresh.run(experiment_id, start_time=start, metrics=[Metric("m", 1.0, 0)]) for _ in range(count)]
        for start, count in ((1000, 8), (2000, 8))  # so many that chance does not order their ids
    )

    for order_by in (None, ["metrics.m"], ["metrics.m DESC", "params.none"]):
        found = store.search_runs([experiment_id], "", order_by=order_by)
        expect_equal(sorted(new) + sorted(old), [run.info.run_id for run in found], f"by {order_by}")


@check("search.order-metric", rests_on=FOUND)
def metrics_order_as_numbers(store: TrackingStore, fresh: Fresh) -> None:
    """Nine comes before ten, the next double behind it, the infinities at the ends, no earlier value counts."""
    experiment_id = fresh.experiment()
    for value in (9.0, math.inf, -1.5, 10.0, -math.inf, math.nextafter(9.0, 10.0)):
        points = [Metric("m", 100.0, 0, 0), Metric("m", value, 0, 1)]
        fresh.run(experiment_id, run_name=str(value), metrics=points)
    ascending = ["-inf", "-1.5", "9.0", "9.000000000000002", "10.0", "inf"]

    expect_equal(ascending, names(store.search_runs([experiment_id], order_by=["metrics.m ASC"])))
    expect_equal(ascending[::-1], names(store.search_runs([experiment_id], order_by=["metrics.m DESC"])))


@check("search.order-text", rests_on=FOUND)
def text_orders_by_code_point(store: TrackingStore, fresh: Fresh) -> None:
    """Digits, capitals, small letters and the rest of Unicode come in this order, also behind 300 others."""
    experiment_id = fresh.experiment()
    long = "z" * 300
    ascending = ["10", "9", "B", "a", "aa", "b", "z", f"{long}a", f"{long}b", "é", "\ufffd", "😀"]
    for value in sorted(ascending, key=lambda text: text.encode()[::-1]):
        fresh.run(experiment_id, run_name=value, params=[Param("p", value)], tags=[RunTag("t", value)])

    for column in ("params.p", "tags.t", "run_name"):
        expect_equal(ascending, names(store.search_runs([experiment_id], order_by=[column])))
        expect_equal(ascending[::-1], names(store.search_runs([experiment_id], order_by=[f"{column} DESC"])))


@check("search.order-attribute", rests_on=FOUND)
def attributes_order(store: TrackingStore, fresh: Fresh) -> None:
    """Each attribute orders runs by its value."""
    experiment_id = fresh.experiment()
    statuses = {"b": RunStatus.RUNNING, "c": RunStatus.FAILED, "a": RunStatus.FINISHED}
    starts = {"b": 2**53, "c": 2000, "a": 2**53 + 1}
    ends = {"b": 7000, "c": 2**53 + 1, "a": 2**53}
    users = {"b": "x", "c": "y", "a": "z"}
    infos = {}
    for name in ("b", "c", "a"):
        run_id = fresh.run(experiment_id, run_name=name, start_time=starts[name], user_id=users[name])
        store.update_run_info(run_id, statuses[name], ends[name], None)
        infos[name] = store.get_run(run_id).info
        if name == "a":
            store.delete_tag(run_id, "mlflow.runName")  # the name stays, and orders

    for column, ascending in (
        ("run_name", ["a", "b", "c"]),
        ("user_id", ["b", "c", "a"]),
        ("status", ["c", "a", "b"]),
        ("start_time", ["c", "b", "a"]),
        ("created", ["c", "b", "a"]),
        ("attributes.Created", ["c", "b", "a"]),
        ("end_time", ["b", "a", "c"]),
        ("run_id", sorted(infos, key=lambda name: infos[name].run_id)),
        ("artifact_uri", sorted(infos, key=lambda name: infos[name].artifact_uri)),
    ):
        expect_equal(ascending, names(store.search_runs([experiment_id], order_by=[column])), f"by {column}")


@check("search.order-direction", rests_on=FOUND)
def columns_have_a_direction(store: TrackingStore, fresh: Fresh) -> None:
    """A column ascends unless DESC follows, in whatever case."""
    experiment_id = fresh.experiment()
    for value in (2.0, 1.0, 3.0):
        fresh.run(experiment_id, run_name=str(value), metrics=[Metric("m", value, 0)])

    for column in ("metrics.m", "metrics.m ASC", "metrics.m asc", "metrics.m Asc"):
        expect_equal(["1.0", "2.0", "3.0"], names(store.search_runs([experiment_id], order_by=[column])), column)
    for column in ("metrics.m DESC", "metrics.m desc", "metrics.m Desc"):
        expect_equal(["3.0", "2.0", "1.0"], names(store.search_runs([experiment_id], order_by=[column])), column)


@check("search.order-columns", rests_on=FOUND)
def earlier_columns_weigh_more(store: TrackingStore, fresh: Fresh) -> None:
    """A later column orders only what the earlier ones leave equal."""
    experiment_id = fresh.experiment()
    for letter, number in (("a", 2.0), ("b", 1.0), ("a", 1.0), ("b", 2.0)):
        fresh.run(
            experiment_id,
            run_name=f"{letter}{number:.0f}",
            params=[Param("p", letter)],
            metrics=[Metric("m", number, 0)],
        )

    for order_by, found in (
        (["params.p DESC", "metrics.m"], ["b1", "b2", "a1", "a2"]),
        (["metrics.m", "params.p DESC"], ["b1", "a1", "b2", "a2"]),
        (("params.p", "metrics.m DESC"), ["a2", "a1", "b2", "b1"]),
    ):
        expect_equal(found, names(store.search_runs([experiment_id], order_by=order_by)), f"by {order_by}")


@check("search.order-missing-last", rests_on=FOUND)
def missing_keys_come_last(store: TrackingStore, fresh: Fresh) -> None:
    """A run without the key comes last in both directions."""
    experiment_id = fresh.experiment()
    fresh.run(experiment_id, run_name="without", start_time=9000)
    for name, value in (("low", -1.0), ("high", 1.0)):
        run_id = fresh.run(
            experiment_id,
            run_name=name,
            start_time=1000,
            metrics=[Metric("k", value, 0)],
            params=[Param("k", "" if name == "low" else "z")],
            tags=[RunTag("k", "" if name == "low" else "z")],
        )
        store.update_run_info(run_id, RunStatus.FINISHED, 5000 if name == "low" else 6000, None)

    for column in ("metrics.k", "params.k", "tags.k", "end_time"):
        ascending = store.search_runs([experiment_id], order_by=[f"{column} ASC"])
        descending = store.search_runs([experiment_id], order_by=[f"{column} DESC"])
        expect_equal(["low", "high", "without"], names(ascending), f"ascending by {column}")
        expect_equal(["high", "low", "without"], names(descending), f"descending by {column}")


@check("search.order-nan", rests_on=FOUND)
def nan_comes_behind_the_numbers(store: TrackingStore, fresh: Fresh) -> None:
    """NaN comes between the numbers and the missing in both directions."""
    experiment_id = fresh.experiment()
    fresh.run(experiment_id, run_name="missing", start_time=9000)
    for value in (math.nan, 1.0, math.inf, -math.inf):
        fresh.run(experiment_id, run_name=str(value), metrics=[Metric("m", value, 0)], start_time=1000)

    ascending = store.search_runs([experiment_id], order_by=["metrics.m"])
    descending = store.search_runs([experiment_id], order_by=["metrics.m DESC"])

    expect_equal(["-inf", "1.0", "inf", "nan", "missing"], names(ascending), "ascending")
    expect_equal(["inf", "1.0", "-inf", "nan", "missing"], names(descending), "descending")


@check("search.order-unknown-key", rests_on=FOUND)
def keys_that_no_run_has_order_nothing(store: TrackingStore, fresh: Fresh) -> None:
    """Ordering by keys that were never logged leaves the default order."""
    experiment_id = fresh.experiment()
    for start_time in (2000, 3000, 1000):
        fresh.run(experiment_id, run_name=str(start_time), start_time=start_time)

    for column in ("metrics.never", "params.never DESC", "tags.never"):
        found = store.search_runs([experiment_id], order_by=[column])
        expect_equal(["3000", "2000", "1000"], names(found), f"by {column}")


@check("search.order-quoted-keys", rests_on=FOUND)
def columns_are_spelled_as_in_filters(store: TrackingStore, fresh: Fresh) -> None:
    """Quoted keys, keys with dots and each spelling of an entity name a column."""
    experiment_id = fresh.experiment()
    for number in (2, 1, 3):
        fresh.run(
            experiment_id,
            run_name=str(number),
            start_time=number,
            metrics=[Metric("a/b", float(number), 0), Metric("x.y", float(number), 0)],
            params=[Param("a b", str(number))],
            tags=[RunTag("k", str(number))],
        )

    for column in (
        "metrics.`a/b`",
        'metric."a/b"',
        "metrics.x.y",
        "params.`a b`",
        "param.`a b`",
        "parameter.`a b`",
        'parameters."a b"',
        "tag.k",
        "tags.k",
        "attribute.start_time",
        "attr.start_time",
        "run.start_time",
    ):
        expect_equal(["1", "2", "3"], names(store.search_runs([experiment_id], order_by=[column])), f"by {column}")


@check("search.order-twice", rests_on=FOUND)
def the_first_mention_counts(store: TrackingStore, fresh: Fresh) -> None:
    """A column that is named again changes nothing."""
    experiment_id = fresh.experiment()
    for number in (2, 1, 3):
        fresh.run(experiment_id, run_name=str(number), start_time=number, metrics=[Metric("m", float(number), 0)])

    for order_by in (
        ["metrics.m", "metrics.m DESC"],
        ["metrics.m ASC", "metric.`m` DESC"],
        ["start_time", "created DESC"],
        ["start_time", "attributes.start_time"],
    ):
        with unless_refused(INVALID):
            found = store.search_runs([experiment_id], order_by=order_by)
            expect_equal(["1", "2", "3"], names(found), f"by {order_by}")


@check("search.order-malformed-refused")
def malformed_columns_are_refused(store: TrackingStore, fresh: Fresh) -> None:
    """What is no column is refused."""
    experiment_id = something_to_search(fresh)

    for malformed in (
        "",
        "gadget",
        "gadget.k",
        "attributes.gadget DESC",
        "Metrics.m",
        "metrics.m SIDEWAYS",
        "metrics.m DESC ASC",
        "metrics.m, metrics.n",
        "metrics.m > 1",
        "metrics.`m",
    ):
        with refused(INVALID):
            store.search_runs([experiment_id], max_results=1, order_by=["metrics.fine", malformed])


@check("search.order-type")
def an_order_is_a_list_of_strings(store: TrackingStore, fresh: Fresh) -> None:
    """A single column without a list around it is refused, and so is a list of something else."""
    experiment_id = something_to_search(fresh)

    for wrong in ("metrics.m", 5, [5], [None], ["metrics.m", ["metrics.n"]]):
        with refused(INVALID):
            store.search_runs([experiment_id], max_results=1, order_by=wrong)  # type: ignore[arg-type]


@check("search.many-columns", rests_on=FOUND)
def ten_columns_order(store: TrackingStore, fresh: Fresh) -> None:
    """The tenth column orders what nine leave equal, on one page and on several."""
    experiment_id = fresh.experiment()
    for number in (2, 1, 3):
        fresh.run(
            experiment_id,
            run_name=str(number),
            start_time=number,
            metrics=[Metric("m", float(number), 0)],
            params=[Param(f"p{column}", "x") for column in range(9)],
        )
    order_by = [*(f"params.p{column}" for column in range(9)), "metrics.m"]

    whole = store.search_runs([experiment_id], order_by=order_by)
    first = store.search_runs([experiment_id], max_results=2, order_by=order_by)
    second = store.search_runs([experiment_id], max_results=2, order_by=order_by, page_token=first.token)

    expect_equal([["1", "2", "3"], ["1", "2"], ["3"]], [names(page) for page in (whole, first, second)])
