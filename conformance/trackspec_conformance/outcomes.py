"""What can become of a check, and of the requirements that it verifies."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Outcome(str, Enum):
    """The closed list of outcomes, worst first: a requirement has the worst outcome of its checks."""

    ERROR = "error"
    """The suite itself failed. Never a pass."""
    FAIL = "fail"
    """The subject does not keep the requirement."""
    KNOWN = "known"
    """It does not, and the list of known failures says so."""
    BLOCKED = "blocked"
    """A requirement that the check rests on failed, or the subject went away: not judged."""
    DECLINED = "declined"
    """The subject says that it lacks the operation, and refuses it as specified, without effect."""
    NOT_APPLICABLE = "not applicable"
    """The check has no meaning for this subject, or no check is possible."""
    NOT_CLAIMED = "not claimed"
    """The subject does not claim the profile."""
    PASS = "pass"
    """Every check that applies has passed."""

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True)
class CheckResult:
    """What became of one check.

    :ivar message: for a person: why it is no pass, in one line.
    :ivar expected: what the contract asks for, on a failure.
    :ivar got: what came instead.
    :ivar script: the check's calls as a Python script, on a failure.
    :ivar curl: the same as curl commands, where the subject is a server.
    :ivar root: the requirement of whose failure this one is a part, if that fails too.
    :ivar seconds: how long it took.
    """

    name: str
    outcome: Outcome
    message: str = ""
    expected: str = ""
    got: str = ""
    script: str = ""
    curl: str = ""
    root: str = ""
    seconds: float = 0.0


def failure(name: str, expected: str, got: str, script: str, curl: str = "") -> CheckResult:
    """The result of a check that found the subject at fault."""
    return CheckResult(name, Outcome.FAIL, f"expected {expected}; got {got}", expected, got, script, curl)
