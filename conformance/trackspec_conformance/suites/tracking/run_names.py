"""The checks of the chapter on runs: names and the tag that mirrors them."""

from trackspec import ErrorCode, RunTag, TrackingStore
from trackspec_conformance.checks import check
from trackspec_conformance.expectations import expect, expect_equal, refused, unless_refused
from trackspec_conformance.fresh import Fresh

START = 1_700_000_000_000
NAME_TAG = "mlflow.runName"


@check("run.name-kept")
def names_are_kept(store: TrackingStore, fresh: Fresh) -> None:
    """A name is read exactly as it was given."""
    experiment_id = fresh.shared_experiment()

    for name in ("first", " Trial 'é' \"e\u0301\" 😀\r\n%_\\ ", " ", "0", "../x"):
        run_id = store.create_run(experiment_id, "ada", START, [], name).info.run_id

        expect_equal(name, store.get_run(run_id).info.run_name, "the name")


@check("run.name-mirrored", rests_on=("run.name-kept",))
def the_name_is_mirrored(store: TrackingStore, fresh: Fresh) -> None:
    """A new run carries its name as a tag."""
    run_id = store.create_run(fresh.shared_experiment(), "ada", START, [], "first").info.run_id

    expect_equal("first", store.get_run(run_id).data.tags.get(NAME_TAG), "the tag's value")


@check("run.name-from-tag")
def the_tag_names_the_run(store: TrackingStore, fresh: Fresh) -> None:
    """A run created with the tag and without a name is named by the tag."""
    run_id = store.create_run(
        fresh.shared_experiment(), "ada", START, [RunTag(NAME_TAG, "tagged")], None
    ).info.run_id

    run = store.get_run(run_id)
    expect_equal("tagged", run.info.run_name, "the name")
    expect_equal("tagged", run.data.tags.get(NAME_TAG), "the tag's value")


@check("run.name-with-equal-tag")
def name_and_tag_may_agree(store: TrackingStore, fresh: Fresh) -> None:
    """A name and a tag that say the same are accepted together."""
    run_id = store.create_run(
        fresh.shared_experiment(), "ada", START, [RunTag(NAME_TAG, "both")], "both"
    ).info.run_id

    expect_equal("both", store.get_run(run_id).info.run_name, "the name")


@check("run.name-with-other-tag-refused")
def name_and_tag_may_not_differ(store: TrackingStore, fresh: Fresh) -> None:
    """A name and a tag that say different things are refused."""
    with refused(ErrorCode.INVALID_PARAMETER_VALUE):
        store.create_run(fresh.shared_experiment(), "ada", START, [RunTag(NAME_TAG, "one")], "another")


@check("run.name-generated")
def a_nameless_run_gets_a_name(store: TrackingStore, fresh: Fresh) -> None:
    """A run created without a name has one."""
    experiment_id = fresh.shared_experiment()

    for name in (None, ""):
        run_id = store.create_run(experiment_id, "ada", START, [], name).info.run_id

        generated = store.get_run(run_id).info.run_name
        expect(isinstance(generated, str) and generated != "", "a name that is not empty", generated)


@check("run.name-generated-mirrored", rests_on=("run.name-generated",))
def a_generated_name_is_mirrored(store: TrackingStore, fresh: Fresh) -> None:
    """A run that was given no name carries its generated name as a tag."""
    run_id = store.create_run(fresh.shared_experiment(), "ada", START, [], None).info.run_id

    run = store.get_run(run_id)
    expect_equal(run.info.run_name, run.data.tags.get(NAME_TAG), "the tag's value")


@check("run.name-empty-tag")
def an_empty_tag_names_no_run(store: TrackingStore, fresh: Fresh) -> None:
    """An empty name tag leaves the run with a given or a generated name, or is refused."""
    experiment_id = fresh.shared_experiment()

    with unless_refused(ErrorCode.INVALID_PARAMETER_VALUE):
        run_id = store.create_run(experiment_id, "ada", START, [RunTag(NAME_TAG, "")], None).info.run_id

        run = store.get_run(run_id)
        expect(bool(run.info.run_name), "a name that is not empty", run.info.run_name)
        expect_equal(run.info.run_name, run.data.tags.get(NAME_TAG), "the tag's value")
    with unless_refused(ErrorCode.INVALID_PARAMETER_VALUE):
        run_id = store.create_run(experiment_id, "ada", START, [RunTag(NAME_TAG, "")], "given").info.run_id

        run = store.get_run(run_id)
        expect_equal("given", run.info.run_name, "the name")
        expect_equal("given", run.data.tags.get(NAME_TAG), "the tag's value")


@check("run.names-shared")
def runs_may_share_a_name(store: TrackingStore, fresh: Fresh) -> None:
    """Two runs of an experiment have one name, given to one at creation and to the other later."""
    first = fresh.run(run_name="twin")
    second = store.create_run(fresh.shared_experiment(), "ada", START, [], "twin").info.run_id
    third = fresh.run(run_name="single")

    store.update_run_info(third, run_name="twin")

    names = [store.get_run(run_id).info.run_name for run_id in (first, second, third)]
    expect_equal(["twin", "twin", "twin"], names, "the names")


@check("run.rename-mirrored", rests_on=("run.update",))
def renaming_changes_the_tag(store: TrackingStore, fresh: Fresh) -> None:
    """The name tag follows when a run is renamed, and is back where it was deleted."""
    run_id = fresh.run(run_name="old")

    store.update_run_info(run_id, run_name="new")
    expect_equal("new", store.get_run(run_id).data.tags.get(NAME_TAG), "the tag's value")
    store.delete_tag(run_id, NAME_TAG)
    store.update_run_info(run_id, run_name="newer")
    expect_equal("newer", store.get_run(run_id).data.tags.get(NAME_TAG), "the tag's value")


@check("run.rename-empty")
def the_empty_name_renames_nothing(store: TrackingStore, fresh: Fresh) -> None:
    """An update with the empty name leaves the name and the tag."""
    run_id = fresh.run(run_name="kept")

    store.update_run_info(run_id, run_name="")

    run = store.get_run(run_id)
    expect_equal("kept", run.info.run_name, "the name")
    expect_equal("kept", run.data.tags.get(NAME_TAG), "the tag's value")


@check("run.tag-renames")
def setting_the_tag_renames(store: TrackingStore, fresh: Fresh) -> None:
    """The name follows when the name tag is set."""
    run_id = fresh.run(run_name="old")

    store.set_tag(run_id, RunTag(NAME_TAG, "new"))

    run = store.get_run(run_id)
    expect_equal("new", run.info.run_name, "the name")
    expect_equal("new", run.data.tags.get(NAME_TAG), "the tag's value")


@check("run.batch-tag-renames")
def a_batch_renames(store: TrackingStore, fresh: Fresh) -> None:
    """The name follows when a batch sets the name tag."""
    run_id = fresh.run(run_name="old")

    store.log_batch(run_id, [], [], [RunTag("other", "1"), RunTag(NAME_TAG, "new")])

    run = store.get_run(run_id)
    expect_equal("new", run.info.run_name, "the name")
    expect_equal("new", run.data.tags.get(NAME_TAG), "the tag's value")


@check("run.name-tag-emptied")
def the_tag_cannot_be_emptied(store: TrackingStore, fresh: Fresh) -> None:
    """Setting the name tag to the empty string leaves the name and the tag in step."""
    run_id = fresh.run(run_name="kept")

    with unless_refused(ErrorCode.INVALID_PARAMETER_VALUE):
        store.set_tag(run_id, RunTag(NAME_TAG, ""))
    with unless_refused(ErrorCode.INVALID_PARAMETER_VALUE):
        store.log_batch(run_id, [], [], [RunTag(NAME_TAG, "")])

    run = store.get_run(run_id)
    expect_equal("kept", run.info.run_name, "the name")
    expect_equal("kept", run.data.tags.get(NAME_TAG), "the tag's value")


@check("run.name-tag-deleted")
def deleting_the_tag_keeps_the_name(store: TrackingStore, fresh: Fresh) -> None:
    """A run keeps its name when the name tag is deleted."""
    run_id = fresh.run(run_name="kept")

    store.delete_tag(run_id, NAME_TAG)

    expect_equal("kept", store.get_run(run_id).info.run_name, "the name")


@check("run.name-length")
def long_names_are_kept(store: TrackingStore, fresh: Fresh) -> None:
    """A name of 250 characters is kept whole, in every way of giving it."""
    experiment_id = fresh.shared_experiment()

    for name in ("n" * 249 + "x", "層" * 249 + "x", "😀" * 249 + "x"):
        created = store.create_run(experiment_id, "ada", START, [], name)
        updated = fresh.run()
        store.update_run_info(updated, run_name=name)

        for run_id in (created.info.run_id, updated):
            run = store.get_run(run_id)
            expect_equal(name, run.info.run_name, "the name")
            expect_equal(name, run.data.tags.get(NAME_TAG), "the tag's value")


@check("run.name-never-cut")
def longer_names_are_not_cut(store: TrackingStore, fresh: Fresh) -> None:
    """A name of more than 250 characters is kept whole or refused, in every way of giving it."""
    experiment_id = fresh.shared_experiment()

    for name in ("n" * 251, "n" * 8001):
        with unless_refused(ErrorCode.INVALID_PARAMETER_VALUE):
            created = store.create_run(experiment_id, "ada", START, [], name)

            expect_equal(name, store.get_run(created.info.run_id).info.run_name, "the name")
        run_id = fresh.run()
        with unless_refused(ErrorCode.INVALID_PARAMETER_VALUE):
            store.update_run_info(run_id, run_name=name)

            expect_equal(name, store.get_run(run_id).info.run_name, "the name")
    tag = RunTag(NAME_TAG, "n" * 251)
    with unless_refused(ErrorCode.INVALID_PARAMETER_VALUE):
        tagged = store.create_run(experiment_id, "ada", START, [tag], None)

        expect_equal(tag.value, store.get_run(tagged.info.run_id).info.run_name, "the name")
    run_id = fresh.run()
    with unless_refused(ErrorCode.INVALID_PARAMETER_VALUE):
        store.set_tag(run_id, tag)

        run = store.get_run(run_id)
        expect_equal((tag.value,) * 2, (run.info.run_name, run.data.tags.get(NAME_TAG)), "the name and its tag")


@check("run.name-refused")
def what_is_no_name_is_refused(store: TrackingStore, fresh: Fresh) -> None:
    """A name that is no string is refused, and a run keeps the one it has."""
    experiment_id = fresh.shared_experiment()
    run_id = fresh.run(run_name="kept")

    for name in (5, b"name", ["name"]):
        with refused(ErrorCode.INVALID_PARAMETER_VALUE):
            store.create_run(experiment_id, "ada", START, [], name)  # type: ignore[arg-type]
        with refused(ErrorCode.INVALID_PARAMETER_VALUE):
            store.update_run_info(run_id, run_name=name)  # type: ignore[arg-type]

    expect_equal("kept", store.get_run(run_id).info.run_name, "the name")


@check("run.surrogates-refused")
def lone_surrogates_are_refused(store: TrackingStore, fresh: Fresh) -> None:
    """A name or user id that no encoding holds is refused, and a run keeps the name it has."""
    experiment_id = fresh.shared_experiment()
    run_id = fresh.run(run_name="kept")

    for text in ("\ud800", "a\udfffb"):
        with refused(ErrorCode.INVALID_PARAMETER_VALUE):
            store.create_run(experiment_id, "ada", START, [], text)
        with refused(ErrorCode.INVALID_PARAMETER_VALUE):
            store.create_run(experiment_id, text, START, [], "named")
        with refused(ErrorCode.INVALID_PARAMETER_VALUE):
            store.update_run_info(run_id, run_name=text)

    run = store.get_run(run_id)
    expect_equal("kept", run.info.run_name, "the name")
    expect_equal("kept", run.data.tags.get(NAME_TAG), "the tag's value")
