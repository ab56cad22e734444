"""The checks of the chapter on pagination: page sizes, and walking the pages of a search."""

from __future__ import annotations

import math
from functools import partial
from typing import Any, cast

from trackspec import ErrorCode, Metric, Param, TrackingStore
from trackspec_conformance.checks import check
from trackspec_conformance.expectations import expect_equal, refused
from trackspec_conformance.fresh import Fresh
from trackspec_conformance.searching import ids, names, walk

RUNS = ("search.runs-of-experiments",)
EXPERIMENTS = ("experiment.create", "search-experiments.name")
INVALID = ErrorCode.INVALID_PARAMETER_VALUE


def numbered_runs(fresh: Fresh, count: int) -> str:
    """Arrange an experiment of runs that are named by number in their default order."""
    experiment_id = fresh.experiment()
    for number in range(count):
        fresh.run(experiment_id, run_name=str(number), start_time=10_000 - number)
    return experiment_id


def numbered_experiments(store: TrackingStore, fresh: Fresh, count: int) -> tuple[str, list[str]]:
    """Arrange experiments whose names ascend; return a filter that finds them, and their ids."""
    prefix = fresh.name()
    made = [store.create_experiment(f"{prefix}-{number}", None, []) for number in range(count)]
    return f"name LIKE '{prefix}%'", made


@check("page.size-bounds")
def page_sizes_have_bounds(store: TrackingStore, fresh: Fresh) -> None:
    """Nothing, less than nothing and more than 50,000 are refused; the bounds themselves are accepted."""
    experiment_id = fresh.experiment()
    fresh.run(experiment_id, run_name="one")

    for size in (0, -1, -100, 50_001):
        with refused(INVALID):
            store.search_runs([experiment_id], max_results=size)
        with refused(INVALID):
            store.search_experiments(max_results=size)
    for size in (1, 50_000):
        expect_equal(["one"], names(store.search_runs([experiment_id], max_results=size)))


@check("page.size-type")
def page_sizes_are_integers(store: TrackingStore, fresh: Fresh) -> None:
    """A bool, a float and a text are no page sizes."""
    experiment_id = fresh.experiment()

    for wrong in (True, 1.5, "5"):
        with refused(INVALID):
            store.search_runs([experiment_id], max_results=cast(Any, wrong))
        with refused(INVALID):
            store.search_experiments(max_results=cast(Any, wrong))


@check("page.size-none", rests_on=RUNS)
def no_page_size_is_the_default(store: TrackingStore, fresh: Fresh) -> None:
    """None asks for a page of the default size."""
    experiment_id = numbered_runs(fresh, 2)
    name = fresh.name()
    store.create_experiment(name, None, [])

    expect_equal(["0", "1"], names(store.search_runs([experiment_id], max_results=None)))
    found = store.search_experiments(max_results=None, filter_string=f"name = '{name}'")
    expect_equal([name], [experiment.name for experiment in found])


@check("page.size-omitted", rests_on=RUNS)
def page_sizes_may_be_left_out(store: TrackingStore, fresh: Fresh) -> None:
    """A search without a page size is answered."""
    experiment_id = numbered_runs(fresh, 2)
    name = fresh.name()
    store.create_experiment(name, None, [])

    expect_equal(["0", "1"], names(store.search_runs([experiment_id])))
    found = store.search_experiments(filter_string=f"name = '{name}'")
    expect_equal([name], [experiment.name for experiment in found])


@check("page.size-kept", rests_on=RUNS)
def pages_of_runs_keep_their_size(store: TrackingStore, fresh: Fresh) -> None:
    """A page of runs holds the first of them, and no more than were asked for."""
    experiment_id = numbered_runs(fresh, 4)

    expect_equal(["0"], names(store.search_runs([experiment_id], max_results=1)))
    expect_equal(["0", "1", "2"], names(store.search_runs([experiment_id], max_results=3)))


@check("page.size-kept", rests_on=EXPERIMENTS)
def pages_of_experiments_keep_their_size(store: TrackingStore, fresh: Fresh) -> None:
    """A page of experiments holds the first of them, and no more than were asked for."""
    all_of_them, made = numbered_experiments(store, fresh, 4)

    for size in (1, 3):
        found = store.search_experiments(max_results=size, filter_string=all_of_them, order_by=["name"])
        expect_equal(made[:size], ids(found))


@check("page.full", rests_on=RUNS)
def pages_are_full(store: TrackingStore, fresh: Fresh) -> None:
    """Only the last page is shorter than asked for."""
    experiment_id = numbered_runs(fresh, 7)

    pages = walk(partial(store.search_runs, [experiment_id], max_results=3), most=7)

    expect_equal([3, 3, 1], [len(page) for page in pages], "the sizes of the pages")


@check("page.full", rests_on=RUNS)
def a_large_page_of_runs_is_full(store: TrackingStore, fresh: Fresh) -> None:
    """A page holds a hundred and one runs, if so many are asked for."""
    experiment_id = numbered_runs(fresh, 101)

    page = store.search_runs([experiment_id], max_results=101)

    expect_equal([str(number) for number in range(101)], names(page), "the page")
    expect_equal(None, page.token, "its token")


@check("page.full", rests_on=EXPERIMENTS)
def a_large_page_of_experiments_is_full(store: TrackingStore, fresh: Fresh) -> None:
    """A page holds fifty-one experiments, if so many are asked for."""
    all_of_them, made = numbered_experiments(store, fresh, 51)

    page = store.search_experiments(max_results=51, filter_string=all_of_them)

    expect_equal((sorted(made), None), (sorted(ids(page)), page.token), "the page, sorted, and its token")


@check("page.size-may-change", rests_on=RUNS)
def page_sizes_may_change(store: TrackingStore, fresh: Fresh) -> None:
    """A walk goes on where it was, in larger or smaller steps."""
    experiment_id = numbered_runs(fresh, 6)

    first = store.search_runs([experiment_id], max_results=2)
    second = store.search_runs([experiment_id], max_results=3, page_token=first.token)
    third = store.search_runs([experiment_id], max_results=1, page_token=second.token)

    expect_equal([["0", "1"], ["2", "3", "4"], ["5"]], [names(page) for page in (first, second, third)])


@check("page.sum", rests_on=RUNS)
def pages_of_runs_sum_up(store: TrackingStore, fresh: Fresh) -> None:
    """Runs of two experiments come once each, in their order, for every page size."""
    experiments = [fresh.experiment(), fresh.experiment()]
    for number in range(6):
        fresh.run(experiments[number % 2], run_name=str(number), start_time=10_000 - number)

    for size in range(1, 8):
        pages = walk(partial(store.search_runs, experiments, max_results=size), most=7)
        found = [name for page in pages for name in names(page)]
        expect_equal(["0", "1", "2", "3", "4", "5"], found, f"the runs in pages of {size}")


@check("page.sum", rests_on=EXPERIMENTS)
def pages_of_experiments_sum_up(store: TrackingStore, fresh: Fresh) -> None:
    """Experiments come once each, in their order, for every page size."""
    all_of_them, made = numbered_experiments(store, fresh, 4)

    for size in range(1, 6):
        pages = walk(
            partial(store.search_experiments, max_results=size, filter_string=all_of_them, order_by=["name DESC"]),
            most=5,
        )
        found = [experiment_id for page in pages for experiment_id in ids(page)]
        expect_equal(made[::-1], found, f"the experiments in pages of {size}")


@check("page.no-token-at-the-end", rests_on=RUNS)
def the_last_page_of_runs_has_no_token(store: TrackingStore, fresh: Fresh) -> None:
    """A full last page, a single page and an empty one have no token."""
    experiment_id = numbered_runs(fresh, 4)

    first = store.search_runs([experiment_id], max_results=2)
    last = store.search_runs([experiment_id], max_results=2, page_token=first.token)

    expect_equal((["2", "3"], None), (names(last), last.token), "the last page, which is full")
    for size in (4, 5):
        expect_equal(None, store.search_runs([experiment_id], max_results=size).token, f"the token of {size}")
    expect_equal(
        None, store.search_runs([experiment_id], "params.none = 'x'", max_results=1).token, "an empty one's"
    )


@check("page.no-token-at-the-end", rests_on=EXPERIMENTS)
def the_last_page_of_experiments_has_no_token(store: TrackingStore, fresh: Fresh) -> None:
    """A full last page and an empty one have no token."""
    all_of_them, made = numbered_experiments(store, fresh, 2)

    full = store.search_experiments(max_results=2, filter_string=all_of_them, order_by=["name"])
    empty = store.search_experiments(max_results=2, filter_string=f"{all_of_them} AND tags.none = 'x'")

    expect_equal((made, None), (ids(full), full.token), "the page that is full")
    expect_equal(([], None), (ids(empty), empty.token), "the page that is empty")


@check("page.ties", rests_on=RUNS)
def ties_are_walked(store: TrackingStore, fresh: Fresh) -> None:
    """Runs of equal metrics and start times come once each, wherever pages end."""
    experiment_id = fresh.experiment()
    made = sorted(
        fresh.run(experiment_id, start_time=1000, metrics=[Metric("m", 1.0, 0)], params=[Param("p", "x")])
        for _ in range(6)
    )

    for order_by, size in (([], 1), (["metrics.m DESC"], 4), (["params.p", "metrics.m"], 2)):
        pages = walk(partial(store.search_runs, [experiment_id], max_results=size, order_by=order_by), most=7)
        found = [run.info.run_id for page in pages for run in page]
        expect_equal(made, found, f"the runs in pages of {size} by {order_by}")


@check("page.missing-and-nan", rests_on=(*RUNS, "search.order-nan"))
def values_without_a_place_are_walked(store: TrackingStore, fresh: Fresh) -> None:
    """Runs with NaN, infinities or nothing for a metric come once each, wherever pages end."""
    experiment_id = fresh.experiment()
    values = {"-inf": -math.inf, "one": 1.0, "inf": math.inf, "nan": math.nan, "nan too": math.nan}
    for number, name in enumerate([*values, "lacking", "lacking too"]):
        points = [Metric("m", values[name], 0)] if name in values else []
        fresh.run(experiment_id, run_name=name, start_time=9000 - number, metrics=points)
    behind = ["nan", "nan too", "lacking", "lacking too"]

    for column, found in (
        ("metrics.m", ["-inf", "one", "inf", *behind]),
        ("metrics.m DESC", ["inf", "one", "-inf", *behind]),
    ):
        pages = walk(
            partial(store.search_runs, [experiment_id], max_results=1, order_by=[column]),
            most=8,
        )
        expect_equal(found, [name for page in pages for name in names(page)], f"the runs by {column}")


@check("page.filtered", rests_on=RUNS)
def filtered_pages_are_walked(store: TrackingStore, fresh: Fresh) -> None:
    """What the filter leaves out takes no room on a page."""
    experiment_id = fresh.experiment()
    for number in range(9):
        points = [Metric("m", float(number % 3), 0)]
        fresh.run(experiment_id, run_name=str(number), start_time=9000 - number, metrics=points)

    pages = walk(partial(store.search_runs, [experiment_id], "metrics.m < 1", max_results=2), most=5)

    expect_equal([["0", "3"], ["6"]], [names(page) for page in pages])
