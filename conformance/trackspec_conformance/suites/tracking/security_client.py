"""The checks of the chapter on security: a store that is the client of a server that lies."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from trackspec import Param, TrackingStore
from trackspec_conformance.canaries import credentials, environment, logged, require_hidden, told_by
from trackspec_conformance.checks import check
from trackspec_conformance.expectations import Unexpected, expect, expect_equal
from trackspec_conformance.fresh import Fresh
from trackspec_conformance.lying_tracking_server import Told
from trackspec_conformance.recording import beneath

RUN = "0123456789abcdef0123456789abcdef"
OTHER = "f" * 32
PAGES = 100
"""Requests that a single call may make."""


def _run(run_id: str, **info: Any) -> dict[str, Any]:
    known = {"run_id": run_id, "run_uuid": run_id, "experiment_id": "7", "status": "RUNNING", "start_time": 1}
    return {
        "run": {"info": {**known, "lifecycle_stage": "active", "artifact_uri": "s3://b/x", **info}, "data": {}}
    }


NO_ANSWERS = (
    Told("<html>sign in</html>", content_type="text/html"),
    Told(""),
    Told("[]"),
    Told("null"),
    Told('"run"'),
    Told('{"run": 5}'),
    Told('{"run": {}}'),
    Told('{"run": {"info": []}}'),
    Told(json.dumps(_run(RUN, start_time="soon"))),
    Told(json.dumps(_run(RUN, status="WELL"))),
    Told(json.dumps(_run(RUN, experiment_id=7))),
    Told(json.dumps(_run(RUN))[:-9]),
    Told(json.dumps(_run(RUN)), announced=5000),
    Told(json.dumps(_run(RUN)), status=500),
    Told("<html>no</html>", status=404, content_type="text/html"),
    Told("{}", status=403),
    Told("[" * 100_000),
)


def _raises(call: Callable[[], object], what: str) -> None:
    try:
        returned = call()
    except Unexpected:
        raise  # it returned something of another kind
    except Exception:
        return
    raise Unexpected(f"the call to raise, since the server answers {what}", f"it returned {returned!r}")


@check("client.answers", timeout=120)
def no_answer_is_an_error(fresh: Fresh) -> None:
    """Reading, creating and changing a run raise at what is no answer to them."""
    for told in NO_ANSWERS:
        client = fresh.client(told)
        shown = f"{told.status} {told.body[:60]}"
        _raises(lambda: client.get_run(RUN), shown)  # noqa: B023 - called at once
        _raises(lambda: client.create_run("7", "", 1, [], None), shown)  # noqa: B023 - called at once


@check("client.other-things")
def another_run_is_an_error(fresh: Fresh) -> None:
    """Reading a run or an experiment raises where the server answers another one."""
    client = fresh.client(Told(json.dumps(_run(OTHER))))
    _raises(lambda: client.get_run(RUN), "another run")

    known = {"name": "n", "artifact_location": "s3://b/x", "lifecycle_stage": "active"}
    client = fresh.client(Told(json.dumps({"experiment": {"experiment_id": "8", **known}})))
    _raises(lambda: client.get_experiment("7"), "another experiment")


@check("client.pages-end", timeout=120)
def pages_without_end_are_given_up(fresh: Fresh) -> None:
    """No call makes more than a hundred requests of a server whose pages have the same next page for ever."""
    point = {"key": "m", "value": 1.0, "timestamp": 1, "step": 1, "run_id": RUN}
    endless = {"metrics": [point], "runs": [_run(RUN)["run"]], "experiments": [], "next_page_token": "again"}
    calls: tuple[Callable[[TrackingStore], object], ...] = (
        lambda client: client.get_metric_history(RUN, "m"),
        lambda client: client.search_runs(["7"]),
        lambda client: client.search_experiments(),
        lambda client: client.get_metric_history_bulk_interval([RUN], "m", 10),
    )

    for call in calls:
        server = fresh.server(Told(json.dumps(endless)))
        client = fresh.client_of(server)
        with suppress(Exception):
            call(client)
        expect(len(server.requests) <= PAGES, f"at most {PAGES} requests", len(server.requests))


@check("client.redirections", uses="environment")
def credentials_stay_with_their_server(fresh: Fresh) -> None:
    """A redirection to another host brings it no credentials, and no request that writes."""
    secret = fresh.name("secret")
    for given in credentials(secret):
        for status in (301, 302, 307, 308):
            with environment(given):
                other = fresh.server(Told(json.dumps(_run(RUN))))
                elsewhere = other.origin.replace("127.0.0.1", "localhost")
                first = fresh.server(Told(status=status, elsewhere=elsewhere))
                client = fresh.client_of(first)
                with suppress(Exception):
                    client.get_run(RUN)
                with suppress(Exception):
                    client.log_param(RUN, Param("p", "v"))

            expect(bool(first.requests), "a request to the first server", "none")
            leaked = [value for headers in other.requests for value in headers.values()]
            require_hidden(secret, leaked, "the headers that reached the other server")
            expect_equal([], [method for method in other.methods if method != "GET"], "writes that reached it")


@check("client.secrets-hidden", uses="environment", timeout=120)
def a_client_keeps_its_secret(fresh: Fresh) -> None:
    """Whatever a server answers, the credentials are in no error, no log and no repr of the client."""
    secret = fresh.name("secret")
    lies = (
        Told(echo=True, status=500),
        Told(echo=True, status=400),
        Told("<html>", content_type="text/html"),
        Told("{}", status=401),
    )
    for given in credentials(secret):
        for told in lies:
            with environment(given), logged() as lines:
                server = fresh.server(told)
                client = fresh.client_of(server)
                said = told_by(lambda: client.get_run(RUN))  # noqa: B023 - called at once
                said += told_by(lambda: client.log_param(RUN, Param("p", "v")))  # noqa: B023 - called at once
                shown = [repr(beneath(client)), str(beneath(client))]

            expect(bool(server.requests), "a request to the server", "none")
            require_hidden(secret, said, "the errors")
            require_hidden(secret, lines, "the log")
            require_hidden(secret, shown, "the repr of the client")


@check("client.certificate", uses="environment", timeout=60)
def a_certificate_of_nobody_is_refused(fresh: Fresh) -> None:
    """Calls to a server whose certificate nobody vouches for raise, and it reads no request."""
    with environment({"MLFLOW_TRACKING_TOKEN": fresh.name("secret")}):
        server = fresh.server(Told(json.dumps(_run(RUN)), untrusted=True))
        client = fresh.client_of(server)
        _raises(lambda: client.get_run(RUN), "with a certificate of nobody's")

    expect_equal([], server.methods, "requests that the server has read")
