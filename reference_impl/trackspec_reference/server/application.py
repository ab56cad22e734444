"""The ASGI application over a store."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any

from trackspec import __version__
from trackspec.artifact_repository import ArtifactRepository
from trackspec.errors import ErrorCode, TrackspecError, invalid
from trackspec.protocol.endpoint import KEY_HEADER, KEYS_SUPPORTED_HEADER, Endpoint
from trackspec.protocol.endpoints import ENDPOINTS
from trackspec.store import TrackingStore
from trackspec_reference.json_bodies import read_body, write_body
from trackspec_reference.server import answers, requests
from trackspec_reference.server.answers import LOG, Answer, Headers, Refusal
from trackspec_reference.server.artifacts import Artifacts, Route
from trackspec_reference.server.authentication import Credentials
from trackspec_reference.server.calls import Call, Calls, Ended
from trackspec_reference.server.limits import Limits
from trackspec_reference.server.origins import Hosts, Origins
from trackspec_reference.server.requests import Receive, Scope, Send

_KEY = KEY_HEADER.lower().encode()
_KEYS_SUPPORTED = (KEYS_SUPPORTED_HEADER.lower().encode(), b"true")

_PLAIN = {b"/health": "OK", b"/version": __version__}
"""What is no call of the store, and is answered in plain text."""

_USUAL_THREADS = 4
"""With more, an embedded store loses more time in handing over the interpreter's lock than it gains."""

_METHODS = frozenset({"GET", "POST"})

_ENDPOINTS: Mapping[bytes, Mapping[str, Endpoint]] = {
    path.encode(): {
        method: endpoint for endpoint in ENDPOINTS if path in endpoint.paths for method in endpoint.methods
    }
    for path in {path for endpoint in ENDPOINTS for path in endpoint.paths}
}
"""The rows of the table by path and method. A path is known exactly as it is written, or not at all."""


class Application:
    """Answers every call of the REST protocol, and anything else with an error in its one shape.

    :param store: what the calls are made on. It stays the caller's to close.
    :param artifacts: the repository whose files it hands on; None for none. It stays the caller's, too.
    :param credentials: those that callers need, for every path; None lets everybody in.
    :param hosts: the names under which the server answers.
    :param origins: the sites whose pages may change something.
    :param public_health: whether ``/health`` and ``/version`` need no credentials.
    """

    def __init__(
        self,
        store: TrackingStore,
        *,
        artifacts: ArtifactRepository | None = None,
        limits: Limits | None = None,
        credentials: Credentials | None = None,
        hosts: Hosts | None = None,
        origins: Origins | None = None,
        public_health: bool = False,
    ) -> None:
        self._store = store
        self._limits = limits or Limits()
        self._credentials = credentials
        self._hosts = hosts or Hosts([])
        self._origins = origins or Origins([])
        self._public = frozenset(_PLAIN) if public_health else frozenset()
        self._knows_keys = knows_keys(store)
        self._artifacts = Artifacts(artifacts, store, self._limits) if artifacts else None
        self._calls = Calls(self._limits, _USUAL_THREADS)

    @property
    def in_hand(self) -> int:
        """How many calls have not ended."""
        return sum(calls.in_hand for calls in self._every_calls())

    def close(self) -> None:
        """Let the threads end when they have made what is in hand."""
        for calls in self._every_calls():
            calls.close()

    def _every_calls(self) -> list[Calls]:
        return [self._calls, *([self._artifacts.transfers] if self._artifacts else [])]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            answer = await self._answer(scope, receive)
        except requests.Disconnected:
            return
        except (Exception, asyncio.CancelledError) as error:
            answer = told(error, scope)
        headers = self.headers(answer, scope)
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        if isinstance(answer.body, bytes):
            await send({"type": "http.response.body", "body": answer.body})
        else:
            assert self._artifacts is not None
            await self._artifacts.send(answer.body, send, receive)

    def prepared(self, scope: Scope, body: bytes) -> Callable[[], Answer] | Answer:
        """What answers a request whose body is there, in any thread; the answer, if no call is needed.

        This is the short way for calls of the store, without a task. Neither raises anything.
        """
        try:
            fields = requests.header_fields(scope)
            asked = self._asked(scope, fields)
            if isinstance(asked, Answer):
                return asked
            assert isinstance(asked, Endpoint)
            if len(body) > self._limits.body:
                raise requests.too_large(self._limits.body)
            return partial(_answered, self._call(asked, scope, fields, body), scope)
        except Exception as error:
            return told(error, scope)

    def begin(self, make: Callable[[], Any], ended: Ended) -> Call:
        """Have something made in a thread for calls of the store.

        :raises TrackspecError: TEMPORARILY_UNAVAILABLE if there is too much in hand.
        """
        return self._calls.begin(make, ended)

    def has_idle_thread(self) -> bool:
        """Whether a call of the store would be made at once."""
        return self._calls.has_idle_thread()

    def wants_thread_back(self) -> bool:
        """Whether a thread that has made a call of the store is to come back at once."""
        return self._calls.wants_thread_back()

    def takes_whole(self, scope: Scope) -> bool:
        """Whether the short way is there for a request."""
        return scope["method"] in _METHODS and not (self._artifacts and self._artifacts.route(scope["raw_path"]))

    def headers(self, answer: Answer, scope: Scope) -> Headers:
        """The header fields of an answer, those included that do not depend on what is asked for."""
        headers = answer.headers
        if self._knows_keys:
            headers = [*headers, _KEYS_SUPPORTED]
        if self._origins.any_allowed:
            headers = [*headers, *self._origins.headers(dict(scope["headers"]).get(b"origin", b""))]
        return headers

    async def _answer(self, scope: Scope, receive: Receive) -> Answer:
        fields = requests.header_fields(scope)
        asked = self._asked(scope, fields)
        if isinstance(asked, Answer):
            return asked
        if isinstance(asked, Route):
            assert self._artifacts is not None
            return await self._artifacts.answer(
                asked.by_method[scope["method"]], asked.rest, scope, fields, receive
            )
        body = b"" if scope["method"] == "GET" else await requests.body(fields, receive, self._limits.body)
        return answers.json(await self._calls.make(self._call(asked, scope, fields, body)))

    def _asked(self, scope: Scope, fields: Mapping[bytes, bytes]) -> Endpoint | Route | Answer:
        """The row that a request asks for; the answer, if it needs no more than its head."""
        method, path = scope["method"], scope["raw_path"]
        host, origin = fields.get(b"host"), fields.get(b"origin")
        self._hosts.require(host, scope["server"][0])
        if origin is not None:
            assert host is not None
            if method == "OPTIONS" and (headers := self._origins.preflight(origin)):
                return Answer(204, headers, b"")
            if method not in ("GET", "HEAD"):
                self._origins.require(origin, host)
        if self._credentials and path not in self._public:
            self._credentials.require(fields.get(b"authorization"))
        if path in _PLAIN:
            _require_method(method, ("GET", "HEAD"))
            return answers.text(_PLAIN[path])
        if self._artifacts and (route := self._artifacts.route(path)):
            _require_method(method, route.by_method)
            return route
        if (by_method := _ENDPOINTS.get(path)) is None:
            raise TrackspecError("There is no such path here.", ErrorCode.ENDPOINT_NOT_FOUND)
        _require_method(method, by_method)
        if method != "GET":
            requests.require_json(fields)
            if scope["query_string"]:
                raise invalid("A call with a body takes no query.")
        return by_method[method]

    def _call(
        self, endpoint: Endpoint, scope: Scope, fields: Mapping[bytes, bytes], body: bytes
    ) -> Callable[[], bytes]:
        """What reads the fields of a request, makes the call, and writes what it returned."""
        if scope["method"] == "GET":
            return partial(self._serve_query, endpoint, scope["query_string"])
        key = fields.get(_KEY) if endpoint.creates and self._knows_keys else None
        return partial(self._serve_body, endpoint, body, key)

    def _serve_query(self, endpoint: Endpoint, query: bytes) -> bytes:
        return self._serve(endpoint, endpoint.request.query_attributes(requests.query_texts(query)))

    def _serve_body(self, endpoint: Endpoint, body: bytes, key: bytes | None) -> bytes:
        arguments = endpoint.request.attributes(read_body(body))
        if key is not None:
            arguments["idempotency_key"] = key.decode("latin-1")
        return self._serve(endpoint, arguments)

    def _serve(self, endpoint: Endpoint, arguments: Mapping[str, Any]) -> bytes:
        """Make a call, and write what it returned."""
        returned = endpoint.call(self._store, arguments)
        if returned is None and endpoint.none_is_missing:
            raise TrackspecError("Nothing of that name exists.", ErrorCode.RESOURCE_DOES_NOT_EXIST)
        return write_body(endpoint.answer.write(returned))


def knows_keys(store: TrackingStore) -> bool:
    """Whether a store knows idempotency keys. One that does refuses this call for the experiment only."""
    nowhere = secrets.token_hex(16)
    try:
        store.create_run(nowhere, None, None, [], None, idempotency_key=nowhere)
    except TrackspecError as error:
        return error.error_code == ErrorCode.RESOURCE_DOES_NOT_EXIST
    except TypeError:  # it is of a time before them
        return False
    return True


def _answered(call: Callable[[], bytes], scope: Scope) -> Answer:
    try:
        return answers.json(call())
    except Exception as error:
        return told(error, scope)


def told(error: BaseException, scope: Scope) -> Answer:
    """The answer that tells why a request was refused or failed."""
    asked = f"{scope['method']} {scope['path'][:200]!r}"
    if isinstance(error, asyncio.CancelledError):  # not 503, which would say that nothing was done
        return answers.error(TrackspecError("The server stopped, and the call may or may not be made."))
    if not isinstance(error, TrackspecError):
        return answers.failure(error, asked)
    answer = answers.error(error)
    if answer.status == ErrorCode.INTERNAL_ERROR.http_status:
        LOG.error("%s: %s", asked, error.message, exc_info=error)
    return answer


def _require_method(method: str, known: Collection[str]) -> None:
    if method not in known:
        raise Refusal(
            f"This path takes {' and '.join(sorted(known))}.",
            ErrorCode.ENDPOINT_NOT_FOUND,
            status=405,
            headers=[(b"allow", ", ".join(sorted(known)).encode())],
        )
