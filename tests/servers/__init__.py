"""Real servers, started by the tests and gone with them.

Each module of a kind has a context manager ``server`` that yields the URI of an empty database, or raises
:class:`Unavailable`. With a Docker engine the server is a container, otherwise a process of ours on this machine.
"""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Callable


class Unavailable(Exception):
    """The server cannot be had here. The message says why, for the summary of the tests."""


def free_port() -> int:
    """A port of the loopback interface that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def run(*command: str) -> None:
    """Run a command to its end.

    :raises Unavailable: if it fails, with the last line that it printed.
    """
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        printed = (done.stderr or done.stdout).strip().splitlines() or ["no output"]
        raise Unavailable(f"{command[0]} failed: {printed[-1]}")


def wait_until_ready(
    connect: Callable[[], object], process: subprocess.Popen[bytes] | None = None, seconds: float = 30
) -> None:
    """Wait until ``connect`` succeeds.

    :raises Unavailable: if the process ends, or the time is over.
    """
    deadline = time.monotonic() + seconds
    while not _succeeds(connect):
        if process is not None and process.poll() is not None:
            raise Unavailable(f"the server ended with status {process.returncode}")
        if time.monotonic() > deadline:
            raise Unavailable(f"the server is not ready after {seconds} s")
        time.sleep(0.05)


def _succeeds(call: Callable[[], object]) -> bool:
    try:
        call()
    except Exception:
        return False
    return True
