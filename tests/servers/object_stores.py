"""Object stores for the tests: servers of this machine, and nothing that reaches a real cloud."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass

CONTAINER = "artifacts"
"""The bucket or container that each server has at its start, with nothing in it."""

_CLOUDS = (
    *("AWS_", "AZURE_", "BOTO", "CLOUDSDK_", "DATABRICKS_", "GCE_", "GCLOUD_", "GOOGLE_", "HADOOP_", "MLFLOW_"),
    *("NETRC", "NO_GCE_", "SSH_", "STORAGE_", "TRACKSPEC_WEBHDFS_"),
)


@dataclass(frozen=True)
class ObjectStore:
    """A server.

    :ivar root: the URI of its container.
    :ivar settings: the environment variables by which a repository finds it.
    """

    root: str
    settings: Mapping[str, str]

    def environment(self) -> dict[str, str]:
        """The environment of a process that knows this server, and no cloud."""
        return {**without_clouds(os.environ), **self.settings}


Server = Callable[[], AbstractContextManager[ObjectStore]]
"""A server that lasts as long as the block; it raises :class:`tests.servers.Unavailable` if there is none."""


def without_clouds(environment: Mapping[str, str]) -> dict[str, str]:
    """An environment without what it says about clouds, in which no SDK looks for credentials elsewhere."""
    kept = {name: value for name, value in environment.items() if not name.startswith(_CLOUDS)}
    return {
        **kept,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_DEFAULT_REGION": "us-east-1",
        "CLOUDSDK_CONFIG": os.devnull,
        "NO_GCE_CHECK": "true",
    }
