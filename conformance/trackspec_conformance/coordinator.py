"""Judging a subject with worker processes: planning, time-outs, deaths, and what rests on what."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from trackspec_conformance.arrangement import TIME_BUDGET
from trackspec_conformance.calls import Call
from trackspec_conformance.checks import DEFAULT_TIMEOUT, Check
from trackspec_conformance.interfaces import Interface
from trackspec_conformance.outcomes import CheckResult, Outcome, failure
from trackspec_conformance.scripts import script
from trackspec_conformance.started_server import STARTING
from trackspec_conformance.subjects.errors import SubjectError
from trackspec_conformance.subjects.subject import Identity
from trackspec_conformance.worker import result_from

CALL_TIMEOUT = float(os.environ.get("TRACKSPEC_CALL_TIMEOUT", "30"))
"""Seconds that one call may take before the subject is said to hang; each hang halves them, down to the next.

The environment variable of that name sets it, for subjects that are slower."""
SHORTEST_CALL_TIMEOUT = 5.0
OPENING_TIMEOUT = 120.0


@dataclass
class Judgement:
    """What the workers found.

    :ivar claimed: the profiles that the subject claims.
    :ivar declines: the operations that it says it lacks.
    :ivar results: one for each planned check, by name.
    """

    identity: Identity
    claimed: frozenset[str]
    declines: frozenset[str]
    results: dict[str, CheckResult] = field(default_factory=dict)


def judge(
    interface: Interface,
    subject: str,
    plan: Callable[[Judgement], list[Check]],
    *,
    shown_subject: str | None = None,
    workers: int = 1,
    seed: int = 0,
    started_server: str | None = None,
    on_result: Callable[[CheckResult], None] | None = None,
) -> Judgement:
    """Run the checks that ``plan`` names, each after those it rests on.

    :param interface: the interface that the subject is judged by.
    :param subject: the locator that every worker opens.
    :param plan: is told what was opened, and returns the checks to run.
    :param shown_subject: the locator in scripts and messages, where it differs.
    :param started_server: where orders to kill and start the server are taken, if the suite has started it.
    :raises SubjectError: if the subject cannot be opened at all.
    """
    opening = {
        "interface": interface.name,
        "subject": subject,
        "shown_subject": shown_subject or subject,
        "seed": seed,
        "started_server": started_server,
    }
    with contextlib.closing(_Session(interface, opening, on_result)) as session:
        session.open(plan)
        session.run(workers)
        return session.judgement


@dataclass
class _Worker:
    """A worker process as seen from here."""

    process: subprocess.Popen[bytes]
    messages: int
    log: Any
    buffer: bytes = b""
    check: Check | None = None
    preamble: list[Call] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    check_deadline: float = 0.0
    call_deadline: float = 0.0

    def order(self, **order: Any) -> None:
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # a dead worker is seen when its messages end
            self.process.stdin.write(json.dumps(order).encode() + b"\n")
            self.process.stdin.flush()

    def note(self, number: int, call: Call) -> None:
        if number == 0:
            self.preamble.append(call)
        else:
            self.calls[number - 1 :] = [call]

    def last_words(self) -> str:
        self.log.seek(0)
        lines = self.log.read().decode(errors="replace").strip().splitlines()
        return lines[-1][:300] if lines else ""

    def end(self) -> None:
        if self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        assert self.process.stdin is not None
        with contextlib.suppress(OSError):
            self.process.stdin.close()
        os.close(self.messages)
        self.log.close()


class _Session:
    """One run over one subject."""

    judgement: Judgement

    def __init__(
        self,
        interface: Interface,
        opening: dict[str, Any],
        on_result: Callable[[CheckResult], None] | None,
    ) -> None:
        self._interface = interface
        self._opening = opening
        self._waiting: list[Check] = []
        self._on_result = on_result
        self._workers: list[_Worker] = []
        self._selector = selectors.DefaultSelector()
        self._failed_requirements: set[str] = set()
        self._call_timeout = CALL_TIMEOUT
        self._gone: str | None = None
        self._answered_at_first = True

    # -- starting and ending --------------------------------------------------------------------------------

    def open(self, plan: Callable[[Judgement], list[Check]]) -> None:
        """Start the first worker and learn what the subject is."""
        worker = self._start()
        opened = self._await_opening(worker)
        self.judgement = Judgement(
            Identity(**opened["identity"]), frozenset(opened["profiles"]), frozenset(opened["declines"])
        )
        self._answered_at_first = opened["answers"] is None
        if opened["answers"] and _says_unreachable(opened["answers"]):
            raise SubjectError(f"{self._opening['shown_subject']} does not answer: {opened['answers']}")
        self._waiting = plan(self.judgement)
        self._planned = {check.name: check for check in self._waiting}

    def close(self) -> None:
        for worker in self._workers:
            worker.end()
        self._selector.close()

    def _start(self) -> _Worker:
        reading, writing = os.pipe()
        log = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the worker
        process = subprocess.Popen(
            [sys.executable, "-m", "trackspec_conformance.worker", str(writing)],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            pass_fds=[writing],
            start_new_session=True,
        )
        os.close(writing)
        worker = _Worker(process, reading, log)
        self._workers.append(worker)
        worker.order(**self._opening)
        return worker

    def _await_opening(self, worker: _Worker) -> dict[str, Any]:
        deadline = time.monotonic() + OPENING_TIMEOUT
        with selectors.DefaultSelector() as selector:
            selector.register(worker.messages, selectors.EVENT_READ)
            while True:
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    raise SubjectError(
                        f"opening {self._opening['shown_subject']} did not finish within {OPENING_TIMEOUT:.0f} s"
                    )
                messages = _read(worker)
                if messages is None:
                    raise SubjectError(
                        f"opening {self._opening['shown_subject']} ended the process ({_death(worker)})"
                    )
                for message in messages:
                    if message["kind"] == "unopenable":
                        raise SubjectError(message["message"])
                    if message["kind"] == "opened":
                        self._selector.register(worker.messages, selectors.EVENT_READ, worker)
                        return message

    def _end(self, worker: _Worker) -> None:
        self._selector.unregister(worker.messages)
        self._workers.remove(worker)
        worker.end()

    # -- the loop -------------------------------------------------------------------------------------------

    def run(self, workers: int) -> None:
        """Dispatch until every planned check has a result."""
        while self._waiting or any(worker.check for worker in self._workers):
            if self._gone is not None:
                self._block_the_rest()
            self._dispatch(workers)
            for key, _ in self._selector.select(self._patience()):
                self._hear(key.data)
            for worker in list(self._workers):
                self._end_if_hanging(worker)
        self._block_parts_of_others()

    def _dispatch(self, workers: int) -> None:
        idle = [worker for worker in self._workers if worker.check is None]
        while check := self._next_ready():
            if idle:
                worker = idle.pop()
            elif len(self._workers) < workers:
                try:
                    worker = self._start()
                    self._await_opening(worker)
                except SubjectError as error:
                    self._end_unopened(worker)
                    self._subject_is_gone(f"it could not be opened again: {error}")
                    return
            else:
                return
            self._waiting.remove(check)
            worker.check, worker.preamble, worker.calls = check, [], []
            worker.check_deadline = time.monotonic() + _longest(check)
            worker.call_deadline = time.monotonic() + self._longest_call(worker.check)
            worker.order(check=check.name)

    def _end_unopened(self, worker: _Worker) -> None:
        self._workers.remove(worker)
        worker.end()

    def _next_ready(self) -> Check | None:
        """The next check whose prerequisites are judged; those whose prerequisites failed are blocked."""
        running = {id_ for worker in self._workers if worker.check for id_ in worker.check.verifies}
        in_use = {worker.check.uses for worker in self._workers if worker.check and worker.check.uses}
        for check in list(self._waiting):
            broken = [id_ for id_ in check.rests_on if id_ in self._failed_requirements]
            if broken:
                self._waiting.remove(check)
                reason = f"{broken[0]} does not hold"
                self._settle(CheckResult(check.name, Outcome.BLOCKED, reason, broken[0]), check)
                continue
            unsettled = running.union(*(item.verifies for item in self._waiting if item is not check))
            if not unsettled.intersection(check.rests_on) and check.uses not in in_use:
                return check
        return None

    def _patience(self) -> float:
        deadlines = [min(worker.check_deadline, worker.call_deadline) for worker in self._workers if worker.check]
        return max(0.0, min(deadlines) - time.monotonic()) if deadlines else 0.0

    def _longest_call(self, check: Check | None) -> float:
        """Seconds for a call. When calls hang they become less, but not for a check whose calls take long."""
        takes_long = check is not None and check.timeout > DEFAULT_TIMEOUT
        return CALL_TIMEOUT if takes_long else self._call_timeout

    # -- what workers say, and when they stop saying it -----------------------------------------------------

    def _hear(self, worker: _Worker) -> None:
        messages = _read(worker)
        if messages is None:
            self._bury(worker)
            return
        for message in messages:
            worker.call_deadline = time.monotonic() + self._longest_call(worker.check)
            if message["kind"] == "calling":
                worker.note(message["number"], Call(message["source"], message["name"], "returned"))
            elif message["kind"] == "ordering" and message["order"]:
                worker.call_deadline += STARTING
            elif message["kind"] == "judged":
                check, worker.check = worker.check, None
                assert check is not None
                self._settle(result_from(message), check)
                if message.get("answers") and self._answered_at_first:
                    self._subject_is_gone(f"since {check.name} it answers nothing: {message['answers']}")

    def _bury(self, worker: _Worker) -> None:
        check = worker.check
        if check is not None:
            worker.process.wait()
            got = f"the process ended ({_death(worker)})"
            self._settle(self._silence(check, worker, got), check)
        self._end(worker)

    def _end_if_hanging(self, worker: _Worker) -> None:
        check = worker.check
        now = time.monotonic()
        if check is None or now < min(worker.check_deadline, worker.call_deadline):
            return
        seconds = self._longest_call(check)
        waited = f"no answer within {seconds:.0f} s (TRACKSPEC_CALL_TIMEOUT gives a slow subject more)"
        if now >= worker.check_deadline:
            waited = f"the check's calls did not end within {_longest(check):.0f} s"
        self._settle(self._silence(check, worker, waited), check)
        self._call_timeout = max(min(SHORTEST_CALL_TIMEOUT, CALL_TIMEOUT), self._call_timeout / 2)
        self._end(worker)

    def _silence(self, check: Check, worker: _Worker, got: str) -> CheckResult:
        calls = [*worker.preamble, *worker.calls]
        if not calls:
            return failure(check.name, "the check to make its first call", got, "")
        calls[-1].outcome = None
        expected = f"{calls[-1].source} to return or raise"
        told = script(calls, self._interface, self._opening["shown_subject"], expected, got)
        return failure(check.name, expected, got, told)

    def _settle(self, result: CheckResult, check: Check) -> None:
        self.judgement.results[result.name] = result
        if result.outcome in (Outcome.FAIL, Outcome.BLOCKED, Outcome.ERROR):
            self._failed_requirements.update(check.verifies)
        if self._on_result:
            self._on_result(result)

    def _block_parts_of_others(self) -> None:
        """Block what is part of the failure of another requirement. Which fail is known when all are judged."""
        results = self.judgement.results
        parts = {
            name: result.root
            for name, result in results.items()
            if result.root and result.root not in self._planned[name].verifies
        }
        failed = {
            id_
            for name, result in results.items()
            if result.outcome is Outcome.FAIL and name not in parts
            for id_ in self._planned[name].verifies
        }
        for name, root in parts.items():
            if root in failed:
                results[name] = CheckResult(name, Outcome.BLOCKED, f"{root} does not hold")

    def _subject_is_gone(self, reason: str) -> None:
        self._gone = self._gone or reason

    def _block_the_rest(self) -> None:
        for check in self._waiting:
            self._settle(CheckResult(check.name, Outcome.BLOCKED, f"the subject went away: {self._gone}"), check)
        self._waiting.clear()


def _longest(check: Check) -> float:
    """Seconds that all calls of a check may take together."""
    return max(check.timeout, CALL_TIMEOUT) * 4 + 3 * TIME_BUDGET


def _read(worker: _Worker) -> list[dict[str, Any]] | None:
    """The messages that have arrived whole, or None when the worker has ended."""
    data = os.read(worker.messages, 65_536)
    worker.buffer += data
    *lines, worker.buffer = worker.buffer.split(b"\n")
    return [json.loads(line) for line in lines] if data else None


def _death(worker: _Worker) -> str:
    status = worker.process.wait()
    how = signal.Signals(-status).name if status < 0 else f"exit status {status}"
    words = worker.last_words()
    return f"{how}: {words}" if words else how


def _says_unreachable(answer: str) -> bool:
    return any(word in answer for word in ("Connection", "TEMPORARILY_UNAVAILABLE", "Max retries", "refused"))
