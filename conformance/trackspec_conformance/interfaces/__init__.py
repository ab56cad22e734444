"""The interfaces that the suite judges, by name."""

from trackspec_conformance.interfaces.artifacts import ARTIFACTS
from trackspec_conformance.interfaces.interface import Interface
from trackspec_conformance.interfaces.tracking import TRACKING

INTERFACES: dict[str, Interface] = {interface.name: interface for interface in (TRACKING, ARTIFACTS)}

__all__ = ["ARTIFACTS", "INTERFACES", "TRACKING", "Interface"]
