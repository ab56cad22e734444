"""Every fault of every interface, and the model that each interface has."""

from __future__ import annotations

from functools import cache
from typing import Any

from tests import faults
from tests.gallery import Fault
from trackspec.memory_store import MemoryStore

GALLERIES = (faults.GALLERY,)
MODELS: dict[str, type[Any]] = {"tracking": MemoryStore}


@cache
def every_fault() -> list[Fault]:
    """Every fault, those of one interface after those of another."""
    return [fault for gallery in GALLERIES for fault in gallery.faults().values()]
