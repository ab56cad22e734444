"""The checks of the chapter on search: which runs are searched, and what is answered of them."""

from __future__ import annotations

from typing import Any, cast

from trackspec import (
    Dataset,
    DatasetInput,
    ErrorCode,
    InputTag,
    Metric,
    Param,
    RunStatus,
    RunTag,
    TrackingStore,
    ViewType,
)
from trackspec_conformance.checks import check
from trackspec_conformance.expectations import expect_equal, refused, unless_refused
from trackspec_conformance.fresh import Fresh
from trackspec_conformance.searching import names

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


@check("search.whole-runs", rests_on=FOUND)
def runs_come_whole(store: TrackingStore, fresh: Fresh) -> None:
    """A run is answered as get_run answers it, and holds what was logged."""
    experiment_id = fresh.experiment()
    run_id = fresh.run(
        experiment_id,
        run_name="one",
        start_time=1000,
        user_id="ada",
        metrics=[Metric("m", 1.5, 7, 3), Metric("m", 0.5, 8, 2), Metric("n/o", -1.0, 9, -1)],
        params=[Param("p", "x"), Param("q", "")],
        tags=[RunTag("t", "line\nbreak"), RunTag("u", "é")],
    )
    store.update_run_info(run_id, RunStatus.FINISHED, 2000, None)

    (run,) = store.search_runs([experiment_id])

    expect_equal({"m": 1.5, "n/o": -1.0}, run.data.metrics, "the latest metrics")
    expect_equal({"p": "x", "q": ""}, run.data.params, "the params")
    expect_equal(["line\nbreak", "é"], [run.data.tags.get(key) for key in ("t", "u")], "the tags")
    whole = store.get_run(run_id)
    expect_equal(whole.info, run.info, "the info")
    expect_equal(whole.data, run.data, "the data")


@check("search.run-inputs", rests_on=FOUND)
def runs_come_with_their_inputs(store: TrackingStore, fresh: Fresh) -> None:
    """The datasets that a run read are answered with it."""
    experiment_id = fresh.experiment()
    run_id = fresh.run(experiment_id)
    dataset = Dataset("mnist", "d1", "local", "{}", "schema", "profile")
    store.log_inputs(run_id, [DatasetInput(dataset, (InputTag("mlflow.data.context", "train"),))])

    (run,) = store.search_runs([experiment_id])

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
    """The id of no experiment is passed over."""
    experiment_id = fresh.experiment()
    fresh.run(experiment_id, run_name="one")
    unknown = fresh.unknown_experiment_id()

    expect_equal([], names(store.search_runs([unknown])))
    expect_equal(["one"], names(store.search_runs([unknown, experiment_id])))


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


def one_active_one_deleted(store: TrackingStore, fresh: Fresh) -> str:
    """Arrange an experiment with an active and a deleted run."""
    experiment_id = fresh.experiment()
    fresh.run(experiment_id, run_name="active")
    store.delete_run(fresh.run(experiment_id, run_name="deleted"))
    return experiment_id


@check("search.view-active", rests_on=(*FOUND, "run.delete"))
def active_runs_are_seen(store: TrackingStore, fresh: Fresh) -> None:
    """The default view shows the active run only."""
    experiment_id = one_active_one_deleted(store, fresh)

    expect_equal(["active"], names(store.search_runs([experiment_id], "", ViewType.ACTIVE_ONLY)))
    expect_equal(["active"], names(store.search_runs([experiment_id])))


@check("search.view-deleted", rests_on=(*FOUND, "run.delete"))
def deleted_runs_are_seen(store: TrackingStore, fresh: Fresh) -> None:
    """The view of deleted runs shows the deleted run only."""
    experiment_id = one_active_one_deleted(store, fresh)

    expect_equal(["deleted"], names(store.search_runs([experiment_id], "", ViewType.DELETED_ONLY)))


@check("search.view-all", rests_on=(*FOUND, "run.delete"))
def all_runs_are_seen(store: TrackingStore, fresh: Fresh) -> None:
    """The view of all runs shows the active and the deleted one."""
    experiment_id = one_active_one_deleted(store, fresh)

    expect_equal(["active", "deleted"], sorted(names(store.search_runs([experiment_id], "", ViewType.ALL))))


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
