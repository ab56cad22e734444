"""SeaweedFS: an S3 that judges signatures and checksums as Amazon's does."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers import Unavailable, free_port, wait_until_ready
from tests.servers.object_stores import CONTAINER, ObjectStore

KEY, ADMIN, SECRET = "testing", "admin", "seaweed-secret"
"""An upload by who may make buckets would make one."""


@contextmanager
def server() -> Iterator[ObjectStore]:
    """A server with an empty bucket.

    :raises Unavailable: if there is none to be had.
    """
    program = Path(sys.executable).with_name("weed")
    if not program.exists():
        raise Unavailable("no SeaweedFS: tests/servers/install could not install it")
    directory, port = Path(tempfile.mkdtemp(prefix="trackspec-s3-")), free_port()
    try:
        identities = [
            {"name": name, "credentials": [{"accessKey": name, "secretKey": SECRET}], "actions": actions}
            for name, actions in ((KEY, ["Read", "Write", "List", "Tagging"]), (ADMIN, ["Admin"]))
        ]
        (directory / "s3.json").write_text(json.dumps({"identities": identities}))
        options = {
            "ip": "127.0.0.1",
            "ip.bind": "127.0.0.1",
            "dir": str(directory),
            "master.volumeSizeLimitMB": "1024",
            "master.telemetry": "false",
            "volume.max": "100",
            "s3.config": str(directory / "s3.json"),
            "s3.port": str(port),
            "s3.port.grpc": str(free_port()),
            "s3.port.iceberg": "0",
            "s3.port.lance": "0",
        }
        for part in ("master", "volume", "filer"):
            options |= {f"{part}.port": str(free_port()), f"{part}.port.grpc": str(free_port())}
        with (directory / "log").open("wb") as log:
            process = subprocess.Popen(
                [
                    str(program),
                    "server",
                    "-filer",
                    "-s3",
                    *(f"-{name}={value}" for name, value in options.items()),
                ],
                stdout=log,
                stderr=log,
            )
        try:
            url = f"http://127.0.0.1:{port}"
            wait_until_ready(lambda: _make_bucket(url), process, seconds=60)
            keys = {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET}
            yield ObjectStore(f"s3://{CONTAINER}", {"MLFLOW_S3_ENDPOINT_URL": url, **keys})
        finally:
            process.kill()  # it takes half a minute to end by itself, and the data is thrown away
            process.wait(timeout=30)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _make_bucket(url: str) -> None:
    """Make the bucket and an object; the port is open long before that succeeds."""
    import boto3  # noqa: PLC0415 - not everybody has it
    from botocore.config import Config  # noqa: PLC0415 - not everybody has it

    s3 = boto3.client(
        "s3",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id=ADMIN,
        aws_secret_access_key=SECRET,
        config=Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=10),
    )
    if CONTAINER not in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]:
        s3.create_bucket(Bucket=CONTAINER)
    s3.put_object(Bucket=CONTAINER, Key="ready", Body=b"ready")
    s3.delete_object(Bucket=CONTAINER, Key="ready")
