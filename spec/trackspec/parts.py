"""Multipart uploads, whose parts go from a client to the storage itself, past the server that permits it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

NO_PARTS = "Multipart upload is not supported for the current artifact repository"
"""How a message begins that declines them: MLflow's client knows it by these words."""


@dataclass(frozen=True)
class PartCredential:
    """Where a part of a multipart upload is put, and with which header fields.

    :ivar part_number: from 1.
    """

    url: str
    part_number: int
    headers: Mapping[str, str]


@dataclass(frozen=True)
class UploadedPart:
    """A part that was put.

    :ivar etag: what the storage answered for it.
    :ivar url: where it was put.
    """

    part_number: int
    etag: str | None
    url: str | None


@dataclass(frozen=True)
class PartsUpload:
    """A multipart upload that was begun."""

    upload_id: str
    credentials: Sequence[PartCredential]
