"""Faults of the protocol: endpoints, paths and methods."""

from __future__ import annotations

from typing import Any

from trackspec.errors import ErrorCode, TrackspecError
from trackspec.protocol.endpoint import BROWSER_BASE, EXTENSION_BASE, Endpoint
from trackspec.protocol.model_server import Connection, ModelServer, Refused, Request, Response

from . import fault


class HtmlErrors(ModelServer):
    """A server that answers some errors with a page."""

    status_of_pages = 0

    def error(self, error: TrackspecError) -> Response:
        response = super().error(error)
        if response.status == self.status_of_pages:
            return Response(response.status, b"<h1>No</h1>", {**response.headers, "Content-Type": "text/html"})
        return response


@fault("wire.endpoints")
class ExperimentsKeepTheirNames(ModelServer):
    """One endpoint is not served."""

    def table(self) -> dict[str, dict[str, Endpoint]]:
        return {path: row for path, row in super().table().items() if not path.endswith("experiments/update")}


@fault("wire.endpoints")
class ExperimentsAreSearchedByPost(ModelServer):
    """An endpoint does not take the second of its methods."""

    def table(self) -> dict[str, dict[str, Endpoint]]:
        table = super().table()
        for row in table.values():
            if len(row) > 1 and any(endpoint.name == "search_experiments" for endpoint in row.values()):
                del row["GET"]
        return table


@fault("wire.search-by-get")
class QueriesHaveNoOrder(ModelServer):
    """A search by GET passes over its order."""

    def query_fields(self, endpoint: Endpoint, query: str) -> dict[str, Any]:
        fields = super().query_fields(endpoint, query)
        return fields | {"order_by": None} if "order_by" in fields else fields


@fault("wire.browser-base")
class OneBase(ModelServer):
    """MLflow's pages find nothing."""

    def table(self) -> dict[str, dict[str, Endpoint]]:
        return {path: row for path, row in super().table().items() if not path.startswith(BROWSER_BASE)}


@fault("wire.artifact-root")
class TheRootIsReadOnly(ModelServer):
    """The artifact root is read, and where it is set there is no path."""

    def route(self, request: Request) -> Endpoint:
        if request.path.startswith(EXTENSION_BASE) and request.method == "POST":
            raise TrackspecError("There is no such path.", ErrorCode.ENDPOINT_NOT_FOUND)
        return super().route(request)


@fault("wire.unknown-path")
class UnknownPathsAreAPage(HtmlErrors):
    """An unknown path is answered with HTML."""

    def route(self, request: Request) -> Endpoint:
        self.status_of_pages = 0 if request.path in self.routes else 404
        return super().route(request)


@fault("wire.unknown-path")
class UnknownPathsAreMissingResources(ModelServer):
    """An unknown path is taken for a resource that does not exist."""

    def route(self, request: Request) -> Endpoint:
        if request.path not in self.routes:
            raise TrackspecError("Nothing is there.", ErrorCode.RESOURCE_DOES_NOT_EXIST)
        return super().route(request)


@fault("wire.wrong-method")
class WrongMethodsAreAPage(HtmlErrors):
    """A wrong method is answered with HTML."""

    status_of_pages = 405


@fault("wire.wrong-method")
class AnyMethodWillDo(ModelServer):
    """An endpoint is found by its path alone."""

    def route(self, request: Request) -> Endpoint:
        by_method = self.routes.get(request.path, {})
        return by_method.get(request.method) or next(iter(by_method.values()), None) or super().route(request)


@fault("wire.allow")
class AllowIsMissing(ModelServer):
    """The answer to a wrong method does not say which are right."""

    def route(self, request: Request) -> Endpoint:
        try:
            return super().route(request)
        except Refused as refusal:
            refusal.headers.clear()
            raise


@fault("wire.path-exact")
class SlashesAreRedirected(ModelServer):
    """A slash at the end of a path leads elsewhere."""

    def answer(self, request: Request) -> Response:
        if request.path.endswith("/"):
            return Response(301, b"", {"Location": request.path.rstrip("/")})
        return super().answer(request)


@fault("wire.path-exact")
class CapitalsAreTakenWithoutEffect(ModelServer):
    """A path with a capital is answered as if the request had been served."""

    def answer(self, request: Request) -> Response:
        if request.path != request.path.lower():
            return self.json(200, {})
        return super().answer(request)


@fault("wire.head")
class HeadHasABody(ModelServer):
    """HEAD is answered with the body of the error."""

    class connection(Connection):  # noqa: N801 - in the place of the model's
        """Writes the body, whatever the method."""

        def write(self, response: Response) -> None:
            command, self.command = self.command, "GET"
            super().write(response)
            self.command = command
