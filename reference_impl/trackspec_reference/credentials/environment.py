"""Credentials of a tracking server: from the variables that MLflow's clients read, or from a netrc file."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from requests.utils import get_netrc_auth

from trackspec.errors import invalid
from trackspec_reference.credentials.host_creds import HostCreds

TRACKING_URI = "MLFLOW_TRACKING_URI"
USERNAME = "MLFLOW_TRACKING_USERNAME"
PASSWORD = "MLFLOW_TRACKING_PASSWORD"
TOKEN = "MLFLOW_TRACKING_TOKEN"
INSECURE_TLS = "MLFLOW_TRACKING_INSECURE_TLS"
SERVER_CERT_PATH = "MLFLOW_TRACKING_SERVER_CERT_PATH"
CLIENT_CERT_PATH = "MLFLOW_TRACKING_CLIENT_CERT_PATH"

ELSEWHERE = ("MLFLOW_TRACKING_AUTH", "MLFLOW_TRACKING_AWS_SIGV4")
"""Variables by which MLflow's clients say who asks in other ways; they are refused, since they are not applied."""

_ADVICE = f"Set {USERNAME} and {PASSWORD}, or {TOKEN}, or name the host in a netrc file."
_ADVICE_OF_OTHERS = (
    f"It is not the server of {TRACKING_URI}, whose credentials it is not told; name it in a netrc file."
)
_TOKEN = re.compile(r"[!-~]+")


def environment_host_creds(url: str) -> HostCreds:
    """How to talk to the server at a URL, as the environment has it now.

    Who asks is said by the first of these that there is: ``MLFLOW_TRACKING_USERNAME`` with
    ``MLFLOW_TRACKING_PASSWORD``, or ``MLFLOW_TRACKING_TOKEN``; the entry of the host in the netrc file, which is
    that of ``NETRC`` or the one in the home directory. A variable that is empty is not set.

    :raises TrackspecError: INVALID_PARAMETER_VALUE if the variables contradict each other or are malformed.
    """
    for name in ELSEWHERE:
        if os.environ.get(name, "").lower() not in ("", "false", "0"):
            raise invalid(f"{name} is set, which is not supported here. {_ADVICE}")
    verify = _verify()
    headers = _headers(url)
    return HostCreds(url, lambda: headers, verify, _file(CLIENT_CERT_PATH), _ADVICE)


def named_host_creds(url: str) -> HostCreds:
    """How to talk to a server that somebody else may have named, as a run's artifact URI does.

    The variables say who asks the tracking server. Where ``MLFLOW_TRACKING_URI`` names one, they are for its
    scheme, host and port alone, and another server is told what the netrc file has for it.

    :raises TrackspecError: INVALID_PARAMETER_VALUE if the variables contradict each other or are malformed.
    """
    tracking_uri = os.environ.get(TRACKING_URI, "")
    if not tracking_uri.lower().startswith(("http:", "https:")) or _origin(tracking_uri) == _origin(url):
        return environment_host_creds(url)
    headers = _basic(*entry) if (entry := get_netrc_auth(url)) else {}
    return HostCreds(url, lambda: headers, _verify(), _file(CLIENT_CERT_PATH), _ADVICE_OF_OTHERS)


def _origin(url: str) -> tuple[str, str | None, int | None]:
    try:
        parts = urlsplit(url)
        return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        raise invalid(f"The URL of a server, such as {TRACKING_URI}, is malformed.") from None


def _headers(url: str) -> Mapping[str, str]:
    username, password, token = (os.environ.get(name, "") for name in (USERNAME, PASSWORD, TOKEN))
    if bool(username) != bool(password):
        raise invalid(f"{USERNAME} and {PASSWORD} are set together, or neither of them.")
    if username and token:
        raise invalid(f"{TOKEN} is set, and so is {USERNAME}; set the one that is meant.")
    if token:
        if not _TOKEN.fullmatch(token):
            raise invalid(f"{TOKEN} holds white space or other characters that no token has.")
        return {"Authorization": f"Bearer {token}"}
    if not username and (entry := get_netrc_auth(url)):
        username, password = entry
    if not username:
        return {}
    return _basic(username, password)


def _basic(username: str, password: str) -> Mapping[str, str]:
    if ":" in username:
        raise invalid("A user name with a colon cannot be sent.")
    both = f"{username}:{password}".encode()
    return {"Authorization": f"Basic {base64.b64encode(both).decode()}"}


def _verify() -> bool | str:
    authorities = _file(SERVER_CERT_PATH)
    insecure = os.environ.get(INSECURE_TLS, "").lower()
    if insecure not in ("", "true", "1", "false", "0"):
        raise invalid(f"{INSECURE_TLS} is 'true' or 'false'.")
    if insecure not in ("true", "1"):
        return authorities or True
    if authorities:
        raise invalid(f"{INSECURE_TLS} leaves certificates unverified, so that {SERVER_CERT_PATH} has no meaning.")
    return False


def _file(variable: str) -> str | None:
    path = os.environ.get(variable)
    if path and not Path(path).exists():
        raise invalid(f"{variable} names a file that is not there.")
    return path or None
