"""Faults of the protocol: bodies and queries."""

from __future__ import annotations

import json
import unicodedata
from typing import Any
from urllib.parse import parse_qsl, unquote

from trackspec.errors import ErrorCode, TrackspecError, invalid
from trackspec.protocol.body import CONTENT_TYPE
from trackspec.protocol.endpoint import Endpoint
from trackspec.protocol.model_server import ModelServer, Refused, Request

from . import fault
from .wire_servers import Json, OtherAnswers, OtherFields, changed, lenient_json


@fault("wire.content-type")
class OneEndpointReadsWhateverComes(ModelServer):
    """One endpoint reads a body as JSON whatever it is said to be."""

    def require_json(self, request: Request) -> None:
        if not request.path.endswith("runs/delete"):
            super().require_json(request)


@fault("wire.content-type")
class AnythingIsJson(ModelServer):
    """A body is read as JSON whatever it is said to be."""

    def require_json(self, request: Request) -> None:
        return None


@fault("wire.content-type")
class NoContentTypeIsJson(ModelServer):
    """A body that says nothing of itself is read as JSON."""

    def require_json(self, request: Request) -> None:
        if "Content-Type" in request.headers:
            super().require_json(request)


@fault("wire.content-type-parameters")
class ContentTypesHaveNoParameters(ModelServer):
    """A content type with a charset is refused."""

    def require_json(self, request: Request) -> None:
        super().require_json(request)
        if ";" in request.headers["Content-Type"]:
            raise invalid("The Content-Type is another.")


@fault("wire.content-type-case")
class ContentTypesAreSmall(ModelServer):
    """A content type with a capital is refused."""

    def require_json(self, request: Request) -> None:
        super().require_json(request)
        if not request.headers["Content-Type"].startswith(CONTENT_TYPE):
            raise invalid("The Content-Type is another.")


@fault("wire.body-json")
class MalformedBodiesAreEmpty(ModelServer):
    """Malformed JSON is taken for an object without fields."""

    def read_body(self, body: bytes) -> dict[str, Json]:
        try:
            return super().read_body(body)
        except TrackspecError as error:
            if "no JSON" in error.message:
                return {}
            raise


@fault("wire.body-json")
class TheFirstTextCounts(ModelServer):
    """What stands behind the JSON text of a body is passed over."""

    def read_body(self, body: bytes) -> dict[str, Json]:
        try:
            _, end = json.JSONDecoder().raw_decode(body.decode())
        except ValueError:
            end = len(body)
        return super().read_body(body[:end] if body.isascii() else body)


@fault("wire.body-object")
class StringsAreReadAgain(ModelServer):
    """A string that holds JSON is read once more."""

    def read_body(self, body: bytes) -> dict[str, Json]:
        if body.startswith(b'"'):
            body = str(lenient_json(body)).encode()
        return super().read_body(body)


@fault("wire.body-object")
class ListsHoldNoFields(ModelServer):
    """A list is taken for an object without fields."""

    def read_body(self, body: bytes) -> dict[str, Json]:
        return {} if body == b"[]" else super().read_body(body)


@fault("wire.body-object", "wire.mistake-is-4xx")
class ListsAreFailures(ModelServer):
    """A list in the place of the object makes the server fail."""

    def read_body(self, body: bytes) -> dict[str, Json]:
        if body.startswith(b"["):
            raise RuntimeError("a list has no fields")
        return super().read_body(body)


@fault("wire.body-utf8")
class OtherBytesAreReplaced(ModelServer):
    """Bytes that are no UTF-8 are read as replacement characters."""

    def read_body(self, body: bytes) -> dict[str, Json]:
        return super().read_body(body.decode("utf-8", "replace").encode())


@fault("wire.body-utf8")
class BodiesAreLatin1(ModelServer):
    """Bytes that are no UTF-8 are read as Latin-1."""

    def read_body(self, body: bytes) -> dict[str, Json]:
        try:
            body.decode()
        except UnicodeDecodeError:
            body = body.decode("latin-1").encode()
        return super().read_body(body)


@fault("wire.body-utf16")
class EncodingsAreDetected(ModelServer):
    """The encoding of a body is guessed."""

    def read_body(self, body: bytes) -> dict[str, Json]:
        encoding = json.detect_encoding(body)
        return super().read_body(body.decode(encoding).encode() if encoding.startswith("utf-") else body)


@fault("wire.text-exact")
class TextIsNormalised(OtherFields):
    """Text is stored in Unicode's composed form."""

    def _changed(self, fields: dict[str, Json]) -> dict[str, Json]:
        def composed(_: str, value: Json) -> Json:
            return unicodedata.normalize("NFC", value) if isinstance(value, str) else value

        return dict(changed(fields, composed))


@fault("wire.text-exact")
class AnswersAreAscii(OtherAnswers):
    """What is not ASCII is answered as a question mark."""

    def _told(self, name: str, value: Json) -> Json:
        return value.encode("ascii", "replace").decode() if isinstance(value, str) else value


@fault("wire.query-text")
class PlusIsPlus(ModelServer):
    """A plus in a query is no space."""

    def read_query(self, query: str) -> list[tuple[str, str]]:
        return super().read_query(query.replace("+", "%2B"))


@fault("wire.query-text")
class QueriesAreDecodedTwice(ModelServer):
    """What a query says is decoded once more."""

    def read_query(self, query: str) -> list[tuple[str, str]]:
        return [(name, unquote(text)) for name, text in super().read_query(query)]


@fault("wire.query-lists")
class TheLastOfAListCounts(ModelServer):
    """Of a field that a query repeats, the last value counts."""

    def query_fields(self, endpoint: Endpoint, query: str) -> dict[str, Any]:
        last = dict(self.read_query(query))
        return endpoint.request.query_attributes({name: [text] for name, text in last.items()})


@fault("wire.query-long")
class QueriesAreShort(ModelServer):
    """A query has at most 4,096 characters."""

    def read_query(self, query: str) -> list[tuple[str, str]]:
        if len(query) > 4096:
            raise Refused(ErrorCode.INVALID_PARAMETER_VALUE, "The query is too long.", 414)
        return super().read_query(query)


@fault("wire.query-escapes")
class BrokenEscapesAreText(ModelServer):
    """A percent sign that escapes nothing stands for itself."""

    def read_query(self, query: str) -> list[tuple[str, str]]:
        return parse_qsl(query, keep_blank_values=True, errors="replace")
