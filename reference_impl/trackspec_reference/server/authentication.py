"""Who may call: credentials of the HTTP schemes Basic and Bearer."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import stat
from dataclasses import dataclass, field
from pathlib import Path

from trackspec.errors import ErrorCode, invalid
from trackspec_reference.server.answers import Refusal

CREDENTIALS_VARIABLE = "TRACKSPEC_SERVER_CREDENTIALS"
"""The environment variable that holds credentials, in the form of the file."""

MIN_SECRET_LENGTH = 12
"""Characters of a password or token."""


@dataclass(frozen=True)
class Credentials:
    """The credentials that a server takes. Only their digests are kept."""

    _basic: tuple[bytes, ...] = field(repr=False)
    _bearer: tuple[bytes, ...] = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> Credentials:
        """Read credentials: one a line, ``basic USER:PASSWORD`` or ``bearer TOKEN``; ``#`` starts a comment line.

        :raises TrackspecError: INVALID_PARAMETER_VALUE if there is none, or a line is malformed or its secret is
            too short.
        """
        found: dict[str, list[bytes]] = {"basic": [], "bearer": []}
        for number, line in enumerate(text.splitlines(), 1):
            if not line.strip() or line.startswith("#"):
                continue
            scheme, _, secret = line.strip().partition(" ")
            user, colon, password = secret.partition(":")
            if scheme not in found or (scheme == "basic" and not (user and colon)):
                raise invalid(f"Line {number} of the credentials is no 'basic USER:PASSWORD' or 'bearer TOKEN'.")
            if len(password if scheme == "basic" else secret) < MIN_SECRET_LENGTH:
                raise invalid(
                    f"The secret in line {number} of the credentials has less than {MIN_SECRET_LENGTH} characters."
                )
            found[scheme].append(_digest(secret.encode()))
        if not any(found.values()):
            raise invalid("There are no credentials, so nobody could call.")
        return cls(tuple(found["basic"]), tuple(found["bearer"]))

    @classmethod
    def of_file(cls, path: Path) -> Credentials:
        """Read the credentials of a file that only its owner can read.

        :raises TrackspecError: INVALID_PARAMETER_VALUE if it cannot be read, others can read it, or it is
            malformed.
        """
        try:
            if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise invalid("Others than its owner may use the file of the credentials; chmod 600 it.")
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            raise invalid("The file of the credentials cannot be read.") from None
        return cls.parse(text)

    def require(self, authorization: bytes | None) -> None:
        """Let a caller pass who gives one of the credentials.

        :param authorization: the value of the header field.
        :raises TrackspecError: UNAUTHENTICATED if it is missing, malformed or of nobody who is known.
        """
        if not self._admits(authorization or b""):
            raise Refusal(
                "Credentials are asked for here." if authorization is None else "These credentials are unknown.",
                ErrorCode.UNAUTHENTICATED,
                headers=self._challenges(),
            )

    def _admits(self, authorization: bytes) -> bool:
        scheme, _, given = authorization.partition(b" ")
        given = given.strip()
        if scheme.lower() == b"bearer":
            return _is_among(given, self._bearer)
        if scheme.lower() != b"basic":
            return False
        try:
            return _is_among(base64.b64decode(given, validate=True), self._basic)
        except (binascii.Error, ValueError):
            return False

    def _challenges(self) -> list[tuple[bytes, bytes]]:
        challenges = [b'Basic realm="trackspec", charset="UTF-8"'] if self._basic else []
        challenges += [b'Bearer realm="trackspec"'] if self._bearer else []
        return [(b"www-authenticate", challenge) for challenge in challenges]


def _digest(secret: bytes) -> bytes:
    return hashlib.sha256(secret).digest()


def _is_among(given: bytes, known: tuple[bytes, ...]) -> bool:
    """Whether a secret is one of those known, in a time that does not tell how near it comes to one."""
    digest, found = _digest(given), False
    for candidate in known:
        found |= hmac.compare_digest(digest, candidate)
    return found
