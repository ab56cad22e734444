"""The checks of the chapter on security: a repository that is the client of a server that lies."""

from __future__ import annotations

from trackspec_conformance.canaries import credentials, environment, logged, require_hidden, told_by
from trackspec_conformance.checks import check
from trackspec_conformance.expectations import expect, expect_equal
from trackspec_conformance.fresh_artifacts import FreshArtifacts
from trackspec_conformance.lying_server import Lies
from trackspec_conformance.recording import beneath
from trackspec_conformance.suites.artifacts.lying_servers import require_raised


@check("client.artifact-secrets-hidden", uses="environment", timeout=120)
def a_client_keeps_its_secret(fresh: FreshArtifacts) -> None:
    """Whatever an artifact server answers, the credentials are in no error, no log and no repr of the client."""
    secret = fresh.name("secret")
    lies = (
        Lies(echo=True),
        Lies(listing=b"<html>"),
        Lies(listing=b"{}", listing_status=401),
        Lies(entries={"a": 900}, content=b"x", announced=900),
    )
    for given in credentials(secret):
        for told in lies:
            with environment(given), logged() as lines:
                server = fresh.server(told)
                client = fresh.client_of(server)
                said = told_by(lambda: client.list_artifacts("a"))  # noqa: B023 - called at once
                said += told_by(lambda: client.download_artifacts("a", fresh.destination()))  # noqa: B023
                shown = [repr(beneath(client)), str(beneath(client))]

            expect(bool(server.requests), "a request to the server", "none")
            require_hidden(secret, said, "the errors")
            require_hidden(secret, lines, "the log")
            require_hidden(secret, shown, "the repr of the client")


@check("client.artifact-certificate", uses="environment", timeout=60)
def a_certificate_of_nobody_is_refused(fresh: FreshArtifacts) -> None:
    """Calls to a server whose certificate nobody vouches for raise, and it reads no request."""
    with environment({"MLFLOW_TRACKING_TOKEN": fresh.name("secret")}):
        server = fresh.server(Lies(entries={"a.bin": 4}, content=b"evil", untrusted=True))
        client = fresh.client_of(server)

        require_raised(client.list_artifacts, "")
        require_raised(client.download_artifacts, "a.bin", fresh.destination())

    expect_equal([], server.methods, "requests that the server has read")
