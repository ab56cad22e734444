"""The checks of the chapter on runs: deleting and restoring them, and runs of deleted experiments."""

from dataclasses import replace

from trackspec import ErrorCode, LifecycleStage, Metric, Param, RunStatus, RunTag, TrackingStore
from trackspec_conformance.checks import check
from trackspec_conformance.expectations import expect_equal, refused
from trackspec_conformance.fresh import Fresh

START = 1_700_000_000_000


@check("run.delete")
def a_run_is_deleted(store: TrackingStore, fresh: Fresh) -> None:
    """A deleted run is in the deleted stage."""
    run_id = fresh.run(fresh.experiment())

    store.delete_run(run_id)

    expect_equal(LifecycleStage.DELETED, store.get_run(run_id).info.lifecycle_stage, "the stage")


@check("run.delete-again", rests_on=("run.delete",))
def deleting_twice_is_harmless(store: TrackingStore, fresh: Fresh) -> None:
    """Deleting a deleted run succeeds and leaves it deleted, with all that it had."""
    run_id = fresh.run(
        fresh.experiment(), metrics=[Metric("m", 0.5, START, 1)], params=[Param("p", "1")], tags=[RunTag("t", "2")]
    )
    store.delete_run(run_id)
    before = store.get_run(run_id)

    store.delete_run(run_id)

    expect_equal(LifecycleStage.DELETED, store.get_run(run_id).info.lifecycle_stage, "the stage")
    expect_equal(before, store.get_run(run_id), "the run")


@check("run.delete-alone", rests_on=("run.delete",))
def other_runs_stay_active(store: TrackingStore, fresh: Fresh) -> None:
    """Deleting a run leaves the runs made before and after it active."""
    experiment_id = fresh.experiment()
    before, doomed, after = (fresh.run(experiment_id, run_name="same") for _ in range(3))

    store.delete_run(doomed)

    for run_id in (before, after):
        expect_equal(LifecycleStage.ACTIVE, store.get_run(run_id).info.lifecycle_stage, "the other runs' stage")


@check("run.delete-unknown")
def an_unknown_run_is_not_deleted(store: TrackingStore, fresh: Fresh) -> None:
    """Deleting a run that does not exist is refused."""
    with refused(ErrorCode.RESOURCE_DOES_NOT_EXIST):
        store.delete_run(fresh.unknown_run_id())


@check("run.deleted-readable", rests_on=("run.delete",))
def a_deleted_run_is_readable(store: TrackingStore, fresh: Fresh) -> None:
    """A deleted run is read with all that it had; its stage alone differs."""
    run_id = fresh.run(
        fresh.experiment(),
        run_name="kept",
        metrics=[Metric("m", 0.5, START, 1)],
        params=[Param("p", "1")],
        tags=[RunTag("t", "2")],
    )
    store.update_run_info(run_id, RunStatus.FINISHED, START + 1)
    running = fresh.run(fresh.experiment())

    for each in (run_id, running):
        before = store.get_run(each)
        store.delete_run(each)

        expected = replace(before, info=replace(before.info, lifecycle_stage=LifecycleStage.DELETED))
        expect_equal(expected, store.get_run(each), "the run")


@check("run.deleted-refuses-update", rests_on=("run.delete",))
def a_deleted_run_is_not_updated(store: TrackingStore, fresh: Fresh) -> None:
    """A deleted run refuses a new status, end time and name."""
    run_id = fresh.run(fresh.experiment(), run_name="old")
    store.delete_run(run_id)
    before = store.get_run(run_id)

    for status, end_time, name in (
        (RunStatus.FINISHED, None, None),
        (None, START + 1, None),
        (None, None, "new"),
    ):
        with refused(ErrorCode.INVALID_PARAMETER_VALUE):
            store.update_run_info(run_id, status, end_time, name)

    expect_equal(before, store.get_run(run_id), "the run")


@check("run.deleted-refuses-params", rests_on=("run.delete", "param.log"))
def a_deleted_run_takes_no_params(store: TrackingStore, fresh: Fresh) -> None:
    """A deleted run refuses a new param, and also the one that it has."""
    run_id = fresh.run(fresh.experiment())
    store.log_param(run_id, Param("old", "1"))
    store.delete_run(run_id)

    for param in (Param("new", "2"), Param("old", "1")):
        with refused(ErrorCode.INVALID_PARAMETER_VALUE):
            store.log_param(run_id, param)

    expect_equal({"old": "1"}, store.get_run(run_id).data.params, "the params")


@check("run.deleted-refuses-tags", rests_on=("run.delete", "tag.set"))
def a_deleted_run_takes_no_tags(store: TrackingStore, fresh: Fresh) -> None:
    """A deleted run refuses a new tag and a new value for the one that it has."""
    run_id = fresh.run(fresh.experiment())
    store.set_tag(run_id, RunTag("old", "1"))
    store.delete_run(run_id)

    for tag in (RunTag("new", "2"), RunTag("old", "2")):
        with refused(ErrorCode.INVALID_PARAMETER_VALUE):
            store.set_tag(run_id, tag)

    tags = store.get_run(run_id).data.tags
    expect_equal({"old": "1", "new": None}, {key: tags.get(key) for key in ("old", "new")}, "the tags")


@check("run.deleted-refuses-tag-deletion", rests_on=("run.delete", "tag.set"))
def a_deleted_run_keeps_its_tags(store: TrackingStore, fresh: Fresh) -> None:
    """A deleted run refuses that one of its tags is deleted."""
    run_id = fresh.run(fresh.experiment())
    store.set_tag(run_id, RunTag("old", "1"))
    store.delete_run(run_id)

    with refused(ErrorCode.INVALID_PARAMETER_VALUE):
        store.delete_tag(run_id, "old")

    expect_equal("1", store.get_run(run_id).data.tags.get("old"), "the tag's value")


@check("run.restore", rests_on=("run.delete",))
def a_run_is_restored(store: TrackingStore, fresh: Fresh) -> None:
    """A restored run is in the active stage."""
    run_id = fresh.run(fresh.experiment())
    store.delete_run(run_id)

    store.restore_run(run_id)

    expect_equal(LifecycleStage.ACTIVE, store.get_run(run_id).info.lifecycle_stage, "the stage")


@check("run.restore-again")
def restoring_an_active_run_is_harmless(store: TrackingStore, fresh: Fresh) -> None:
    """Restoring an active run succeeds and leaves it active."""
    run_id = fresh.run(fresh.experiment())

    store.restore_run(run_id)

    expect_equal(LifecycleStage.ACTIVE, store.get_run(run_id).info.lifecycle_stage, "the stage")


@check("run.restore-unknown")
def an_unknown_run_is_not_restored(store: TrackingStore, fresh: Fresh) -> None:
    """Restoring a run that does not exist is refused."""
    with refused(ErrorCode.RESOURCE_DOES_NOT_EXIST):
        store.restore_run(fresh.unknown_run_id())


@check("run.restored-whole", rests_on=("run.restore",))
def a_restored_run_is_what_it_was(store: TrackingStore, fresh: Fresh) -> None:
    """A run that was deleted and restored equals the run before."""
    run_id = fresh.run(
        fresh.experiment(),
        run_name="kept",
        metrics=[Metric("m", 0.5, START, 1)],
        params=[Param("p", "1")],
        tags=[RunTag("t", "2")],
    )
    store.update_run_info(run_id, RunStatus.FAILED, START + 1)
    before = store.get_run(run_id)

    store.delete_run(run_id)
    store.restore_run(run_id)

    expect_equal(before, store.get_run(run_id), "the run")


@check("run.restored-writable", rests_on=("run.restore",))
def a_restored_run_is_writable(store: TrackingStore, fresh: Fresh) -> None:
    """A restored run accepts params, tags and updates."""
    run_id = fresh.run(fresh.experiment())
    store.delete_run(run_id)
    store.restore_run(run_id)

    store.log_param(run_id, Param("p", "1"))
    store.set_tag(run_id, RunTag("t", "2"))
    store.update_run_info(run_id, RunStatus.FINISHED)

    run = store.get_run(run_id)
    expect_equal({"p": "1"}, run.data.params, "the params")
    expect_equal("2", run.data.tags.get("t"), "the tag's value")
    expect_equal(RunStatus.FINISHED, run.info.status, "the status")


@check("run.readable-in-deleted-experiment", rests_on=("experiment.delete",))
def runs_of_a_deleted_experiment_are_readable(store: TrackingStore, fresh: Fresh) -> None:
    """A run of a deleted experiment is read with its data."""
    experiment_id = fresh.experiment()
    run_id = fresh.run(experiment_id, run_name="kept", params=[Param("p", "1")])
    store.delete_experiment(experiment_id)

    run = store.get_run(run_id)

    expect_equal((run_id, experiment_id, "kept"), (run.info.run_id, run.info.experiment_id, run.info.run_name))
    expect_equal({"p": "1"}, run.data.params, "the params")


@check("run.restored-in-deleted-experiment", rests_on=("experiment.delete",))
def a_run_of_a_deleted_experiment_is_restored(store: TrackingStore, fresh: Fresh) -> None:
    """A run can be restored while its experiment is deleted."""
    experiment_id = fresh.experiment()
    run_id = fresh.run(experiment_id)
    store.delete_experiment(experiment_id)

    store.restore_run(run_id)

    expect_equal(LifecycleStage.ACTIVE, store.get_run(run_id).info.lifecycle_stage, "the stage")


@check("run.writable-in-deleted-experiment", rests_on=("run.restored-in-deleted-experiment",))
def a_restored_run_of_a_deleted_experiment_is_writable(store: TrackingStore, fresh: Fresh) -> None:
    """A run that was restored in a deleted experiment accepts params, tags and updates."""
    experiment_id = fresh.experiment()
    run_id = fresh.run(experiment_id)
    store.delete_experiment(experiment_id)
    store.restore_run(run_id)

    store.log_param(run_id, Param("p", "1"))
    store.set_tag(run_id, RunTag("t", "2"))
    store.update_run_info(run_id, RunStatus.FINISHED)

    run = store.get_run(run_id)
    expect_equal({"p": "1"}, run.data.params, "the params")
    expect_equal("2", run.data.tags.get("t"), "the tag's value")
    expect_equal(RunStatus.FINISHED, run.info.status, "the status")
