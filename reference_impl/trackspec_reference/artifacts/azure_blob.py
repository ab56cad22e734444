"""Artifacts in Azure Blob Storage."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests
from azure.core import exceptions as azure
from azure.identity import CredentialUnavailableError, DefaultAzureCredential
from azure.storage.blob import BlobPrefix, BlobServiceClient

from trackspec.artifact_locations import artifact_location
from trackspec.entities import FileInfo
from trackspec.errors import TrackspecError, invalid
from trackspec_reference.artifacts.azure_requests import RANGE, BlobRequests
from trackspec_reference.artifacts.object_store import (
    PART,
    READINGS,
    SMALL,
    STREAMS,
    Listed,
    ObjectStoreRepository,
)
from trackspec_reference.artifacts.service import Service

CONNECTION = "AZURE_STORAGE_CONNECTION_STRING"
ACCESS_KEY = "AZURE_STORAGE_ACCESS_KEY"

_AUTHORITY = re.compile(
    r"(?P<container>[a-z0-9$][a-z0-9-]{1,62})@(?P<host>(?P<account>[a-z0-9]{3,24})\."
    r"(?:blob\.core\.(?:windows\.net|chinacloudapi\.cn|usgovcloudapi\.net)|z[0-9]{1,2}\.blob\.storage\.azure\.net))"
)
"""The hosts are Azure's own, since they are sent keys and tokens."""
_CREDENTIALS = f"Set {CONNECTION} or {ACCESS_KEY}, or sign in, as with 'az login'."
_ELSEWHERE = f"The BlobEndpoint of {CONNECTION} names another endpoint than Azure's."
_REMOVED_AT_ONCE = 256
_NO_CONTAINER = {"ContainerNotFound", "ContainerBeingDeleted", "ResourceNotFound"}
_WRONG_CREDENTIALS = {"AuthenticationFailed", "InvalidAuthenticationInfo", "NoAuthenticationInformation"}
_DAMAGED = {"Md5Mismatch", "Crc64Mismatch"}

_SETTINGS: dict[str, Any] = {
    "max_single_put_size": SMALL - 1,
    "max_block_size": PART,
    "max_single_get_size": RANGE,
    "max_chunk_get_size": RANGE,
    "initial_backoff": 1,
    "increment_base": 2,
    "retry_total": 4,
    "connection_timeout": 10,
    "read_timeout": 60,
}
"""Of the SDK's client; times in seconds."""


class AzureBlobArtifactRepository(ObjectStoreRepository):
    """The blobs below a prefix of a container.

    Credentials are in ``AZURE_STORAGE_CONNECTION_STRING``, which also may name another endpoint; else the key
    in ``AZURE_STORAGE_ACCESS_KEY``; else what Azure's SDK finds and renews. Each request's digest is verified on
    both sides.

    :param artifact_uri: ``wasbs://CONTAINER@ACCOUNT.blob.core.windows.net/PATH``, or with the host of another of
        Azure's clouds. The path is that of the names: nothing in it is decoded.
    :raises TrackspecError: INVALID_PARAMETER_VALUE for any other URI, or where the configuration cannot be used.
    """

    def __init__(self, artifact_uri: str) -> None:
        location = artifact_location(artifact_uri)
        parts = _AUTHORITY.fullmatch(location.authority)
        if location.scheme != "wasbs" or parts is None:
            raise invalid("An Azure repository's URI is 'wasbs://CONTAINER@ACCOUNT.blob.core.windows.net/PATH'.")
        super().__init__(artifact_uri, location.path)
        self._service = Service("Azure", f"container {parts['container']!r}", _CREDENTIALS, _ELSEWHERE)
        with self._told():
            self._account = _account(parts["host"])
            self._container = self._account.get_container_client(parts["container"])
            self._bare = BlobRequests(self._account, self._container)
        if self._account.account_name != parts["account"]:
            raise invalid(f"{CONNECTION} is for another account than the URI, which is {parts['account']!r}.")

    def close(self) -> None:
        self._bare.close()
        self._account.close()

    def _upload(self, local_file: Path, key: str) -> None:
        with self._told(), local_file.open("rb") as read:
            size = os.fstat(read.fileno()).st_size
            if size < SMALL and self._bare.put(key, read.read()):
                return
            read.seek(0)
            self._container.upload_blob(
                key,
                read,
                length=size,
                overwrite=True,
                max_concurrency=STREAMS,
                validate_content=True,
            )

    def _download(self, key: str, local_file: Path) -> bool:
        with self._told():
            if self._bare.get(key, local_file):
                return True
        for _ in range(READINGS):
            with self._told():
                try:
                    with local_file.open("wb") as written:
                        # Undecoded content and validation do not go together: the SDK then writes nothing.
                        blob = self._container.download_blob(key, max_concurrency=STREAMS, validate_content=True)
                        blob.readinto(written)
                except azure.ResourceModifiedError:  # it was replaced between two parts
                    continue
                except azure.ResourceNotFoundError as error:
                    if _is_missing_blob(error):
                        return False
                    raise
            return True
        raise self._service.replaced_too_often()

    def _size(self, key: str) -> int | None:
        with self._told():
            try:
                return int(self._container.get_blob_client(key).get_blob_properties().size)
            except azure.ResourceNotFoundError as error:
                if _is_missing_blob(error):
                    return None
                raise

    def _listing(self, prefix: str, *, deep: bool, page: int) -> Iterator[Listed]:
        asked: dict[str, Any] = {"name_starts_with": prefix or None, "results_per_page": page}
        with self._told():
            found = self._container.list_blobs(**asked) if deep else self._container.walk_blobs(**asked)
            for answer in found.by_page():
                listed = [
                    Listed(blob.name, None if isinstance(blob, BlobPrefix) else blob.size) for blob in answer
                ]
                yield from sorted(listed, key=lambda item: item.size is None)

    def _files_below(self, folder: str) -> Iterator[FileInfo]:
        # An account with a hierarchical namespace has folders, and lists them as blobs unless each is asked for.
        return super(ObjectStoreRepository, self)._files_below(folder)

    def _remove(self, keys: Sequence[str]) -> None:
        for start in range(0, len(keys), _REMOVED_AT_ONCE):
            some = keys[start : start + _REMOVED_AT_ONCE]
            with self._told():
                answers = self._container.delete_blobs(
                    *some, delete_snapshots="include", raise_on_any_failure=False
                )
                statuses = [answer.status_code for answer in answers]
            for status in statuses:
                if status not in (202, 404):
                    raise self._service.answered(status)

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Tell a failure in the contract's terms, without the SDK's texts."""
        try:
            yield
        except CredentialUnavailableError:
            told = self._service.no_credentials()
        except azure.ClientAuthenticationError as error:
            told = self._answered(_code(error), error.status_code or 401)
        except azure.HttpResponseError as error:
            told = self._answered(_code(error), error.status_code or 500)
        except (azure.ServiceRequestError, azure.ServiceResponseError) as error:
            is_certificate = isinstance(error.inner_exception, requests.exceptions.SSLError)
            told = self._service.untrusted() if is_certificate else self._service.unreachable()
        except (azure.AzureError, ValueError) as error:
            told = self._service.damaged() if "md5" in str(error).lower() else self._service.misconfigured()
        except OSError:
            told = self._service.no_local_file()
        else:
            return
        raise told from None

    def _answered(self, code: str, status: int) -> TrackspecError:
        if code in _NO_CONTAINER:
            return self._service.no_place()
        if code in _WRONG_CREDENTIALS:
            return self._service.wrong_credentials()
        if code in _DAMAGED:
            return self._service.damaged()
        return self._service.answered(status)


def _account(host: str) -> BlobServiceClient:
    """The account of a host, or the one that a connection string names."""
    if connection := os.environ.get(CONNECTION):
        return BlobServiceClient.from_connection_string(connection, **_SETTINGS)
    credential = os.environ.get(ACCESS_KEY) or DefaultAzureCredential()
    return BlobServiceClient(f"https://{host}", credential, **_SETTINGS)


def _code(error: azure.HttpResponseError) -> str:
    return str(getattr(error, "error_code", None) or "").rpartition(".")[2]


def _is_missing_blob(error: azure.HttpResponseError) -> bool:
    """Whether an answer says that there is no such blob; one without a body names no code."""
    return error.status_code == 404 and _code(error) in ("", "BLOB_NOT_FOUND", "BlobNotFound")
