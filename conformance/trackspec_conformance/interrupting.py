"""Cutting a call off in its middle: after a certain line of its code, or by ending the process that makes it."""

from __future__ import annotations

import bisect
import contextlib
import dis
import functools
import os
import random
import select
import signal
import socket
import stat
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import CodeType, FrameType
from typing import Any

from trackspec_conformance.expectations import NotApplicable
from trackspec_conformance.started_server import KillableServer

_LEFT_ALONE = (
    *("/threading.py", "/concurrent/futures/", "/queue.py", "/logging/", "<frozen importlib"),
    "/trackspec_conformance/",
)
"""Code that is not cut: a lock that is left held there would make the subject wait for ever."""

PATIENCE = 20.0
"""Seconds that a call in a process of its own may take."""


class Interruption(KeyboardInterrupt):
    """Stands for the user's interrupt."""


@dataclass(frozen=True)
class Cut:
    """What became of a call.

    :ivar lines: how many lines were begun.
    :ivar made: whether it was cut off.
    :ivar returned: whether it returned.
    """

    lines: int
    made: bool
    returned: bool


def cut(call: Callable[[], object], at: int | None) -> Cut:
    """Make a call, and cut it off before its line of this number, counted from 1 as they are begun.

    Lines of threads that the call starts are not counted, nor is the end of a ``with`` block: no interrupt gets
    in there, and the block's lock would stay held. Libraries in other languages cannot be cut. None counts the
    lines only.
    """
    tracer = _Tracer(at)
    returned = False
    before = sys.gettrace()
    sys.settrace(tracer.trace)
    try:
        call()
        returned = True
    except (Exception, KeyboardInterrupt):
        if not tracer.made:
            raise
    finally:
        sys.settrace(before)
    return Cut(tracer.lines, tracer.made, returned)


def spread(lines: int, source: random.Random, points: int = 40) -> list[int]:
    """Lines at which to cut a call of so many, spread over all of them, in a random order."""
    if lines <= points:
        chosen = list(range(1, lines + 1))
    else:
        width = lines / points
        chosen = [int((number + source.random()) * width) + 1 for number in range(points)]
    source.shuffle(chosen)
    return chosen


class _Tracer:
    def __init__(self, at: int | None) -> None:
        self.at = at
        self.lines = 0
        self.made = False

    def trace(self, frame: FrameType, event: str, _: Any) -> Any:
        if any(part in frame.f_code.co_filename for part in _LEFT_ALONE):
            return None
        if event == "line" and not self.made and frame.f_lasti not in _block_ends(frame.f_code):
            self.lines += 1
            if self.lines == self.at:
                self.made = True
                raise Interruption("cut off by the suite")
        return self.trace


@functools.lru_cache(maxsize=4096)
def _block_ends(code: CodeType) -> frozenset[int]:
    """Where lines begin that only leave a ``with`` block, whose end is called with three times None."""
    starts = [offset for offset, _ in dis.findlinestarts(code)]
    instructions = list(dis.get_instructions(code))
    return frozenset(
        starts[bisect.bisect_right(starts, first.offset) - 1]
        for first, *others in zip(instructions, instructions[1:], instructions[2:], strict=False)
        if _is_none(first) and all(_is_none(other) or other.opname == "DUP_TOP" for other in others)
    )


def _is_none(instruction: dis.Instruction) -> bool:
    return instruction.opname == "LOAD_CONST" and instruction.argval is None


def seconds_in_a_process(call: Callable[[], Callable[[], object]]) -> float:
    """How long a call takes in a process of its own.

    :param call: is made there first, and returns what is timed.
    """
    with _process(call) as (_, done):
        started = time.monotonic()
        if not select.select([done], [], [], PATIENCE)[0]:
            raise NotApplicable(f"the call takes more than {PATIENCE:.0f} s in a process of its own")
        if os.read(done, 1) != b"d":
            raise NotApplicable("the subject cannot be used in a process of its own")
        return time.monotonic() - started


def end_a_process(
    call: Callable[[], Callable[[], object]],
    after: float,
    server: KillableServer | None = None,
    *,
    reached: Callable[[], bool] = lambda: True,
) -> bool:
    """Make a call in a process of its own, and end that after so many seconds, or once the call has returned.

    Whether it has returned.

    :param server: is killed with the process, and started again.
    :param reached: tells whether the call has come to where the seconds begin: a busy machine makes any call slow.
    """
    with _process(call) as (process, done):
        deadline = time.monotonic() + PATIENCE
        while not reached() and time.monotonic() < deadline and not _returned(done, 0.001):
            pass
        returned = _returned(done, after)
        if server:
            server.kill()
        os.kill(process, signal.SIGKILL)
    if server:
        server.start()
    return returned


def _returned(done: int, within: float) -> bool:
    return bool(select.select([done], [], [], within)[0])


def _part_connections() -> None:
    """Have the connections that this copy of a process got from the other one look closed, here alone.

    Else both would send requests over the same ones, and each might read what was meant for the other.
    """
    if not os.path.isdir("/proc/self/fd"):
        return
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            descriptor = int(name)
            if stat.S_ISSOCK(os.fstat(descriptor).st_mode):
                ours, other = socket.socketpair()
                other.close()
                os.dup2(ours.detach(), descriptor)


def end_together(calls: Sequence[Callable[[], Callable[[], object]]]) -> bool:
    """Make calls in processes of their own at the same time; whether all of them have returned in time."""
    with contextlib.ExitStack() as stack:
        descriptors = [stack.enter_context(_process(call))[1] for call in calls]
        deadline = time.monotonic() + PATIENCE
        return all(
            bool(select.select([done], [], [], max(0.0, deadline - time.monotonic()))[0])
            and os.read(done, 1) == b"d"
            for done in descriptors
        )


@contextlib.contextmanager
def _process(call: Callable[[], Callable[[], object]]) -> Iterator[tuple[int, int]]:
    """A process that makes a call; gives its id, and a descriptor that tells when the call has returned."""
    if not hasattr(os, "fork"):
        raise NotApplicable("this system makes no copy of a process")
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that this process has threads is no matter to a copy that is ended
        process = os.fork()
    if process == 0:
        with contextlib.suppress(BaseException):
            _part_connections()
            timed = call()
            os.write(writing, b"r")
            timed()
            os.write(writing, b"d")
        os._exit(0)
    os.close(writing)
    try:
        if not select.select([reading], [], [], PATIENCE)[0] or os.read(reading, 1) != b"r":
            raise NotApplicable("the subject cannot be opened in a process of its own")
        yield process, reading
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
        os.close(reading)
