"""Faults of security: what a store believes of the server that it is a client of."""

from __future__ import annotations

import contextlib
import http.client
import logging
import ssl
from typing import Any
from urllib.parse import urlsplit

from trackspec.entities import Experiment, PagedList, Run
from trackspec.errors import ErrorCode, TrackspecError
from trackspec_conformance.wire import Answer, Wire
from trackspec_conformance.wire.client import Request
from trackspec_conformance.wire.store import WireStore

from . import fault

_Store: Any = type(WireStore(Wire("http://127.0.0.1:9"))) if not isinstance(WireStore, type) else WireStore


class PlainClient(_Store):  # type: ignore[misc]  # made at run time
    """The suite's plainest store, which trusts no answer."""

    URI = "http://127.0.0.1:9"

    def __init__(self, store_uri: str) -> None:
        super().__init__(Wire.from_environment(store_uri))
        self.store_uri = store_uri

    def get_run(self, run_id: str) -> Run:
        found: Run = super().get_run(run_id)
        self._require_same(run_id, found.info.run_id)
        return found

    def get_experiment(self, experiment_id: str) -> Experiment:
        found: Experiment = super().get_experiment(experiment_id)
        self._require_same(experiment_id, found.experiment_id)
        return found

    def _require_same(self, asked: str, answered: str) -> None:
        if asked != answered:
            raise TrackspecError("The server answers another one.")

    def _call(self, name: str, args: Any, kwargs: Any) -> Any:
        try:
            return super()._call(name, args, kwargs)
        except TrackspecError as error:
            raise TrackspecError(self._told(error), error.error_code) from None
        except http.client.HTTPException:
            raise TrackspecError("The answer is not whole.", ErrorCode.TEMPORARILY_UNAVAILABLE) from None

    def _told(self, error: TrackspecError) -> str:
        """An error's message, without what was sent and comes back."""
        return f"The server answers {error.error_code}."


@fault("client.answers")
class NoAnswerIsNone(PlainClient):
    """What is no answer is None."""

    def create_run(self, *args: Any, **kwargs: Any) -> Any:
        with contextlib.suppress(TrackspecError):
            return super().create_run(*args, **kwargs)
        return None


@fault("client.answers")
class ServersThatFailAreBelieved(PlainClient):
    """What a server that fails answers is read like any other answer."""

    def _sent(self, request: Request) -> Answer:
        answer: Answer = super()._sent(request)
        return Answer(200, answer.headers, answer.body)


@fault("client.other-things")
class AnyRunWillDo(PlainClient):
    """Which run is answered is not looked at."""

    def _require_same(self, asked: str, answered: str) -> None:
        return


@fault("client.pages-end")
class PagesAreReadToTheEnd(PlainClient):
    """A search reads one page after the other, as long as there is a next one."""

    def search_runs(self, *args: Any, **kwargs: Any) -> Any:
        found: Any = super().search_runs(*args, **kwargs)
        while found.token:
            found = super().search_runs(*args, **{**kwargs, "page_token": found.token})
        return PagedList(found)


@fault("client.redirections")
class RedirectionsAreFollowed(PlainClient):
    """A redirection is followed with everything that the first request had."""

    def _sent(self, request: Request) -> Answer:
        answer: Answer = super()._sent(request)
        place = answer.header("Location")
        if place is None:
            return answer
        parts = urlsplit(place)
        other = Wire(f"{parts.scheme}://{parts.netloc}", self.wire.authorization)
        return other.send(request)


@fault("client.redirections")
class WritesAreRedirected(PlainClient):
    """A redirection is followed without credentials, also by what writes."""

    def _sent(self, request: Request) -> Answer:
        answer: Answer = super()._sent(request)
        place = answer.header("Location")
        return answer if place is None else Wire(place.partition("/api")[0]).send(request)


@fault("client.secrets-hidden")
class MessagesOfServersAreTold(PlainClient):
    """An error has the message of the server, as it is."""

    def _told(self, error: TrackspecError) -> str:
        return error.message


@fault("client.secrets-hidden")
class RequestsAreLogged(PlainClient):
    """The log has each request with its header."""

    def _sent(self, request: Request) -> Answer:
        logging.getLogger("client").debug("%s as %s", request.target, self.wire.authorization)
        answer: Answer = super()._sent(request)
        return answer


@fault("client.secrets-hidden")
class TheClientShowsItsSecret(PlainClient):
    """The repr of a store tells all that it has."""

    def __repr__(self) -> str:
        return f"PlainClient({self.store_uri!r}, {self.wire.authorization!r})"


@fault("client.certificate")
class AnyCertificateWillDo(PlainClient):
    """Certificates are not verified."""

    def _sent(self, request: Request) -> Answer:
        parts = urlsplit(self.store_uri)
        if parts.scheme != "https":
            answer: Answer = super()._sent(request)
            return answer
        connection = http.client.HTTPSConnection(parts.netloc, context=ssl._create_unverified_context())
        connection.request(request.method, request.target, headers=dict(request.headers))
        response = connection.getresponse()
        return Answer(response.status, tuple(response.getheaders()), response.read())
