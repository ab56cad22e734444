"""The checks of the chapter on entities: what a store answers, and how soon."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from trackspec import (
    ExperimentTag,
    LifecycleStage,
    Metric,
    Param,
    Run,
    RunStatus,
    RunTag,
    TrackingStore,
)
from trackspec_conformance.checks import check
from trackspec_conformance.expectations import expect, expect_equal
from trackspec_conformance.fresh import Fresh
from trackspec_conformance.searching import names

EXPERIMENT_CALLS = ("experiment.by-name", "experiment.tag-delete", "experiment.rename", "experiment.delete")
RUN_CALLS = ("metric.log", "param.log", "tag.set", "tag.delete", "run.update", "run.delete", "run.restore")
SEARCH = ("search.runs-of-experiments", "search.view-active", "search.text-equality")
ACTIVE, DELETED = LifecycleStage.ACTIVE, LifecycleStage.DELETED


@check("entity.answers-are-snapshots")
def answers_stay_as_they_were(store: TrackingStore, fresh: Fresh) -> None:
    """Experiments and runs that were created, read and found do not follow what is written afterwards."""
    name = fresh.name("snapshot")
    experiment_id = store.create_experiment(name, None, [])
    created = store.create_run(experiment_id, "u", 0, [RunTag("t", "1")], None)
    run_id = created.info.run_id
    experiments = [store.get_experiment(experiment_id), store.get_experiment_by_name(name)]
    runs = [created, store.get_run(run_id)]

    store.set_experiment_tag(experiment_id, ExperimentTag("late", "1"))
    store.log_batch(run_id, [Metric("late", 1.0, 0, 0)], [Param("late", "1")], [RunTag("t", "2")])

    for experiment in experiments:
        expect(experiment is None or "late" not in experiment.tags, "the tags that the experiment had", experiment)
    for run in runs:
        expect_equal(({}, {}), (run.data.metrics, run.data.params), "the metrics and params that the run had")
        expect_equal("1", run.data.tags.get("t"), "the tag that the run had")


@check("entity.answers-are-copies")
def changing_an_answer_changes_nothing_stored(store: TrackingStore, fresh: Fresh) -> None:
    """Writing into the dictionaries of what was created, read and found leaves the store as it is."""
    name = fresh.name("copy")
    experiment_id = store.create_experiment(name, None, [ExperimentTag("k", "1")])
    created = store.create_run(experiment_id, "u", 0, [RunTag("t", "1")], None)
    run_id = created.info.run_id
    store.log_batch(run_id, [Metric("m", 1.0, 0, 0)], [Param("p", "1")], [])

    for experiment in (store.get_experiment(experiment_id), store.get_experiment_by_name(name)):
        _spoil_experiment(experiment)
    for run in (created, store.get_run(run_id)):
        _spoil_run(run)

    tags = store.get_experiment(experiment_id).tags
    expect("intruder" not in tags, "the tags that were set", tags)
    _expect_unspoilt(store.get_run(run_id))


@check("entity.answers-are-copies", rests_on=("search.runs-of-experiments",), needs="search.runs-of-experiments")
def changing_what_a_search_found_changes_nothing_stored(store: TrackingStore, fresh: Fresh) -> None:
    """Writing into the dictionaries and the list that a search has answered leaves the store as it is."""
    name = fresh.name("copy")
    experiment_id = store.create_experiment(name, None, [ExperimentTag("k", "1")])
    run_id = fresh.run(
        experiment_id, metrics=[Metric("m", 1.0, 0, 0)], params=[Param("p", "1")], tags=[RunTag("t", "1")]
    )
    runs = store.search_runs([experiment_id])
    experiments = store.search_experiments(max_results=1000, filter_string=f"name = '{name}'")

    for run in runs:
        _spoil_run(run)
    for experiment in experiments:
        _spoil_experiment(experiment)
    runs.clear()

    tags = store.get_experiment(experiment_id).tags
    expect("intruder" not in tags, "the tags that were set", tags)
    _expect_unspoilt(store.get_run(run_id))
    expect_equal([run_id], [run.info.run_id for run in store.search_runs([experiment_id])], "the runs found")


@check("entity.answers-are-copies", needs="history.whole")
def changing_a_history_changes_nothing_stored(store: TrackingStore, fresh: Fresh) -> None:
    """Emptying the list that a history was answered in leaves the points where they are."""
    run_id = fresh.run(metrics=[Metric("m", 1.0, 0, 0), Metric("m", 2.0, 1, 1)])

    store.get_metric_history(run_id, "m").clear()

    expect_equal([1.0, 2.0], [point.value for point in store.get_metric_history(run_id, "m")], "the values")


def _spoil_experiment(experiment: Any) -> None:
    """Write into the dictionary of an experiment that was answered, where it lets itself be written to."""
    with suppress(Exception):
        experiment.tags["intruder"] = "1"


def _spoil_run(run: Run) -> None:
    """Write into every dictionary of a run that was answered, where it lets itself be written to."""
    with suppress(Exception):
        run.data.params["p"] = "2"
    with suppress(Exception):
        run.data.tags["t"] = "2"
    with suppress(Exception):
        run.data.latest_metrics.clear()


def _expect_unspoilt(stored: Run) -> None:
    expect_equal({"p": "1"}, stored.data.params, "the run's params")
    expect_equal("1", stored.data.tags.get("t"), "the run's tag")
    expect_equal({"m": 1.0}, stored.data.metrics, "the run's metrics")


# -- how soon ---------------------------------------------------------------------------------------------------


@check("entity.read-your-writes", rests_on=EXPERIMENT_CALLS)
def each_call_sees_the_ones_before(store: TrackingStore, fresh: Fresh) -> None:
    """Each read of an experiment sees the write before it, also where the same thing was read before."""
    name, new_name = fresh.name("before"), fresh.name("after")
    expect_equal(None, store.get_experiment_by_name(name), "the experiment that there is not yet")
    experiment_id = store.create_experiment(name, None, [])
    found = store.get_experiment_by_name(name)
    expect_equal(experiment_id, found and found.experiment_id, "the id found by the name")

    for value in ("1", "2"):
        store.set_experiment_tag(experiment_id, ExperimentTag("k", value))
        expect_equal(value, store.get_experiment(experiment_id).tags.get("k"), "the tag that was just set")
    store.delete_experiment_tag(experiment_id, "k")
    expect_equal(None, store.get_experiment(experiment_id).tags.get("k"), "the tag that was just deleted")

    store.rename_experiment(experiment_id, new_name)
    found = store.get_experiment_by_name(new_name)
    expect_equal(experiment_id, found and found.experiment_id, "the id found by the new name")
    expect_equal(None, store.get_experiment_by_name(name), "the experiment that the old name finds")

    store.delete_experiment(experiment_id)
    found = store.get_experiment_by_name(new_name)
    expect_equal(DELETED, found and found.lifecycle_stage, "the stage after the deletion")


@check("entity.read-your-writes", rests_on=(*RUN_CALLS, "experiment.delete-runs", "experiment.restore-runs"))
def each_reading_of_a_run_sees_the_calls_before(store: TrackingStore, fresh: Fresh) -> None:
    """A run that is read after each write to it shows that write."""
    experiment_id = fresh.experiment("before")
    run_id = fresh.run(experiment_id, run_name="old")
    writes: tuple[tuple[Callable[[], object], Callable[[Run], object], object], ...] = (
        (lambda: store.log_metric(run_id, Metric("m", 1.0, 0, 0)), lambda run: run.data.metrics, {"m": 1.0}),
        (lambda: store.log_metric(run_id, Metric("m", 2.0, 1, 1)), lambda run: run.data.metrics, {"m": 2.0}),
        (lambda: store.log_param(run_id, Param("p", "1")), lambda run: run.data.params, {"p": "1"}),
        (lambda: store.set_tag(run_id, RunTag("t", "1")), lambda run: run.data.tags.get("t"), "1"),
        (lambda: store.set_tag(run_id, RunTag("t", "2")), lambda run: run.data.tags.get("t"), "2"),
        (lambda: store.delete_tag(run_id, "t"), lambda run: run.data.tags.get("t"), None),
        (
            lambda: store.update_run_info(run_id, RunStatus.FAILED, 5, "new"),
            lambda run: (run.info.status, run.info.end_time, run.info.run_name),
            (RunStatus.FAILED, 5, "new"),
        ),
        (lambda: store.delete_run(run_id), lambda run: run.info.lifecycle_stage, DELETED),
        (lambda: store.restore_run(run_id), lambda run: run.info.lifecycle_stage, ACTIVE),
        (lambda: store.delete_experiment(experiment_id), lambda run: run.info.lifecycle_stage, DELETED),
        (lambda: store.restore_experiment(experiment_id), lambda run: run.info.lifecycle_stage, ACTIVE),
    )
    store.get_run(run_id)

    for write, seen, expected in writes:
        write()
        expect_equal(expected, seen(store.get_run(run_id)), "what was just written")


@check("entity.read-your-writes", rests_on=(*RUN_CALLS, *SEARCH), needs="search.runs-of-experiments")
def each_search_sees_the_calls_before(store: TrackingStore, fresh: Fresh) -> None:
    """A search that is made again after each write answers what is there by then."""
    experiment_id = fresh.experiment("before")
    run_id = fresh.run(experiment_id, run_name="one")
    writes: tuple[tuple[Callable[[], object], list[str]], ...] = (
        (lambda: store.set_tag(run_id, RunTag("t", "x")), ["one"]),
        (lambda: store.set_tag(run_id, RunTag("t", "y")), []),
        (lambda: store.log_batch(run_id, [], [], [RunTag("t", "x")]), ["one"]),
        (lambda: store.delete_tag(run_id, "t"), []),
        (lambda: store.set_tag(run_id, RunTag("t", "x")), ["one"]),
        (lambda: store.delete_run(run_id), []),
        (lambda: store.restore_run(run_id), ["one"]),
        (lambda: store.update_run_info(run_id, run_name="renamed"), ["renamed"]),
    )
    expect_equal([], names(store.search_runs([experiment_id], "tags.t = 'x'")), "the runs found at first")

    for write, found in writes:
        write()
        expect_equal(found, names(store.search_runs([experiment_id], "tags.t = 'x'")), "the runs found")


@check("entity.read-your-writes", rests_on=("history.whole",), needs="history.whole")
def each_history_sees_the_calls_before(store: TrackingStore, fresh: Fresh) -> None:
    """A history that is read again after each point holds the point."""
    run_id = fresh.run()
    expect_equal([], list(store.get_metric_history(run_id, "m")), "the history at first")

    for step in range(3):
        store.log_metric(run_id, Metric("m", 1.0, 0, step))
        steps = [point.step for point in store.get_metric_history(run_id, "m")]
        expect_equal(list(range(step + 1)), steps, "the steps of the history")


@check("entity.no-stale-reads", rests_on=(*RUN_CALLS, *EXPERIMENT_CALLS))
def each_call_sees_what_other_objects_wrote(store: TrackingStore, fresh: Fresh) -> None:
    """A store object that has read an experiment and a run sees what another one then writes."""
    name, new_name = fresh.name("stale"), fresh.name("stale")
    experiment_id = store.create_experiment(name, None, [])
    run_id = fresh.run(experiment_id)
    other = fresh.reopened()
    expect("k" not in other.get_experiment(experiment_id).tags, "no tag k", "one")
    expect_equal(None, other.get_experiment_by_name(new_name), "the experiment that the new name finds at first")
    found = other.get_experiment_by_name(name)
    expect_equal(experiment_id, found and found.experiment_id, "the id that the name finds at first")
    expect_equal({}, other.get_run(run_id).data.params, "the params at first")

    store.set_experiment_tag(experiment_id, ExperimentTag("k", "1"))
    store.rename_experiment(experiment_id, new_name)
    store.log_batch(run_id, [Metric("m", 1.0, 0, 0)], [Param("p", "1")], [])
    store.delete_run(run_id)

    expect_equal("1", other.get_experiment(experiment_id).tags.get("k"), "the tag that the other object set")
    expect_equal(None, other.get_experiment_by_name(name), "the experiment that the old name finds")
    found = other.get_experiment_by_name(new_name)
    expect_equal(experiment_id, found and found.experiment_id, "the id that the new name finds")
    run = other.get_run(run_id)
    expect_equal({"p": "1"}, run.data.params, "the param that the other object logged")
    expect_equal({"m": 1.0}, run.data.metrics, "the metric that the other object logged")
    expect_equal(DELETED, run.info.lifecycle_stage, "the stage of the run that the other object deleted")


@check("entity.no-stale-reads", rests_on=(*RUN_CALLS, *SEARCH), needs="search.runs-of-experiments")
def each_search_sees_what_other_objects_wrote(store: TrackingStore, fresh: Fresh) -> None:
    """A search that a store object makes again sees what another one wrote in between."""
    experiment_id = fresh.experiment("stale")
    run_id = fresh.run(experiment_id, run_name="one")
    other = fresh.reopened()
    expect_equal([], names(other.search_runs([experiment_id], "tags.t = 'x'")), "the runs found at first")

    store.set_tag(run_id, RunTag("t", "x"))
    expect_equal(["one"], names(other.search_runs([experiment_id], "tags.t = 'x'")), "the runs found")
    store.delete_run(run_id)
    expect_equal([], names(other.search_runs([experiment_id], "tags.t = 'x'")), "the runs found at last")
