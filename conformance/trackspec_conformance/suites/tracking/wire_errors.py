"""The checks of the chapter on the REST protocol: errors, and requests that are too much."""

import http.client
from collections.abc import Iterator
from typing import Any

from trackspec import ErrorCode, TrackingStore
from trackspec.protocol.endpoints import BY_NAME
from trackspec_conformance.checks import check
from trackspec_conformance.expectations import Unexpected, expect, expect_equal
from trackspec_conformance.fresh import Fresh
from trackspec_conformance.suites.tracking.wire_paths import OPTIONAL, REFUSALS, SERVED
from trackspec_conformance.wire import Answer, Wire
from trackspec_conformance.wire.expectations import expect_answered, expect_refused, is_refused, told_code

_DECLINABLE = [BY_NAME[name].path for name in OPTIONAL]
INVALID, MISSING = ErrorCode.INVALID_PARAMETER_VALUE, ErrorCode.RESOURCE_DOES_NOT_EXIST


@check("wire.error-shape")
def an_error_has_a_code_and_a_message(fresh: Fresh, wire: Wire) -> None:
    """An unknown run, a missing field and a wrong token are each told by a code and a message in JSON."""
    for answer, code in (
        (wire.get("runs/get", {"run_id": fresh.unknown_run_id()}), MISSING),
        (wire.post("runs/delete", {"run_id": fresh.unknown_run_id()}), MISSING),
        (wire.get("runs/get"), INVALID),
        (wire.post("runs/log-parameter", {"key": "p", "value": "1"}), INVALID),
        (wire.post("runs/search", {"experiment_ids": [], "page_token": "never issued"}), INVALID),
    ):
        expect(told_code(answer) == code, f"a JSON object with error_code {code} and a message", str(answer))


@check("wire.status-invalid", rests_on=("wire.error-shape",))
def an_invalid_value_has_status_400(fresh: Fresh, wire: Wire) -> None:
    """What is refused with INVALID_PARAMETER_VALUE has the status 400."""
    run_id = fresh.run()

    expect_refused(wire.post("runs/log-parameter", {"run_id": run_id, "key": "../p", "value": "1"}), INVALID)
    expect_refused(wire.post("runs/search", {"experiment_ids": [], "filter": "nonsense ="}), INVALID)
    expect_refused(wire.get("metrics/get-history", {"run_id": run_id, "metric_key": ""}), INVALID)


@check("wire.status-missing", rests_on=("wire.error-shape",))
def a_missing_resource_has_status_404(fresh: Fresh, wire: Wire) -> None:
    """What is refused with RESOURCE_DOES_NOT_EXIST has the status 404."""
    run_id, experiment_id = fresh.unknown_run_id(), fresh.unknown_experiment_id()

    expect_refused(wire.get("runs/get", {"run_id": run_id}), MISSING)
    expect_refused(wire.post("runs/log-parameter", {"run_id": run_id, "key": "p", "value": "1"}), MISSING)
    expect_refused(wire.get("experiments/get", {"experiment_id": experiment_id}), MISSING)
    expect_refused(wire.get("experiments/get-by-name", {"experiment_name": fresh.name()}), MISSING)


@check("wire.status-exists", rests_on=("wire.error-shape", "experiment.create"))
def a_taken_name_has_status_400(store: TrackingStore, fresh: Fresh, wire: Wire) -> None:
    """A second experiment of one name is refused with RESOURCE_ALREADY_EXISTS and status 400."""
    name = fresh.name()
    store.create_experiment(name, None, [])

    expect_refused(wire.post("experiments/create", {"name": name}), ErrorCode.RESOURCE_ALREADY_EXISTS)


@check("wire.status-state", rests_on=("wire.error-shape", "experiment.rename-deleted"))
def a_wrong_stage_has_status_409(store: TrackingStore, fresh: Fresh, wire: Wire) -> None:
    """A deleted experiment is not renamed and takes no run: INVALID_STATE, with status 409."""
    experiment_id = fresh.experiment()
    store.delete_experiment(experiment_id)

    renamed = wire.post("experiments/update", {"experiment_id": experiment_id, "new_name": fresh.name()})

    expect_refused(renamed, ErrorCode.INVALID_STATE)


@check("wire.mistake-is-4xx")
def a_mistake_is_the_callers(store: TrackingStore, fresh: Fresh, wire: Wire) -> None:
    """Mistakes of every kind are answered with a status from 400 to 499, and the run stays as it was."""
    run_id, experiment_id = fresh.run(), fresh.experiment()
    before = store.get_run(run_id)

    strangers, mark = [], fresh.transcript.mark()
    for answer in _mistakes(wire, run_id, experiment_id):
        asked = fresh.transcript.calls[-1].source
        declined = any(path in asked for path in _DECLINABLE) and is_refused(answer, ErrorCode.NOT_IMPLEMENTED)
        if not (400 <= answer.status < 500 or declined):
            strangers.append(f"{answer} to {asked}")
            mark = fresh.transcript.mark()
        fresh.transcript.rewind(mark)

    expect(not strangers, "a status from 400 to 499 for each mistake", "; ".join(strangers))
    expect_equal(before, store.get_run(run_id), "the run")


@check("wire.error-clean")
def an_error_says_nothing_of_the_inside(fresh: Fresh, wire: Wire) -> None:
    """No error holds a stack trace, a statement of a database or HTML."""
    run_id, experiment_id = fresh.run(), fresh.experiment()

    for answer in _mistakes(wire, run_id, experiment_id):
        for word in ("Traceback", 'File "/', "<html", "<!doctype", "SELECT ", "INSERT ", "sqlalchemy", "sqlite3"):
            expect(word.lower() not in answer.text.lower(), f"an error without {word!r}", str(answer))


def _mistakes(wire: Wire, run_id: str, experiment_id: str) -> Iterator[Answer]:
    """The answers to mistakes of every kind, none of which means anything."""
    run = {"run_id": run_id}
    point = {"key": "m", "value": 1.0, "timestamp": 7}
    mistakes: list[tuple[Any, ...]] = [
        ("get", "runs/get", {"run_id": "../../etc"}),
        ("get", "runs/get", {"run_id": ""}),
        ("get", "runs/get", {"run_id": "x" * 1000}),
        ("get", "runs/get", {"run_id": "a\0b"}),
        ("get", "experiments/get", {"experiment_id": "9" * 40}),
        ("get", "experiments/get", {"experiment_id": "' OR 1=1 --"}),
        ("get", "experiments/get-by-name", {"experiment_name": ""}),
        ("get", "metrics/get-history", {**run, "metric_key": "m", "max_results": "-1"}),
        ("get", "metrics/get-history", {**run, "metric_key": "m", "page_token": "gAAAAABnonsense="}),
        ("get", "metrics/get-history-bulk-interval", {"run_ids": run_id, "metric_key": "m", "start_step": "1"}),
        ("post", "runs/search", {"experiment_ids": [experiment_id], "page_token": "bm9uc2Vuc2U="}),
        ("post", "runs/search", {"experiment_ids": [experiment_id], "page_token": "é\ud800"}),
        ("post", "runs/search", {"experiment_ids": [experiment_id], "filter": "params.a = 'it''"}),
        ("post", "runs/search", {"experiment_ids": [experiment_id], "order_by": ["metrics."]}),
        ("post", "runs/search", {"experiment_ids": [experiment_id], "max_results": 10**9}),
        ("post", "runs/search", {"experiment_ids": experiment_id}),
        ("post", "experiments/search", {"max_results": 5, "filter": "nonsense"}),
        ("post", "experiments/create", {"name": "x" * 501}),
        ("post", "experiments/create", {"name": 7.5}),
        ("post", "experiments/create", "[]"),
        ("post", "experiments/create", "[[]]"),
        ("post", "experiments/create", "7"),
        ("post", "experiments/delete", {"experiment_id": [experiment_id]}),
        ("post", "runs/create", {"experiment_id": experiment_id, "tags": "x"}),
        ("post", "runs/create", {"experiment_id": experiment_id, "start_time": "x"}),
        ("post", "runs/log-metric", {**run, **point, "step": 2**63}),
        ("post", "runs/log-metric", {**run, **point, "key": "../m"}),
        ("post", "runs/log-batch", {**run, "metrics": {"m": 1.0}}),
        ("post", "runs/log-batch", {**run, "params": [None]}),
        ("post", "runs/log-batch", {**run, "params": [{"key": "p", "value": "1"}, {"key": "p", "value": "2"}]}),
        ("post", "runs/log-batch", {**run, "tags": [{"key": "t", "value": "\ud800"}]}),
        ("post", "runs/log-inputs", {**run, "datasets": [{"dataset": None}]}),
        ("post", "runs/set-tag", {**run, "key": "t", "value": "\0"}),
        ("post", "runs/update", {**run, "status": "NOPE"}),
        ("post", "runs/update", {**run, "status": ["FINISHED"], "end_time": {}}),
        ("post", "runs/update", "{"),
        ("post", "runs/nonsense", {}),
        ("request", "DELETE", "runs/get"),
        ("post", "runs/delete-tag", {**run, "key": "no such tag"}),
    ]
    for method, *arguments in mistakes:
        yield getattr(wire, method)(*arguments)


# -- size --------------------------------------------------------------------------------------------------------


@check("wire.nesting", rests_on=REFUSALS)
def deep_bodies_are_refused(store: TrackingStore, fresh: Fresh, wire: Wire) -> None:
    """Lists and objects nested 1,000 and 100,000 deep are refused, and the next request is served."""
    run_id = fresh.run()

    for depth in (1_000, 100_000):
        deep_list = "[" * depth + "]" * depth
        deep_object = '{"a":' * depth + "1" + "}" * depth
        for deep in (deep_list, deep_object):
            body = f'{{"run_id": "{run_id}", "key": "p", "value": {deep}}}'
            expect_refused(wire.post("runs/log-parameter", body))
        expect_refused(wire.post("runs/log-parameter", deep_list))

    expect_equal({}, store.get_run(run_id).data.params, "the params")


@check("wire.largest-batch", rests_on=(*SERVED, "batch.log"))
def a_batch_may_have_several_megabytes(store: TrackingStore, fresh: Fresh, wire: Wire) -> None:
    """A batch of as many and as long items as the limits permit, of four bytes a character, is stored."""
    run_id = fresh.run()
    params = [{"key": f"p{number}", "value": "😀" * 6000} for number in range(100)]
    tags = [{"key": f"t{number}", "value": "😀" * 8000} for number in range(100)]
    metrics = [{"key": f"m{number}", "value": 0.5, "timestamp": 7} for number in range(800)]

    expect_answered(
        wire.post("runs/log-batch", {"run_id": run_id, "metrics": metrics, "params": params, "tags": tags})
    )

    data = store.get_run(run_id).data
    tagged = sum(value == "😀" * 8000 for value in data.tags.values())
    kept = (len(data.metrics), len(data.params), tagged)
    expect_equal((800, 100, 100), kept, "the number of metrics, of params and of long tags")


@check("wire.too-large", rests_on=SERVED)
def a_body_without_end_is_refused(fresh: Fresh, wire: Wire) -> None:
    """A body that says to have a terabyte is refused before it is sent."""
    run_id = fresh.run()

    try:
        answer = wire.post("runs/log-parameter", b"", headers={"Content-Length": str(2**40)}, early=True)
    except (OSError, http.client.HTTPException) as error:
        raise Unexpected("status 413 before the body is sent", repr(error)) from error

    expect(
        answer.status == 413 and told_code(answer) == INVALID,
        "status 413 and INVALID_PARAMETER_VALUE",
        str(answer),
    )
    expect_answered(wire.get("runs/get", {"run_id": run_id}))


@check("wire.long-path", rests_on=SERVED)
def a_path_without_end_is_refused(fresh: Fresh, wire: Wire) -> None:
    """A path and a query of 200,000 characters are refused, and the next request is served."""
    run_id = fresh.run()

    for path in ("runs/" + "x" * 200_000, "runs/get?run_id=" + "x" * 200_000):
        try:
            answer = wire.get(path)
        except (OSError, http.client.HTTPException):
            continue  # the connection was closed
        expect(400 <= answer.status < 500, "a status from 400 to 499", str(answer)[:300])

    expect_answered(wire.get("runs/get", {"run_id": run_id}))
