"""The checks of the chapter on security: who may enter a server, and by which doors."""

from __future__ import annotations

import base64
import http.client
import itertools
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from urllib.parse import urlsplit

from trackspec import TrackingStore
from trackspec.protocol.endpoint import Endpoint
from trackspec.protocol.endpoints import ENDPOINTS
from trackspec_conformance.canaries import require_hidden
from trackspec_conformance.checks import check
from trackspec_conformance.expectations import Unexpected, expect, expect_equal
from trackspec_conformance.fresh import Fresh
from trackspec_conformance.loopback import listening
from trackspec_conformance.suites.tracking.wire_access import ELSEWHERE, require_guard
from trackspec_conformance.suites.tracking.wire_paths import SERVED
from trackspec_conformance.wire import Answer, Wire
from trackspec_conformance.wire.client import Request, get_request, other_request, post_request
from trackspec_conformance.wire.samples import MLFLOWS, Samples

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE")
PUBLIC = ("/health", "/version")

FURTHER = (
    "/",
    "/signup",
    "/graphql",
    "/metrics",
    "/docs",
    "/openapi.json",
    "/static-files/index.html",
    "/get-artifact?path=x&run_uuid=x",
    "/api/2.0/mlflow-artifacts/artifacts",
    "/api/2.0/mlflow-artifacts/artifacts/x",
    "/api/2.0/mlflow-artifacts/mpu/create/x",
    "/api/2.0/mlflow/users/create",
    "/api/2.0/mlflow/users/get?username=admin",
    "/api/2.0/mlflow/registered-models/search",
    "/api/2.0/mlflow/model-versions/get-artifact?path=x",
    "/api/3.0/mlflow/traces/search",
    "/ajax-api/2.0/mlflow/upload-artifact",
    "/ajax-api/2.0/mlflow/gateway-proxy",
    "/ajax-api/3.0/mlflow/get-trace-artifact",
    "/gateway/x/mlflow/invocations",
    "/v1/traces",
)
"""Paths that servers of this protocol have or had besides."""

MANUALS = tuple(
    itertools.product(
        ("admin", "mlflow", "trackspec", "root", "user", "guest"),
        ("", "admin", "password", "password1234", "mlflow", "trackspec", "changeme", "secret", "guest"),
    )
)


def _spellings(path: str) -> tuple[str, ...]:
    return (
        path,
        f"{path}/",
        f"/{path}",
        path.replace("/mlflow/", "/mlflow//", 1),
        path.replace("/mlflow/", "/mlflow/./", 1),
        path.replace("/mlflow/", "/mlflow/x/../", 1),
        path.replace("/mlflow/", "/%6dlflow/", 1),
        f"{path};x",
        f"{path}%00",
        f"{path}?x",
        f"/health/..{path}",
        f"/version/%2e%2e{path}",
        path.upper(),
    )


@check("admission.every-route", rests_on=("wire.credentials-missing",), timeout=120)
def no_door_is_open(wire: Wire) -> None:
    """Without credentials no path, in no spelling and by no method, is answered but with a page."""
    require_guard(wire)
    paths = [path for endpoint in ENDPOINTS for path in endpoint.paths]
    doors = [(method, path) for path in (*paths, *FURTHER, *_documented(wire)) for method in METHODS]
    doors += [(method, other) for path in paths for other in _spellings(path)[1:] for method in ("GET", "POST")]

    served = []
    for method, path in doors:
        if path not in PUBLIC:
            answer = wire.send(_knocking(method, path))
            if answer.status < 300 and not _is_page(method, answer):
                served.append(f"{method} {path}: {answer}")

    expect(not served, "no status below 300 without credentials", "; ".join(served[:5]))


def _is_page(method: str, answer: Answer) -> bool:
    """Whether it is what a browser shows to those who have not signed in yet."""
    return method in ("GET", "HEAD") and (answer.header("Content-Type") or "").lower().startswith("text/html")


def _documented(wire: Wire) -> list[str]:
    """The paths of the server's own OpenAPI document, if it serves one."""
    answer = wire.get("/openapi.json")
    try:
        paths = answer.json["paths"] if answer.status == 200 else {}
        return [re.sub(r"\{[^}]*\}", "x", path) for path in paths if path.startswith("/")][:400]
    except (Unexpected, TypeError, KeyError):
        return []


def _knocking(method: str, path: str) -> Request:
    if method == "POST":
        return post_request(path, {}, credentials=False)
    return replace(other_request(method, path, {"Connection": "close"}), credentials=False)


@check("admission.nothing-done", rests_on=("wire.credentials-missing",), timeout=120)
def who_has_no_credentials_does_nothing(store: TrackingStore, fresh: Fresh, wire: Wire) -> None:
    """Good requests without credentials, and with those of nobody, change nothing, in whatever spelling."""
    require_guard(wire)
    samples = Samples.arranged(store, fresh)
    before = samples.kept(store)

    for endpoint in _writing():
        fields = samples.of(endpoint)
        for path in _spellings(endpoint.paths[0]):
            wire.send(post_request(path, fields, credentials=False))
        for given in ("Bearer nobody", f"Basic {_basic('admin', 'nobody')}", "Basic", ""):
            wire.send(post_request(endpoint.paths[0], fields, headers={"Authorization": given}, credentials=False))

    expect_equal(before, samples.kept(store), "what the store keeps")


def _writing() -> Iterator[Endpoint]:
    return (endpoint for endpoint in MLFLOWS if "GET" not in endpoint.methods)


@check("admission.no-known-password", rests_on=("wire.credentials-missing",), timeout=60)
def manuals_let_nobody_in(wire: Wire) -> None:
    """Names and passwords that stand in manuals are those of nobody."""
    require_guard(wire)
    let_in = []

    for user, password in MANUALS:
        headers = {"Authorization": f"Basic {_basic(user, password)}"}
        if wire.get("experiments/search", headers=headers, credentials=False).status not in (401, 403):
            let_in.append(f"{user}:{password}")

    expect_equal([], let_in, "the names and passwords that are let in")


def _basic(user: str, password: str) -> str:
    return base64.b64encode(f"{user}:{password}".encode()).decode()


@check("admission.secret-not-answered", rests_on=SERVED)
def what_says_who_asks_is_not_answered(fresh: Fresh, wire: Wire) -> None:
    """Credentials of nobody, and the server's own, are in no answer: not in an error, and in no header."""
    secret = fresh.name("secret")
    run_id = fresh.run()
    given = (f"Bearer {secret}", f"Basic {_basic('canary', secret)}", f"{secret} x", f"Bearer {secret} {secret}")
    requests = (
        get_request("runs/get", {"run_id": run_id}),
        get_request("runs/nonsense"),
        get_request("runs/get", {"run_id": 5, "nonsense": 1}),
        post_request("runs/get", {}),
        post_request("runs/log-parameter", "no JSON"),
        post_request("runs/log-parameter", {"run_id": run_id, "key": "p", "value": "v"}, content_type="text/html"),
    )

    answers = [
        wire.send(replace(asked, headers=(*asked.headers, ("Authorization", header)), credentials=False))
        for asked in requests
        for header in given
    ]
    require_hidden(secret, list(map(_whole, answers)), "what is answered to credentials of nobody")
    if wire.authorization:
        told = [_whole(wire.send(asked)) for asked in requests]
        require_hidden(wire.authorization.rpartition(" ")[2], told, "what is answered to good credentials")


def _whole(answer: Answer) -> str:
    return f"{answer.headers} {answer.text}"


@check("admission.foreign-pages", rests_on=SERVED, timeout=60)
def pages_of_other_sites_do_nothing(store: TrackingStore, fresh: Fresh, wire: Wire) -> None:
    """What a page of another site can send changes nothing, and no answer to it permits the page to read."""
    samples = Samples.arranged(store, fresh)
    before = samples.kept(store)
    host = urlsplit(wire.url).hostname
    origins = (ELSEWHERE, "null", f"http://{host}:1", f"http://{host}.elsewhere.example", "file://", "")
    kinds = ("application/json", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", None)

    permitted = []
    for endpoint in _writing():
        fields = samples.of(endpoint)
        for path, origin in itertools.product(endpoint.paths, origins):
            for kind in kinds if origin == ELSEWHERE else kinds[:1]:
                answer = wire.post(path, fields, content_type=kind, headers={"Origin": origin})
                if answer.header("Access-Control-Allow-Origin") in ("*", origin):
                    permitted.append(f"{path} for {origin!r}")

    expect_equal(before, samples.kept(store), "what the store keeps")
    expect_equal([], permitted, "answers that the page may read")


@check("admission.one-host", rests_on=SERVED)
def a_request_names_one_host(store: TrackingStore, fresh: Fresh, wire: Wire) -> None:
    """Requests that name two hosts, or none that can be one, are refused, and write nothing."""
    run_id = fresh.run()
    own = urlsplit(wire.url).netloc
    asked = post_request("runs/log-parameter", {"run_id": run_id, "key": "p", "value": "1"})

    for hosts in (
        (own, "elsewhere.example"),
        ("elsewhere.example", own),
        ("",),
        ("a b",),
        (f"{own}@elsewhere.example",),
        (f"elsewhere.example, {own}",),
        (f"{own}:1",),
        (f"{own}/x",),
    ):
        headers = (*asked.headers, *(("Host", host) for host in hosts))
        answer = wire.send(Request(asked.method, asked.target, headers, asked.body))
        expect(400 <= answer.status < 500, f"a status from 400 to 499 for the hosts {hosts}", str(answer))

    expect_equal({}, store.get_run(run_id).data.params, "the run's params")


@check("admission.no-relay", rests_on=SERVED)
def a_server_calls_nobody(wire: Wire) -> None:
    """A listener that requests name in their targets, headers and queries is not called."""
    own = ("Host", urlsplit(wire.url).netloc)
    names = (
        "X-Forwarded-Host",
        "X-Original-URL",
        "X-Rewrite-URL",
        "Forwarded",
        "Referer",
        "Destination",
        "Location",
    )
    with listening() as listener:
        url = f"http://127.0.0.1:{listener.port}/canary"
        requests = [Request("GET", url, (own,)), Request("POST", url, (own,), b"{}")]
        requests += [Request("CONNECT", f"127.0.0.1:{listener.port}", (own,))]
        requests += [get_request("runs/get", headers={name: url}) for name in names]
        requests += [
            get_request(path, {name: url})
            for path in ("/ajax-api/2.0/mlflow/gateway-proxy", "/get-artifact", "runs/get", "/")
            for name in ("gateway_path", "url", "path", "target", "run_id")
        ]

        for asked in requests:
            with suppress(OSError, http.client.HTTPException, ValueError):
                wire.send(asked)

        expect_equal([], listener.callers, "who has called the listener")


@check("admission.nosniff", rests_on=SERVED)
def no_answer_is_a_page(fresh: Fresh, wire: Wire) -> None:
    """Good answers and errors say nosniff, and have no type that a browser shows or runs."""
    run_id = fresh.run()
    page = {"Accept": "text/html,image/svg+xml"}
    mark = "<script>1</script>"

    for answer in (
        wire.get("runs/get", {"run_id": run_id}, headers=page),
        wire.get("runs/get", {"run_id": mark}, headers=page),
        wire.get(f"runs/{mark}", headers=page),
        wire.get("/health", headers=page),
        wire.post("runs/get", {}, headers=page),
        wire.post("runs/log-parameter", mark, content_type=f"text/html;{mark}", headers=page),
        wire.post("runs/log-parameter", {mark: 1}, headers=page),
    ):
        expect_equal("nosniff", (answer.header("X-Content-Type-Options") or "").lower(), f"sniffing, for {answer}")
        kind = answer.header("Content-Type") or ""
        expect(not re.search("html|svg|script|xml", kind), "a content type that is no page", kind)


@check("admission.large-head", rests_on=SERVED)
def a_large_head_is_turned_away(store: TrackingStore, fresh: Fresh, wire: Wire) -> None:
    """A megabyte of header is refused or cut off, in one field and in many, and the server goes on."""
    run_id = fresh.run()
    one = {"X-Field": "x" * 2**20}
    many = {f"X-Field-{number}": "x" * 40 for number in range(20_000)}

    for headers in (one, many):
        try:
            answer = wire.get("runs/get", {"run_id": run_id}, headers=headers)
        except (OSError, http.client.HTTPException):
            continue
        expect(400 <= answer.status < 500, "a status from 400 to 499", str(answer))

    expect_equal(run_id, store.get_run(run_id).info.run_id, "the run that is read afterwards")
