"""The clients beneath: what a service's own library gives for the same, with nothing around it."""

from __future__ import annotations

import http.client
import os
import shutil
from abc import abstractmethod
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode, urlsplit

THREADS = 16
PIECE = 1 << 20


class Item(NamedTuple):
    """What a listing holds."""

    path: str
    is_dir: bool


class Client:
    """A client that takes nothing care of: files are put and got, many of them by several threads.

    :param uri: where they are.
    """

    def __init__(self, uri: str) -> None:
        parts = urlsplit(uri)
        self.place, self.root = parts.netloc, parts.path.strip("/")

    @abstractmethod
    def put(self, local: str, key: str) -> None:
        """Upload a file."""

    @abstractmethod
    def get(self, key: str, local: str) -> None:
        """Download a file."""

    @abstractmethod
    def names(self, prefix: str) -> list[str]:
        """The keys of all files below a folder."""

    def key(self, path: str) -> str:
        """The key of a path."""
        return f"{self.root}/{path}" if self.root else path

    def log_artifact(self, local_file: str, artifact_path: str) -> None:
        """Upload a file."""
        self.put(local_file, self.key(f"{artifact_path}/{os.path.basename(local_file)}"))

    def log_artifacts(self, local_dir: str, artifact_path: str) -> None:
        """Upload a folder."""
        files = [(path, path.relative_to(local_dir)) for path in Path(local_dir).rglob("*") if path.is_file()]
        self._each(lambda file: self.put(str(file[0]), self.key(f"{artifact_path}/{file[1]}")), files)

    def list_artifacts(self, path: str) -> list[Item]:
        """All files below a folder, however deep."""
        return [Item(name, False) for name in self.names(self.key(f"{path}/"))]

    def download_artifacts(self, artifact_path: str, dst_path: str) -> None:
        """Download a file, or a folder."""
        if artifact_path.endswith("/file"):
            self.get(self.key(artifact_path), os.path.join(dst_path, "file"))
            return
        keys = self.names(self.key(f"{artifact_path}/"))
        places = [(key, os.path.join(dst_path, key)) for key in keys]
        for folder in {os.path.dirname(place) for _, place in places}:
            os.makedirs(folder, exist_ok=True)
        self._each(lambda pair: self.get(*pair), places)

    def _each(self, call: Callable[[Any], None], items: list[Any]) -> None:
        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(call, items))


class Local(Client):
    """Copies of files, each on disk before the next."""

    def __init__(self, uri: str) -> None:
        super().__init__(uri)
        self.root = f"/{self.root}"

    def put(self, local: str, key: str) -> None:
        """Copy a file, and wait until it is on disk."""
        os.makedirs(os.path.dirname(key), exist_ok=True)
        shutil.copyfile(local, key)
        descriptor = os.open(key, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)

    def get(self, key: str, local: str) -> None:
        """Copy a file."""
        shutil.copyfile(key, local)

    def names(self, prefix: str) -> list[str]:
        """Walk a folder."""
        return [os.path.join(folder, name) for folder, _, names in os.walk(prefix) for name in names]

    def download_artifacts(self, artifact_path: str, dst_path: str) -> None:
        """Copy a file, or a folder."""
        if artifact_path.endswith("/file"):
            self.get(self.key(artifact_path), os.path.join(dst_path, "file"))
        else:
            shutil.copytree(self.key(artifact_path), os.path.join(dst_path, artifact_path))


class S3(Client):
    """boto3."""

    def __init__(self, uri: str) -> None:
        super().__init__(uri)
        import boto3  # noqa: PLC0415 - not every side has it
        from botocore.config import Config  # noqa: PLC0415

        endpoint = os.environ["MLFLOW_S3_ENDPOINT_URL"]
        self._client = boto3.client("s3", endpoint_url=endpoint, config=Config(max_pool_connections=64))

    def put(self, local: str, key: str) -> None:
        """Upload a file by the library's own means."""
        self._client.upload_file(local, self.place, key)

    def get(self, key: str, local: str) -> None:
        """Download a file likewise."""
        self._client.download_file(self.place, key, local)

    def names(self, prefix: str) -> list[str]:
        """List all keys."""
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self.place, Prefix=prefix)
        return [found["Key"] for page in pages for found in page.get("Contents", ())]


class GCS(Client):
    """google-cloud-storage."""

    def __init__(self, uri: str) -> None:
        super().__init__(uri)
        from google.cloud import storage  # noqa: PLC0415 - not every side has it

        self._bucket = storage.Client().bucket(self.place)

    def put(self, local: str, key: str) -> None:
        """Upload a file by the library's own means."""
        self._bucket.blob(key).upload_from_filename(local)

    def get(self, key: str, local: str) -> None:
        """Download a file likewise; the emulator tells no checksum of encoded content."""
        self._bucket.blob(key).download_to_filename(local, raw_download=True)

    def names(self, prefix: str) -> list[str]:
        """List all objects."""
        return [blob.name for blob in self._bucket.list_blobs(prefix=prefix, page_size=1000)]


class Azure(Client):
    """azure-storage-blob."""

    def __init__(self, uri: str) -> None:
        super().__init__(uri)
        from azure.storage.blob import BlobServiceClient  # noqa: PLC0415 - not every side has it

        service = BlobServiceClient.from_connection_string(os.environ["AZURE_STORAGE_CONNECTION_STRING"])
        self._container = service.get_container_client(self.place.partition("@")[0])

    def put(self, local: str, key: str) -> None:
        """Upload a file by the library's own means."""
        with open(local, "rb") as read:
            self._container.upload_blob(key, read, overwrite=True, max_concurrency=4)

    def get(self, key: str, local: str) -> None:
        """Download a file likewise."""
        with open(local, "wb") as written:
            self._container.download_blob(key, max_concurrency=4).readinto(written)

    def names(self, prefix: str) -> list[str]:
        """List all blobs."""
        return [blob.name for blob in self._container.list_blobs(name_starts_with=prefix)]


class Proxy(Client):
    """Bare requests to our server, one at a time over one connection for the large file."""

    def __init__(self, uri: str) -> None:
        super().__init__(uri)
        self._endpoint = f"/{self.root.partition('/artifacts/')[0]}/artifacts"
        self.root = self.root.partition("/artifacts/")[2]

    def _asked(self, method: str, target: str, body: Any = None, size: int = 0) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection(self.place, blocksize=PIECE)
        connection.request(method, target, body, {"Content-Length": str(size)} if body else {})
        answer = connection.getresponse()
        assert answer.status == 200, answer.read()
        return answer

    def put(self, local: str, key: str) -> None:
        """Upload a file."""
        with open(local, "rb") as read:
            self._asked("PUT", f"{self._endpoint}/{quote(key)}", read, os.path.getsize(local)).read()

    def get(self, key: str, local: str) -> None:
        """Download a file."""
        with open(local, "wb") as written:
            shutil.copyfileobj(self._asked("GET", f"{self._endpoint}/{quote(key)}"), written, PIECE)

    def names(self, prefix: str) -> list[str]:
        """List a folder, and those in it."""
        import json  # noqa: PLC0415

        found = []
        folder = prefix.rstrip("/")
        listed = json.loads(self._asked("GET", f"{self._endpoint}?{urlencode({'path': folder})}").read())
        for item in listed["files"]:
            below = f"{folder}/{item['path']}"
            found += self.names(f"{below}/") if item["is_dir"] else [below]
        return found


CLIENTS: Mapping[str, Callable[[str], Any]] = {
    "local": Local,
    "local-synced": Local,
    "s3": S3,
    "gcs": GCS,
    "azure": Azure,
    "proxy": Proxy,
}
