"""The checks of the chapter on runs: creating and reading them, and where their artifacts are."""

import math
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from trackspec import (
    Dataset,
    DatasetInput,
    ErrorCode,
    InputTag,
    LifecycleStage,
    Metric,
    Param,
    RunStatus,
    RunTag,
    TrackingStore,
    ViewType,
)
from trackspec_conformance.checks import check
from trackspec_conformance.expectations import expect, expect_equal, refused, unless_refused
from trackspec_conformance.fresh import Fresh

START = 1_700_000_000_000


@check("run.create")
def a_run_is_created(store: TrackingStore, fresh: Fresh) -> None:
    """A run is created in its experiment and found by its id."""
    experiment_id = fresh.shared_experiment()

    created = store.create_run(experiment_id, "ada", START, [], "first")

    found = store.get_run(created.info.run_id)
    expect_equal(experiment_id, created.info.experiment_id, "the experiment id that create_run answers")
    expect_equal(experiment_id, found.info.experiment_id, "the experiment id that get_run answers")
    expect_equal(created.info.run_id, found.info.run_id, "the run id")


@check("run.create-answer", rests_on=("run.create",))
def the_answer_to_create_is_what_is_stored(store: TrackingStore, fresh: Fresh) -> None:
    """The run that create_run returns is what get_run returns, also where the store fills in what is missing."""
    experiment_id = fresh.shared_experiment()

    created = store.create_run(experiment_id, "ada", START, [RunTag("team", "blue")], "first")
    expect_equal(store.get_run(created.info.run_id), created, "the run that create_run answers")

    with unless_refused(ErrorCode.INVALID_PARAMETER_VALUE):
        filled_in = store.create_run(experiment_id, None, None, None, None)
        expect_equal(store.get_run(filled_in.info.run_id), filled_in, "the run that create_run answers")


@check("run.ids-distinct", rests_on=("run.create",))
def equal_arguments_make_distinct_runs(store: TrackingStore, fresh: Fresh) -> None:
    """Calls with equal arguments make runs with ids of their own."""
    experiment_id = fresh.shared_experiment()

    ids = [store.create_run(experiment_id, "ada", START, [], "same").info.run_id for _ in range(3)]

    expect(len(set(ids)) == 3, "three different ids", ids)


@check("run.starts-running", rests_on=("run.create",))
def a_new_run_is_running(store: TrackingStore, fresh: Fresh) -> None:
    """A new run has the status RUNNING."""
    created = store.create_run(fresh.shared_experiment(), "ada", START, [], None)

    expect_equal(RunStatus.RUNNING, store.get_run(created.info.run_id).info.status, "the status")


@check("run.starts-without-end", rests_on=("run.create",))
def a_new_run_has_no_end(store: TrackingStore, fresh: Fresh) -> None:
    """A new run has no end time."""
    created = store.create_run(fresh.shared_experiment(), "ada", START, [], None)

    expect_equal(None, store.get_run(created.info.run_id).info.end_time, "the end time")


@check("run.starts-active", rests_on=("run.create",))
def a_new_run_is_active(store: TrackingStore, fresh: Fresh) -> None:
    """A new run is active."""
    created = store.create_run(fresh.shared_experiment(), "ada", START, [], None)

    expect_equal(LifecycleStage.ACTIVE, store.get_run(created.info.run_id).info.lifecycle_stage, "the stage")


@check("run.starts-empty", rests_on=("run.create",))
def a_new_run_is_empty(store: TrackingStore, fresh: Fresh) -> None:
    """A new run has no params and no metrics."""
    created = store.create_run(fresh.shared_experiment(), "ada", START, [RunTag("lr", "0.1")], None)

    data = store.get_run(created.info.run_id).data
    expect_equal({}, data.params, "the params")
    expect_equal({}, data.metrics, "the metrics")


@check("run.create-unknown-experiment")
def an_unknown_experiment_is_refused(store: TrackingStore, fresh: Fresh) -> None:
    """A run of an experiment that does not exist is refused."""
    with refused(ErrorCode.RESOURCE_DOES_NOT_EXIST):
        store.create_run(fresh.unknown_experiment_id(), "ada", START, [], None)


@check("run.create-experiment-id-refused")
def a_missing_experiment_id_is_refused(store: TrackingStore, fresh: Fresh) -> None:
    """None, the empty string and an integer are refused as experiment id."""
    for experiment_id in (None, "", int(fresh.unknown_experiment_id())):
        with refused(ErrorCode.INVALID_PARAMETER_VALUE):
            store.create_run(experiment_id, "ada", START, [], None)  # type: ignore[arg-type]


@check("run.create-in-deleted-experiment", rests_on=("experiment.delete",))
def a_deleted_experiment_is_refused(store: TrackingStore, fresh: Fresh) -> None:
    """A run of a deleted experiment is refused."""
    experiment_id = fresh.experiment("deleted")
    store.delete_experiment(experiment_id)

    with refused(ErrorCode.INVALID_STATE, ErrorCode.INVALID_PARAMETER_VALUE):
        store.create_run(experiment_id, "ada", START, [], None)


@check("run.create-refused-leaves-nothing")
def a_refused_run_leaves_nothing(store: TrackingStore, fresh: Fresh) -> None:
    """The search of an experiment finds the runs whose creation was answered, and no others."""
    experiment_id = fresh.experiment("refusals")
    created = [fresh.run(experiment_id)]

    for start_time, tags, name in (
        (START, [RunTag("good", "1"), RunTag("../bad", "2")], None),
        (START, [RunTag("good", "1"), RunTag("", "2")], None),
        (START, [RunTag("good", "1"), RunTag("bad", None)], None),  # type: ignore[arg-type]
        (START, [RunTag("mlflow.runName", "one")], "another"),
        ("7", [], None),
        (1.5, [], None),
        (2**63, [], None),
    ):
        with suppress(Exception):
            run = store.create_run(experiment_id, "ada", start_time, tags, name)  # type: ignore[arg-type]
            created.append(run.info.run_id)

    found = [run.info.run_id for run in store.search_runs([experiment_id], None, ViewType.ALL)]
    expect_equal(sorted(created), sorted(found), "the ids of the runs that were created")


@check("run.create-tags", rests_on=("run.create",))
def tags_are_set_at_creation(store: TrackingStore, fresh: Fresh) -> None:
    """Every tag that create_run is given is set, more than a hundred of them and awkward ones too."""
    tags = {f"tag-{number}": f"value {number}" for number in range(110)} | {
        "empty": "",
        "mlflow.source.type": "JOB",
        "mlflow.note.content": "# a\r\nb\n",
        "k": " x\t",
        "K": "'e\u0301' \u212b 😀",
        "k ": "007",
        "k/k": "v" * 7999 + "x",
        "層": "null",
    }

    created = store.create_run(
        fresh.shared_experiment(), "ada", START, [RunTag(key, value) for key, value in tags.items()], None
    )

    found = store.get_run(created.info.run_id).data.tags
    expect_equal(tags, {key: found.get(key) for key in tags}, "the tags")


@check("run.create-without-tags", rests_on=("run.create",))
def none_means_no_tags(store: TrackingStore, fresh: Fresh) -> None:
    """A run is created with None for its tags."""
    created = store.create_run(fresh.shared_experiment(), "ada", START, None, "untagged")

    expect_equal("untagged", store.get_run(created.info.run_id).info.run_name, "the run's name")


@check("run.create-tags-unaltered", rests_on=("run.create",))
def the_callers_tags_are_not_changed(store: TrackingStore, fresh: Fresh) -> None:
    """The list of tags is the caller's after the call as before."""
    tags = [RunTag("team", "blue")]

    store.create_run(fresh.shared_experiment(), "ada", START, tags, "named")
    store.create_run(fresh.shared_experiment(), "ada", START, tags, None)

    expect_equal([RunTag("team", "blue")], tags, "the list that was passed")


@check("run.create-duplicate-tags", rests_on=("run.create-tags",))
def the_last_of_equal_tag_keys_holds(store: TrackingStore, fresh: Fresh) -> None:
    """Of two tags with one key, the name's among them, the last one holds, or the run is refused."""
    tags = [RunTag("k", "first"), RunTag("other", "x"), RunTag("k", "last")]
    names = [RunTag("mlflow.runName", "first"), RunTag("mlflow.runName", "last")]

    with unless_refused(ErrorCode.INVALID_PARAMETER_VALUE):
        created = store.create_run(fresh.shared_experiment(), "ada", START, tags, None)

        expect_equal("last", store.get_run(created.info.run_id).data.tags.get("k"), "the tag's value")
    with unless_refused(ErrorCode.INVALID_PARAMETER_VALUE):
        named = store.create_run(fresh.shared_experiment(), "ada", START, names, None)

        run = store.get_run(named.info.run_id)
        expect_equal(("last", "last"), (run.info.run_name, run.data.tags.get("mlflow.runName")), "name and tag")


@check("run.create-tag-key-refused")
def malformed_tag_keys_are_refused_at_creation(store: TrackingStore, fresh: Fresh) -> None:
    """Tags whose keys break the rules are refused by create_run."""
    experiment_id = fresh.shared_experiment()

    for key in ("", "../a", "/a", "a//b", "a\nb", "a'b", "k" * 251, None, 5):
        with refused(ErrorCode.INVALID_PARAMETER_VALUE):
            store.create_run(experiment_id, "ada", START, [RunTag("good", "1"), RunTag(key, "2")], None)  # type: ignore[arg-type]


@check("run.create-tag-value-refused")
def wrong_tag_values_are_refused_at_creation(store: TrackingStore, fresh: Fresh) -> None:
    """Tags whose values are no strings or too long are refused by create_run."""
    experiment_id = fresh.shared_experiment()

    for value in (None, 5, b"x", "v" * 8001):
        with refused(ErrorCode.INVALID_PARAMETER_VALUE):
            store.create_run(experiment_id, "ada", START, [RunTag("good", "1"), RunTag("k", value)], None)  # type: ignore[arg-type]


@check("run.get-whole")
def a_run_is_read_whole(store: TrackingStore, fresh: Fresh) -> None:
    """Everything that a run logged is read, also beyond three hundred params and tags and a thousand metrics."""
    run_id = fresh.run()
    numbers, more = range(300), range(1050)
    for start in range(3):
        part = numbers[start::3]
        metrics = [Metric(f"m{number}", number / 8, START, number) for number in more[start::3]]
        params = [Param(f"p{number}", str(number)) for number in part]
        store.log_batch(run_id, metrics, params, [RunTag(f"t{number}", str(number)) for number in part])

    data = store.get_run(run_id).data

    expect_equal({f"p{number}": str(number) for number in numbers}, data.params, "the params")
    expect_equal({f"m{number}": number / 8 for number in more}, data.metrics, "the metrics")
    tags = {f"t{number}": str(number) for number in numbers}
    expect_equal(tags, {key: data.tags.get(key) for key in tags}, "the tags")


@check("run.separate")
def runs_do_not_share_data(store: TrackingStore, fresh: Fresh) -> None:
    """What one run logs does not show in another run of its experiment."""
    first, second = fresh.run(), fresh.run()

    for run_id, text, number in ((first, "one", 1.0), (second, "two", 2.0)):
        store.log_param(run_id, Param("p", text))
        store.log_metric(run_id, Metric("m", number, START, 0))
        store.set_tag(run_id, RunTag("t", text))
    store.log_param(second, Param("only in the second", "x"))

    for run_id, text, number, others in (
        (first, "one", 1.0, {}),
        (second, "two", 2.0, {"only in the second": "x"}),
    ):
        data = store.get_run(run_id).data
        expect_equal({"p": text, **others}, data.params, "the params of its own")
        expect_equal({"m": number}, data.metrics, "the metrics of its own")
        expect_equal(text, data.tags.get("t"), "the tag of its own")


@check("run.reopened")
def runs_outlive_the_store_object(store: TrackingStore, fresh: Fresh) -> None:
    """A store that is opened again reads runs as they were last, an active one and a deleted one."""
    experiment_id = fresh.experiment("reopened")
    deleted = fresh.run(experiment_id)
    active = fresh.run(
        experiment_id,
        run_name="old",
        metrics=[Metric("lost", math.nan, START, 1), Metric("up", 1e300, START, 2**53 + 1)],
        params=[Param("p", "1"), Param("lines", "a\r\nb\rc\n"), Param("none", ""), Param("word", "null")],
        tags=[RunTag("t", "2"), RunTag("u", "3"), RunTag("none", ""), RunTag("T", " e\u0301 \\n")],
    )
    store.log_metric(active, Metric("m", 0.5, START, 3))
    store.update_run_info(active, RunStatus.FAILED, START + 1, "new")
    store.set_tag(active, RunTag("t", "4"))
    store.delete_tag(active, "u")
    store.delete_run(deleted)
    before = [store.get_run(active), store.get_run(deleted)]

    reopened = fresh.reopened()

    expect_equal(before, [reopened.get_run(active), reopened.get_run(deleted)], "the runs")


@check("run.reopened", rests_on=("input.log",), needs="input.log")
def inputs_outlive_the_store_object(store: TrackingStore, fresh: Fresh) -> None:
    """A store that is opened again reads the inputs of a run."""
    run_id = fresh.run(fresh.experiment("reopened"))
    dataset = Dataset("d", "1", "local", "here\r\n", None, "profile")
    store.log_inputs(run_id, [DatasetInput(dataset, (InputTag("context", "training"),))])
    before = store.get_run(run_id)

    expect_equal(before, fresh.reopened().get_run(run_id), "the run")


@check("run.reopened", rests_on=("history.whole",), needs="history.whole")
def histories_outlive_the_store_object(fresh: Fresh) -> None:
    """A store that is opened again reads the whole history of a metric, and not its latest point alone."""
    points = [Metric("m", value, START, step) for step, value in enumerate((0.5, math.nan, -1e300, 0.1))]
    run_id = fresh.run(metrics=points)

    history = fresh.reopened().get_metric_history(run_id, "m")

    expect_equal(points, list(history), "the history")


@check("run.get-unknown")
def an_unknown_run_is_not_found(store: TrackingStore, fresh: Fresh) -> None:
    """Reading a run that does not exist is refused."""
    with refused(ErrorCode.RESOURCE_DOES_NOT_EXIST):
        store.get_run(fresh.unknown_run_id())


@check("run.id-exact")
def ids_are_compared_exactly(store: TrackingStore, fresh: Fresh) -> None:
    """No other spelling of a run's id finds the run."""
    run_id = fresh.run()

    spellings = {run_id.upper(), run_id.lower(), run_id.swapcase(), f" {run_id}", f"{run_id} ", f"{run_id}\n"}
    spellings |= {run_id[:-1], f"{run_id}0", f"./{run_id}", f"{run_id}/"}
    for spelling in sorted(spellings - {run_id}):
        with unless_refused(ErrorCode.RESOURCE_DOES_NOT_EXIST, ErrorCode.INVALID_PARAMETER_VALUE):
            found = store.get_run(spelling)

            expect_equal(spelling, found.info.run_id, "the id of the run that was asked for")


@check("run.id-exact")
def ids_of_writes_are_compared_exactly(store: TrackingStore, fresh: Fresh) -> None:
    """No call that writes takes another spelling of a run's id for the run."""
    run_id = fresh.run(fresh.experiment("exact"), tags=[RunTag("kept", "1")])
    before = store.get_run(run_id)

    for spelling in sorted({run_id.swapcase(), f" {run_id}", f"{run_id}\n"} - {run_id}):
        for call in _writes(store, spelling):
            with refused(ErrorCode.RESOURCE_DOES_NOT_EXIST, ErrorCode.INVALID_PARAMETER_VALUE):
                call()

    expect_equal(before, store.get_run(run_id), "the run")


@check("run.malformed-id-refused")
def malformed_ids_are_refused(store: TrackingStore) -> None:
    """A malformed run id is refused by every call that takes one."""
    for run_id in (None, "", 5, "a b", "../x", "x/y", "é", "x" * 257):
        with refused(ErrorCode.INVALID_PARAMETER_VALUE, ErrorCode.RESOURCE_DOES_NOT_EXIST):
            store.get_run(run_id)  # type: ignore[arg-type]
    for run_id in (None, 5, "../x"):
        for call in _writes(store, run_id):
            with refused(ErrorCode.INVALID_PARAMETER_VALUE, ErrorCode.RESOURCE_DOES_NOT_EXIST):
                call()


@check("run.malformed-id-code")
def malformed_ids_are_the_arguments_fault(store: TrackingStore) -> None:
    """The code for a malformed run id blames the argument."""
    for run_id in (None, "", 5, "a b", "../x", "x" * 257):
        with refused(ErrorCode.INVALID_PARAMETER_VALUE):
            store.get_run(run_id)  # type: ignore[arg-type]


@check("run.artifact-uri")
def artifacts_lie_below_the_experiments(store: TrackingStore, fresh: Fresh) -> None:
    """A run's artifact URI is made of its experiment's location and its id."""
    experiment_id = fresh.experiment("located", artifact_location="s3://bucket/path")
    location = store.get_experiment(experiment_id).artifact_location

    info = store.create_run(experiment_id, "ada", START, [], None).info

    expect_equal(f"{location}/{info.run_id}/artifacts", info.artifact_uri, "the artifact URI")


@check("run.artifact-uri-slash")
def a_trailing_slash_is_not_doubled(store: TrackingStore, fresh: Fresh) -> None:
    """A location that ends in a slash is followed by no second one."""
    experiment_id = fresh.experiment("slash", artifact_location="s3://bucket/path/")

    info = store.create_run(experiment_id, "ada", START, [], None).info

    expect_equal(f"s3://bucket/path/{info.run_id}/artifacts", info.artifact_uri, "the artifact URI")


@check("run.artifact-uri-query")
def a_query_stays_at_the_end(store: TrackingStore, fresh: Fresh) -> None:
    """The run's path is inserted before the query of the location, and before its fragment if it may have one."""
    experiment_id = fresh.experiment("query", artifact_location="s3://bucket/path?region=x/y")

    info = store.create_run(experiment_id, "ada", START, [], None).info

    expect_equal(f"s3://bucket/path/{info.run_id}/artifacts?region=x/y", info.artifact_uri, "the artifact URI")
    with unless_refused(ErrorCode.INVALID_PARAMETER_VALUE):
        experiment_id = store.create_experiment(fresh.name("fragment"), "s3://bucket/path#x/y", [])
        info = store.create_run(experiment_id, "ada", START, [], None).info
        expect_equal(f"s3://bucket/path/{info.run_id}/artifacts#x/y", info.artifact_uri, "the artifact URI")


@check("run.artifact-uri-fixed")
def renaming_does_not_move_artifacts(store: TrackingStore, fresh: Fresh) -> None:
    """A run's artifact URI stays when it or its experiment is renamed, deleted or restored."""
    experiment_id = fresh.experiment("renamed", artifact_location="s3://bucket/of-its-own")
    run_id = fresh.run(experiment_id, run_name="old")
    before = store.get_run(run_id).info.artifact_uri

    store.rename_experiment(experiment_id, fresh.name("new"))
    store.update_run_info(run_id, run_name="new")
    expect_equal(before, store.get_run(run_id).info.artifact_uri, "the artifact URI")
    store.delete_experiment(experiment_id)
    expect_equal(before, store.get_run(run_id).info.artifact_uri, "the artifact URI")
    store.restore_experiment(experiment_id)
    expect_equal(before, store.get_run(run_id).info.artifact_uri, "the artifact URI")


def _writes(store: TrackingStore, run_id: object) -> tuple[Callable[[], object], ...]:
    """Every call that writes to the run of an id."""
    id_: str = run_id  # type: ignore[assignment]  # a wrong type is the point of some checks
    return (
        partial(store.log_metric, id_, Metric("m", 1.0, 0, 0)),
        partial(store.log_param, id_, Param("p", "1")),
        partial(store.log_batch, id_, [], [], [RunTag("t", "1")]),
        partial(store.set_tag, id_, RunTag("t", "1")),
        partial(store.delete_tag, id_, "kept"),
        partial(store.update_run_info, id_, RunStatus.FINISHED),
        partial(store.restore_run, id_),
        partial(store.delete_run, id_),
    )
