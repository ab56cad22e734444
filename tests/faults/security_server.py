"""Faults of security: doors of a server that are open."""

from __future__ import annotations

import base64
import contextlib
from types import MappingProxyType
from urllib.request import urlopen

from trackspec.errors import ErrorCode, TrackspecError
from trackspec.protocol.endpoint import EXTENSION_BASE, Endpoint
from trackspec.protocol.model_server import Connection, ModelServer, Request, Response

from . import fault


@fault("admission.every-route")
class TheArtifactRootIsOpen(ModelServer):
    """What this specification adds to the protocol asks for no credentials."""

    def require_credentials(self, request: Request) -> None:
        if not request.path.startswith(EXTENSION_BASE):
            super().require_credentials(request)


@fault("admission.every-route")
class WellSpeltPathsAreGuarded(ModelServer):
    """A path is tidied up after it was asked whether it needs credentials."""

    def require_credentials(self, request: Request) -> None:
        if request.path in self.routes or not request.path.endswith("/"):
            super().require_credentials(request)

    def route(self, request: Request) -> Endpoint:
        tidy = Request(request.method, request.path.rstrip("/"), request.query, request.headers, request.body)
        return super().route(tidy)

    def require_json(self, request: Request) -> None:
        return None


@fault("admission.every-route")
class ADocumentIsOpen(ModelServer):
    """A second part of the server asks nobody, and has a path that only its own document tells."""

    def answer(self, request: Request) -> Response:
        if request.path == "/openapi.json":
            self.require_credentials(request)
            return self.json(200, {"paths": {"/backdoor/{name}": {}}})
        if request.path == "/backdoor/x":
            return self.json(200, {})
        return super().answer(request)


@fault("admission.nothing-done")
class ServedAndThenRefused(ModelServer):
    """A request is served before it is asked who it comes from."""

    def answer(self, request: Request) -> Response:
        try:
            self.require_credentials(request)
        except TrackspecError:
            if request.method == "POST" and request.headers.get("Authorization"):
                with contextlib.suppress(TrackspecError):
                    endpoint = self.route(request)
                    self.call(endpoint, self.fields(endpoint, request))
            raise
        return super().answer(request)


@fault("admission.no-known-password")
class TheManualsPasswordIsGood(ModelServer):
    """The password that the manual shows lets its reader in."""

    KNOWN = base64.b64encode(b"admin:password1234").decode()

    def require_credentials(self, request: Request) -> None:
        if request.headers.get("Authorization") != f"Basic {self.KNOWN}":
            super().require_credentials(request)


@fault("admission.secret-not-answered")
class RefusalsTellTheCredentials(ModelServer):
    """The answer to credentials that are unknown tells them."""

    def require_credentials(self, request: Request) -> None:
        try:
            super().require_credentials(request)
        except TrackspecError as error:
            error.message = f"Unknown: {request.headers.get('Authorization')}"
            raise


@fault("admission.secret-not-answered")
class ErrorsTellTheHeader(ModelServer):
    """An error tells the header of the request, also where the credentials are good."""

    def respond(self, request: Request) -> Response:
        response = super().respond(request)
        if response.status == 404:
            response.headers["X-Request"] = str(request.headers.get("Authorization"))
        return response


@fault("admission.foreign-pages")
class PortsAreNotCompared(ModelServer):
    """Another port of the same host is the same site."""

    def require_own_origin(self, request: Request) -> None:
        host = request.headers["Host"].partition(":")[0]
        if not request.headers.get("Origin", "").startswith(f"http://{host}:"):
            super().require_own_origin(request)


@fault("admission.foreign-pages")
class FormsAreTaken(ModelServer):
    """A body that is announced as text is read all the same, wherever it comes from."""

    def require_own_origin(self, request: Request) -> None:
        if request.headers.get("Content-Type") != "text/plain":
            super().require_own_origin(request)

    def require_json(self, request: Request) -> None:
        return None


@fault("admission.one-host")
class TheFirstHostCounts(ModelServer):
    """Of two hosts, the first one is looked at."""

    def require_own_host(self, request: Request) -> None:
        first = (request.headers.get_all("Host") or [""])[0]
        if not first.startswith("127.0.0.1") or len(request.headers.get_all("Host", [])) < 2:
            super().require_own_host(request)


@fault("admission.one-host")
class OddHostsAreFailures(ModelServer):
    """A host that cannot be read makes the server fail."""

    def require_own_host(self, request: Request) -> None:
        if " " in (request.headers.get("Host") or ""):
            raise RuntimeError("no such host")
        super().require_own_host(request)


@fault("admission.no-relay")
class TargetsAreFetched(ModelServer):
    """A request whose target is a URL is passed on."""

    def answer(self, request: Request) -> Response:
        if request.path.startswith("http://"):
            with contextlib.suppress(OSError), urlopen(request.path, timeout=1):
                pass
        return super().answer(request)


@fault("admission.no-relay")
class RefererIsVisited(ModelServer):
    """The page that a request comes from is looked at."""

    def answer(self, request: Request) -> Response:
        if page := request.headers.get("Referer"):
            with contextlib.suppress(OSError), urlopen(page, timeout=1):
                pass
        return super().answer(request)


@fault("admission.nosniff")
class AnswersMayBeSniffed(ModelServer):
    """No answer says that its type is meant."""

    always = MappingProxyType(
        {name: value for name, value in ModelServer.always.items() if name != "X-Content-Type-Options"}
    )


@fault("admission.nosniff")
class ErrorsArePages(ModelServer):
    """Who asks for a page gets an error as one."""

    def error(self, error: TrackspecError) -> Response:
        response = super().error(error)
        if error.error_code == ErrorCode.ENDPOINT_NOT_FOUND:
            response.headers["Content-Type"] = "text/html"
        return response


@fault("admission.large-head")
class LargeHeadsAreFailures(ModelServer):
    """A header that is too large is a failure of the server."""

    class connection(Connection):  # noqa: N801 - in the place of the model's
        """Answers 500 to what cannot be read."""

        def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
            self.close_connection = True
            self.write(Response(500, b"{}", {}))
