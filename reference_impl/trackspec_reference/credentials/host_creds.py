"""What a client needs to know of a server beside its calls: where it is, who asks, whose certificates count."""

from __future__ import annotations

import base64
import binascii
import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


def _nobody() -> Mapping[str, str]:
    return {}


@dataclass(frozen=True)
class HostCreds:
    """A server, and how a client talks to it. Neither it nor its text shows a secret.

    :ivar host: the URL that paths begin below, without credentials.
    :ivar headers: gives the header fields that say who asks. It is called for each request, so that what expires
        can be renewed; it raises TrackspecError where that fails.
    :ivar verify: whether the server's TLS certificate is verified, or by which file of authorities.
    :ivar client_cert: the file of the TLS certificate and the key that the client shows, if any.
    :ivar advice: what to do where the server does not accept who asks, as a sentence.
    """

    host: str
    headers: Callable[[], Mapping[str, str]] = field(default=_nobody, repr=False)
    verify: bool | str = True
    client_cert: str | None = None
    advice: str = ""


def masked(text: str, headers: Mapping[str, str]) -> str:
    """A text that came from a server without the credentials that were sent to it, which it may repeat.

    :param headers: the header fields that said who asks.
    """
    for value in headers.values():
        for secret in sorted(_secrets(value), key=len, reverse=True):
            text = text.replace(secret, "***")
    return text


def _secrets(value: str) -> set[str]:
    scheme, _, credential = value.partition(" ")
    found = {value, credential}
    if scheme.lower() == "basic":
        with contextlib.suppress(binascii.Error, ValueError):
            found.add(base64.b64decode(credential).decode().partition(":")[2])
    return found - {""}
