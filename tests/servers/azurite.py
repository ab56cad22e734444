"""Azurite: Azure Blob Storage by those who make it."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers import Unavailable, free_port, wait_until_ready
from tests.servers.object_stores import CONTAINER, ObjectStore

ACCOUNT = "tests"
KEY = "dGVzdHMgb2YgdHJhY2tzcGVj"
PROGRAM = Path(__file__).with_name("azurite") / "node_modules" / "azurite" / "dist" / "src" / "blob" / "main.js"


@contextmanager
def server() -> Iterator[ObjectStore]:
    """A server with an empty container.

    :raises Unavailable: if there is none to be had.
    """
    node = shutil.which("node")
    if node is None or not PROGRAM.exists():
        raise Unavailable("no Azurite: there is no Node.js, or tests/servers/install could not install it")
    directory, port = tempfile.mkdtemp(prefix="trackspec-azure-"), free_port()
    try:
        options = {"blobHost": "127.0.0.1", "blobPort": str(port), "location": directory}
        flags = ["--silent", "--disableTelemetry", "--skipApiVersionCheck"]
        values = [part for name, value in options.items() for part in (f"--{name}", value)]
        process = subprocess.Popen(
            [node, str(PROGRAM), *values, *flags],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={"AZURITE_ACCOUNTS": f"{ACCOUNT}:{KEY}"},
        )
        try:
            connection = f"AccountName={ACCOUNT};AccountKey={KEY};BlobEndpoint=http://127.0.0.1:{port}/{ACCOUNT}"
            wait_until_ready(lambda: _make_container(connection), process, seconds=60)
            root = f"wasbs://{CONTAINER}@{ACCOUNT}.blob.core.windows.net"
            yield ObjectStore(root, {"AZURE_STORAGE_CONNECTION_STRING": connection})
        finally:
            process.kill()
            process.wait(timeout=30)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _make_container(connection: str) -> None:
    from azure.storage.blob import BlobServiceClient  # noqa: PLC0415 - not everybody has it

    with BlobServiceClient.from_connection_string(connection, retry_total=0, connection_timeout=5) as service:
        service.create_container(CONTAINER)
