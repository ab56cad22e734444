"""The URI of a REST store: where the server is, and how patient its client is."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from trackspec.errors import invalid
from trackspec_reference.tracking.rest.patience import Patience

_FORBIDDEN = re.compile(r"[^!-~]")
_HOST = re.compile(r"[A-Za-z0-9._-]+|[0-9A-Fa-f:.]+")


def server_url(store_uri: str) -> str:
    """The URL of the server, without options.

    :raises TrackspecError: INVALID_PARAMETER_VALUE if the URI is malformed, or holds credentials or a fragment.
    """
    if _FORBIDDEN.search(store_uri):
        raise invalid("The store URI holds characters that a URI has only in percent-encoding.")
    try:
        parts = urlsplit(store_uri)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise invalid("The store URI is malformed.") from None
    if "@" in parts.netloc:
        raise invalid(
            "A store URI holds no credentials, since it is shown and stored: set MLFLOW_TRACKING_USERNAME and "
            "MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN, instead."
        )
    if parts.scheme not in ("http", "https") or not _HOST.fullmatch(host) or port == 0 or "#" in store_uri:
        raise invalid(
            "The URI of a REST store is http://HOST, http://HOST:PORT or https://HOST, and maybe a path."
        )
    authority = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{authority}{'' if port is None else f':{port}'}{parts.path.rstrip('/')}"


def patience_of(store_uri: str) -> Patience:
    """How patient the options of the URI ask the client to be.

    :raises TrackspecError: INVALID_PARAMETER_VALUE if it has an option that is unknown or out of range.
    """
    if not isinstance(store_uri, str):
        raise invalid(f"A store URI must be a string, not {type(store_uri).__name__}.")
    return Patience.asked_for(store_uri.partition("?")[2])
