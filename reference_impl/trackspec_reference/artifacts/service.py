"""A storage service, as errors name it: what went wrong, and what to set."""

from __future__ import annotations

from dataclasses import dataclass

from trackspec.errors import ErrorCode, TrackspecError, invalid


@dataclass(frozen=True)
class Service:
    """A service, and the place in it that a repository uses. Its errors carry no text of an SDK's.

    :ivar name: of the service.
    :ivar place: the bucket or container, with its kind.
    :ivar credentials: what to set where credentials are missing or wrong, as a sentence.
    :ivar endpoint: what to set where the service is elsewhere, as a sentence.
    """

    name: str
    place: str
    credentials: str
    endpoint: str

    def no_credentials(self) -> TrackspecError:
        """None were found."""
        told = f"There are no credentials for {self.name}. {self.credentials}"
        return TrackspecError(told, ErrorCode.UNAUTHENTICATED)

    def wrong_credentials(self) -> TrackspecError:
        """Those that were found are not accepted."""
        told = f"{self.name} does not accept the credentials that it was given. {self.credentials}"
        return TrackspecError(told, ErrorCode.UNAUTHENTICATED)

    def not_permitted(self) -> TrackspecError:
        """Those that were found are accepted, and do not suffice."""
        told = f"{self.name} does not permit this in the {self.place} to whoever asks. {self.credentials}"
        return TrackspecError(told, ErrorCode.PERMISSION_DENIED)

    def no_place(self) -> TrackspecError:
        """The bucket or container does not exist."""
        told = f"{self.name} has no {self.place}. Make it, or correct the URI. {self.endpoint}"
        return TrackspecError(told, ErrorCode.RESOURCE_DOES_NOT_EXIST)

    def unreachable(self) -> TrackspecError:
        """There is no answer."""
        return TrackspecError(f"{self.name} does not answer. {self.endpoint}", ErrorCode.TEMPORARILY_UNAVAILABLE)

    def untrusted(self) -> TrackspecError:
        """There is no connection that can be trusted."""
        told = f"The certificate of {self.name} is not one that this machine trusts. {self.endpoint}"
        return TrackspecError(told, ErrorCode.TEMPORARILY_UNAVAILABLE)

    def damaged(self) -> TrackspecError:
        """What arrived, here or there, is not what was sent."""
        return TrackspecError(f"Content was damaged on its way to or from {self.name}.", ErrorCode.DATA_LOSS)

    def replaced_too_often(self) -> TrackspecError:
        """A large object changed again and again while it was read."""
        told = f"An object in the {self.place} is replaced faster than it can be read."
        return TrackspecError(told, ErrorCode.TEMPORARILY_UNAVAILABLE)

    def no_local_file(self) -> TrackspecError:
        """The local disk does not give or take the content."""
        return TrackspecError("A local file cannot be read or written.", ErrorCode.INTERNAL_ERROR)

    def misconfigured(self) -> TrackspecError:
        """The client cannot be made from what is set."""
        return invalid(f"The configuration for {self.name} cannot be used. {self.credentials} {self.endpoint}")

    def answered(self, status: int) -> TrackspecError:
        """It answered with an HTTP status that says no more."""
        if status == 401:
            return self.wrong_credentials()
        if status == 403:
            return self.not_permitted()
        if status == 404:
            return self.no_place()
        if status in (408, 409, 429) or status >= 500:
            told = f"{self.name} cannot answer now (HTTP status {status})."
            return TrackspecError(told, ErrorCode.TEMPORARILY_UNAVAILABLE)
        return TrackspecError(f"{self.name} refuses the request (HTTP status {status}).", ErrorCode.INTERNAL_ERROR)
