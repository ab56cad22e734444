"""The checks of the chapter on experiments: creating them."""

import time
from functools import partial

from trackspec import ErrorCode, ExperimentTag, LifecycleStage, TrackingStore
from trackspec_conformance.checks import check
from trackspec_conformance.expectations import error_code, expect, expect_equal, refused, unless_refused
from trackspec_conformance.fresh import Fresh
from trackspec_conformance.racing import at_once


@check("experiment.create")
def an_experiment_is_created(store: TrackingStore, fresh: Fresh) -> None:
    """A new experiment is active and has the id that was returned and the name that was given."""
    name = fresh.name("new")

    experiment_id = store.create_experiment(name, None, [])

    experiment = store.get_experiment(experiment_id)
    expect_equal(experiment_id, experiment.experiment_id, "the id")
    expect_equal(name, experiment.name, "the name")
    expect_equal(LifecycleStage.ACTIVE, experiment.lifecycle_stage, "the stage")


@check("experiment.create-tags", rests_on=("experiment.create",))
def a_new_experiment_has_its_tags(store: TrackingStore, fresh: Fresh) -> None:
    """All of a hundred and twenty tags that an experiment is created with are on it."""
    tags = [ExperimentTag(f"k{number}", f"v{number}") for number in range(120)]

    experiment_id = store.create_experiment(fresh.name("tags"), None, tags)

    stored = store.get_experiment(experiment_id).tags
    expect_equal([tag.value for tag in tags], [stored.get(tag.key) for tag in tags], "the values of the tags")


@check("experiment.create-without-tags", rests_on=("experiment.create",))
def tags_can_be_left_out(store: TrackingStore, fresh: Fresh) -> None:
    """An experiment is created with None for tags, with an empty list, and with neither."""
    first, second, third = fresh.name("none"), fresh.name("empty"), fresh.name("omitted")

    ids = [
        store.create_experiment(first, None, None),
        store.create_experiment(second, None, []),
        store.create_experiment(third),
    ]

    expect_equal([first, second, third], [store.get_experiment(id_).name for id_ in ids], "the names")


@check("experiment.create-duplicate-tags", rests_on=("experiment.create",))
def one_key_given_twice(store: TrackingStore, fresh: Fresh) -> None:
    """Of two tags of one key the last one counts, or the call is refused as invalid."""
    name = fresh.name("twice")
    experiment_id = None

    with unless_refused(ErrorCode.INVALID_PARAMETER_VALUE):
        experiment_id = store.create_experiment(name, None, [ExperimentTag("k", "1"), ExperimentTag("k", "2")])

    found = store.get_experiment_by_name(name)
    expect_equal(experiment_id, found and found.experiment_id, "the id that the name finds")
    expect_equal("2" if experiment_id else None, found and found.tags.get("k"), "the tag k")


@check("experiment.create-refused-leaves-nothing", rests_on=("experiment.create",))
def a_refused_creation_leaves_nothing(store: TrackingStore, fresh: Fresh) -> None:
    """After a creation that is refused for its last tag no experiment has the name, which can be taken."""
    name = fresh.name("refused")
    good = [ExperimentTag(f"k{number}", "1") for number in range(3)]

    with refused(ErrorCode.INVALID_PARAMETER_VALUE):
        store.create_experiment(name, None, [*good, ExperimentTag("../k", "1")])

    expect_equal(None, store.get_experiment_by_name(name), "the experiment of that name")
    experiment_id = store.create_experiment(name, None, good)
    expect_equal(name, store.get_experiment(experiment_id).name, "the name")


@check("experiment.create-tags-refused")
def tags_of_other_types_are_refused(store: TrackingStore, fresh: Fresh) -> None:
    """Text, dictionaries, pairs and None in the place of tags are refused, and no experiment is created."""
    name = fresh.name("types")

    for tags in ("k", {"k": "v"}, [("k", "v")], [{"key": "k", "value": "v"}], ["k"], [None], 5):
        with refused(ErrorCode.INVALID_PARAMETER_VALUE):
            store.create_experiment(name, None, tags)  # type: ignore[arg-type]

    expect_equal(None, store.get_experiment_by_name(name), "the experiment of that name")


@check("experiment.one-winner", rests_on=("experiment.create",))
def one_of_many_wins_a_name(store: TrackingStore, fresh: Fresh) -> None:
    """Of eight threads that create one name at once one gets an id, and seven are told that it exists."""
    name = fresh.name("race")

    ends = at_once([partial(store.create_experiment, name, None, [])] * 8)

    winners = [end for end in ends if isinstance(end, str)]
    codes = [error_code(end) for end in ends if isinstance(end, Exception)]
    expect(len(winners) == 1, "one id from eight calls", ends)
    expect_equal(["RESOURCE_ALREADY_EXISTS"] * 7, codes, "the codes of the other seven")
    found = store.get_experiment_by_name(name)
    expect_equal(winners[0], found and found.experiment_id, "the id that the name finds")


@check("experiment.reopened", rests_on=("experiment.create",))
def experiments_outlive_the_object(store: TrackingStore, fresh: Fresh) -> None:
    """A store that is opened again has the experiments, one of them deleted, as they were."""
    tags = [ExperimentTag("a", "1"), ExperimentTag("b", "2")]
    active = store.create_experiment(fresh.name("kept"), "s3://bucket/kept", tags)
    deleted = store.create_experiment(
        fresh.name("deleted"), None, [ExperimentTag("c", ""), ExperimentTag("d", "\r\n")]
    )
    time.sleep(0.01)  # so that the times of creation and of the last update differ
    store.rename_experiment(active, fresh.name("renamed"))
    store.delete_experiment(deleted)
    before = [store.get_experiment(active), store.get_experiment(deleted)]

    reopened = fresh.reopened()

    expect_equal(before, [reopened.get_experiment(active), reopened.get_experiment(deleted)], "the experiments")
    found = reopened.get_experiment_by_name(before[0].name)
    expect_equal(active, found and found.experiment_id, "the id that the name finds")
