"""Faults of the protocol: errors, and requests that are too much."""

from __future__ import annotations

from trackspec.errors import ErrorCode, TrackspecError
from trackspec.protocol.model_server import Connection, ModelServer, Refused, Response

from . import fault
from .wire_servers import Json


@fault("wire.error-shape")
class ErrorsHaveADetail(ModelServer):
    """An error is told in a field of another name."""

    def error(self, error: TrackspecError) -> Response:
        response = super().error(error)
        response.body = response.body.replace(b'"message"', b'"detail"')
        return response


@fault("wire.error-shape")
class CodesAreNumbers(ModelServer):
    """The code of an error is its status."""

    def error(self, error: TrackspecError) -> Response:
        response = super().error(error)
        return self.json(response.status, {"error_code": response.status, "message": error.message})


class OtherStatuses(ModelServer):
    """A server that answers some code with another status."""

    other: tuple[ErrorCode, int]

    def status(self, code: ErrorCode) -> int:
        return self.other[1] if code is self.other[0] else super().status(code)


@fault("wire.status-invalid")
class InvalidIsUnprocessable(OtherStatuses):
    """An invalid value is answered with 422."""

    other = (ErrorCode.INVALID_PARAMETER_VALUE, 422)


@fault("wire.status-missing")
class MissingIsInvalid(OtherStatuses):
    """A missing resource is answered with 400."""

    other = (ErrorCode.RESOURCE_DOES_NOT_EXIST, 400)


@fault("wire.status-exists")
class TakenIsAConflict(OtherStatuses):
    """A taken name is answered with 409."""

    other = (ErrorCode.RESOURCE_ALREADY_EXISTS, 409)


@fault("wire.status-state")
class AWrongStageIsAFailure(OtherStatuses):
    """A wrong stage is answered with 500."""

    other = (ErrorCode.INVALID_STATE, 500)


@fault("wire.mistake-is-4xx")
class WrongTokensAreFailures(ModelServer):
    """A token that was never issued makes the server fail."""

    def error(self, error: TrackspecError) -> Response:
        if "token" in error.message.lower():
            error = TrackspecError("The server failed.", ErrorCode.INTERNAL_ERROR)
        return super().error(error)


@fault("wire.mistake-is-4xx")
class MissingRunsAreEmpty(ModelServer):
    """A missing tag is deleted with success."""

    def error(self, error: TrackspecError) -> Response:
        return self.json(200, {}) if "No tag" in error.message else super().error(error)


@fault("wire.error-clean")
class ErrorsTellTheTrace(ModelServer):
    """The message of an error ends with a stack trace."""

    def error(self, error: TrackspecError) -> Response:
        error.message += '\nTraceback (most recent call last):\n  File "/srv/server.py", line 1'
        return super().error(error)


@fault("wire.nesting")
class DepthIsAFailure(ModelServer):
    """A body that is nested deeply makes the server fail."""

    def read_body(self, body: bytes) -> dict[str, Json]:
        if body.count(b"[") > 500:
            raise RecursionError
        return super().read_body(body)


@fault("wire.largest-batch")
class BodiesAreSmall(ModelServer):
    """A body has at most a million bytes."""

    def read_body(self, body: bytes) -> dict[str, Json]:
        if len(body) > 1_000_000:
            raise Refused(ErrorCode.INVALID_PARAMETER_VALUE, "The body is too large.", 413)
        return super().read_body(body)


@fault("wire.too-large")
class EveryBodyIsAwaited(ModelServer):
    """A body is read to its end, however large it says to be."""

    class connection(Connection):  # noqa: N801 - in the place of the model's
        """Waits for what never comes."""

        def read_body(self) -> bytes:
            if int(self.headers.get("Content-Length", "0")) > self.max_body:
                self.rfile.read(1)
            return super().read_body()


@fault("wire.too-large")
class TooLargeIsInvalid(ModelServer):
    """A body that is too large is answered with 400."""

    def error(self, error: TrackspecError) -> Response:
        if isinstance(error, Refused) and error.status == 413:
            error.status = 400
        return super().error(error)


@fault("wire.long-path")
class LengthIsAFailure(ModelServer):
    """A path that is too long is answered with 500."""

    def error(self, error: TrackspecError) -> Response:
        if isinstance(error, Refused) and error.status == 414:
            error.status = 500
        return super().error(error)
