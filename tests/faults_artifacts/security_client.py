"""Faults of security: what a client of an artifact server tells of its secret, and whom it trusts."""

from __future__ import annotations

import logging
import os
import ssl
from http.client import HTTPResponse, HTTPSConnection
from urllib.parse import urlsplit

from trackspec.errors import TrackspecError

from . import fault
from .lying_servers import ProxyClient


@fault("client.artifact-secrets-hidden")
class BodiesAreTold(ProxyClient):
    """An error tells what the server answers."""

    def _answer(self, target: str) -> tuple[int, bytes]:
        status, body = super()._answer(target)
        if status >= 500:
            raise TrackspecError(f"The server answers {body.decode()}")
        return status, body


@fault("client.artifact-secrets-hidden")
class RequestsAreLogged(ProxyClient):
    """The log has who asks."""

    def _response(self, uri: str, target: str) -> HTTPResponse:
        logging.getLogger("client").info("%s as %s", target, os.environ.get("MLFLOW_TRACKING_TOKEN"))
        return super()._response(uri, target)


@fault("client.artifact-certificate")
class AnyCertificateWillDo(ProxyClient):
    """Certificates are not verified."""

    def _response(self, uri: str, target: str) -> HTTPResponse:
        if not uri.startswith("https:"):
            return super()._response(uri, target)
        connection = HTTPSConnection(urlsplit(uri).netloc, context=ssl._create_unverified_context())
        connection.request("GET", target)
        return connection.getresponse()
