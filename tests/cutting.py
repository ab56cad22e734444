"""Connections that are cut in the middle of a transfer, whatever the protocol."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

NAME = "cut.bin"
"""What a local file is called whose upload is cut."""


def cut_connections() -> None:
    """Cut every connection over the loopback interface that this process has an end of."""
    for connection in psutil.Process().net_connections("tcp"):
        if connection.status == psutil.CONN_ESTABLISHED and connection.raddr.ip == "127.0.0.1":
            try:
                with socket.socket(fileno=os.dup(connection.fd)) as end:
                    end.shutdown(socket.SHUT_RDWR)
            except OSError:  # it has been closed meanwhile
                continue


class _Cutting:
    """A local file that cuts connections once so many bytes were read or written."""

    def __init__(self, stream: Any, after: int, budget: list[int]) -> None:
        self._stream = stream
        self._left = after
        self._budget = budget

    def read(self, size: int = -1) -> bytes:
        piece: bytes = self._stream.read(size)
        self._count(len(piece))
        return piece

    def write(self, piece: bytes) -> int:
        self._count(len(piece))
        written: int = self._stream.write(piece)
        return written

    def _count(self, size: int) -> None:
        before, self._left = self._left, self._left - size
        if before > 0 >= self._left and self._budget[0]:
            self._budget[0] -= 1
            cut_connections()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def __enter__(self) -> _Cutting:
        return self

    def __exit__(self, *args: object) -> None:
        self._stream.close()


@contextmanager
def cut_after(size: int, times: int) -> Iterator[list[int]]:
    """Cut the connections, so many times, when so many bytes of an upload or a download have passed.

    Gives how many cuts are left, as the only item.
    """
    budget = [times]
    opened = Path.open

    def open_cutting(path: Path, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
        stream = opened(path, mode, *args, **kwargs)
        if (mode == "rb" and path.name == NAME) or (mode == "wb" and path.name.startswith(".trackspec-download-")):
            return _Cutting(stream, size, budget)
        return stream

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "open", open_cutting)
        yield budget
