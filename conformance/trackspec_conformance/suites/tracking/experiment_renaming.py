"""The checks of the chapter on experiments: renaming."""

from trackspec import ErrorCode, ExperimentTag, LifecycleStage, TrackingStore
from trackspec_conformance.checks import check
from trackspec_conformance.expectations import expect_equal, refused
from trackspec_conformance.fresh import Fresh


@check("experiment.rename", rests_on=("experiment.create",))
def a_renamed_experiment_has_its_new_name(store: TrackingStore, fresh: Fresh) -> None:
    """A renamed experiment is read and found under the new name only."""
    old, new = fresh.name("old"), fresh.name("new")
    experiment_id = store.create_experiment(old, None, [])

    store.rename_experiment(experiment_id, new)

    found = store.get_experiment_by_name(new)
    expect_equal(new, store.get_experiment(experiment_id).name, "the name")
    expect_equal(experiment_id, found and found.experiment_id, "the id that the new name finds")
    expect_equal(None, store.get_experiment_by_name(old), "the experiment that the old name finds")


@check("experiment.rename", rests_on=("experiment.create",))
def a_new_name_is_kept_exactly(store: TrackingStore, fresh: Fresh) -> None:
    """The new name is kept in all its characters: white space, Unicode form, wildcards and the five hundredth."""
    experiment_id = fresh.experiment("exact")
    start = fresh.name("exact")

    for name in (f" {start}\n", f"{start} e\u0301 \u212b", f"{start}'%_\\", start.ljust(500, "x")):
        store.rename_experiment(experiment_id, name)

        found = store.get_experiment_by_name(name)
        expect_equal(name, store.get_experiment(experiment_id).name, "the name")
        expect_equal(experiment_id, found and found.experiment_id, "the id that the new name finds")


@check("experiment.names-exact", rests_on=("experiment.create", "experiment.rename"))
def a_name_near_anothers_is_free(store: TrackingStore, fresh: Fresh) -> None:
    """Renaming takes names that differ from another experiment's in case, a space or the Unicode form alone."""
    start = fresh.name("near")
    store.create_experiment(f"{start} é", None, [])
    experiment_id = fresh.experiment("near")

    for name in (f"{start} É", f"{start} é ", f"{start} e\u0301", f"{start} e"):
        store.rename_experiment(experiment_id, name)
        expect_equal(name, store.get_experiment(experiment_id).name, "the name")


@check("experiment.rename-alone", rests_on=("experiment.create", "run.create"))
def renaming_changes_the_name_only(store: TrackingStore, fresh: Fresh) -> None:
    """Renaming leaves the location, the stage, the tags, the run and another experiment."""
    tags = [ExperimentTag("a", "1"), ExperimentTag("b", "2")]
    experiment_id = store.create_experiment(fresh.name("old"), "s3://bucket/old", tags)
    other_id = fresh.experiment("other")
    other = store.get_experiment(other_id)
    run_id = fresh.run(experiment_id)
    run = store.get_run(run_id)

    store.rename_experiment(experiment_id, fresh.name("new"))

    experiment = store.get_experiment(experiment_id)
    expect_equal("s3://bucket/old", experiment.artifact_location, "the location")
    expect_equal(LifecycleStage.ACTIVE, experiment.lifecycle_stage, "the stage")
    expect_equal(["1", "2"], [experiment.tags.get("a"), experiment.tags.get("b")], "the tags a and b")
    expect_equal(run, store.get_run(run_id), "the run")
    expect_equal(other, store.get_experiment(other_id), "the other experiment")


@check("experiment.rename-frees-name", rests_on=("experiment.rename",))
def the_old_name_is_free(store: TrackingStore, fresh: Fresh) -> None:
    """A new experiment takes the name that a renamed one had, and the name finds the new one."""
    name = fresh.name("old")
    store.rename_experiment(store.create_experiment(name, None, []), fresh.name("new"))

    experiment_id = store.create_experiment(name, None, [])

    found = store.get_experiment_by_name(name)
    expect_equal(experiment_id, found and found.experiment_id, "the id that the old name finds")


@check("experiment.rename-to-taken", rests_on=("experiment.create", "experiment.delete"))
def renaming_to_a_taken_name_is_refused(store: TrackingStore, fresh: Fresh) -> None:
    """Renaming to the name of an active or a deleted experiment is refused, and all names stay."""
    name, active, deleted = fresh.name("mine"), fresh.name("active"), fresh.name("deleted")
    ids = [store.create_experiment(each, None, []) for each in (name, active, deleted)]
    store.delete_experiment(ids[2])

    with refused(ErrorCode.RESOURCE_ALREADY_EXISTS):
        store.rename_experiment(ids[0], active)
    with refused(ErrorCode.RESOURCE_ALREADY_EXISTS):
        store.rename_experiment(ids[0], deleted)

    expect_equal([name, active, deleted], [store.get_experiment(id_).name for id_ in ids], "the names")


@check("experiment.rename-to-own-name", rests_on=("experiment.create",))
def renaming_to_the_own_name_is_accepted(store: TrackingStore, fresh: Fresh) -> None:
    """Renaming an experiment to the name that it has succeeds, and it keeps it."""
    name = fresh.name("same")
    experiment_id = store.create_experiment(name, None, [])

    store.rename_experiment(experiment_id, name)

    expect_equal(name, store.get_experiment(experiment_id).name, "the name")


@check("experiment.rename-case", rests_on=("experiment.rename",))
def renaming_changes_case(store: TrackingStore, fresh: Fresh) -> None:
    """A name can be changed in its case alone, and in a space at its end."""
    start = fresh.name("case")
    experiment_id = store.create_experiment(f"{start} abc", None, [])

    for name in (f"{start} ABC", f"{start} ABC "):
        store.rename_experiment(experiment_id, name)
        expect_equal(name, store.get_experiment(experiment_id).name, "the name")


@check("experiment.rename-deleted", rests_on=("experiment.delete",))
def a_deleted_experiment_is_not_renamed(store: TrackingStore, fresh: Fresh) -> None:
    """Renaming a deleted experiment is refused, and it keeps its name."""
    name = fresh.name("deleted")
    experiment_id = store.create_experiment(name, None, [])
    store.delete_experiment(experiment_id)

    with refused(ErrorCode.INVALID_STATE):
        store.rename_experiment(experiment_id, fresh.name("new"))

    expect_equal(name, store.get_experiment(experiment_id).name, "the name")


@check("experiment.rename-refused", rests_on=("experiment.create",))
def renaming_to_an_invalid_name_is_refused(store: TrackingStore, fresh: Fresh) -> None:
    """Renaming to an empty, over-long or wrongly typed name is refused, and the experiment keeps its name."""
    name = fresh.name("valid")
    experiment_id = store.create_experiment(name, None, [])

    for invalid in ("", "x" * 501, None, 5, fresh.name().encode()):
        with refused(ErrorCode.INVALID_PARAMETER_VALUE):
            store.rename_experiment(experiment_id, invalid)  # type: ignore[arg-type]

    expect_equal(name, store.get_experiment(experiment_id).name, "the name")
