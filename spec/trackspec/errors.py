"""The one error that every store raises, and its codes."""

from __future__ import annotations

from enum import Enum


class ErrorCode(str, Enum):
    """Why a call was refused or failed. The values are those of MLflow's REST protocol."""

    INVALID_PARAMETER_VALUE = "INVALID_PARAMETER_VALUE"
    """An argument is malformed, over its limit, or contradicts what is stored."""
    RESOURCE_DOES_NOT_EXIST = "RESOURCE_DOES_NOT_EXIST"
    """The id or key is well formed, and nothing of that name exists."""
    RESOURCE_ALREADY_EXISTS = "RESOURCE_ALREADY_EXISTS"
    """The name is taken."""
    INVALID_STATE = "INVALID_STATE"
    """The resource exists and its lifecycle stage forbids the call."""
    NOT_IMPLEMENTED = "NOT_IMPLEMENTED"
    """The store does not offer this optional operation."""
    TEMPORARILY_UNAVAILABLE = "TEMPORARILY_UNAVAILABLE"
    """The storage cannot answer now; the same call may succeed later."""
    DATA_LOSS = "DATA_LOSS"
    """What is stored for this resource is damaged; other resources are unaffected."""
    UNAUTHENTICATED = "UNAUTHENTICATED"
    """The server asks for credentials, or does not know those that it was given."""
    PERMISSION_DENIED = "PERMISSION_DENIED"
    """The server does not permit the call to whoever makes it, or from where."""
    ENDPOINT_NOT_FOUND = "ENDPOINT_NOT_FOUND"
    """The server has no such path, or another method for it."""
    INTERNAL_ERROR = "INTERNAL_ERROR"
    """The store failed. Never the answer to a caller's mistake."""

    def __str__(self) -> str:
        return self.value

    @property
    def http_status(self) -> int:
        """The HTTP status that carries this code; a caller's mistake is never a 5xx."""
        return _HTTP_STATUS[self]


_HTTP_STATUS = {
    ErrorCode.INVALID_PARAMETER_VALUE: 400,
    ErrorCode.RESOURCE_DOES_NOT_EXIST: 404,
    ErrorCode.RESOURCE_ALREADY_EXISTS: 400,
    ErrorCode.INVALID_STATE: 409,
    ErrorCode.NOT_IMPLEMENTED: 501,
    ErrorCode.TEMPORARILY_UNAVAILABLE: 503,
    ErrorCode.DATA_LOSS: 500,
    ErrorCode.UNAUTHENTICATED: 401,
    ErrorCode.PERMISSION_DENIED: 403,
    ErrorCode.ENDPOINT_NOT_FOUND: 404,
    ErrorCode.INTERNAL_ERROR: 500,
}


class TrackspecError(Exception):
    """A call that a store refused or could not complete.

    :param message: one sentence for a person. It carries no text of a backend: no SQL, path or credential.
    :param error_code: why, for a program: an :class:`ErrorCode`, or the text of a code that another server has.
    """

    def __init__(self, message: str, error_code: ErrorCode | str = ErrorCode.INTERNAL_ERROR) -> None:
        super().__init__(message)
        self.message = message
        self.error_code = error_code

    def __reduce__(self) -> tuple[type[TrackspecError], tuple[str, ErrorCode | str]]:
        return type(self), (self.message, self.error_code)

    def __str__(self) -> str:
        return f"{self.error_code}: {self.message}"


def invalid(message: str) -> TrackspecError:
    """An INVALID_PARAMETER_VALUE error."""
    return TrackspecError(message, ErrorCode.INVALID_PARAMETER_VALUE)


def missing(kind: str, identifier: str) -> TrackspecError:
    """A RESOURCE_DOES_NOT_EXIST error that names the resource."""
    return TrackspecError(f"No {kind} {identifier!r} exists.", ErrorCode.RESOURCE_DOES_NOT_EXIST)


def no_keys() -> TrackspecError:
    """The error of a store that does not know idempotency keys."""
    return TrackspecError("This store does not know idempotency keys.", ErrorCode.NOT_IMPLEMENTED)


def key_of_another(kind: str) -> TrackspecError:
    """The error for an idempotency key that has made something else."""
    return invalid(f"The idempotency key has made another {kind} already.")
