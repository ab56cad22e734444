"""A process that judges one check after another, so that a subject which hangs or aborts takes down nobody else.

It reads orders and writes messages, both one JSON object a line. Messages go to a file descriptor of their own: a
subject may print what it likes.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
from dataclasses import asdict
from typing import Any, TextIO

from trackspec_conformance.arrangement import Openings, Workspace
from trackspec_conformance.checks import Check, checks_of
from trackspec_conformance.declining import refusal_checks
from trackspec_conformance.expectations import shown_error
from trackspec_conformance.interfaces import INTERFACES
from trackspec_conformance.outcomes import CheckResult, Outcome
from trackspec_conformance.started_server import RemoteServer
from trackspec_conformance.subjects import Identity, Subject, SubjectError, open_subject
from trackspec_conformance.trial import run_check


class Worker:
    """Holds one opened subject."""

    def __init__(self, messages: TextIO) -> None:
        self._messages = messages
        self._workspace = Workspace()
        self._directory = os.getcwd()

    def serve(self, orders: TextIO) -> None:
        """Open the subject of the first order, then run the checks of those that follow."""
        opening = json.loads(orders.readline())
        self._locator: str = opening["subject"]
        self._shown_locator: str = opening["shown_subject"]
        self._seed: int = opening["seed"]
        self._orders_at: str | None = opening["started_server"]
        self._interface = INTERFACES[opening["interface"]]
        try:
            self._subject = open_subject(self._locator, self._interface.name)
            self._opened = self._subject.open()
            self._wire = self._subject.wire()
        except SubjectError as error:
            self._say("unopenable", message=str(error))
            return
        except Exception as error:
            self._say("unopenable", message=f"opening {self._shown_locator} raised {shown_error(error)}")
            return
        self._say("opened", **_description(self._subject, self._opened), answers=self._answers())
        refusals = refusal_checks(self._interface)
        checks = checks_of(self._interface.name) | {check.name: check for check in refusals.values()}
        for line in orders:
            self._judge(checks[json.loads(line)["check"]])
        self._opened.close()

    def _judge(self, check: Check) -> None:
        result = run_check(
            check,
            self._opened,
            self._workspace,
            subject=self._shown_locator,
            seed=self._seed,
            openings=Openings.of(self._subject, self._locator, self._started_server()),
            wire=self._wire,
            on_call=lambda number, call: self._say("calling", number=number, name=call.name, source=call.source),
        )
        os.chdir(self._directory)  # a call that was cut may have left it
        message = asdict(result)
        if result.outcome in (Outcome.FAIL, Outcome.BLOCKED, Outcome.ERROR):
            self._open_again()
            message["answers"] = self._answers()
        self._say("judged", **message)

    def _open_again(self) -> None:
        """Hold another one, where that can be had: what a failed call has broken is no matter to other checks."""
        if self._subject.reopenable:
            with contextlib.suppress(Exception):  # the one that is there tells by its answers how it is
                before, self._opened = self._opened, self._subject.open()
                before.close()

    def _started_server(self) -> RemoteServer | None:
        if self._orders_at is None:
            return None
        return RemoteServer(self._orders_at, lambda order: self._say("ordering", order=order))

    def _answers(self) -> str | None:
        """Whether the subject still answers the plainest read: None, or how it fails, over and over.

        Once is not gone: a server may have closed the connection that a client keeps.
        """
        first = self._answer()
        return first and self._answer() and self._answer()

    def _answer(self) -> str | None:
        try:
            self._interface.probe(self._opened, f"{self._workspace.namespace}-nobody")
        except Exception as error:
            return shown_error(error)
        return None

    def _say(self, kind: str, **fields: Any) -> None:
        self._messages.write(json.dumps({"kind": kind, **fields}) + "\n")
        self._messages.flush()


def _description(subject: Subject, opened: object) -> dict[str, Any]:
    identity = subject.identity or Identity.of(opened)
    return {
        "identity": asdict(identity),
        "profiles": sorted(subject.profiles or ()),
        "declines": sorted(subject.declines),
    }


def result_from(message: dict[str, Any]) -> CheckResult:
    """The result that a ``judged`` message carries."""
    fields = {name: message[name] for name in CheckResult.__dataclass_fields__}
    return CheckResult(**{**fields, "outcome": Outcome(fields["outcome"])})


def main() -> None:
    """Serve the process that started this one: orders on standard input, messages to the descriptor in argv."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal's interrupt is the coordinator's to act on
    with os.fdopen(int(sys.argv[1]), "w", encoding="ascii") as messages:
        Worker(messages).serve(sys.stdin)


if __name__ == "__main__":
    main()
