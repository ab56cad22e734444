"""The interfaces that the suite judges, by name."""

from trackspec_conformance.interfaces.interface import Interface
from trackspec_conformance.interfaces.tracking import TRACKING

INTERFACES: dict[str, Interface] = {interface.name: interface for interface in (TRACKING,)}

__all__ = ["INTERFACES", "TRACKING", "Interface"]
