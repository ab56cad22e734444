"""A tracking server from outside: raw requests, the plainest store over them, and requests told as commands."""

from trackspec_conformance.wire.client import Answer, Wire

__all__ = ["Answer", "Wire"]
