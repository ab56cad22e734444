"""Blobs of Azure by bare requests, with the credential that the SDK has been given."""

from __future__ import annotations

import base64
import hashlib
import time
from email.utils import formatdate
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

from azure.core.credentials import AccessToken
from azure.core.exceptions import AzureError
from azure.core.pipeline import PipelineContext, PipelineRequest
from azure.core.pipeline.transport import HttpRequest

from trackspec_reference.artifacts.bare_requests import BareRequests

RANGE = 4 * 1024 * 1024
"""Bytes that are asked for at once: the most that the service computes a digest for."""

_CREATED, _PART = 201, 206
_SCOPE = "https://storage.azure.com/.default"
_MARGIN = 300
"""Seconds before its end at which a token is renewed."""
_TRIES = 2


class Piece(NamedTuple):
    """A range of a blob.

    :ivar version: of the blob.
    :ivar size: of all of it, in bytes.
    """

    content: bytes
    version: str
    size: int


class BlobRequests:
    """Puts and gets blobs of a container, or says that it did not. Their digests are verified on both sides.

    :param account: the SDK's client of the account.
    :param container: the SDK's client of the container.
    """

    def __init__(self, account: Any, container: Any) -> None:
        self._credential = account.credential
        self._common = {"x-ms-version": account.api_version}
        self._url = container.url
        self._start = len(self._url) - len(urlsplit(self._url).path)
        self._token: AccessToken | None = None
        # What signs by an addition to the URL is left to the SDK.
        signs = hasattr(self._credential, "on_request") or hasattr(self._credential, "get_token")
        self._requests = BareRequests(self._url) if signs else None

    def put(self, key: str, content: bytes) -> bool:
        """Store a blob; whether the service has confirmed it."""
        headers = {
            "Content-MD5": _digest(content),
            "Content-Type": "application/octet-stream",
            "x-ms-blob-type": "BlockBlob",
        }
        answer = self._answer("PUT", key, headers, content)
        return answer is not None and answer.status == _CREATED

    def get(self, key: str, start: int = 0, version: str | None = None) -> Piece | None:
        """A range of a blob, verified; None if it was not got so.

        :param version: the version that it is to be of.
        """
        headers = {"x-ms-range": f"bytes={start}-{start + RANGE - 1}", "x-ms-range-get-content-md5": "true"}
        if version is not None:
            headers["If-Match"] = version
        for _ in range(_TRIES):
            answer = self._answer("GET", key, headers)
            if answer is None or answer.status != _PART:
                continue
            told, content = answer.headers, answer.body
            begin, _, size = told.get("Content-Range", "").partition("/")
            if begin != f"bytes {start}-{start + len(content) - 1}" or not size.isdigit():
                continue
            if len(content) == min(RANGE, int(size) - start) and told.get("Content-MD5") == _digest(content):
                return Piece(content, told.get("ETag", ""), int(size))
        return None

    def close(self) -> None:
        """Close the connections."""
        if self._requests is not None:
            self._requests.close()

    def _answer(self, method: str, key: str, headers: dict[str, str], body: bytes | None = None) -> Any:
        if self._requests is None:
            return None
        url = f"{self._url}/{quote(key, safe='/~')}"
        size = len(body or b"")
        fields = {**self._common, **headers, "x-ms-date": formatdate(usegmt=True)}
        try:
            signed = self._signed(method, url, fields, size)
        except AzureError:
            return None
        return self._requests.answer(method, url[self._start :], signed, body, size)

    def _signed(self, method: str, url: str, headers: dict[str, str], size: int) -> dict[str, str]:
        """The header fields, with those that say who asks."""
        if hasattr(self._credential, "on_request"):
            request = HttpRequest(method, url, {**headers, "Content-Length": str(size)})
            self._credential.on_request(PipelineRequest(request, PipelineContext(None)))
            return {**headers, "Authorization": request.headers["Authorization"]}
        token = self._token
        if token is None or token.expires_on < time.time() + _MARGIN:
            self._token = token = self._credential.get_token(_SCOPE)
        return {**headers, "Authorization": f"Bearer {token.token}"}


def _digest(content: bytes) -> str:
    return base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()
