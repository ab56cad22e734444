"""Small objects of S3 by bare signed requests, which take a fraction of the time of the SDK's calls.

The SDK finds the endpoint, the credentials and the connections, and signs. What is no plain success is left to its
own calls, which know every error, redirect and repetition.
"""

from __future__ import annotations

import base64
import zlib
from typing import Any
from urllib.parse import quote

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError

_CRC32 = "x-amz-checksum-crc32"
_GOOD = 200
_PROBE = "x"


class SmallRequests:
    """Puts and gets objects of a bucket, or says that it did not.

    :param session: of the SDK, which has the credentials and renews them.
    :param client: of the SDK for S3.
    """

    def __init__(self, session: Any, client: Any, bucket: str) -> None:
        self._credentials = session.get_credentials()
        self._region = client.meta.region_name
        self._session = client._endpoint.http_session  # with its certificates, proxies and times
        self._signs = client.meta.config.signature_version == "s3v4" and not bucket.endswith("--x-s3")
        self._base = ""
        if self._credentials is not None and self._signs:
            probe = client.generate_presigned_url("get_object", {"Bucket": bucket, "Key": _PROBE})
            self._base = probe.partition("?")[0].removesuffix(_PROBE)

    def put(self, key: str, content: bytes) -> bool:
        """Store an object; whether the service has confirmed it. Its digest is verified there."""
        headers = {_CRC32: _digest(content), "x-amz-sdk-checksum-algorithm": "CRC32"}
        answer = self._answer("PUT", key, headers, content)
        return answer is not None and answer.status_code == _GOOD

    def get(self, key: str, largest: int) -> bytes | None:
        """The content of an object, verified if the service tells its digest; None if it was not got so.

        :param largest: bytes that it may have.
        """
        answer = self._answer("GET", key, {"x-amz-checksum-mode": "ENABLED"}, None)
        if answer is None:
            return None
        size = int(answer.headers.get("content-length", -1))
        if answer.status_code != _GOOD or not 0 <= size <= largest:
            answer.raw.close()
            return None
        try:
            content: bytes = answer.content
        except (BotoCoreError, OSError):
            return None
        told = [value for name, value in answer.headers.items() if name.lower().startswith("x-amz-checksum-")]
        is_whole = len(content) == size and all(value in (_digest(content), "FULL_OBJECT") for value in told)
        return content if is_whole else None

    def _answer(self, method: str, key: str, headers: dict[str, str], body: bytes | None) -> Any:
        """What the service answers; None if nothing comes of it."""
        if not self._base:
            return None
        url = f"{self._base}{quote(key, safe='/~')}"
        request = AWSRequest(method, url, headers, body, stream_output=method == "GET")
        try:
            S3SigV4Auth(self._credentials.get_frozen_credentials(), "s3", self._region).add_auth(request)
            return self._session.send(request.prepare())
        except (BotoCoreError, OSError):
            return None


def _digest(content: bytes) -> str:
    return base64.b64encode(zlib.crc32(content).to_bytes(4, "big")).decode()
