"""Small objects of S3 by bare requests, which the SDK signs."""

from __future__ import annotations

import base64
import zlib
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError

from trackspec_reference.artifacts.bare_requests import BareRequests, DigestedFile
from trackspec_reference.tracking.rest.transport import GOOD

_CRC32 = "x-amz-checksum-crc32"
_PROBE = "x"


class SmallRequests:
    """Puts and gets objects of a bucket, or says that it did not.

    :param session: of the SDK, which has the credentials and renews them.
    :param client: of the SDK for S3.
    :param authorities: the file of the authorities whose certificates count, if one is named.
    """

    def __init__(self, session: Any, client: Any, bucket: str, authorities: str | None) -> None:
        self._credentials = session.get_credentials()
        self._region = client.meta.region_name
        self._base = ""
        signs = client.meta.config.signature_version == "s3v4" and not bucket.endswith("--x-s3")
        if self._credentials is not None and signs:
            probe = client.generate_presigned_url("get_object", {"Bucket": bucket, "Key": _PROBE})
            self._base = probe.partition("?")[0].removesuffix(_PROBE)
            self._start = len(self._base) - len(urlsplit(self._base).path)
            self._requests = BareRequests(self._base, authorities)

    def put(self, key: str, content: bytes) -> bool:
        """Store an object; whether the service has confirmed it. Its digest is verified there."""
        headers = {_CRC32: _digest(zlib.crc32(content)), "x-amz-sdk-checksum-algorithm": "CRC32"}
        answer = self._answer("PUT", key, headers, content)
        return answer is not None and answer.status == GOOD

    def get(self, key: str, local_file: Path, largest: int) -> bool:
        """Write an object to a local file; whether all of it is there, verified if the service tells its digest.

        :param largest: bytes that it may have.
        """
        crc = _CRC()
        file = DigestedFile(local_file, crc.update, largest)
        if self._answer("GET", key, {"x-amz-checksum-mode": "ENABLED"}, file=file) is None or not file.is_whole:
            return False
        told = {
            name.lower(): value
            for name, value in file.headers_of_answer.items()
            if name.lower().startswith("x-amz-checksum-")
        }
        told.pop("x-amz-checksum-type", None)
        return all(name == _CRC32 and value == _digest(crc.value) for name, value in told.items())

    def close(self) -> None:
        """Close the connections."""
        if self._base:
            self._requests.close()

    def _answer(
        self, method: str, key: str, headers: dict[str, str], body: bytes | None = None, file: Any = None
    ) -> Any:
        """What the service answers; None if nothing comes of it."""
        if not self._base:
            return None
        url = f"{self._base}{quote(key, safe='/~')}"
        request = AWSRequest(method, url, headers, body)
        try:
            S3SigV4Auth(self._credentials.get_frozen_credentials(), "s3", self._region).add_auth(request)
        except BotoCoreError:
            return None
        return self._requests.answer(
            method, url[self._start :], dict(request.headers.items()), body, len(body or b""), file
        )


class _CRC:
    """The CRC32 of what comes in pieces."""

    def __init__(self) -> None:
        self.value = 0

    def update(self, piece: bytes) -> None:
        self.value = zlib.crc32(piece, self.value)


def _digest(crc: int) -> str:
    return base64.b64encode(crc.to_bytes(4, "big")).decode()
