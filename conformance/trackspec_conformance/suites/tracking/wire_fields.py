"""The checks of the chapter on the REST protocol: fields that are there, missing, unknown or given twice."""

from trackspec import ErrorCode, Metric, TrackingStore, ViewType
from trackspec_conformance.checks import check
from trackspec_conformance.expectations import expect_equal
from trackspec_conformance.fresh import Fresh
from trackspec_conformance.suites.tracking.wire_paths import REFUSALS, SERVED
from trackspec_conformance.wire import Wire
from trackspec_conformance.wire.expectations import (
    expect_answered,
    expect_each_refused,
    expect_refused,
    is_refused,
)
from trackspec_conformance.wire.samples import MLFLOWS, Samples, places, sent


@check("wire.required", rests_on=(*REFUSALS, *SERVED))
def a_request_that_lacks_a_field_is_refused(store: TrackingStore, fresh: Fresh, wire: Wire) -> None:
    """Without any one of its required fields, a request to any endpoint is refused, and nothing is written."""
    samples = Samples.arranged(store, fresh)
    before = samples.kept(store)
    taken = []

    for endpoint in MLFLOWS:
        for place in places(endpoint):
            if place.required:
                mark = fresh.transcript.mark()
                answer = sent(wire, endpoint, samples.without(place))
                if is_refused(answer) or answer.status == ErrorCode.NOT_IMPLEMENTED.http_status:
                    fresh.transcript.rewind(mark)
                else:
                    taken.append(f"without {place}: {answer}")

    expect_each_refused(taken, "a request without any one of its fields")
    expect_equal(before, samples.kept(store), "what the store keeps")


@check("wire.defaults", rests_on=SERVED)
def a_field_that_is_left_out_has_its_default(store: TrackingStore, fresh: Fresh, wire: Wire) -> None:
    """Without the optional fields a step is 0, a value is empty, and searches show what is active."""
    experiment_id = fresh.experiment()
    run_id, deleted = fresh.run(experiment_id), fresh.run(experiment_id)
    store.delete_run(deleted)

    expect_answered(wire.post("runs/log-metric", {"run_id": run_id, "key": "m", "value": 1.5, "timestamp": 7}))
    expect_answered(wire.post("runs/log-parameter", {"run_id": run_id, "key": "p"}))
    expect_answered(wire.post("runs/set-tag", {"run_id": run_id, "key": "t"}))
    expect_answered(wire.post("runs/log-batch", {"run_id": run_id}))
    found = expect_answered(wire.post("runs/search", {"experiment_ids": [experiment_id]}))
    expect_answered(wire.post("experiments/search", {}))

    data = store.get_run(run_id).data
    expect_equal({"m": Metric("m", 1.5, 7, 0)}, data.latest_metrics, "the metrics")
    expect_equal(({"p": ""}, ""), (data.params, data.tags.get("t")), "the params, and the tag's value")
    expect_equal([run_id], [run["info"]["run_id"] for run in found["runs"]], "the runs that are found")


@check("wire.null-absent", rests_on=SERVED)
def null_is_nothing(store: TrackingStore, fresh: Fresh, wire: Wire) -> None:
    """An optional field that is null is left out, and a required one is missing."""
    run_id = fresh.run()
    point = {"key": "m", "value": 1.5, "timestamp": 7, "step": None, "dataset_name": None, "dataset_digest": None}

    expect_answered(wire.post("runs/log-metric", {"run_id": run_id, **point}))
    expect_answered(wire.post("runs/log-batch", {"run_id": run_id, "metrics": [point], "params": None}))
    expect_answered(wire.post("runs/log-parameter", {"run_id": run_id, "key": "p", "value": None}))
    expect_answered(wire.post("runs/update", {"run_id": run_id, "status": None, "end_time": 9, "run_name": None}))
    expect_answered(
        wire.post("runs/search", {"experiment_ids": None, "filter": None, "order_by": None, "page_token": None})
    )
    expect_refused(wire.post("runs/log-parameter", {"run_id": run_id, "key": None, "value": "1"}))
    expect_refused(wire.post("runs/log-metric", {"run_id": run_id, **point, "value": None}))

    run = store.get_run(run_id)
    expect_equal({"m": Metric("m", 1.5, 7, 0)}, run.data.latest_metrics, "the metrics")
    expect_equal({"p": ""}, run.data.params, "the params")
    expect_equal(("RUNNING", 9), (run.info.status.value, run.info.end_time), "the run's status and end time")


@check("wire.unknown-field", rests_on=REFUSALS)
def a_misspelt_field_is_refused(store: TrackingStore, fresh: Fresh, wire: Wire) -> None:
    """A field that nobody knows is refused, in a body, in a message within it and in a query."""
    samples = Samples.arranged(store, fresh)
    run = {"run_id": samples.run_id}
    before = samples.kept(store)

    expect_refused(wire.post("runs/log-parameter", {**run, "key": "p", "valeu": "1"}))
    expect_refused(wire.post("runs/update", {**run, "status": "FINISHED", "endtime": 9}))
    expect_refused(wire.post("runs/log-batch", {**run, "params": [{"key": "p", "valeu": "1"}]}))
    expect_refused(wire.post("runs/create", {"experiment_id": samples.experiment_id, "tag": []}))
    expect_refused(wire.get("runs/get", {**run, "nonsense": "1"}))

    expect_equal(before, samples.kept(store), "what the store keeps")


@check("wire.snake-case", rests_on=REFUSALS)
def fields_have_one_spelling(store: TrackingStore, fresh: Fresh, wire: Wire) -> None:
    """A name in camel case is refused, alone and beside the right one."""
    run_id = fresh.run()

    expect_refused(wire.post("runs/log-parameter", {"runId": run_id, "key": "p", "value": "1"}))
    expect_refused(wire.post("runs/update", {"run_id": run_id, "endTime": 9}))
    expect_refused(wire.post("runs/search", {"experiment_ids": [], "maxResults": 5}))

    run = store.get_run(run_id)
    expect_equal(({}, None), (run.data.params, run.info.end_time), "the run's params and its end time")


@check("wire.field-twice", rests_on=REFUSALS)
def a_field_is_given_once(store: TrackingStore, fresh: Fresh, wire: Wire) -> None:
    """A field that a body, a message within it or a query names twice is refused, also with one value."""
    run_id, other = fresh.run(), fresh.run()
    bodies = {
        "runs/log-parameter": f'{{"run_id": "{run_id}", "key": "p", "value": "1", "value": "2"}}',
        "runs/set-tag": f'{{"run_id": "{run_id}", "run_id": "{other}", "key": "t", "value": "1"}}',
        "runs/log-batch": f'{{"run_id": "{run_id}", "params": [{{"key": "p", "value": "1", "value": "1"}}]}}',
    }

    for path, body in bodies.items():
        expect_refused(wire.post(path, body))
    expect_refused(wire.get("runs/get", f"run_id={run_id}&run_id={other}"))
    expect_refused(wire.get("runs/get", f"run_id={run_id}&run_id={run_id}"))

    for id_ in (run_id, other):
        data = store.get_run(id_).data
        expect_equal(({}, None), (data.params, data.tags.get("t")), "the run's params and the tag")


@check("wire.run-uuid-taken", rests_on=SERVED)
def a_run_is_named_by_its_older_field(store: TrackingStore, fresh: Fresh, wire: Wire) -> None:
    """Requests that give run_uuid and no run_id are served."""
    run_id = fresh.run(metrics=[Metric("old", 0.5, 7, 3)])
    run = {"run_uuid": run_id}

    read = expect_answered(wire.get("runs/get", run))
    points = expect_answered(wire.get("metrics/get-history", {**run, "metric_key": "old"}))
    expect_answered(wire.post("runs/update", {**run, "status": "FINISHED"}))
    expect_answered(wire.post("runs/log-metric", {**run, "key": "m", "value": 1.5, "timestamp": 7}))
    expect_answered(wire.post("runs/log-parameter", {**run, "key": "p", "value": "1"}))
    expect_answered(wire.post("runs/set-tag", {**run, "key": "t", "value": "1"}))

    expect_equal(run_id, read["run"]["info"]["run_id"], "the id of the run that is read")
    expect_equal([0.5], [point["value"] for point in points["metrics"]], "the history's values")
    kept = store.get_run(run_id)
    expect_equal("FINISHED", kept.info.status.value, "the status")
    expect_equal(
        ({"old": 0.5, "m": 1.5}, {"p": "1"}, "1"),
        (kept.data.metrics, kept.data.params, kept.data.tags.get("t")),
        "the metrics, the params and the tag",
    )


@check("wire.run-uuid-differs", rests_on=REFUSALS)
def two_runs_are_not_named_at_once(store: TrackingStore, fresh: Fresh, wire: Wire) -> None:
    """A request that names one run by run_id and another by run_uuid is refused, and neither changes."""
    experiment_id = fresh.experiment()
    one, other = fresh.run(experiment_id), fresh.run(experiment_id)
    before = list(store.search_runs([experiment_id], run_view_type=ViewType.ALL))

    expect_refused(wire.post("runs/log-parameter", {"run_id": one, "run_uuid": other, "key": "p", "value": "1"}))
    expect_refused(wire.post("runs/update", {"run_uuid": other, "run_id": one, "status": "FINISHED"}))
    expect_refused(wire.get("runs/get", {"run_id": one, "run_uuid": other}))

    expect_equal(before, list(store.search_runs([experiment_id], run_view_type=ViewType.ALL)), "the runs")
