"""Artifacts in S3, and in what speaks its protocol."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from operator import itemgetter
from pathlib import Path
from typing import Any

import boto3
from botocore import exceptions as botocore
from botocore import session as botocore_session
from botocore.config import Config
from s3transfer.exceptions import RetriesExceededError, S3DownloadFailedError
from s3transfer.manager import TransferConfig, TransferManager

from trackspec.artifact_locations import artifact_location
from trackspec.artifact_paths import file_path, valid_path
from trackspec.errors import ErrorCode, TrackspecError, invalid
from trackspec.parts import PartCredential, PartsUpload, UploadedPart
from trackspec_reference.artifacts.object_store import (
    MEBIBYTE,
    PART,
    READINGS,
    REMOVED_AT_ONCE,
    SMALL,
    STREAMS,
    Listed,
    ObjectStoreRepository,
)
from trackspec_reference.artifacts.s3_requests import SmallRequests
from trackspec_reference.artifacts.service import Service

ENDPOINT = "MLFLOW_S3_ENDPOINT_URL"
ADDRESSING = "MLFLOW_BOTO_CLIENT_ADDRESSING_STYLE"

_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,254}")
_CREDENTIALS = "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE."
_ELSEWHERE = f"{ENDPOINT} or AWS_ENDPOINT_URL names another endpoint than Amazon's; AWS_CA_BUNDLE its authorities."
_REGION = "Set AWS_DEFAULT_REGION to the region of the bucket."

_WRONG_CREDENTIALS = {
    "ExpiredToken",
    "InvalidAccessKeyId",
    "InvalidToken",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
    "TokenRefreshRequired",
}
_WRONG_REGION = {"301", "307", "AuthorizationHeaderMalformed", "PermanentRedirect", "IllegalLocationConstraint"}
_DAMAGED = {"BadDigest", "InvalidDigest", "XAmzContentSHA256Mismatch", "XAmzContentChecksumMismatch"}
_NO_CREDENTIALS = (
    botocore.NoCredentialsError,
    botocore.PartialCredentialsError,
    botocore.CredentialRetrievalError,
    botocore.ProfileNotFound,
    botocore.TokenRetrievalError,
    botocore.SSOError,
)
_CUT = (botocore.ConnectionError, botocore.HTTPClientError, botocore.IncompleteReadError, RetriesExceededError)

_MOST_PARTS = 10_000
_INVALID = 400

_PARTS = TransferConfig(
    multipart_threshold=SMALL,
    multipart_chunksize=PART,
    max_request_concurrency=STREAMS,
    io_chunksize=MEBIBYTE,
    max_io_queue_size=24,  # such pieces that wait for the disk, so that memory stays flat
)


class S3ArtifactRepository(ObjectStoreRepository):
    """The objects below a prefix of an S3 bucket.

    The AWS SDK finds credentials, region, endpoint and certificate authorities in the environment, in profiles, or
    in the role of the machine, and renews them. ``MLFLOW_S3_ENDPOINT_URL`` names the endpoint where the SDK's own
    variables are to say something else; ``MLFLOW_BOTO_CLIENT_ADDRESSING_STYLE`` is ``path``, ``virtual`` or
    ``auto``, which is by path at any endpoint but Amazon's. The SDK's checksums are verified on both sides.

    :param artifact_uri: ``s3://BUCKET/PATH``. The path is that of the keys: nothing in it is decoded.
    :raises TrackspecError: INVALID_PARAMETER_VALUE for any other URI, or where the configuration cannot be used.
    """

    def __init__(self, artifact_uri: str) -> None:
        location = artifact_location(artifact_uri)
        if location.scheme != "s3" or not _BUCKET.fullmatch(location.authority):
            raise invalid("An S3 repository's URI is 's3://BUCKET/PATH'.")
        super().__init__(artifact_uri, location.path)
        self._bucket = location.authority
        self._service = Service("S3", f"bucket {self._bucket!r}", _CREDENTIALS, _ELSEWHERE)
        try:
            core = botocore_session.get_session()
            self._session = boto3.session.Session(botocore_session=core)
            self._client = self._made_client()
            self._small = SmallRequests(
                self._session, self._client, self._bucket, core.get_config_variable("ca_bundle")
            )
        except (botocore.BotoCoreError, ValueError):  # whose texts may show what is set
            raise self._service.misconfigured() from None

    def close(self) -> None:
        self._small.close()
        self._client.close()

    def _upload(self, local_file: Path, key: str) -> None:
        with self._told():
            if local_file.stat().st_size < SMALL:
                content = local_file.read_bytes()
                if not self._small.put(key, content):
                    self._client.put_object(Bucket=self._bucket, Key=key, Body=content)
            else:
                with self._transfers() as transfers:
                    transfers.upload(str(local_file), self._bucket, key).result()

    def _download(self, key: str, local_file: Path) -> bool:
        with self._told():
            if self._small.get(key, local_file, SMALL):
                return True
            try:
                return self._download_small(key, local_file) or self._download_large(key, local_file)
            except botocore.ClientError as error:
                if error.response["Error"]["Code"] == "NoSuchKey" or _is_missing_object(error):
                    return False
                raise

    def _download_small(self, key: str, local_file: Path) -> bool:
        """Download an object by one request; whether it was small enough, and the connection held."""
        answer = self._client.get_object(Bucket=self._bucket, Key=key)
        with closing(answer["Body"]) as body:
            if answer["ContentLength"] >= SMALL:
                return False
            try:
                content = body.read()
            except (*_CUT, OSError):
                return False
        local_file.write_bytes(content)
        return True

    def _download_large(self, key: str, local_file: Path) -> bool:
        """Download an object by parts, each of which is tried again where its connection is lost."""
        for _ in range(READINGS):
            try:
                with self._transfers() as transfers, local_file.open("wb") as written:
                    transfers.download(self._bucket, key, written).result()
            except S3DownloadFailedError:  # it was replaced between two parts
                continue
            return True
        raise self._service.replaced_too_often()

    def _size(self, key: str) -> int | None:
        with self._told():
            try:
                return int(self._client.head_object(Bucket=self._bucket, Key=key)["ContentLength"])
            except botocore.ClientError as error:
                if _status(error) == 404:  # the bucket may be missing too, which a listing tells
                    return None
                raise

    def _listing(self, prefix: str, *, deep: bool, page: int) -> Iterator[Listed]:
        asked: dict[str, Any] = {"Bucket": self._bucket, "Prefix": prefix, "MaxKeys": page}
        if not deep:
            asked["Delimiter"] = "/"
        with self._told():
            for answer in self._client.get_paginator("list_objects_v2").paginate(**asked):
                for found in answer.get("Contents", ()):
                    yield Listed(found["Key"], found["Size"])
                for folder in answer.get("CommonPrefixes", ()):
                    yield Listed(folder["Prefix"], None)

    def _remove(self, keys: Sequence[str]) -> None:
        with self._told():
            if len(keys) == 1:
                self._client.delete_object(Bucket=self._bucket, Key=keys[0])
                return
            objects = [{"Key": key} for key in keys]
            answer = self._client.delete_objects(Bucket=self._bucket, Delete={"Objects": objects, "Quiet": True})
        for failed in answer.get("Errors", ()):
            raise self._answered(failed.get("Code", ""), 500)

    def _remove_emptied(self, folders: Sequence[str]) -> None:
        # SeaweedFS lists a folder until it is deleted by name. Elsewhere there is no such object, and no error.
        for start in range(0, len(folders), REMOVED_AT_ONCE):
            self._remove(folders[start : start + REMOVED_AT_ONCE])

    def begin_parts(self, artifact_path: str, count: int) -> PartsUpload:
        if not 1 <= count <= _MOST_PARTS:
            raise invalid(f"A file has from 1 to {_MOST_PARTS} parts.")
        asked = {"Bucket": self._bucket, "Key": self._key(_path_of_file(artifact_path))}
        with self._told():
            asked["UploadId"] = self._client.create_multipart_upload(**asked)["UploadId"]
            with closing(
                self._made_client(signature_version="s3v4")
            ) as signing:  # URLs are of an older one otherwise
                urls = [
                    signing.generate_presigned_url("upload_part", {**asked, "PartNumber": number})
                    for number in range(1, count + 1)
                ]
        credentials = [PartCredential(url, number, {}) for number, url in enumerate(urls, 1)]
        return PartsUpload(asked["UploadId"], credentials)

    def complete_parts(self, artifact_path: str, upload_id: str, parts: Sequence[UploadedPart]) -> None:
        made_of = [{"PartNumber": part.part_number, "ETag": part.etag or ""} for part in parts]
        with self._upload_told():
            self._client.complete_multipart_upload(
                Bucket=self._bucket,
                Key=self._key(_path_of_file(artifact_path)),
                UploadId=upload_id,
                MultipartUpload={"Parts": sorted(made_of, key=itemgetter("PartNumber"))},
            )

    def abort_parts(self, artifact_path: str, upload_id: str) -> None:
        with self._upload_told():
            self._client.abort_multipart_upload(
                Bucket=self._bucket, Key=self._key(_path_of_file(artifact_path)), UploadId=upload_id
            )

    @contextmanager
    def _upload_told(self) -> Iterator[None]:
        """Tell also that an upload in parts is not known, or not of these parts, which its caller's mistake is."""
        with self._told():
            try:
                yield
            except botocore.ClientError as error:
                if error.response["Error"].get("Code") == "NoSuchUpload":
                    raise TrackspecError("No such upload exists.", ErrorCode.RESOURCE_DOES_NOT_EXIST) from None
                if _status(error) == _INVALID:
                    raise invalid("The upload is not one of these parts.") from None
                raise

    def _made_client(self, **settings: Any) -> Any:
        style = os.environ.get(ADDRESSING)
        if style not in (None, "", "auto", "path", "virtual"):
            raise invalid(f"{ADDRESSING} is 'auto', 'path' or 'virtual'.")
        config = Config(
            connect_timeout=10,
            read_timeout=60,
            max_pool_connections=self.parallel_transfers * STREAMS,
            **({"s3": {"addressing_style": style}} if style else {}),
            **settings,
        )
        return self._session.client("s3", endpoint_url=os.environ.get(ENDPOINT) or None, config=config)

    def _transfers(self) -> TransferManager:
        """What cuts a file into parts; made for one transfer, so that nothing of it goes on after its end."""
        return TransferManager(self._client, _PARTS)

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Tell a failure in the contract's terms, without the SDK's texts."""
        try:
            yield
        except botocore.ClientError as error:
            told = self._answered(error.response["Error"].get("Code", ""), _status(error))
        except _NO_CREDENTIALS:
            told = self._service.no_credentials()
        except botocore.NoRegionError:
            told = invalid(f"There is no region for {self._service.name}. {_REGION}")
        except botocore.SSLError:
            told = self._service.untrusted()
        except botocore.FlexibleChecksumError:
            told = self._service.damaged()
        except _CUT:
            told = self._service.unreachable()
        except botocore.BotoCoreError:
            told = self._service.misconfigured()
        except OSError:
            told = self._service.no_local_file()
        else:
            return
        raise told from None

    def _answered(self, code: str, status: int) -> TrackspecError:
        if code == "NoSuchBucket":
            return self._service.no_place()
        if code in _WRONG_CREDENTIALS:
            return self._service.wrong_credentials()
        if code in _WRONG_REGION:
            return invalid(f"The {self._service.place} is in another region. {_REGION}")
        if code in _DAMAGED:
            return self._service.damaged()
        if code in ("SlowDown", "RequestTimeout", "InternalError"):
            return self._service.answered(503)
        if code == "AccessDenied":
            return self._service.not_permitted()
        if code == "KeyTooLongError":
            return TrackspecError(
                "The path and the root are longer than keys are.", ErrorCode.INVALID_PARAMETER_VALUE
            )
        return self._service.answered(status)


def _path_of_file(artifact_path: str) -> str:
    folder, _, name = valid_path(artifact_path).rpartition("/")
    return file_path(name, folder)


def _status(error: botocore.ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500))


def _is_missing_object(error: botocore.ClientError) -> bool:
    """Whether a request that had no body for its answer says that there is no such object."""
    return error.operation_name == "HeadObject" and _status(error) == 404
