"""The checks of the chapter on the REST protocol: what answers hold."""

from trackspec import (
    Dataset,
    DatasetInput,
    ErrorCode,
    ExperimentTag,
    InputTag,
    Metric,
    Param,
    RunStatus,
    RunTag,
    TrackingStore,
    TrackspecError,
)
from trackspec.protocol.endpoints import BY_NAME
from trackspec_conformance.checks import check
from trackspec_conformance.expectations import Unexpected, error_code, expect, expect_equal
from trackspec_conformance.fresh import Fresh
from trackspec_conformance.suites.tracking.wire_paths import SERVED
from trackspec_conformance.wire import Answer, Wire
from trackspec_conformance.wire.expectations import expect_answered
from trackspec_conformance.wire.samples import MLFLOWS, Samples, sent


@check("wire.json", rests_on=SERVED)
def answers_are_json_objects(store: TrackingStore, fresh: Fresh, wire: Wire) -> None:
    """What every endpoint answers, and what it answers to a request without fields, is a JSON object."""
    samples = Samples.arranged(store, fresh)

    for endpoint in MLFLOWS:
        for fields in (samples.of(endpoint), {}):
            answer = sent(wire, endpoint, fields)
            said = (answer.header("Content-Type") or "").partition(";")[0].strip().lower()
            expect_equal("application/json", said, "the content type")
            expect(isinstance(answer.json, dict), "a JSON object", str(answer))


@check("wire.answer-fields", rests_on=(*SERVED, "run.create", "batch.log"))
def answers_tell_what_calls_return(store: TrackingStore, fresh: Fresh, wire: Wire) -> None:
    """What the reading endpoints answer about a run and its experiment is what the calls return."""
    experiment_id = fresh.experiment()
    run_id = fresh.run(
        experiment_id,
        run_name="named",
        metrics=[Metric("m", 0.5, 7, 3), Metric("m", 0.25, 8, 4), Metric("n", 2.0, 7, -3)],
        params=[Param("p", "1"), Param("q", "two")],
        tags=[RunTag("t", "1")],
    )
    store.set_experiment_tag(experiment_id, ExperimentTag("e", "1"))
    store.update_run_info(run_id, RunStatus.FINISHED, 1_700_000_000_500, None)
    _log_inputs(store, run_id)
    name = store.get_experiment(experiment_id).name

    def told(call: str, answer: Answer) -> object:
        try:
            return BY_NAME[call].answer.read(expect_answered(answer))
        except TrackspecError as error:
            raise Unexpected(f"an answer to {call}", f"{error.message} {answer}") from error

    run, experiment = store.get_run(run_id), store.get_experiment(experiment_id)
    expect_equal(run, told("get_run", wire.get("runs/get", {"run_id": run_id})))
    expect_equal([run], told("search_runs", wire.post("runs/search", {"experiment_ids": [experiment_id]})))
    by_id = wire.get("experiments/get", {"experiment_id": experiment_id})
    expect_equal(experiment, told("get_experiment", by_id))
    by_name = wire.get("experiments/get-by-name", {"experiment_name": name})
    expect_equal(experiment, told("get_experiment_by_name", by_name))
    found = wire.post("experiments/search", {"filter": f"name = '{name}'", "max_results": 5})
    expect_equal([experiment], told("search_experiments", found))
    history = told("get_metric_history", wire.get("metrics/get-history", {"run_id": run_id, "metric_key": "m"}))
    expect_equal(list(store.get_metric_history(run_id, "m")), history)
    updated = wire.post("runs/update", {"run_id": run_id, "run_name": "renamed"})
    expect_equal(store.get_run(run_id).info, told("update_run_info", updated))
    created = wire.post("runs/create", {"experiment_id": experiment_id, "run_name": "other", "start_time": 7})
    made = told("create_run", created)
    expect_equal(store.get_run(made.info.run_id), made)  # type: ignore[attr-defined]  # a run is read


@check("wire.run-uuid", rests_on=SERVED)
def a_run_has_both_names_of_its_id(fresh: Fresh, wire: Wire) -> None:
    """A run that is made, read, changed or found has the same run_id and run_uuid."""
    experiment_id = fresh.experiment()

    made = expect_answered(wire.post("runs/create", {"experiment_id": experiment_id}))["run"]["info"]
    run_id = made["run_id"]
    read = expect_answered(wire.get("runs/get", {"run_id": run_id}))["run"]["info"]
    changed = expect_answered(wire.post("runs/update", {"run_id": run_id, "run_name": "x"}))["run_info"]
    (found,) = expect_answered(wire.post("runs/search", {"experiment_ids": [experiment_id]}))["runs"]

    for info in (made, read, changed, found["info"]):
        expect_equal((run_id, run_id), (info.get("run_id"), info.get("run_uuid")), "run_id and run_uuid")


@check("wire.end-time-zero", rests_on=(*SERVED, "run.end-time-kept"))
def an_end_time_of_zero_is_answered(fresh: Fresh, wire: Wire) -> None:
    """An end time of 0 is a number in each answer, and one that is not set is missing or null."""
    ended, running = fresh.run(), fresh.run()

    changed = expect_answered(wire.post("runs/update", {"run_id": ended, "end_time": 0}))["run_info"]
    read = expect_answered(wire.get("runs/get", {"run_id": ended}))["run"]["info"]
    other = expect_answered(wire.get("runs/get", {"run_id": running}))["run"]["info"]

    expect_equal((0, 0), (changed.get("end_time"), read.get("end_time")), "the end time that is 0")
    expect_equal(None, other.get("end_time"), "the end time that is not set")


@check("wire.empty-values", rests_on=(*SERVED, "param.empty-value"))
def an_empty_value_is_answered(store: TrackingStore, fresh: Fresh, wire: Wire) -> None:
    """A param and a tag whose value is empty are in the answer, with that value; an experiment's tag too."""
    experiment_id = fresh.experiment()
    store.set_experiment_tag(experiment_id, ExperimentTag("t", ""))
    run_id = fresh.run(experiment_id, params=[Param("p", ""), Param("q", "1")], tags=[RunTag("t", "")])

    data = expect_answered(wire.get("runs/get", {"run_id": run_id}))["run"]["data"]
    experiment = expect_answered(wire.get("experiments/get", {"experiment_id": experiment_id}))["experiment"]

    expect_equal({"p": "", "q": "1"}, {item["key"]: item.get("value") for item in data["params"]}, "the params")
    for what, told in (("run", data), ("experiment", experiment)):
        tags = {item["key"]: item.get("value") for item in told.get("tags") or []}
        expect_equal("", tags.get("t"), f"the value of the {what}'s tag")


@check("wire.last-page", rests_on=SERVED)
def the_last_page_names_no_next(fresh: Fresh, wire: Wire) -> None:
    """The first of two pages has a token that leads to the second, which has none."""
    experiment_id = fresh.experiment()
    runs = {fresh.run(experiment_id) for _ in range(2)}
    search = {"experiment_ids": [experiment_id], "max_results": 1}

    first = expect_answered(wire.post("runs/search", search))
    token = first.get("next_page_token")
    expect(isinstance(token, str) and token != "", "a next_page_token on the first page", token)
    last = expect_answered(wire.post("runs/search", {**search, "page_token": token}))

    expect_equal(runs, {page["runs"][0]["info"]["run_id"] for page in (first, last)}, "the runs of both pages")
    expect(last.get("next_page_token") in (None, ""), "no next_page_token on the last page", last)


def _log_inputs(store: TrackingStore, run_id: str) -> None:
    """Log a dataset, where the store can."""
    dataset = Dataset("d", "1", "local", "here", "{}", "{}")
    try:
        store.log_inputs(run_id, [DatasetInput(dataset, (InputTag("context", "train"),))])
    except Exception as error:
        if error_code(error) != ErrorCode.NOT_IMPLEMENTED.value:
            raise
