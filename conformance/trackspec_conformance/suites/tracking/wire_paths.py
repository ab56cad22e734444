"""The checks of the chapter on the REST protocol: endpoints, paths and methods."""

from trackspec import ErrorCode, TrackingStore
from trackspec.protocol.endpoint import EXTENSION_BASE
from trackspec.protocol.endpoints import BY_NAME
from trackspec_conformance.checks import check
from trackspec_conformance.expectations import expect, expect_equal
from trackspec_conformance.fresh import Fresh
from trackspec_conformance.suites.tracking.configuration import ROOT
from trackspec_conformance.wire import Wire
from trackspec_conformance.wire.expectations import (
    expect_answered,
    expect_refused,
    expect_status,
    is_refused,
    told_code,
)
from trackspec_conformance.wire.samples import MLFLOWS, Samples, sent

OPTIONAL = ("log_inputs", "get_metric_history_bulk_interval")
REFUSALS = ("wire.error-shape", "wire.status-invalid")
SERVED = ("wire.endpoints",)


@check("wire.endpoints", rests_on=("run.create", "batch.log"))
def every_endpoint_is_served(store: TrackingStore, fresh: Fresh, wire: Wire) -> None:
    """A good request to each endpoint, by each of its methods, is answered with 200."""
    samples = Samples.arranged(store, fresh)
    failed = []

    for endpoint in MLFLOWS:
        for method in endpoint.methods:
            answer = sent(wire, endpoint, samples.of(endpoint), method)
            declined = endpoint.name in OPTIONAL and is_refused(answer, ErrorCode.NOT_IMPLEMENTED)
            if answer.status != 200 and not declined:
                failed.append(f"{method} {endpoint.path}: {answer}")

    expect(not failed, "each request to be answered with 200", "; ".join(failed))


@check("wire.search-by-get", rests_on=SERVED)
def experiments_are_searched_by_either_method(store: TrackingStore, fresh: Fresh, wire: Wire) -> None:
    """A search of experiments finds the same by GET and by POST, with every field given."""
    start = fresh.name("pair")
    ids = {end: store.create_experiment(f"{start}{end}", None, []) for end in "baced"}
    fields = {"filter": f"name LIKE '{start}%'", "order_by": ["name ASC"], "max_results": 4, "view_type": "ALL"}

    by_get = expect_answered(wire.get("experiments/search", fields))
    by_post = expect_answered(wire.post("experiments/search", fields))

    expect_equal(
        [ids[end] for end in "abcd"], [item["experiment_id"] for item in by_get["experiments"]], "what GET finds"
    )
    read = BY_NAME["search_experiments"].answer.read
    expect_equal(read(by_get), read(by_post), "what POST finds")


@check("wire.browser-base", rests_on=SERVED)
def the_other_base_serves_the_same(store: TrackingStore, fresh: Fresh, wire: Wire) -> None:
    """A param is logged and its run read below the base of MLflow's pages."""
    run_id = fresh.run()
    base = "/ajax-api/2.0/mlflow"

    expect_answered(wire.post(f"{base}/runs/log-parameter", {"run_id": run_id, "key": "p", "value": "1"}))
    read = expect_answered(wire.get(f"{base}/runs/get", {"run_id": run_id}))

    expect_equal({"p": "1"}, store.get_run(run_id).data.params, "the run's params")
    expect_equal(run_id, read["run"]["info"]["run_id"], "the id of the run that is read")


@check("wire.artifact-root", rests_on=("wire.unknown-path",), uses=ROOT)
def the_artifact_root_is_served_or_unknown(wire: Wire) -> None:
    """The artifact root is read and set at its path, or both methods find no such path."""
    path = f"{EXTENSION_BASE}/artifact-root"

    read = wire.get(path)
    if read.status == 404:
        expect_refused(read, ErrorCode.ENDPOINT_NOT_FOUND)
        expect_refused(wire.post(path, {}), ErrorCode.ENDPOINT_NOT_FOUND)
        return

    root = expect_answered(read).get("artifact_root")
    expect(isinstance(root, str) and ":" in root, "a URI in artifact_root", root)
    if not is_refused(again := wire.post(path, {"artifact_root": root}), ErrorCode.NOT_IMPLEMENTED):
        expect_answered(again)
        expect_refused(wire.post(path, {"artifact_root": 7}))
        expect_refused(wire.post(path, {}))
    expect_equal(root, expect_answered(wire.get(path))["artifact_root"], "the artifact root")


@check("wire.unknown-path")
def an_unknown_path_is_an_error_like_others(wire: Wire) -> None:
    """Paths that no server has are answered with 404 and ENDPOINT_NOT_FOUND, by any method."""
    expect_refused(wire.get("runs/nonsense"), ErrorCode.ENDPOINT_NOT_FOUND)
    expect_refused(wire.post("nonsense", {"run_id": "x"}), ErrorCode.ENDPOINT_NOT_FOUND)
    expect_refused(wire.post("runs/get/more", {}), ErrorCode.ENDPOINT_NOT_FOUND)
    expect_refused(wire.get("/api/2.0/nonsense/runs/get"), ErrorCode.ENDPOINT_NOT_FOUND)
    expect_refused(wire.get("/api/9.9/mlflow/runs/get"), ErrorCode.ENDPOINT_NOT_FOUND)


@check("wire.wrong-method", rests_on=SERVED)
def a_wrong_method_is_an_error_like_others(store: TrackingStore, fresh: Fresh, wire: Wire) -> None:
    """Methods that an endpoint does not take are answered with 405 and ENDPOINT_NOT_FOUND, without effect."""
    run_id = fresh.run()
    before = store.get_run(run_id)
    query = f"run_id={run_id}"

    for answer in (
        wire.get("runs/delete", query),
        wire.get("runs/log-parameter", f"{query}&key=p&value=1"),
        wire.post("runs/get", {"run_id": run_id}),
        wire.request("DELETE", f"runs/delete?{query}"),
        wire.request("PUT", f"runs/get?{query}"),
        wire.request("PATCH", f"runs/update?{query}"),
    ):
        told = told_code(answer)
        expect(
            answer.status == 405 and told == ErrorCode.ENDPOINT_NOT_FOUND,
            "status 405 and ENDPOINT_NOT_FOUND",
            str(answer),
        )

    expect_equal(before, store.get_run(run_id), "the run")


@check("wire.allow")
def a_wrong_method_names_the_right_ones(wire: Wire) -> None:
    """The answer to a method that is not taken names those that are."""
    for answer, method in ((wire.get("runs/delete"), "POST"), (wire.post("runs/get", {}), "GET")):
        allowed = [word.strip() for word in (answer.header("Allow") or "").split(",")]
        expect(method in allowed, f"{method} in the header Allow", answer.header("Allow"))


@check("wire.path-exact", rests_on=SERVED)
def a_path_that_differs_is_not_redirected(store: TrackingStore, fresh: Fresh, wire: Wire) -> None:
    """A slash more or a capital makes an unknown path or the same one, and loses no body."""
    run_id = fresh.run()
    paths = (
        "/api/2.0/mlflow/runs/log-parameter/",
        "/api/2.0/mlflow//runs/log-parameter",
        "//api/2.0/mlflow/runs/log-parameter",
        "/api/2.0/mlflow/runs/Log-Parameter",
    )

    answers = [
        wire.post(path, {"run_id": run_id, "key": f"p{number}", "value": "1"}) for number, path in enumerate(paths)
    ]

    for answer in answers:
        expect_status(answer, 200, 307, 308, 404, 405)
    served = {f"p{number}": "1" for number, answer in enumerate(answers) if answer.status == 200}
    expect_equal(served, store.get_run(run_id).data.params, "the params that were said to be logged")


@check("wire.head", rests_on=SERVED)
def head_has_no_body(fresh: Fresh, wire: Wire) -> None:
    """HEAD is answered with the status of GET or a 4xx, and with no body."""
    run_id = fresh.run()

    for path in (f"runs/get?run_id={run_id}", f"runs/get?run_id={fresh.unknown_run_id()}"):
        head, read = wire.request("HEAD", path), wire.get(path)
        expect_status(head, read.status, *range(400, 500))
        expect_equal("", head.text, "the body")
