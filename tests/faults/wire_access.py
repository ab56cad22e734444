"""Faults of the protocol: who asks, from where, and whether the server is well."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

from trackspec.errors import TrackspecError
from trackspec.protocol.endpoint import BROWSER_BASE
from trackspec.protocol.model_server import ModelServer, Refused, Request, Response

from . import fault


@fault("wire.credentials-missing")
class TheOtherBaseIsOpen(ModelServer):
    """What is below the base of MLflow's pages asks for no credentials."""

    def require_credentials(self, request: Request) -> None:
        if not request.path.startswith(BROWSER_BASE):
            super().require_credentials(request)


@fault("wire.credentials-missing")
class ReadingIsFree(ModelServer):
    """GET asks for no credentials."""

    def require_credentials(self, request: Request) -> None:
        if request.method != "GET":
            super().require_credentials(request)


@fault("wire.credentials-missing")
class HeadIsFree(ModelServer):
    """HEAD is answered like GET, and asks for no credentials."""

    def require_credentials(self, request: Request) -> None:
        if request.method != "HEAD":
            super().require_credentials(request)

    def served(self, request: Request) -> Response:
        return super().served(replace(request, method="GET") if request.method == "HEAD" else request)


@fault("wire.credentials-wrong")
class AnyNameWillDo(ModelServer):
    """A name and a password are not looked at."""

    def require_credentials(self, request: Request) -> None:
        if not request.headers.get("Authorization", "").startswith("Basic bm9"):
            super().require_credentials(request)


@fault("wire.credentials-wrong")
class AnEmptyTokenWillDo(ModelServer):
    """A scheme without credentials is enough."""

    def require_credentials(self, request: Request) -> None:
        if request.headers.get("Authorization", "").strip() != "Bearer":
            super().require_credentials(request)


@fault("wire.credentials-wrong")
class OddCredentialsAreFailures(ModelServer):
    """Credentials that cannot be read make the server fail."""

    def require_credentials(self, request: Request) -> None:
        if "%" in request.headers.get("Authorization", ""):
            raise RuntimeError("no such credentials")
        super().require_credentials(request)


@fault("wire.credentials-challenge")
class NobodyKnowsWhatIsAskedFor(ModelServer):
    """The answer that asks for credentials does not say which."""

    def error(self, error: TrackspecError) -> Response:
        if isinstance(error, Refused):
            error.headers.pop("WWW-Authenticate", None)
        return super().error(error)


@fault("wire.foreign-origin")
class AnySiteMayWrite(ModelServer):
    """A request is served wherever it comes from."""

    def require_own_origin(self, request: Request) -> None:
        return None


@fault("wire.foreign-origin")
class NullIsAtHome(ModelServer):
    """A page that does not say where it comes from may write."""

    def require_own_origin(self, request: Request) -> None:
        if request.headers.get("Origin") != "null":
            super().require_own_origin(request)


@fault("wire.foreign-host")
class AnyNameIsTheServers(ModelServer):
    """A request is served whatever host it names."""

    def require_own_host(self, request: Request) -> None:
        return None


@fault("wire.foreign-host")
class TheBeginningOfANameCounts(ModelServer):
    """A host that begins like the server's is taken for it."""

    def require_own_host(self, request: Request) -> None:
        if not request.headers.get("Host", "").startswith("127.0.0.1"):
            super().require_own_host(request)


@fault("wire.no-cors")
class AnySiteMayRead(ModelServer):
    """Every answer permits every site to read it."""

    always = MappingProxyType({**ModelServer.always, "Access-Control-Allow-Origin": "*"})


@fault("wire.no-cors")
class TheAskingSiteMayRead(ModelServer):
    """An answer permits whatever site asks."""

    def respond(self, request: Request) -> Response:
        response = super().respond(request)
        if origin := request.headers.get("Origin"):
            response.headers["Access-Control-Allow-Origin"] = origin
        return response


@fault("wire.health")
class HealthIsAnObject(ModelServer):
    """The path /health is answered in JSON."""

    def plain(self, path: str) -> bytes:
        return b'{"status": "ok"}' if path == "/health" else super().plain(path)


@fault("wire.version")
class TheVersionIsAName(ModelServer):
    """The path /version is answered with a name."""

    def plain(self, path: str) -> bytes:
        return b"trackspec" if path == "/version" else super().plain(path)
