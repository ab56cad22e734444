"""The checks of the chapter on search: which runs are searched, and what is answered of them."""

from __future__ import annotations

from functools import partial
from typing import Any, cast

from trackspec import (
    Dataset,
    DatasetInput,
    ErrorCode,
    InputTag,
    Metric,
    Param,
    Run,
    RunStatus,
    RunTag,
    TrackingStore,
    ViewType,
)
from trackspec_conformance.checks import check
from trackspec_conformance.expectations import expect_equal, refused, unless_refused
from trackspec_conformance.fresh import Fresh
from trackspec_conformance.searching import names, walk

FOUND = ("search.runs-of-experiments",)
INVALID = ErrorCode.INVALID_PARAMETER_VALUE


@check("search.runs-of-experiments")
def the_runs_of_the_experiments_are_found(store: TrackingStore, fresh: Fresh) -> None:
    """The runs of one experiment, of two, and of none that was not asked for are found."""
    first, second, third = fresh.experiment(), fresh.experiment(), fresh.experiment()
    for experiment_id, name in ((first, "a"), (first, "b"), (second, "c"), (third, "d")):
        fresh.run(experiment_id, run_name=name)

    expect_equal(["a", "b"], sorted(names(store.search_runs([first]))))
    expect_equal(["a", "b", "d"], sorted(names(store.search_runs([third, first]))))


@check("search.whole-runs")
def runs_come_whole(store: TrackingStore, fresh: Fresh) -> None:
    """A run is answered as get_run answers it, and holds all that was logged, of which there is much."""
    experiment_id = fresh.experiment()
    metrics = {f"m{number}": float(number) for number in range(150)}
    params = {f"p{number}": str(number) for number in range(98)}
    tags = {"t": "line\nbreak", "u": "é", "long": "v" * 7999 + "x"} | {f"t{number}": "1" for number in range(97)}
    run_id = fresh.run(
        experiment_id,
        run_name="one",
        start_time=1000,
        user_id="ada",
        metrics=[Metric("m", 1.5, 7, 3), Metric("m", 0.5, 8, 2), Metric("n/o", -1.0, 9, -1)]
        + [Metric(key, value, 1, 1) for key, value in metrics.items()],
        params=[Param("long", "v" * 5999 + "x"), Param("q", "")] + [Param(*item) for item in params.items()],
        tags=[RunTag(*item) for item in tags.items()],
    )
    store.update_run_info(run_id, RunStatus.FINISHED, 2000, None)

    (run,) = _found(store.search_runs([experiment_id]), 1)

    expect_equal({"m": 1.5, "n/o": -1.0} | metrics, run.data.metrics, "the latest metrics")
    expect_equal({"long": "v" * 5999 + "x", "q": ""} | params, run.data.params, "the params")
    expect_equal(tags, {key: run.data.tags.get(key) for key in tags}, "the tags")
    whole = store.get_run(run_id)
    expect_equal(whole.info, run.info, "the info")
    expect_equal(whole.data, run.data, "the data")


@check("search.run-inputs", rests_on=(*FOUND, "input.log"))
def runs_come_with_their_inputs(store: TrackingStore, fresh: Fresh) -> None:
    """The datasets that a run read are answered with it."""
    experiment_id = fresh.experiment()
    run_id = fresh.run(experiment_id)
    dataset = Dataset("mnist", "d1", "local", "{}", "schema", "profile")
    store.log_inputs(run_id, [DatasetInput(dataset, (InputTag("mlflow.data.context", "train"),))])

    (run,) = _found(store.search_runs([experiment_id]), 1)

    expect_equal([dataset], [item.dataset for item in run.inputs.dataset_inputs])
    expect_equal(store.get_run(run_id).inputs, run.inputs)


@check("search.experiment-ids-are-a-set", rests_on=FOUND)
def an_experiment_counts_once(store: TrackingStore, fresh: Fresh) -> None:
    """An experiment that is given three times contributes each run once."""
    first, second = fresh.experiment(), fresh.experiment()
    for experiment_id, name in ((first, "a"), (first, "b"), (second, "c")):
        fresh.run(experiment_id, run_name=name)

    found = store.search_runs([first, second, first, first])

    expect_equal(["a", "b", "c"], sorted(names(found)))


@check("search.unknown-experiments", rests_on=FOUND)
def unknown_experiments_contribute_nothing(store: TrackingStore, fresh: Fresh) -> None:
    """The id of no experiment is passed over, be they a hundred, or read as the number of one that there is."""
    experiment_id = fresh.experiment()
    fresh.run(experiment_id, run_name="one")
    unknown = [fresh.unknown_experiment_id() for _ in range(101)]

    expect_equal([], names(store.search_runs(unknown[:1])))
    expect_equal(["one"], names(store.search_runs([unknown[0], experiment_id])))
    expect_equal(["one"], names(store.search_runs([*unknown, experiment_id])))
    if experiment_id.isdigit() and len(experiment_id) < 64:
        expect_equal([], names(store.search_runs([f"0{experiment_id}"])))


@check("search.opaque-experiment-ids", rests_on=FOUND)
def ids_of_letters_contribute_nothing(store: TrackingStore, fresh: Fresh) -> None:
    """An id need not be a number to be unknown."""
    experiment_id = fresh.experiment()
    fresh.run(experiment_id, run_name="one")
    unknown = f"nobody-{fresh.unknown_experiment_id()}"

    expect_equal([], names(store.search_runs([unknown])))
    expect_equal(["one"], names(store.search_runs([experiment_id, unknown])))


@check("search.no-experiments", rests_on=FOUND)
def no_experiments_are_not_all(store: TrackingStore, fresh: Fresh) -> None:
    """An empty list finds nothing, though there are runs."""
    fresh.run(fresh.experiment())

    with unless_refused(INVALID):
        expect_equal([], names(store.search_runs([], max_results=5)))


@check("search.experiment-ids-type", rests_on=FOUND)
def experiment_ids_are_a_list(store: TrackingStore, fresh: Fresh) -> None:
    """A single id without a list around it is refused, and so are None and a number."""
    experiment_id = fresh.experiment()
    fresh.run(experiment_id)

    for wrong in (experiment_id, "0", None, 5):
        with refused(INVALID):
            store.search_runs(wrong, max_results=1)  # type: ignore[arg-type]


def two_active_two_deleted(store: TrackingStore, fresh: Fresh) -> str:
    """Arrange an experiment with two active and two deleted runs, which come in turns and have the param p."""
    experiment_id = fresh.experiment()
    for number, name in enumerate(("active", "deleted", "also active", "also deleted")):
        run_id = fresh.run(experiment_id, run_name=name, start_time=9000 - number, params=[Param("p", "x")])
        if name.endswith("deleted"):
            store.delete_run(run_id)
    return experiment_id


def _expect_seen(store: TrackingStore, experiment_id: str, view_type: ViewType, found: list[str]) -> None:
    search = partial(store.search_runs, [experiment_id], run_view_type=view_type)
    expect_equal(found, names(search(filter_string="")))
    expect_equal(found, names(search(filter_string="params.p = 'x' AND start_time > 1")), "with a filter")
    expect_equal([], names(search(filter_string="params.p = 'y'")), "with a filter that fits none")
    expect_equal(found[::-1], names(search(order_by=["start_time ASC"])), "in another order")
    pages = walk(partial(search, filter_string="", max_results=1), most=5)
    expect_equal(found, [name for page in pages for name in names(page)], "page by page")


def _found(runs: list[Run], count: int) -> list[Run]:
    """The runs found, which must be so many."""
    expect_equal(count, len(runs), "the number of runs found")
    return runs


@check("search.view-active", rests_on=(*FOUND, "run.delete"))
def active_runs_are_seen(store: TrackingStore, fresh: Fresh) -> None:
    """The default view shows the active runs only, with a filter, in any order and page by page."""
    experiment_id = two_active_two_deleted(store, fresh)

    expect_equal(["active", "also active"], names(store.search_runs([experiment_id])))
    expect_equal(["active", "also active"], names(store.search_runs([experiment_id], "params.p = 'x'")))
    _expect_seen(store, experiment_id, ViewType.ACTIVE_ONLY, ["active", "also active"])


@check("search.view-deleted", rests_on=(*FOUND, "run.delete"))
def deleted_runs_are_seen(store: TrackingStore, fresh: Fresh) -> None:
    """The view of deleted runs shows the deleted runs only, with a filter, in any order and page by page."""
    experiment_id = two_active_two_deleted(store, fresh)

    _expect_seen(store, experiment_id, ViewType.DELETED_ONLY, ["deleted", "also deleted"])


@check("search.view-all", rests_on=(*FOUND, "run.delete"))
def all_runs_are_seen(store: TrackingStore, fresh: Fresh) -> None:
    """The view of all runs shows the active and the deleted ones, with a filter, in any order and page by page."""
    experiment_id = two_active_two_deleted(store, fresh)

    _expect_seen(store, experiment_id, ViewType.ALL, ["active", "deleted", "also active", "also deleted"])


@check("search.view-of-deleted-experiment", rests_on=(*FOUND, "experiment.delete"))
def runs_of_a_deleted_experiment_are_seen(store: TrackingStore, fresh: Fresh) -> None:
    """Deleting an experiment moves its runs to the view of deleted ones."""
    experiment_id = fresh.experiment()
    fresh.run(experiment_id, run_name="one")
    store.delete_experiment(experiment_id)

    expect_equal([], names(store.search_runs([experiment_id], "", ViewType.ACTIVE_ONLY)))
    expect_equal(["one"], names(store.search_runs([experiment_id], "", ViewType.DELETED_ONLY)))
    expect_equal(["one"], names(store.search_runs([experiment_id], "", ViewType.ALL)))


@check("search.view-type-refused")
def other_view_types_are_refused(store: TrackingStore, fresh: Fresh) -> None:
    """A number, None and a text are no view types."""
    experiment_id = fresh.experiment()

    for wrong in (0, 99, None, "ALL"):
        with refused(INVALID):
            store.search_runs([experiment_id], "", cast(Any, wrong), 1)
