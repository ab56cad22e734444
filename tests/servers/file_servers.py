"""Servers of files for the tests, each with a folder of this machine that it serves."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.servers.object_stores import ObjectStore

USER, PASSWORD = "tester", "the-testers-password"


@dataclass(frozen=True)
class FileServer(ObjectStore):
    """A server.

    :ivar folder: where its files are; what the URI's root names lies directly in it.
    """

    folder: Path
