"""The limits of the server: what a client may ask of it, and for how long."""

from __future__ import annotations

from dataclasses import dataclass

MEBIBYTE = 2**20
LARGEST_ARTIFACT = 2**42
"""Bytes. What storages take as one file is about as much."""


@dataclass(frozen=True)
class Limits:
    """The limits of one worker. Sizes are in bytes, times in seconds.

    :ivar body: the largest body that is taken, unless it is an artifact.
    :ivar artifact: the largest artifact that is taken.
    :ivar artifact_rate: how many of its bytes are to arrive in a second, once ``request_time`` is over.
    :ivar head: the largest request line with all header fields.
    :ivar threads: how many calls the store makes at once, at most.
    :ivar calls: how many requests may be in hand at once, those included that wait for a thread.
    :ivar request_time: how long a request may take to arrive whole.
    :ivar idle_time: how long a connection may stay open without a request.
    :ivar stalled_time: how long a client may read nothing of an answer that waits for it.
    :ivar stop_time: how long a stopping server waits for what is in hand.
    """

    body: int = 64 * MEBIBYTE
    artifact: int = LARGEST_ARTIFACT
    artifact_rate: int = 8 * 1024
    head: int = 64 * 1024
    threads: int = 16
    calls: int = 1024
    request_time: float = 120
    idle_time: int = 75
    stalled_time: float = 60
    stop_time: int = 20
