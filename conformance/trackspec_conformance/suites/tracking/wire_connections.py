"""The checks of the chapter on the REST protocol: connections, and requests that are sent again."""

from __future__ import annotations

from functools import partial
from urllib.parse import urlsplit

from trackspec import ErrorCode, TrackingStore
from trackspec.protocol.endpoint import KEY_HEADER, KEYS_SUPPORTED_HEADER
from trackspec_conformance.checks import check
from trackspec_conformance.expectations import NotApplicable, Unexpected, expect, expect_equal
from trackspec_conformance.fresh import Fresh
from trackspec_conformance.racing import at_once
from trackspec_conformance.suites.tracking.wire_paths import OPTIONAL, REFUSALS, SERVED
from trackspec_conformance.wire import Answer, Wire
from trackspec_conformance.wire.expectations import expect_answered, expect_refused
from trackspec_conformance.wire.samples import MLFLOWS, Samples, sent


@check("wire.connection-usable", rests_on=SERVED)
def an_error_leaves_the_connection_in_order(store: TrackingStore, fresh: Fresh, wire: Wire) -> None:
    """After each of several errors, the next request on the connection is answered with what it asks for."""
    run_id, other = fresh.run(), fresh.run()
    fields = f'{{"run_id": "{other}"}}'
    length = f"Content-Type: application/json\r\nContent-Length: {len(fields)}"
    line = f"POST /api/2.0/mlflow/runs/delete HTTP/1.1\r\nHost: {urlsplit(wire.url).netloc}"
    smuggled = f"{line}\r\n{length}\r\n\r\n{fields}and the beginning of one more"
    errors = (
        ("nonsense", "application/json", True),
        ("runs/get", "application/json", True),
        ("runs/log-parameter", "text/plain", True),
        ("runs/log-parameter", "application/json", True),
        ("runs/log-parameter", "application/json", False),
    )

    for path, content_type, credentials in errors:
        wire.post(path, smuggled, content_type=content_type, credentials=credentials, keep_open=True)
        try:
            read = expect_answered(wire.get("runs/get", {"run_id": run_id}))
        except Unexpected:
            raise
        except Exception as error:
            raise Unexpected("the next request to be answered", repr(error)) from error
        expect_equal(run_id, read["run"]["info"]["run_id"], "the id of the run that is read next")

    expect_equal("active", store.get_run(other).info.lifecycle_stage.value, "the other run's stage")


@check("wire.concurrent", rests_on=SERVED)
def requests_at_once_get_their_own_answers(fresh: Fresh, wire: Wire) -> None:
    """Eight requests made at once write to eight runs, and eight more read each its own run."""
    runs = [fresh.run() for _ in range(8)]

    written = at_once(
        [
            partial(wire.post, "runs/log-parameter", {"run_id": run_id, "key": "own", "value": run_id})
            for run_id in runs
        ]
    )
    read = at_once([partial(wire.get, "runs/get", {"run_id": run_id}) for run_id in runs])

    for answer in written:
        expect_answered(_arrived(answer))
    for run_id, answer in zip(runs, read, strict=True):
        run = expect_answered(_arrived(answer))["run"]
        expect_equal(run_id, run["info"]["run_id"], "the id of the run that is read")
        params = {item["key"]: item["value"] for item in run["data"].get("params") or []}
        expect_equal({"own": run_id}, params, "its params")


def _arrived(answer: Answer | Exception) -> Answer:
    if isinstance(answer, Exception):
        raise Unexpected("an answer", repr(answer)) from answer
    return answer


# -- sending again -----------------------------------------------------------------------------------------------


@check("wire.repeatable", rests_on=SERVED)
def a_repeatable_request_does_no_harm_twice(store: TrackingStore, fresh: Fresh, wire: Wire) -> None:
    """Each repeatable request that writes is answered with 200 a second time, and changes nothing more."""
    samples = Samples.arranged(store, fresh)

    for endpoint in MLFLOWS:
        if not endpoint.repeatable or endpoint.methods[0] == "GET":
            continue
        first = sent(wire, endpoint, samples.of(endpoint))
        if endpoint.name in OPTIONAL and first.status == ErrorCode.NOT_IMPLEMENTED.http_status:
            continue
        expect_answered(first)
        before = (samples.kept(store), _history(store, samples.run_id))
        expect_answered(sent(wire, endpoint, samples.of(endpoint)))
        expect_equal(before, (samples.kept(store), _history(store, samples.run_id)), "what the store keeps")


def _history(store: TrackingStore, run_id: str) -> list[object]:
    return list(store.get_metric_history(run_id, "m"))


@check("wire.keys-announced")
def keys_are_announced_on_every_answer(fresh: Fresh, wire: Wire) -> None:
    """Idempotency keys are announced on good answers and on errors of every kind, or on none."""
    run_id = fresh.run()
    answers = [
        wire.get("runs/get", {"run_id": run_id}),
        wire.get("runs/get", {"run_id": fresh.unknown_run_id()}),
        wire.post("runs/log-parameter", {"run_id": run_id, "key": "p", "value": "1"}),
        wire.post("runs/log-parameter", "{"),
        wire.get("nonsense"),
        wire.post("runs/get", {}),
    ]

    announced = [answer.header(KEYS_SUPPORTED_HEADER) for answer in answers]
    if not any(announced):
        raise NotApplicable("the server announces no idempotency keys")
    expect_equal(["true"] * len(answers), announced, f"the header {KEYS_SUPPORTED_HEADER} of each answer")


@check("wire.key-run", rests_on=SERVED)
def a_key_makes_one_run(store: TrackingStore, fresh: Fresh, wire: Wire) -> None:
    """A create of a run that is sent twice with one key makes one run, and another key makes another."""
    _require_keys(wire)
    experiment_id, key = fresh.experiment(), fresh.name("key")
    fields = {"experiment_id": experiment_id, "user_id": "ada", "start_time": 7}

    made = [
        expect_answered(wire.post("runs/create", fields, headers={KEY_HEADER: given}))["run"]["info"]
        for given in (key, key, f"{key}-other")
    ]

    expect_equal(made[0]["run_id"], made[1]["run_id"], "the id of the second answer")
    expect(made[2]["run_id"] != made[0]["run_id"], "another run for another key", made[2])
    expect_equal(2, len(store.search_runs([experiment_id])), "the number of runs")


@check("wire.key-experiment", rests_on=SERVED)
def a_key_makes_one_experiment(store: TrackingStore, fresh: Fresh, wire: Wire) -> None:
    """A create of an experiment that is sent twice with one key is answered twice with one id."""
    _require_keys(wire)
    name, key = fresh.name(), {KEY_HEADER: fresh.name("key")}

    first = expect_answered(wire.post("experiments/create", {"name": name}, headers=key))
    second = expect_answered(wire.post("experiments/create", {"name": name}, headers=key))

    expect_equal(first["experiment_id"], second["experiment_id"], "the id of the second answer")
    expect_equal(name, store.get_experiment(first["experiment_id"]).name, "the experiment's name")


@check("wire.key-form", rests_on=REFUSALS)
def a_malformed_key_is_refused(store: TrackingStore, fresh: Fresh, wire: Wire) -> None:
    """A key that is empty, over-long or holds a space is refused, and nothing is created."""
    _require_keys(wire)
    experiment_id, name = fresh.experiment(), fresh.name()

    for key in ("", "a key", "k" * 201, "cl\xe9"):
        headers = {KEY_HEADER: key}
        expect_refused(wire.post("runs/create", {"experiment_id": experiment_id}, headers=headers))
        expect_refused(wire.post("experiments/create", {"name": name}, headers=headers))

    expect_equal([], list(store.search_runs([experiment_id])), "the runs")
    expect_equal(None, store.get_experiment_by_name(name), "the experiment")


def _require_keys(wire: Wire) -> None:
    if wire.get("experiments/search", "max_results=1").header(KEYS_SUPPORTED_HEADER) is None:
        raise NotApplicable("the server announces no idempotency keys")
