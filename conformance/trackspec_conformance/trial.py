"""One check against one store, in this process."""

from __future__ import annotations

import contextlib
import time
import traceback
from collections.abc import Callable

from trackspec import TrackingStore
from trackspec_conformance.checks import Check
from trackspec_conformance.declining import Declined
from trackspec_conformance.expectations import IllTyped, NotApplicable, Unexpected, shown_error
from trackspec_conformance.fresh import Blocked, Fresh, Workspace
from trackspec_conformance.outcomes import CheckResult, Outcome, failure
from trackspec_conformance.recording import Transcript, recorded_store
from trackspec_conformance.scripts import Call, script


def run_check(
    check: Check,
    store: TrackingStore,
    workspace: Workspace,
    *,
    subject: str | None,
    seed: int = 0,
    reopen: Callable[[], TrackingStore] | None = None,
    on_call: Callable[[int, Call], None] | None = None,
) -> CheckResult:
    """Run a check and say what became of it.

    :param subject: the locator that the script of a failure opens, if there is one.
    :param reopen: opens the subject anew, if it can be.
    :param on_call: is told of each call and its number before it is made.
    """
    transcript = Transcript(workspace.namespace, on_call)
    recorded = recorded_store(store, transcript)
    opened: list[TrackingStore] = []

    def reopen_recorded() -> TrackingStore:
        assert reopen is not None
        opened.append(reopen())
        return recorded_store(opened[-1], transcript, transcript.opened())

    fresh = Fresh(
        recorded,
        workspace,
        seed=seed,
        check_name=check.name,
        reopen=reopen_recorded if reopen else None,
        transcript=transcript,
    )
    started = time.monotonic()
    result = _outcome(check, recorded, fresh, transcript, subject)
    for store_again in opened:
        with contextlib.suppress(Exception):  # the check is over, and may have closed it
            store_again.close()
    return CheckResult(
        check.name,
        result.outcome,
        result.message,
        result.expected,
        result.got,
        result.script,
        time.monotonic() - started,
    )


def _outcome(
    check: Check, store: TrackingStore, fresh: Fresh, transcript: Transcript, subject: str | None
) -> CheckResult:
    offered = {"store": store, "fresh": fresh}
    try:
        check.function(**{name: offered[name] for name in check.parameters})
    except IllTyped as answer:
        if answer.requirement in check.verifies:
            return _failure(check, transcript, subject, answer.expected, answer.got)
        message = f"{answer.requirement} does not hold: {answer}"
        return CheckResult(check.name, Outcome.BLOCKED, message, answer.requirement)
    except Unexpected as answer:
        return _failure(check, transcript, subject, answer.expected, answer.got)
    except Declined as reason:
        return CheckResult(check.name, Outcome.DECLINED, str(reason))
    except NotApplicable as reason:
        return CheckResult(check.name, Outcome.NOT_APPLICABLE, str(reason))
    except Blocked as blocked:
        if blocked.requirement in check.verifies:
            return _failure(
                check, transcript, subject, "the call to succeed", shown_error(blocked.__cause__ or blocked)
            )
        return CheckResult(check.name, Outcome.BLOCKED, str(blocked), blocked.requirement)
    except Exception as error:
        if error is transcript.last_error:
            return _failure(check, transcript, subject, "the call to succeed", shown_error(error))
        where = "".join(traceback.format_exception(error)[-3:])
        return CheckResult(check.name, Outcome.ERROR, f"the check itself failed: {shown_error(error)}", got=where)
    return CheckResult(check.name, Outcome.PASS)


def _failure(check: Check, transcript: Transcript, subject: str | None, expected: str, got: str) -> CheckResult:
    return failure(
        check.name, expected, got, script([*transcript.preamble, *transcript.calls], subject, expected, got)
    )
