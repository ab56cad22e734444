"""The checks of the chapter on entities: their fields, ids and times, arguments, answers and store objects."""

import re
from collections.abc import Callable
from functools import partial

from trackspec import (
    Dataset,
    DatasetInput,
    ErrorCode,
    ExperimentTag,
    Metric,
    Param,
    RunStatus,
    RunTag,
    TrackingStore,
)
from trackspec_conformance.checks import check
from trackspec_conformance.expectations import expect, expect_equal, refused, shown_error
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
    """Each field of an experiment has its type, whether the id finds it or the name, active or deleted."""
    name = fresh.name("fields")
    experiment_id = store.create_experiment(name, None, [ExperimentTag("k", "1")])

    active = store.get_experiment(experiment_id)
    store.delete_experiment(experiment_id)
    deleted = store.get_experiment_by_name(name)

    # That each answer has fields of the right types is seen with every call.
    expect_equal("1", active.tags.get("k"), "the tag k")
    expect_equal("1", deleted and deleted.tags.get("k"), "the tag k of the deleted experiment")


@check("entity.run-fields")
def a_runs_fields_have_their_types(store: TrackingStore, fresh: Fresh) -> None:
    """Each field of a run has its type, before the run has logged and ended, and after."""
    experiment_id = fresh.shared_experiment()

    started = store.create_run(experiment_id, "u", 1_700_000_000_000, [RunTag("t", "1")], "fields")
    run_id = started.info.run_id
    store.log_batch(run_id, [Metric("m", 1.0, 2, 3)], [Param("p", "4")], [])
    ended = store.update_run_info(run_id, RunStatus.FINISHED, 1_700_000_000_001, None)
    read = store.get_run(run_id)

    # That each answer has fields of the right types is seen with every call.
    expect_equal(None, started.info.end_time, "end_time before the end")
    expect_equal(1_700_000_000_001, ended.end_time, "end_time")
    expect_equal({"m": Metric("m", 1.0, 2, 3)}, read.data.latest_metrics, "the latest points")
    expect_equal({"p": "4"}, read.data.params, "the params")
    expect_equal("1", read.data.tags.get("t"), "the tag t")


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


@check("entity.arguments-unchanged", needs="input.log")
def a_list_of_inputs_is_left_as_it_is(store: TrackingStore, fresh: Fresh) -> None:
    """The list of dataset inputs that a call is given holds the same items afterwards."""
    inputs = [DatasetInput(Dataset(name, "1", "local", "here")) for name in ("b", "a")]
    given = list(inputs)
    run_id = fresh.run(fresh.experiment("lists"))

    store.log_inputs(run_id, inputs)

    expect_equal(given, inputs, "the list")


@check("entity.arguments-unchanged", needs="interval.all-if-few")
def a_list_of_runs_is_left_as_it_is(store: TrackingStore, fresh: Fresh) -> None:
    """The list of runs to draw points from holds the same ids afterwards, whatever their order."""
    runs = sorted(fresh.run() for _ in range(3))

    for run_ids in (runs, runs[::-1]):
        given = list(run_ids)
        store.get_metric_history_bulk_interval(run_ids, "m", 5)
        expect_equal(given, run_ids, "the list")


@check("entity.arguments-unchanged", needs="search.runs-of-experiments")
def lists_of_a_search_are_left_as_they_are(store: TrackingStore, fresh: Fresh) -> None:
    """The lists of experiments and of columns that searches are given hold the same items afterwards."""
    made = sorted(fresh.experiment("lists") for _ in range(2))
    columns = ["metrics.m DESC", "params.p"]
    experiment_columns = ["name DESC", "creation_time"]

    for experiment_ids in (made, made[::-1]):
        given = [list(items) for items in (experiment_ids, columns, experiment_columns)]
        store.search_runs(experiment_ids, order_by=columns)
        store.search_experiments(max_results=1, order_by=experiment_columns)
        expect_equal(given, [experiment_ids, columns, experiment_columns], "the lists")


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


# -- errors -----------------------------------------------------------------------------------------------------


@check("entity.error-code")
def a_refusal_carries_a_code(store: TrackingStore, fresh: Fresh) -> None:
    """The error of each refused call has one of the codes as its error_code."""
    unknown, unknown_run = fresh.unknown_experiment_id(), fresh.unknown_run_id()
    refusals: tuple[Callable[[], object], ...] = (
        lambda: store.get_experiment(unknown),
        lambda: store.get_run(unknown_run),
        lambda: store.log_batch(unknown_run, [Metric("m", 1.0, 0, 0)], [], []),
        lambda: store.delete_run(unknown_run),
        lambda: store.create_experiment("", None, []),
        lambda: store.create_run(unknown, "u", 0, [], None),
    )

    for refusal in refusals:
        with refused(*ErrorCode):
            refusal()


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
    run_id = fresh.run(params=[Param("p", "1")])
    twice = [ExperimentTag("k", "1"), ExperimentTag("k", "2")]
    mistakes: tuple[Callable[[], object], ...] = (
        lambda: store.create_experiment(taken, None, []),
        lambda: store.create_experiment(fresh.name(), None, twice),
        lambda: store.rename_experiment(experiment_id, taken),
        lambda: store.get_experiment("9" * 25),
        lambda: store.create_run("", "u", 0, [], None),
        lambda: store.create_run(experiment_id, "u", 0, [RunTag("k", "1"), RunTag("k", "2")], None),
        lambda: store.get_run(fresh.unknown_run_id()),
        lambda: store.update_run_info(run_id, None, 2**63, None),
        lambda: store.log_metric(run_id, Metric("m", 1.0, 2**63, 0)),
        lambda: store.log_param(run_id, Param("p", "2")),
        lambda: store.set_tag(run_id, RunTag("t", "\ud800")),
        lambda: store.delete_tag(run_id, "never"),
    )

    for message in map(_message, mistakes):
        _expect_clean(message)


@check("entity.message-clean", needs="search.runs-of-experiments")
def messages_of_searches_carry_no_text_of_the_storage(store: TrackingStore, fresh: Fresh) -> None:
    """The messages about filters, columns and tokens carry no SQL, no stack trace and no driver's words."""
    experiment_id = fresh.experiment("message")
    fresh.run(experiment_id, params=[Param("p", "1")])
    mistakes = (
        lambda: store.search_runs([experiment_id], "params.p = 'x' OR"),
        lambda: store.search_runs([experiment_id], "start_time > 99999999999999999999999999"),
        lambda: store.search_runs([experiment_id], "run_id IN (p)"),
        lambda: store.search_runs([experiment_id], order_by=["params.p", "params.p DESC"]),
        lambda: store.search_runs([experiment_id], page_token="nobody's"),
        lambda: store.search_experiments(filter_string="gadget = 'x'"),
        lambda: store.search_experiments(filter_string="experiment_id = 'nobody''s'"),
    )

    for message in map(_message, mistakes):
        _expect_clean(message)


# -- store objects ----------------------------------------------------------------------------------------------


@check("entity.thread-safe", rests_on=("experiment.create",))
def threads_lose_nothing(store: TrackingStore, fresh: Fresh) -> None:
    """What eight threads write to one experiment at once is all there."""
    experiment_id = fresh.experiment("threads")
    tags = [ExperimentTag(f"k{number}", str(number)) for number in range(8)]

    ends = at_once([partial(store.set_experiment_tag, experiment_id, tag) for tag in tags])

    failed = [shown_error(end) for end in ends if isinstance(end, Exception)]
    expect_equal([], failed, "the calls that failed")
    stored = store.get_experiment(experiment_id).tags
    expect_equal([tag.value for tag in tags], [stored.get(tag.key) for tag in tags], "the eight tags")


@check("entity.closing-loses-nothing")
def a_closed_object_leaves_what_it_wrote(store: TrackingStore, fresh: Fresh) -> None:
    """An experiment and a run that were written through an object which is closed are read through another."""
    name = fresh.name("closed")
    other = fresh.reopened()
    experiment_id = other.create_experiment(name, None, [ExperimentTag("k", "1")])
    run_id = other.create_run(experiment_id, "u", 0, [], None).info.run_id
    other.log_batch(run_id, [Metric("m", 1.0, 2, 3)], [Param("p", "4")], [RunTag("t", "5")])
    other.update_run_info(run_id, RunStatus.FINISHED, 6, "named")
    written = other.get_run(run_id)

    other.close()

    experiment = store.get_experiment(experiment_id)
    expect_equal(name, experiment.name, "the name")
    expect_equal("1", experiment.tags.get("k"), "the tag")
    expect_equal(written, store.get_run(run_id), "the run")


@check("entity.close-again")
def closing_twice_has_no_effect(store: TrackingStore, fresh: Fresh) -> None:
    """A closed object can be closed again, and the store goes on."""
    experiment_id = fresh.experiment("close")
    other = fresh.reopened()
    other.close()

    other.close()

    expect_equal(experiment_id, store.get_experiment(experiment_id).experiment_id, "the experiment's id")


def _expect_clean(message: str) -> None:
    found = BACKEND_TEXT.search(message)
    expect(found is None, "a message without text of the storage", found and found.group())


def _message(call: Callable[[], object]) -> str:
    """The message of the error that a call raises, if it raises one."""
    try:
        call()
    except Exception as error:
        return str(getattr(error, "message", error))
    return ""
