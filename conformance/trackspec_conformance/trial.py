"""One check on one opened subject, in this process."""

from __future__ import annotations

import contextlib
import time
import traceback
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from trackspec_conformance.arrangement import Arrangement, Blocked, Openings, Workspace
from trackspec_conformance.calls import Call
from trackspec_conformance.checks import Check
from trackspec_conformance.declining import Declined
from trackspec_conformance.expectations import IllTyped, NotApplicable, Unexpected, shown_error
from trackspec_conformance.interfaces import INTERFACES, Interface
from trackspec_conformance.outcomes import CheckResult, Outcome, failure
from trackspec_conformance.recording import Transcript, recorded
from trackspec_conformance.scripts import opening, script
from trackspec_conformance.subjects import open_subject
from trackspec_conformance.wire.client import Wire
from trackspec_conformance.wire.commands import curl_script


def run_check(
    check: Check,
    instance: Any,
    workspace: Workspace,
    *,
    subject: str | None,
    seed: int = 0,
    openings: Openings[Any] | None = None,
    wire: Wire | None = None,
    on_call: Callable[[int, Call], None] | None = None,
) -> CheckResult:
    """Run a check and say what became of it.

    :param instance: the opened subject.
    :param subject: the locator that the script of a failure opens, if there is one.
    :param openings: the ways to open it again.
    :param wire: sends requests to the subject, if it is a server.
    :param on_call: is told of each call and its number before it is made.
    """
    interface, ways = INTERFACES[check.interface], openings or Openings[Any]()
    transcript = Transcript(workspace.namespace, on_call)
    judged = recorded(instance, transcript, interface.parameter, interface.shapes)
    opened: list[Any] = []

    def noted(open_it: Callable[[], Any], source: str | None) -> Any:
        try:
            opened.append(open_it())
        except Exception as error:
            transcript.last_error = error  # the subject's fault, as that of a call is
            raise
        variable = interface.parameter if source is None else transcript.opened(interface.parameter, source)
        return recorded(opened[-1], transcript, variable, interface.shapes)

    def reopened() -> Any:
        assert ways.again is not None
        return noted(ways.again, opening(interface))

    def other(locator: str) -> Any:
        return noted(lambda: open_subject(locator, interface.name).open(), None)

    def opened_by(function: Callable[[Any, str], Any] | None) -> Callable[[str], Any] | None:
        def opened_at(place: str) -> Any:
            assert function is not None
            source = f"{function.__name__}({interface.parameter}, {transcript.source_of(place)})"
            return noted(lambda: function(instance, place), source)

        return opened_at if function else None

    def through(url: str) -> Any:
        open_at = ways.through
        assert open_at is not None
        return noted(lambda: open_at(url), None)

    fresh = interface.arrangement(
        judged,
        workspace,
        seed=seed,
        check_name=check.name,
        openings=replace(
            ways,
            again=reopened if ways.again else None,
            below=opened_by(interface.open_below),
            at=opened_by(interface.open_at),
            other=other,
            through=through if ways.through else None,
        ),
        transcript=transcript,
    )
    started = time.monotonic()
    with contextlib.closing(fresh):
        try:
            result = _outcome(check, interface, judged, fresh, subject, wire)
        except Exception as error:  # the worker would end, and the subject be held for it
            result = _suites_own(check, error)
    for opened_again in opened:
        with contextlib.suppress(Exception):  # the check is over, and may have closed it
            opened_again.close()
    return replace(result, seconds=time.monotonic() - started)


def _outcome(
    check: Check,
    interface: Interface,
    judged: Any,
    fresh: Arrangement[Any],
    subject: str | None,
    wire: Wire | None,
) -> CheckResult:
    transcript = fresh.transcript
    offered = {interface.parameter: judged, "fresh": fresh}
    if wire is not None:
        offered["wire"] = recorded(wire, transcript, "wire", {})

    def failed(expected: str, got: str) -> CheckResult:
        calls = [*transcript.preamble, *transcript.calls]
        told = script(calls, interface, subject, expected, got)
        commands = curl_script(calls, wire, transcript.namespace, expected, got) if wire else ""
        return failure(check.name, expected, got, told, commands)

    if "wire" in check.parameters and wire is None:
        return CheckResult(check.name, Outcome.NOT_APPLICABLE, "the subject is no server")
    try:
        check.function(**{name: offered[name] for name in check.parameters})
    except IllTyped as answer:
        root = "" if answer.requirement in check.verifies else answer.requirement
        return replace(failed(answer.expected, answer.got), root=root)
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
        return _suites_own(check, error)
    return CheckResult(check.name, Outcome.PASS)


def _suites_own(check: Check, error: Exception) -> CheckResult:
    where = "".join(traceback.format_exception(error)[-3:])
    return CheckResult(check.name, Outcome.ERROR, f"the check itself failed: {shown_error(error)}", got=where)
