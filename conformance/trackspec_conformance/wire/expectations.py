"""How a check of the protocol says what it expects of an answer."""

from __future__ import annotations

from typing import Any

from trackspec import ErrorCode
from trackspec_conformance.expectations import Unexpected
from trackspec_conformance.wire.client import Answer


def expect_answered(answer: Answer) -> dict[str, Any]:
    """Require that a request was served, and return the fields of the answer."""
    if answer.status != 200:
        raise Unexpected("status 200", str(answer))
    fields = answer.json
    if not isinstance(fields, dict):
        raise Unexpected("a JSON object", str(answer))
    return fields


def expect_refused(answer: Answer, code: ErrorCode = ErrorCode.INVALID_PARAMETER_VALUE, what: str = "") -> None:
    """Require an error of this code, with its status."""
    if not is_refused(answer, code):
        wanted = f"status {code.http_status} and {code.value}"
        raise Unexpected(f"{what}: {wanted}" if what else wanted, str(answer))


def expect_status(answer: Answer, *permitted: int) -> None:
    """Require one of these statuses."""
    if answer.status not in permitted:
        told = [str(status) for status in permitted if status // 100 != 4 or len(permitted) < 100]
        raise Unexpected("status " + " or ".join(told), str(answer))


def expect_each_refused(taken: list[str], what: str) -> None:
    """Require that of many requests each was refused as invalid; ``taken`` tells of those that were not."""
    if taken:
        shown = "; ".join(taken[:6]) + (f"; and {len(taken) - 6} more" if len(taken) > 6 else "")
        raise Unexpected(f"status 400 and INVALID_PARAMETER_VALUE for {what}", shown)


def is_refused(answer: Answer, code: ErrorCode = ErrorCode.INVALID_PARAMETER_VALUE) -> bool:
    """Whether an answer is an error of this code, with its status."""
    return answer.status == code.http_status and told_code(answer) == code.value


def told_code(answer: Answer) -> str | None:
    """The error code in an answer; None if it is not in the form of an error."""
    try:
        fields = answer.json
    except Unexpected:
        return None
    if not isinstance(fields, dict):
        return None
    code, message = fields.get("error_code"), fields.get("message")
    return code if isinstance(code, str) and isinstance(message, str) and message else None
