"""The S3 of moto, in a thread: quick, and asks for no credentials."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.servers.object_stores import CONTAINER, ObjectStore


@contextmanager
def server() -> Iterator[ObjectStore]:
    """A server with an empty bucket."""
    import boto3  # noqa: PLC0415 - not everybody has it
    from moto.server import ThreadedMotoServer  # noqa: PLC0415 - not everybody has it

    started = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    started.start()
    try:
        host, port = started.get_host_and_port()
        keys = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing1"}
        store = ObjectStore(f"s3://{CONTAINER}", {"MLFLOW_S3_ENDPOINT_URL": f"http://{host}:{port}", **keys})
        s3 = boto3.client(
            "s3",
            endpoint_url=f"http://{host}:{port}",
            region_name="us-east-1",
            aws_access_key_id="testing",
            aws_secret_access_key="testing1",
        )
        s3.create_bucket(Bucket=CONTAINER)
        yield store
    finally:
        started.stop()
