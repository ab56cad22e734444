"""Artifacts that the tracking server proxies."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

from trackspec.artifact_locations import artifact_location
from trackspec.errors import invalid
from trackspec.protocol.artifact_endpoints import ARTIFACTS
from trackspec_reference.artifacts.http import HttpArtifactRepository, decoded_root
from trackspec_reference.credentials.environment import TRACKING_URI


class MlflowArtifactsRepository(HttpArtifactRepository):
    """The files below a folder that a server proxies, named without its URL.

    The server is that of ``MLFLOW_TRACKING_URI``. A host in the URI is another server's, which is spoken to by the
    scheme that the variable has.

    :param artifact_uri: ``mlflow-artifacts:/PATH``, or ``mlflow-artifacts://HOST:PORT/PATH``.
    :raises TrackspecError: INVALID_PARAMETER_VALUE for any other URI, or where the variable names no server.
    """

    def _place_of(self, artifact_uri: str) -> tuple[str, str]:
        location = artifact_location(artifact_uri)
        if location.scheme != "mlflow-artifacts":
            raise invalid("The URI of artifacts behind the tracking server is 'mlflow-artifacts:/PATH'.")
        server = urlsplit(os.environ.get(TRACKING_URI, ""))
        if server.scheme not in ("http", "https"):
            raise invalid(f"Set {TRACKING_URI} to the http or https URL of the server that proxies the artifacts.")
        if location.authority.isdigit():
            raise invalid("The URI names a port without a host.")
        below = f"{location.path}/".removeprefix(f"{ARTIFACTS}/")
        return f"{server.scheme}://{location.authority or server.netloc}{server.path}", decoded_root(below)
