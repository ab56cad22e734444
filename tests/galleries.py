"""Every fault of every interface, and the model that a check is to pass on."""

from __future__ import annotations

from functools import cache
from typing import Any

from tests import faults, faults_artifacts
from tests.faults.security_client import PlainClient
from tests.faults_artifacts.lost_answers import Reached
from tests.faults_artifacts.lying_servers import ProxyClient
from tests.gallery import Fault
from trackspec.memory_repository import MemoryArtifactRepository
from trackspec.memory_store import MemoryStore
from trackspec.protocol.model_proxy import ModelProxy
from trackspec.protocol.model_server import ModelServer
from trackspec_conformance.checks import Check

GALLERIES = (faults.GALLERY, faults_artifacts.GALLERY)


def model_of(check: Check) -> type[Any]:
    """What passes a check, and each fault of what it verifies differs from in one thing."""
    if check.name.startswith("lost_answers."):
        return ModelServer if check.interface == "tracking" else Reached
    if "wire" in check.parameters:
        return ModelServer if check.interface == "tracking" else ModelProxy
    if any(id_.startswith(("hostile.", "client.")) for id_ in check.verifies):
        return ProxyClient if check.interface == "artifacts" else PlainClient
    return MemoryStore if check.interface == "tracking" else MemoryArtifactRepository


@cache
def every_fault() -> list[Fault]:
    """Every fault, those of one interface after those of another."""
    return [fault for gallery in GALLERIES for fault in gallery.faults().values()]
