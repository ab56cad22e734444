"""Blobs of Azure by bare requests, with the credential that the SDK has been given."""

from __future__ import annotations

import base64
import hashlib
import time
from concurrent.futures import ThreadPoolExecutor
from email.utils import formatdate
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from azure.core.credentials import AccessToken
from azure.core.exceptions import AzureError
from azure.core.pipeline import PipelineContext, PipelineRequest
from azure.core.pipeline.transport import HttpRequest

from trackspec_reference.artifacts.bare_requests import BareRequests, DigestedFile
from trackspec_reference.artifacts.object_store import MEBIBYTE, STREAMS
from trackspec_reference.tracking.rest.transport import Answer

RANGE = 4 * MEBIBYTE
"""Bytes that are asked for at once: the most that the service computes a digest for."""

_CREATED, _PART = 201, 206
_SCOPE = "https://storage.azure.com/.default"
_MARGIN = 300
"""Seconds before its end at which a token is renewed."""
_TRIES = 2


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

    def get(self, key: str, local_file: Path) -> bool:
        """Write a blob to a local file; whether all of it is there, and of one version."""
        md5 = hashlib.md5(usedforsecurity=False)
        file = DigestedFile(local_file, md5.update, RANGE)
        self._answer("GET", key, {}, file=file)
        told = file.headers_of_answer
        if file.is_whole and told.get("Content-MD5") == _text(md5.digest()):
            return True
        size, version = int(told.get("Content-Length", 0)), told.get("ETag", "")
        return bool(size and version) and self._get_ranges(key, local_file, size, version)

    def _get_ranges(self, key: str, local_file: Path, size: int, version: str) -> bool:
        """Write a blob to a local file in ranges, several at once, since the service has a digest of each."""
        local_file.open("wb").close()

        def get_range(start: int) -> bool:
            content = self._range(key, start, min(RANGE, size - start), version)
            if content is None:
                return False
            with local_file.open("r+b") as written:
                written.seek(start)
                written.write(content)
            return True

        with ThreadPoolExecutor(STREAMS) as pool:
            return all(pool.map(get_range, range(0, size, RANGE)))

    def _range(self, key: str, start: int, size: int, version: str) -> bytes | None:
        """A range of a version of a blob, verified."""
        headers = {
            "x-ms-range": f"bytes={start}-{start + size - 1}",
            "x-ms-range-get-content-md5": "true",
            "If-Match": version,
        }
        for _ in range(_TRIES):
            answer = self._answer("GET", key, headers)
            if answer is None or answer.status != _PART:
                continue
            content: bytes = answer.body
            if len(content) == size and answer.headers.get("Content-MD5") == _digest(content):
                return content
        return None

    def close(self) -> None:
        """Close the connections."""
        if self._requests is not None:
            self._requests.close()

    def _answer(
        self,
        method: str,
        key: str,
        headers: dict[str, str],
        body: bytes | None = None,
        file: DigestedFile | None = None,
    ) -> Answer | None:
        if self._requests is None:
            return None
        url = f"{self._url}/{quote(key, safe='/~')}"
        size = len(body or b"")
        fields = {**self._common, **headers, "x-ms-date": formatdate(usegmt=True)}
        try:
            signed = self._signed(method, url, fields, size)
        except AzureError:
            return None
        return self._requests.answer(method, url[self._start :], signed, body, size, file)

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
    return _text(hashlib.md5(content, usedforsecurity=False).digest())


def _text(digest: bytes) -> str:
    return base64.b64encode(digest).decode()
