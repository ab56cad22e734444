"""Every fault of every interface, and the model that a check is to pass on."""

from __future__ import annotations

from functools import cache
from typing import Any

from tests import faults
from tests.gallery import Fault
from trackspec.memory_store import MemoryStore
from trackspec.protocol.model_server import ModelServer
from trackspec_conformance.checks import Check

GALLERIES = (faults.GALLERY,)
_MODELS: dict[str, type[Any]] = {"tracking": MemoryStore}


def model_of(check: Check) -> type[Any]:
    """The model that a check is to pass on: that of the protocol, if it makes requests of its own."""
    return ModelServer if "wire" in check.parameters else _MODELS[check.interface]


@cache
def every_fault() -> list[Fault]:
    """Every fault, those of one interface after those of another."""
    return [fault for gallery in GALLERIES for fault in gallery.faults().values()]
