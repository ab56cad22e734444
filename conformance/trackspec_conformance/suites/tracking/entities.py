"""The checks of the chapter on entities: their fields, ids and times, arguments, answers and store objects."""

import re
from collections.abc import Callable
from functools import partial

from trackspec import (
    ErrorCode,
    ExperimentTag,
    LifecycleStage,
    Metric,
    Param,
    RunStatus,
    RunTag,
    TrackingStore,
)
from trackspec_conformance.checks import check
from trackspec_conformance.expectations import error_code, expect, expect_equal, expect_one_of, refused
from trackspec_conformance.fresh import Fresh
from trackspec_conformance.racing import at_once

YEAR_1973 = 10**11
YEAR_5138 = 10**14
"""In milliseconds; a time in seconds lies before the one, a time in microseconds behind the other."""

MISTAKES = (
    ErrorCode.INVALID_PARAMETER_VALUE,
    ErrorCode.RESOURCE_DOES_NOT_EXIST,
    ErrorCode.RESOURCE_ALREADY_EXISTS,
    ErrorCode.INVALID_STATE,
)

BACKEND_TEXT = re.compile(
    r"INSERT INTO|DELETE FROM|\bUPDATE \w+ SET\b|\bSELECT\b.*\bFROM\b|Traceback \(most recent call last\)"
    r"|sqlalche\.me|IntegrityError|OperationalError|sqlite3\.|psycopg|pymysql"
    r"|(UNIQUE|FOREIGN KEY|NOT NULL|CHECK) constraint failed|violates \w+ constraint|Duplicate entry '",
    re.DOTALL,
)


@check("entity.experiment-fields")
def an_experiments_fields_have_their_types(store: TrackingStore, fresh: Fresh) -> None:
    """Each field of an experiment has its type."""
    experiment_id = store.create_experiment(fresh.name("fields"), None, [ExperimentTag("k", "1")])

    experiment = store.get_experiment(experiment_id)

    expect_equal(str, type(experiment.experiment_id), "the type of experiment_id")
    expect_equal(str, type(experiment.name), "the type of name")
    expect_equal(str, type(experiment.artifact_location), "the type of artifact_location")
    expect_equal(int, type(experiment.creation_time), "the type of creation_time")
    expect_equal(int, type(experiment.last_update_time), "the type of last_update_time")
    expect_equal(LifecycleStage, type(experiment.lifecycle_stage), "the type of lifecycle_stage")
    expect("k" in experiment.tags, "the tag k", experiment.tags)
    types = {type(text) for item in experiment.tags.items() for text in item}
    expect_equal({str}, types, "the types of tag keys and values")


@check("entity.run-fields")
def a_runs_fields_have_their_types(store: TrackingStore, fresh: Fresh) -> None:
    """Each field of a run's info has its type, before the run has an end and after."""
    run_id = fresh.run(run_name="fields")

    started = store.get_run(run_id).info
    ended = store.update_run_info(run_id, RunStatus.FINISHED, 1_700_000_000_001, None)

    for info in (started, ended):
        expect_equal(str, type(info.run_id), "the type of run_id")
        expect_equal(str, type(info.run_name), "the type of run_name")
        expect_equal(str, type(info.experiment_id), "the type of experiment_id")
        expect_equal(str, type(info.user_id), "the type of user_id")
        expect_equal(str, type(info.artifact_uri), "the type of artifact_uri")
        expect_equal(int, type(info.start_time), "the type of start_time")
        expect_equal(RunStatus, type(info.status), "the type of status")
        expect_equal(LifecycleStage, type(info.lifecycle_stage), "the type of lifecycle_stage")
    expect_equal(None, started.end_time, "end_time before the end")
    expect_equal(int, type(ended.end_time), "the type of end_time")


@check("entity.times-in-milliseconds")
def times_are_milliseconds(store: TrackingStore, fresh: Fresh) -> None:
    """The times that the store sets are milliseconds."""
    experiment = store.get_experiment(fresh.experiment("times"))

    for time in (experiment.creation_time, experiment.last_update_time):
        expect(YEAR_1973 < time < YEAR_5138, "milliseconds since 1970", time)


@check("entity.experiment-id-form")
def experiment_ids_are_well_formed(store: TrackingStore, fresh: Fresh) -> None:
    """An experiment id consists of the permitted characters."""
    issued = [store.create_experiment(fresh.name("id"), None, []) for _ in range(3)]

    for experiment_id in issued:
        well_formed = re.fullmatch("[A-Za-z0-9][A-Za-z0-9_-]{0,63}", experiment_id)
        expect(bool(well_formed), "1 to 64 of A-Z a-z 0-9 _ -, a letter or digit first", experiment_id)


@check("entity.run-id-form")
def run_ids_are_well_formed(store: TrackingStore, fresh: Fresh) -> None:
    """A run id consists of the permitted characters."""
    experiment_id = fresh.shared_experiment()

    issued = [store.create_run(experiment_id, "u", 0, [], "id").info.run_id for _ in range(3)]

    for run_id in issued:
        well_formed = re.fullmatch("[A-Za-z0-9][A-Za-z0-9_-]{0,255}", run_id)
        expect(bool(well_formed), "1 to 256 of A-Z a-z 0-9 _ -, a letter or digit first", run_id)


# -- arguments --------------------------------------------------------------------------------------------------


@check("entity.tuples-accepted")
def tuples_are_as_good_as_lists(store: TrackingStore, fresh: Fresh) -> None:
    """Tuples of tags, metrics and params are taken like lists."""
    experiment_id = store.create_experiment(fresh.name("tuple"), None, (ExperimentTag("a", "1"),))
    run_id = store.create_run(experiment_id, "u", 0, (RunTag("b", "2"),), None).info.run_id
    store.log_batch(run_id, (Metric("m", 3.0, 0, 0),), (Param("p", "4"),), (RunTag("c", "5"),))

    data = store.get_run(run_id).data
    expect_equal("1", store.get_experiment(experiment_id).tags.get("a"), "the experiment's tag")
    expect_equal("2", data.tags.get("b"), "the tag that the run was created with")
    expect_equal({"m": 3.0}, data.metrics, "the metrics")
    expect_equal({"p": "4"}, data.params, "the params")
    expect_equal("5", data.tags.get("c"), "the tag that was logged")


@check("entity.arguments-unchanged")
def lists_are_left_as_they_are(store: TrackingStore, fresh: Fresh) -> None:
    """The lists that calls are given hold the same items afterwards."""
    labels = [ExperimentTag("b", "1"), ExperimentTag("a", "2")]
    metrics = [Metric("m", 2.0, 1, 1), Metric("m", 1.0, 0, 0)]
    params = [Param("q", "1"), Param("p", "2")]
    tags = [RunTag("t", "1"), RunTag("mlflow.runName", "other"), RunTag("s", "2")]
    given = [list(items) for items in (labels, metrics, params, tags)]
    run_id = fresh.run()

    store.create_experiment(fresh.name("lists"), None, labels)
    store.log_batch(run_id, metrics, params, tags)

    expect_equal(given, [labels, metrics, params, tags], "the lists")


@check("entity.arguments-not-kept")
def lists_are_not_kept(store: TrackingStore, fresh: Fresh) -> None:
    """Emptying and filling the lists after the call changes nothing that is stored."""
    labels = [ExperimentTag("a", "1")]
    metrics, params, tags = [Metric("m", 1.0, 0, 0)], [Param("p", "1")], [RunTag("t", "1")]
    run_id = fresh.run()
    experiment_id = store.create_experiment(fresh.name("lists"), None, labels)
    store.log_batch(run_id, metrics, params, tags)

    labels[:] = [ExperimentTag("a", "2")]
    metrics[:], params[:], tags[:] = [Metric("m", 2.0, 0, 1)], [Param("p", "2")], [RunTag("t", "2")]

    data = store.get_run(run_id).data
    expect_equal("1", store.get_experiment(experiment_id).tags.get("a"), "the experiment's tag")
    expect_equal({"m": 1.0}, data.metrics, "the metrics")
    expect_equal({"p": "1"}, data.params, "the params")
    expect_equal("1", data.tags.get("t"), "the run's tag")


@check("entity.int64-exact")
def integers_come_back_exactly(store: TrackingStore, fresh: Fresh) -> None:
    """Times and steps beyond the precision of a double, up to the last 64-bit integer, come back exactly."""
    experiment_id = fresh.shared_experiment()

    for number in (2**53 + 1, 2**63 - 1):
        run_id = store.create_run(experiment_id, "u", number, [], None).info.run_id
        store.update_run_info(run_id, RunStatus.FINISHED, number, None)
        store.log_metric(run_id, Metric("m", 1.0, number, number))

        run = store.get_run(run_id)
        expect_equal(number, run.info.start_time, "the start time")
        expect_equal(number, run.info.end_time, "the end time")
        expect("m" in run.data.latest_metrics, "the metric m", run.data.latest_metrics)
        expect_equal(number, run.data.latest_metrics["m"].timestamp, "the timestamp")
        expect_equal(number, run.data.latest_metrics["m"].step, "the step")


# -- answers ----------------------------------------------------------------------------------------------------


@check("entity.answers-are-snapshots")
def answers_stay_as_they_were(store: TrackingStore, fresh: Fresh) -> None:
    """An experiment and a run that were read do not follow what is written afterwards."""
    experiment_id = fresh.experiment("snapshot")
    run_id = fresh.run(experiment_id, params=[Param("p", "1")], tags=[RunTag("t", "1")])
    experiment, run = store.get_experiment(experiment_id), store.get_run(run_id)

    store.set_experiment_tag(experiment_id, ExperimentTag("late", "1"))
    store.log_batch(run_id, [Metric("late", 1.0, 0, 0)], [Param("late", "1")], [RunTag("t", "2")])

    expect("late" not in experiment.tags, "the tags that the experiment had", experiment.tags)
    expect_equal({}, run.data.metrics, "the metrics that the run had")
    expect_equal({"p": "1"}, run.data.params, "the params that the run had")
    expect_equal("1", run.data.tags.get("t"), "the tag that the run had")


@check("entity.answers-are-copies")
def changing_an_answer_changes_nothing_stored(store: TrackingStore, fresh: Fresh) -> None:
    """Writing into the dictionaries of an answer leaves the store as it is."""
    experiment_id = fresh.experiment("copy")
    run_id = fresh.run(experiment_id, params=[Param("p", "1")], tags=[RunTag("t", "1")])
    experiment, run = store.get_experiment(experiment_id), store.get_run(run_id)

    experiment.tags["intruder"] = "1"
    run.data.params["p"] = "2"
    run.data.tags.clear()

    stored = store.get_run(run_id).data
    tags = store.get_experiment(experiment_id).tags
    expect("intruder" not in tags, "the tags that were set", tags)
    expect_equal({"p": "1"}, stored.params, "the run's params")
    expect_equal("1", stored.tags.get("t"), "the run's tag")


@check("entity.read-your-writes")
def each_call_sees_the_ones_before(store: TrackingStore, fresh: Fresh) -> None:
    """Each read sees the write before it, also where the same thing was read before."""
    experiment_id = store.create_experiment(fresh.name("before"), None, [])
    expect_equal(experiment_id, store.get_experiment(experiment_id).experiment_id, "the new experiment's id")

    for value in ("1", "2", "3"):
        store.set_experiment_tag(experiment_id, ExperimentTag("k", value))
        expect_equal(value, store.get_experiment(experiment_id).tags.get("k"), "the tag that was just set")

    new_name = fresh.name("after")
    store.rename_experiment(experiment_id, new_name)
    found = store.get_experiment_by_name(new_name)
    expect_equal(experiment_id, found and found.experiment_id, "the id found by the new name")


@check("entity.no-stale-reads")
def each_call_sees_what_other_objects_wrote(store: TrackingStore, fresh: Fresh) -> None:
    """A store object that has read an experiment and a run sees what another one then writes."""
    experiment_id = fresh.experiment("stale")
    run_id = fresh.run(experiment_id)
    other = fresh.reopened()
    expect("k" not in other.get_experiment(experiment_id).tags, "no tag k", "one")
    expect_equal({}, other.get_run(run_id).data.params, "the params at first")

    store.set_experiment_tag(experiment_id, ExperimentTag("k", "1"))
    store.log_batch(run_id, [], [Param("p", "1")], [])

    expect_equal("1", other.get_experiment(experiment_id).tags.get("k"), "the tag that the other object set")
    expect_equal({"p": "1"}, other.get_run(run_id).data.params, "the param that the other object logged")


# -- errors -----------------------------------------------------------------------------------------------------


@check("entity.error-code")
def a_refusal_carries_a_code(store: TrackingStore, fresh: Fresh) -> None:
    """The error of a refused call has one of the codes as its error_code."""
    unknown = fresh.unknown_experiment_id()

    try:
        store.get_experiment(unknown)
    except Exception as error:
        expect_one_of([code.value for code in ErrorCode], error_code(error), "the error_code")
    else:
        expect(False, "an error", "an experiment that nobody has made")


@check("entity.mistake-is-no-failure")
def a_mistake_is_no_failure_of_the_store(store: TrackingStore, fresh: Fresh) -> None:
    """Calls that a caller got wrong are answered with the codes of a caller's mistakes."""
    taken = fresh.name("taken")
    store.create_experiment(taken, None, [])
    unknown = fresh.unknown_experiment_id()
    mistakes = (
        lambda: store.create_experiment(taken, None, []),
        lambda: store.create_experiment("", None, []),
        lambda: store.get_experiment(unknown),
        lambda: store.get_experiment("9" * 25),
        lambda: store.rename_experiment(unknown, fresh.name()),
        lambda: store.delete_experiment(unknown),
        lambda: store.get_run(fresh.unknown_run_id()),
    )

    for mistake in mistakes:
        with refused(*MISTAKES):
            mistake()


@check("entity.message-clean")
def messages_carry_no_text_of_the_storage(store: TrackingStore, fresh: Fresh) -> None:
    """The messages of refusals carry no SQL, no stack trace and no driver's words."""
    taken = fresh.name("taken")
    store.create_experiment(taken, None, [])
    experiment_id = fresh.experiment("message")
    twice = [ExperimentTag("k", "1"), ExperimentTag("k", "2")]
    mistakes = (
        lambda: store.create_experiment(taken, None, []),
        lambda: store.create_experiment(fresh.name(), None, twice),
        lambda: store.rename_experiment(experiment_id, taken),
        lambda: store.get_experiment("9" * 25),
        lambda: store.create_run("", "u", 0, [], None),
        lambda: store.create_run(experiment_id, "u", 0, [RunTag("k", "1"), RunTag("k", "2")], None),
    )

    for message in map(_message, mistakes):
        found = BACKEND_TEXT.search(message)
        expect(found is None, "a message without text of the storage", found and found.group())


# -- store objects ----------------------------------------------------------------------------------------------


@check("entity.thread-safe", rests_on=("experiment.create",))
def threads_lose_nothing(store: TrackingStore, fresh: Fresh) -> None:
    """What eight threads write to one experiment at once is all there."""
    experiment_id = fresh.experiment("threads")
    tags = [ExperimentTag(f"k{number}", str(number)) for number in range(8)]

    ends = at_once([partial(store.set_experiment_tag, experiment_id, tag) for tag in tags])

    expect_equal([None] * 8, ends, "what the eight calls return")
    stored = store.get_experiment(experiment_id).tags
    expect_equal([tag.value for tag in tags], [stored.get(tag.key) for tag in tags], "the eight tags")


@check("entity.closing-loses-nothing")
def a_closed_object_leaves_what_it_wrote(store: TrackingStore, fresh: Fresh) -> None:
    """What was written through an object that is closed is read through another."""
    name = fresh.name("closed")
    other = fresh.reopened()
    experiment_id = other.create_experiment(name, None, [ExperimentTag("k", "1")])

    other.close()

    experiment = store.get_experiment(experiment_id)
    expect_equal(name, experiment.name, "the name")
    expect_equal("1", experiment.tags.get("k"), "the tag")


@check("entity.close-again")
def closing_twice_has_no_effect(store: TrackingStore, fresh: Fresh) -> None:
    """A closed object can be closed again, and the store goes on."""
    experiment_id = fresh.experiment("close")
    other = fresh.reopened()
    other.close()

    other.close()

    expect_equal(experiment_id, store.get_experiment(experiment_id).experiment_id, "the experiment's id")


def _message(call: Callable[[], object]) -> str:
    """The message of the error that a call raises, if it raises one."""
    try:
        call()
    except Exception as error:
        return str(getattr(error, "message", error))
    return ""
