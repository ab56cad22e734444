"""One check on one opened subject, in this process."""

from __future__ import annotations

import contextlib
import time
import traceback
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from trackspec_conformance.arrangement import Arrangement, Blocked, Openings, Workspace
from trackspec_conformance.checks import Check
from trackspec_conformance.declining import Declined
from trackspec_conformance.expectations import NotApplicable, Unexpected, shown_error
from trackspec_conformance.interfaces import INTERFACES, Interface
from trackspec_conformance.outcomes import CheckResult, Outcome, failure
from trackspec_conformance.recording import Transcript, recorded
from trackspec_conformance.scripts import Call, opening, script
from trackspec_conformance.subjects import open_subject


def run_check(
    check: Check,
    instance: Any,
    workspace: Workspace,
    *,
    subject: str | None,
    seed: int = 0,
    reopen: Callable[[], Any] | None = None,
    elsewhere: Openings[Any] | None = None,
    on_call: Callable[[int, Call], None] | None = None,
) -> CheckResult:
    """Run a check and say what became of it.

    :param instance: the opened subject.
    :param subject: the locator that the script of a failure opens, if there is one.
    :param reopen: opens the subject anew, if it can be.
    :param elsewhere: the ways to open it from outside this process.
    :param on_call: is told of each call and its number before it is made.
    """
    interface = INTERFACES[check.interface]
    transcript = Transcript(workspace.namespace, on_call)
    judged = recorded(instance, transcript, interface.parameter, interface.shapes)
    opened: list[Any] = []

    def opened_by(open_it: Callable[[], Any], variable: Callable[[], str]) -> Any:
        try:
            opened.append(open_it())
        except Exception as error:
            transcript.last_error = error  # the subject's fault, as that of a call is
            raise
        return recorded(opened[-1], transcript, variable(), interface.shapes)

    def reopened() -> Any:
        assert reopen is not None
        return opened_by(reopen, lambda: transcript.opened(interface.parameter, opening(interface)))

    def other(locator: str) -> Any:
        return opened_by(open_subject(locator, interface.name).open, lambda: interface.parameter)

    fresh = interface.arrangement(
        judged,
        workspace,
        seed=seed,
        check_name=check.name,
        openings=replace(elsewhere or Openings(), again=reopened if reopen else None, other=other),
        transcript=transcript,
    )
    started = time.monotonic()
    with contextlib.closing(fresh):
        result = _outcome(check, interface, judged, fresh, subject)
    for opened_again in opened:
        with contextlib.suppress(Exception):  # the check is over, and may have closed it
            opened_again.close()
    return replace(result, seconds=time.monotonic() - started)


def _outcome(
    check: Check, interface: Interface, judged: Any, fresh: Arrangement[Any], subject: str | None
) -> CheckResult:
    offered = {interface.parameter: judged, "fresh": fresh}
    transcript = fresh.transcript

    def failed(expected: str, got: str) -> CheckResult:
        calls = [*transcript.preamble, *transcript.calls]
        return failure(check.name, expected, got, script(calls, interface, subject, expected, got))

    try:
        check.function(**{name: offered[name] for name in check.parameters})
    except Unexpected as answer:
        return failed(answer.expected, answer.got)
    except Declined as reason:
        return CheckResult(check.name, Outcome.DECLINED, str(reason))
    except NotApplicable as reason:
        return CheckResult(check.name, Outcome.NOT_APPLICABLE, str(reason))
    except Blocked as blocked:
        if blocked.requirement in check.verifies:
            return failed("the call to succeed", shown_error(blocked.__cause__ or blocked))
        return CheckResult(check.name, Outcome.BLOCKED, str(blocked), blocked.requirement)
    except Exception as error:
        if error is transcript.last_error:
            return failed("the call to succeed", shown_error(error))
        where = "".join(traceback.format_exception(error)[-3:])
        return CheckResult(check.name, Outcome.ERROR, f"the check itself failed: {shown_error(error)}", got=where)
    return CheckResult(check.name, Outcome.PASS)
