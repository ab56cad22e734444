"""The list of failures that a subject's author knows of, so that a run fails on anything new only.

A TOML file::

    [[known]]
    id = "param.value-limit"
    reason = "values are cut at 500 characters; a migration is planned"
    link = "https://example.org/issues/7"
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from trackspec import catalogue

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


@dataclass(frozen=True)
class KnownFailure:
    """A requirement that the subject is known not to keep, and why."""

    id: str
    reason: str
    link: str | None = None

    def __str__(self) -> str:
        return f"known: {self.reason}" + (f" ({self.link})" if self.link else "")


class KnownFailuresError(ValueError):
    """The file is not such a list; the message is one line that says where."""


def read_known_failures(path: Path) -> dict[str, KnownFailure]:
    """The known failures by requirement id.

    :raises KnownFailuresError: if the file cannot be read, is no TOML, lacks a reason, or names a requirement that
        the specification does not have.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise KnownFailuresError(f"cannot read {path}: {error}") from error
    entries = content.get("known", [])
    if content.keys() - {"known"} or not isinstance(entries, list):
        raise KnownFailuresError(f"{path}: expected a list of [[known]] entries and nothing else")
    failures: dict[str, KnownFailure] = {}
    for number, entry in enumerate(entries, 1):
        failure = _entry(entry, f"{path}: entry {number}")
        if failure.id in failures:
            raise KnownFailuresError(f"{path}: {failure.id} is listed twice")
        failures[failure.id] = failure
    return failures


def _entry(entry: object, where: str) -> KnownFailure:
    if not isinstance(entry, dict) or not {"id", "reason"} <= entry.keys() <= {"id", "reason", "link"}:
        raise KnownFailuresError(f"{where} must have an id and a reason, may have a link, and nothing else")
    if not all(isinstance(value, str) and value.strip() for value in entry.values()):
        raise KnownFailuresError(f"{where}: id, reason and link are non-empty strings")
    if entry["id"] not in catalogue.requirements():
        raise KnownFailuresError(f"{where}: there is no requirement {entry['id']!r}")
    return KnownFailure(**entry)
