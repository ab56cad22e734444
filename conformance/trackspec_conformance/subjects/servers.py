"""Tracking servers as subjects: a store that reaches one, and its URL for requests of the suite's own."""

from __future__ import annotations

import http.client
import re
import ssl
from collections.abc import Callable
from dataclasses import replace

from trackspec import TrackingStore
from trackspec.protocol.endpoint import EXTENSION_BASE, KEYS_SUPPORTED_HEADER
from trackspec_conformance.subjects.errors import SubjectError
from trackspec_conformance.subjects.subject import Identity, Subject, default_profiles
from trackspec_conformance.wire.client import Answer, Wire

PROFILE = "rest"
"""The profile of the protocol, which servers claim."""

_PLAIN = "wire+"


def is_server(uri: str) -> bool:
    """Whether a URI names a tracking server."""
    return re.match(rf"({re.escape(_PLAIN)})?https?://", uri, re.IGNORECASE) is not None


def is_plain(uri: str) -> bool:
    """Whether the server that a URI names is to be judged through the suite's own store."""
    return uri.lower().startswith(_PLAIN)


def url_of(uri: str) -> str:
    """The URL of the server that a URI names."""
    return uri[len(_PLAIN) :] if is_plain(uri) else uri


def server_subject(url: str, open_at: Callable[[str], TrackingStore]) -> Subject:
    """A server, reached through a store that is opened at a URL.

    It claims the profile of the protocol, that of the configuration if it has the endpoints for it, and that of
    lost answers if it announces idempotency keys.

    :raises SubjectError: if nothing answers there, or it asks for other credentials.
    """
    wire = Wire.from_environment(url)
    version, root = _asked(wire, "/version"), _asked(wire, f"{EXTENSION_BASE}/artifact-root")
    wire.close()
    store = open_at(url)
    identity = Identity.of(store)
    store.close()
    told = version.text.strip() if version.status == 200 else ""
    server = f"a server of version {told}" if re.fullmatch(r"\d[\w.+-]{0,30}", told) else "a server"
    package = f"{identity.distribution}, " if identity.distribution else ""
    having = {"lost-answers"} if version.header(KEYS_SUPPORTED_HEADER) == "true" else set()
    lacking = set() if root.status == 200 else {"configuration"}
    return Subject(
        lambda: open_at(url),
        profiles=(default_profiles("tracking") | {PROFILE} | having) - lacking,
        identity=replace(identity, distribution=f"{package}talking to {server}"),
        url=wire.url,
        through=open_at,
    )


def _asked(wire: Wire, path: str) -> Answer:
    try:
        answer = wire.get(path)
    except ssl.SSLCertVerificationError as error:
        raise SubjectError(
            f"the certificate of {wire.url} is not trusted ({error.verify_message}): name its authority in "
            "MLFLOW_TRACKING_SERVER_CERT_PATH"
        ) from error
    except (OSError, http.client.HTTPException) as error:
        raise SubjectError(f"nothing answers at {wire.url}: {error}") from error
    if answer.status in (401, 403):
        raise SubjectError(
            f"{wire.url} answers {answer.status}: set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, "
            "or MLFLOW_TRACKING_TOKEN"
        )
    return answer
