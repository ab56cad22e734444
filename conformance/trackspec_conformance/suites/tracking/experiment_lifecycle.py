"""The checks of the chapter on experiments: deleting, restoring and times."""

import time
from collections.abc import Callable
from functools import partial

from trackspec import ErrorCode, ExperimentTag, LifecycleStage, Metric, Param, RunStatus, TrackingStore
from trackspec_conformance.checks import check
from trackspec_conformance.expectations import expect, expect_equal, refused
from trackspec_conformance.fresh import Fresh

ACTIVE, DELETED = LifecycleStage.ACTIVE, LifecycleStage.DELETED


@check("experiment.delete", rests_on=("experiment.create",))
def a_deleted_experiment_is_read(store: TrackingStore, fresh: Fresh) -> None:
    """A deleted experiment is found in the deleted stage, with what it had."""
    name = fresh.name("delete")
    experiment_id = store.create_experiment(name, "s3://bucket/delete", [ExperimentTag("k", "1")])

    store.delete_experiment(experiment_id)

    experiment = store.get_experiment(experiment_id)
    expect_equal(DELETED, experiment.lifecycle_stage, "the stage")
    expect_equal(name, experiment.name, "the name")
    expect_equal("s3://bucket/delete", experiment.artifact_location, "the location")
    expect_equal("1", experiment.tags.get("k"), "the tag")


@check("experiment.delete-runs", rests_on=("experiment.delete", "run.create"))
def deleting_deletes_the_runs(store: TrackingStore, fresh: Fresh) -> None:
    """All runs of a deleted experiment are deleted, whatever their status, one that was so before included."""
    experiment_id = fresh.experiment("runs")
    runs = [fresh.run(experiment_id) for _ in range(5)]
    store.delete_run(runs[1])
    store.update_run_info(runs[2], RunStatus.FINISHED, 1_700_000_000_001, None)
    store.update_run_info(runs[3], RunStatus.KILLED, 1_700_000_000_001, None)

    store.delete_experiment(experiment_id)

    stages = [store.get_run(run_id).info.lifecycle_stage for run_id in runs]
    expect_equal([DELETED] * 5, stages, "the stages of the runs")


@check("experiment.delete-alone", rests_on=("experiment.delete",))
def deleting_leaves_others(store: TrackingStore, fresh: Fresh) -> None:
    """Experiments made before and after the deleted one, and a run, stay active."""
    before, deleted, after = fresh.experiment("before"), fresh.experiment("deleted"), fresh.experiment("after")
    run_id = fresh.run(before)

    store.delete_experiment(deleted)

    stages = [store.get_experiment(id_).lifecycle_stage for id_ in (before, deleted, after)]
    expect_equal([ACTIVE, DELETED, ACTIVE], stages, "the stages of the experiments")
    expect_equal(ACTIVE, store.get_run(run_id).info.lifecycle_stage, "the stage of another's run")


@check("experiment.delete-again", rests_on=("experiment.delete",))
def a_deleted_experiment_is_not_deleted_again(store: TrackingStore, fresh: Fresh) -> None:
    """Deleting twice is refused the second time, and it stays deleted."""
    experiment_id = fresh.experiment("twice")
    store.delete_experiment(experiment_id)

    with refused(ErrorCode.RESOURCE_DOES_NOT_EXIST):
        store.delete_experiment(experiment_id)

    expect_equal(DELETED, store.get_experiment(experiment_id).lifecycle_stage, "the stage")


@check("experiment.restore", rests_on=("experiment.delete",))
def a_restored_experiment_is_whole(store: TrackingStore, fresh: Fresh) -> None:
    """A restored experiment is active, with what it had, and takes tags and runs."""
    name = fresh.name("restore")
    experiment_id = store.create_experiment(name, "s3://bucket/restore", [ExperimentTag("k", "1")])
    store.delete_experiment(experiment_id)

    store.restore_experiment(experiment_id)

    store.set_experiment_tag(experiment_id, ExperimentTag("late", "2"))
    run = store.create_run(experiment_id, "u", 0, [], None)
    experiment = store.get_experiment(experiment_id)
    expect_equal(ACTIVE, experiment.lifecycle_stage, "the stage")
    expect_equal(name, experiment.name, "the name")
    expect_equal("s3://bucket/restore", experiment.artifact_location, "the location")
    expect_equal("1", experiment.tags.get("k"), "the tag from before")
    expect_equal("2", experiment.tags.get("late"), "the tag from afterwards")
    expect_equal(experiment_id, run.info.experiment_id, "the new run's experiment")


@check("experiment.restore-runs", rests_on=("experiment.delete-runs",))
def restoring_restores_all_runs(store: TrackingStore, fresh: Fresh) -> None:
    """All runs of a restored experiment are active, one that had been deleted on its own included."""
    experiment_id = fresh.experiment("runs")
    runs = [fresh.run(experiment_id) for _ in range(4)]
    store.delete_run(runs[1])
    store.delete_experiment(experiment_id)

    store.restore_experiment(experiment_id)

    stages = [store.get_run(run_id).info.lifecycle_stage for run_id in runs]
    expect_equal([ACTIVE] * 4, stages, "the stages of the runs")


@check("experiment.restore-alone", rests_on=("experiment.delete-runs",))
def restoring_leaves_others(store: TrackingStore, fresh: Fresh) -> None:
    """Another deleted experiment and its run stay deleted."""
    restored, other = fresh.experiment("restored"), fresh.experiment("other")
    run_id = fresh.run(other)
    store.delete_experiment(restored)
    store.delete_experiment(other)

    store.restore_experiment(restored)

    expect_equal(DELETED, store.get_experiment(other).lifecycle_stage, "the other's stage")
    expect_equal(DELETED, store.get_run(run_id).info.lifecycle_stage, "the stage of the other's run")


@check("experiment.restore-active")
def an_active_experiment_is_not_restored(store: TrackingStore, fresh: Fresh) -> None:
    """Restoring an active experiment is refused, and it stays active with its runs as they are."""
    experiment_id = fresh.experiment("active")
    run_id = fresh.run(experiment_id)
    store.delete_run(run_id)

    with refused(ErrorCode.RESOURCE_DOES_NOT_EXIST):
        store.restore_experiment(experiment_id)

    expect_equal(ACTIVE, store.get_experiment(experiment_id).lifecycle_stage, "the stage")
    expect_equal(DELETED, store.get_run(run_id).info.lifecycle_stage, "the stage of its deleted run")


# -- times ------------------------------------------------------------------------------------------------------


@check("experiment.creation-time-fixed")
def the_creation_time_stays(store: TrackingStore, fresh: Fresh) -> None:
    """Tagging, renaming, deleting and restoring leave the creation time."""
    experiment_id = fresh.experiment("created")
    created = store.get_experiment(experiment_id).creation_time
    time.sleep(0.005)

    store.set_experiment_tag(experiment_id, ExperimentTag("k", "1"))
    store.rename_experiment(experiment_id, fresh.name("created"))
    store.delete_experiment(experiment_id)
    store.restore_experiment(experiment_id)

    expect_equal(created, store.get_experiment(experiment_id).creation_time, "the creation time")


@check("experiment.times-ordered")
def times_do_not_go_back(store: TrackingStore, fresh: Fresh) -> None:
    """The last update time starts no earlier than the creation time, and each change leaves it or moves it on."""
    experiment_id = fresh.experiment("ordered")
    experiment = store.get_experiment(experiment_id)
    times = [experiment.creation_time, experiment.last_update_time]

    store.rename_experiment(experiment_id, fresh.name("ordered"))
    times.append(store.get_experiment(experiment_id).last_update_time)
    store.delete_experiment(experiment_id)
    times.append(store.get_experiment(experiment_id).last_update_time)
    store.restore_experiment(experiment_id)
    times.append(store.get_experiment(experiment_id).last_update_time)

    expect_equal(sorted(times), times, "the creation time and the update times thereafter")


@check("experiment.update-time-moves")
def changes_move_the_update_time(store: TrackingStore, fresh: Fresh) -> None:
    """Renaming, deleting and restoring each move the last update time on, within a second at the latest."""
    experiment_id = fresh.experiment("updated")
    rename = partial(store.rename_experiment, experiment_id)
    changes: tuple[tuple[str, Callable[[], None], Callable[[], None]], ...] = (
        ("renaming", lambda: rename(fresh.name("updated")), lambda: rename(fresh.name("updated"))),
        (
            "deleting",
            partial(store.delete_experiment, experiment_id),
            partial(store.restore_experiment, experiment_id),
        ),
        (
            "restoring",
            partial(store.restore_experiment, experiment_id),
            partial(store.delete_experiment, experiment_id),
        ),
    )

    def moves(change: Callable[[], None], pause: float) -> bool:
        before = store.get_experiment(experiment_id).last_update_time
        time.sleep(pause)
        change()
        return store.get_experiment(experiment_id).last_update_time > before

    for what, change, undo in changes:
        if not moves(change, pause=0.02):  # the store may count in seconds
            undo()
            expect(moves(change, pause=1.05), f"a later update time once {what} is done", "the one before")


@check("experiment.update-time-stays", rests_on=("experiment.tag-set", "batch.log"))
def other_writes_leave_the_update_time(store: TrackingStore, fresh: Fresh) -> None:
    """Setting and deleting a tag, creating a run and logging to it leave the last update time."""
    experiment_id = fresh.experiment("untouched")
    before = store.get_experiment(experiment_id).last_update_time
    time.sleep(0.02)

    store.set_experiment_tag(experiment_id, ExperimentTag("k", "1"))
    store.delete_experiment_tag(experiment_id, "k")
    fresh.run(experiment_id, metrics=[Metric("m", 1.0, 0, 0)], params=[Param("p", "1")])

    expect_equal(before, store.get_experiment(experiment_id).last_update_time, "the last update time")
