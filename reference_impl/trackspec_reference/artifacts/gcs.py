"""Artifacts in Google Cloud Storage."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from google.api_core import exceptions as api
from google.auth import exceptions as auth
from google.cloud import storage
from google.cloud.storage.exceptions import DataCorruption, InvalidResponse
from google.cloud.storage.retry import DEFAULT_RETRY
from requests import exceptions as requests
from requests.adapters import HTTPAdapter

from trackspec.artifact_locations import artifact_location
from trackspec.errors import TrackspecError, invalid
from trackspec_reference.artifacts.gcs_requests import ObjectRequests
from trackspec_reference.artifacts.object_store import PART, SMALL, Listed, ObjectStoreRepository
from trackspec_reference.artifacts.service import Service

PATIENCE = 30.0
"""Seconds for which a request is tried again."""

_BUCKET = re.compile(r"[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]")
_CREDENTIALS = (
    "Set GOOGLE_APPLICATION_CREDENTIALS to a file of credentials, or run 'gcloud auth application-default login'."
)
_ELSEWHERE = "STORAGE_EMULATOR_HOST names another endpoint than Google's."
_TIMEOUT = (10, 60)
"""Seconds for a connection, and for an answer."""


class GCSArtifactRepository(ObjectStoreRepository):
    """The objects below a prefix of a bucket of Google Cloud Storage.

    Google's SDK finds Application Default Credentials, and renews them. Its checksums are verified on both sides.

    :param artifact_uri: ``gs://BUCKET/PATH``. The path is that of the names: nothing in it is decoded.
    :raises TrackspecError: INVALID_PARAMETER_VALUE for any other URI; UNAUTHENTICATED if there are no credentials.
    """

    def __init__(self, artifact_uri: str) -> None:
        location = artifact_location(artifact_uri)
        if location.scheme != "gs" or not _BUCKET.fullmatch(location.authority):
            raise invalid("A Google Cloud Storage repository's URI is 'gs://BUCKET/PATH'.")
        super().__init__(artifact_uri, location.path)
        self._service = Service("GCS", f"bucket {location.authority!r}", _CREDENTIALS, _ELSEWHERE)
        self._retry = DEFAULT_RETRY.with_timeout(PATIENCE)
        with self._told():
            self._client = storage.Client()
        for scheme in ("https://", "http://"):
            self._client._http.mount(scheme, HTTPAdapter(pool_maxsize=self.parallel_transfers))
        self._bucket = self._client.bucket(location.authority)
        self._bare = ObjectRequests(self._client, location.authority)

    def close(self) -> None:
        self._bare.close()
        self._client.close()

    def _upload(self, local_file: Path, key: str) -> None:
        with self._told():
            size = local_file.stat().st_size
            if (
                self._bare.put(key, local_file.read_bytes())
                if size < SMALL
                else self._bare.put_file(key, local_file)
            ):
                return
            blob = self._bucket.blob(key, chunk_size=None if size < SMALL else PART)
            blob.upload_from_filename(str(local_file), checksum="crc32c", retry=self._retry, timeout=_TIMEOUT)

    def _download(self, key: str, local_file: Path) -> bool:
        if self._bare.get(key, local_file):
            return True
        try:
            with self._told(), local_file.open("wb") as written:
                blob = self._bucket.blob(key)
                blob.download_to_file(
                    written, raw_download=True, checksum="auto", retry=self._retry, timeout=_TIMEOUT
                )
        except TrackspecError:
            if self._size(key) is None:
                return False
            raise
        return True

    def _size(self, key: str) -> int | None:
        with self._told():
            blob = self._bucket.get_blob(key, retry=self._retry, timeout=_TIMEOUT)
            return None if blob is None else int(blob.size)

    def _listing(self, prefix: str, *, deep: bool, page: int) -> Iterator[Listed]:
        with self._told():
            answers = self._client.list_blobs(
                self._bucket,
                prefix=prefix or None,
                delimiter=None if deep else "/",
                page_size=page,
                fields="items(name,size),prefixes,nextPageToken",
                retry=self._retry,
                timeout=_TIMEOUT,
            )
            for answer in answers.pages:
                for blob in answer:
                    yield Listed(blob.name, int(blob.size))
                for folder in answer.prefixes:
                    yield Listed(folder, None)

    def _remove(self, keys: Sequence[str]) -> None:
        self._in_parallel(self._remove_one, keys)

    def _remove_one(self, key: str) -> None:
        with self._told():
            try:
                self._bucket.delete_blob(key, retry=self._retry, timeout=_TIMEOUT)
            except api.NotFound:  # the bucket may be missing too, which a listing tells
                return

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Tell a failure in the contract's terms, without the SDK's texts."""
        try:
            yield
        except (auth.DefaultCredentialsError, auth.MalformedError):
            told = self._service.no_credentials()
        except auth.TransportError:
            told = self._service.unreachable()
        except auth.GoogleAuthError:
            told = self._service.wrong_credentials()
        except DataCorruption:
            told = self._service.damaged()
        except InvalidResponse as error:
            told = self._service.answered(error.response.status_code)
        except (api.RetryError, requests.SSLError) as error:
            cause = error.cause if isinstance(error, api.RetryError) else error
            is_certificate = isinstance(cause, requests.SSLError)
            told = self._service.untrusted() if is_certificate else self._service.unreachable()
        except api.GoogleAPICallError as error:
            told = self._service.answered(int(error.code or 500))
        except requests.RequestException:
            told = self._service.unreachable()
        except ValueError:  # of what is set
            told = self._service.misconfigured()
        except OSError:
            told = self._service.no_local_file()
        else:
            return
        raise told from None
