"""The checks of the chapter on the REST protocol: who asks, from where, and whether the server is well."""

import re
from urllib.parse import urlencode

from trackspec import ErrorCode, TrackingStore
from trackspec_conformance.checks import check
from trackspec_conformance.expectations import NotApplicable, expect, expect_equal
from trackspec_conformance.fresh import Fresh
from trackspec_conformance.suites.tracking.wire_paths import SERVED
from trackspec_conformance.wire import Answer, Wire
from trackspec_conformance.wire.expectations import is_refused
from trackspec_conformance.wire.samples import MLFLOWS, Samples

ELSEWHERE = "https://elsewhere.example"
UNAUTHENTICATED = ErrorCode.UNAUTHENTICATED


@check("wire.credentials-missing", rests_on=SERVED)
def every_endpoint_asks_who_asks(store: TrackingStore, fresh: Fresh, wire: Wire) -> None:
    """Without credentials, a good request to any endpoint is answered with 401, and does nothing."""
    require_guard(wire)
    samples = Samples.arranged(store, fresh)
    before = samples.kept(store)
    served = []

    for endpoint in MLFLOWS:
        fields = samples.of(endpoint)
        for path in endpoint.paths:
            for method in endpoint.methods:
                if method == "GET":
                    answer = wire.get(path, fields, credentials=False)
                else:
                    answer = wire.post(path, fields, credentials=False)
                if not is_refused(answer, UNAUTHENTICATED):
                    served.append(f"{method} {path}: {answer}")
            if "GET" in endpoint.methods:
                answer = wire.request("HEAD", f"{path}?{urlencode(fields, doseq=True)}", credentials=False)
                if not 400 <= answer.status < 500:
                    served.append(f"HEAD {path}: {answer}")

    told = "status 401 and UNAUTHENTICATED for each request, to HEAD any 4xx"
    expect(not served, told, "; ".join(served))
    expect_equal(before, samples.kept(store), "what the store keeps")


@check("wire.credentials-wrong", rests_on=("wire.credentials-missing",))
def wrong_credentials_are_none(fresh: Fresh, wire: Wire) -> None:
    """Credentials of nobody, of no scheme and of no form are answered with 401."""
    require_guard(wire)
    run_id = fresh.run()

    for given in (
        "Bearer nobody",
        "Bearer",
        "Bearer ",
        "Basic bm9ib2R5Om5vdGhpbmc=",
        "Basic Og==",
        "Basic %%%",
        "Basic",
        "Digest username=nobody",
        "nonsense",
        "",
    ):
        answer = wire.get("runs/get", {"run_id": run_id}, headers={"Authorization": given}, credentials=False)
        expect(
            is_refused(answer, UNAUTHENTICATED),
            f"status 401 and UNAUTHENTICATED for Authorization: {given!r}",
            str(answer),
        )


@check("wire.credentials-challenge", rests_on=("wire.credentials-missing",))
def a_server_says_what_it_asks_for(wire: Wire) -> None:
    """The answer to a request without credentials names Basic or Bearer in WWW-Authenticate."""
    require_guard(wire)

    for answer in (
        wire.get("runs/get", {"run_id": "x"}, credentials=False),
        wire.post("runs/search", {}, credentials=False),
    ):
        challenge = answer.header("WWW-Authenticate") or ""
        named = re.match(r"(?i)(.*,\s*)?(basic|bearer)\b", challenge)
        expect(named is not None, "Basic or Bearer in WWW-Authenticate", challenge)


def require_guard(wire: Wire) -> None:
    """Require that the server asks for credentials, as far as any endpoint shows it."""
    if wire.authorization is None:
        raise NotApplicable("the suite has no credentials for the server: it asks for none, as far as is known")
    statuses = {
        wire.get("runs/get", {"run_id": "x"}, credentials=False).status,
        wire.post("runs/search", {}, credentials=False).status,
        wire.get("experiments/get", {"experiment_id": "x"}, credentials=False).status,
    }
    if UNAUTHENTICATED.http_status not in statuses:
        raise NotApplicable("the server asks for no credentials")


# -- from where --------------------------------------------------------------------------------------------------


@check("wire.foreign-origin", rests_on=SERVED)
def another_sites_page_writes_nothing(store: TrackingStore, fresh: Fresh, wire: Wire) -> None:
    """A POST from another site's page, or from one that does not say which, is refused."""
    run_id = fresh.run()
    fields = {"run_id": run_id, "key": "p", "value": "1"}

    for origin in (ELSEWHERE, "null", "http://127.0.0.1.elsewhere.example"):
        _expect_4xx(wire.post("runs/log-parameter", fields, headers={"Origin": origin}))

    expect_equal({}, store.get_run(run_id).data.params, "the run's params")


@check("wire.foreign-host", rests_on=SERVED)
def another_name_is_not_the_servers(store: TrackingStore, fresh: Fresh, wire: Wire) -> None:
    """A request that names another host is refused, by GET and by POST."""
    run_id = fresh.run()
    fields = {"run_id": run_id, "key": "p", "value": "1"}

    for host in ("elsewhere.example", "localhost.elsewhere.example", "127.0.0.1.elsewhere.example:80"):
        _expect_4xx(wire.get("runs/get", {"run_id": run_id}, headers={"Host": host}))
        _expect_4xx(wire.post("runs/log-parameter", fields, headers={"Host": host}))

    expect_equal({}, store.get_run(run_id).data.params, "the run's params")


@check("wire.no-cors", rests_on=SERVED)
def another_sites_page_reads_nothing(fresh: Fresh, wire: Wire) -> None:
    """No answer to a request from another site's page, or to the one that asks beforehand, permits reading."""
    run_id = fresh.run()
    origin = {"Origin": ELSEWHERE}
    asking = {**origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}

    for answer in (
        wire.get("runs/get", {"run_id": run_id}, headers=origin),
        wire.get("runs/get", {"run_id": fresh.unknown_run_id()}, headers=origin),
        wire.request("OPTIONS", "runs/log-parameter", headers=asking),
        wire.post("runs/search", {}, headers=origin),
    ):
        permitted = answer.header("Access-Control-Allow-Origin")
        expect(permitted not in ("*", ELSEWHERE), "no Access-Control-Allow-Origin for another site", permitted)


def _expect_4xx(answer: Answer) -> None:
    expect(400 <= answer.status < 500, "a status from 400 to 499", str(answer))


# -- health ------------------------------------------------------------------------------------------------------


@check("wire.health")
def a_server_says_that_it_is_well(wire: Wire) -> None:
    """The path /health is answered with OK."""
    answer = wire.get("/health")

    expect_equal((200, "OK"), (answer.status, answer.text.strip()), "status and body")


@check("wire.version")
def a_server_says_its_version(wire: Wire) -> None:
    """The path /version is answered with a version."""
    answer = wire.get("/version")

    expect_equal(200, answer.status, "the status")
    told = answer.text.strip()
    expect(re.fullmatch(r"\d\S{0,99}", told) is not None, "one word that begins with a digit", told[:200])
