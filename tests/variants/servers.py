"""Servers of the REST protocol."""

from __future__ import annotations

import json
import re
from typing import Any

from trackspec.errors import ErrorCode, TrackspecError
from trackspec.protocol.artifact_endpoints import ArtifactEndpoint
from trackspec.protocol.endpoint import Endpoint
from trackspec.protocol.kinds import Json
from trackspec.protocol.model_server import Connection, ModelServer, Refused, Request, Response


class OldHttp(ModelServer):
    """Speaks HTTP/1.0."""

    class connection(Connection):  # noqa: N801 - in the place of the model's
        """Reads one request."""

        protocol_version = "HTTP/1.0"


class Chunks(ModelServer):
    """Answers in chunks, with the names of headers in small letters."""

    class connection(Connection):  # noqa: N801 - in the place of the model's
        """Tells no length."""

        def write(self, response: Response) -> None:
            self.send_response_only(response.status)
            for name, value in {**self.model.always, **response.headers}.items():
                self.send_header(name.lower(), value)
            self.send_header("transfer-encoding", "chunked")
            if self.close_connection:
                self.send_header("connection", "close")
            self.end_headers()
            for start in range(0, len(response.body) if self.command != "HEAD" else 0, 7):
                piece = response.body[start : start + 7]
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            self.wfile.write(b"" if self.command == "HEAD" else b"0\r\n\r\n")
            self.wfile.flush()


class ClosesWithoutAWord(ModelServer):
    """Closes each connection after one answer, and does not say so."""

    class connection(Connection):  # noqa: N801 - in the place of the model's
        """Reads one request."""

        def write(self, response: Response) -> None:
            super().write(response)
            self.close_connection = True


class ClosesLate(ModelServer):
    """Closes each connection after one answer, when the next request is already under way."""

    class connection(Connection):  # noqa: N801 - in the place of the model's
        """Answers one request."""

        answered = False

        def serve(self) -> None:
            if self.answered:
                self.close_connection = True
                return
            self.answered = True
            super().serve()


class SaysMore(ModelServer):
    """Answers with further fields everywhere, null for what is empty, and pairs in another order."""

    def json(self, status: int, fields: dict[str, Json]) -> Response:
        return super().json(status, _more(fields))


class SaysLess(ModelServer):
    """Leaves out what is empty or not set, with a charset, and with spaces and lines in its JSON."""

    def json(self, status: int, fields: dict[str, Json]) -> Response:
        body = json.dumps(_less(fields), indent=2).encode()
        return Response(status, body, {"Content-Type": "application/json; charset=utf-8"})


class Declines(ModelServer):
    """Lacks the optional operations, and says so whatever it is asked of them."""

    def fields(self, endpoint: Endpoint | ArtifactEndpoint, request: Request) -> dict[str, Any]:
        if endpoint.name in ("log_inputs", "get_metric_history_bulk_interval"):
            raise TrackspecError("This server has no such operation.", ErrorCode.NOT_IMPLEMENTED)
        return super().fields(endpoint, request)


class Redirects(ModelServer):
    """Leads from a path with too many slashes to the right one, by 308."""

    def route(self, request: Request) -> Endpoint:
        path = re.sub("/+", "/", request.path).rstrip("/")
        if path != request.path and path in self.routes:
            raise Refused(ErrorCode.ENDPOINT_NOT_FOUND, "It is elsewhere.", 308, {"Location": path})
        return super().route(request)


def _more(value: Any) -> Any:
    if isinstance(value, dict):
        return {**{name: _more(item) for name, item in value.items()}, "x_server": [{"of": "its own"}]}
    if isinstance(value, list):
        items = [_more(item) for item in value]
        is_pairs = all(isinstance(item, dict) and set(item) == {"key", "value", "x_server"} for item in items)
        return (items[::-1] if is_pairs else items) or None
    return value


def _less(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _less(item) for name, item in value.items() if item not in ([], None)}
    return [_less(item) for item in value] if isinstance(value, list) else value


VARIANTS = (OldHttp, Chunks, ClosesWithoutAWord, ClosesLate, SaysMore, SaysLess, Declines, Redirects)
