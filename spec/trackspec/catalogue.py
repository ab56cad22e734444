"""The requirement catalogue, read from the chapters.

A requirement is a list item of a chapter::

    - **`param.other-value-refused`** MUST · core · 1.0

      Logging another value for a param that a run has is refused with `INVALID_PARAMETER_VALUE`.

      *Decided:* D-20: MLflow's file store answers `INTERNAL_ERROR`, which clients retry.

The first line holds id, level, profile and the spec version that introduced it, and where no check is possible
``· not testable: reason``. The first paragraph is the requirement's sentence; ``*Decided:*`` paragraphs give the
observed divergences that it settles, and why.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from functools import cache
from pathlib import Path

SPEC_VERSION = "1.0"
SPEC_VERSIONS = ("1.0",)
"""The versions that can be judged, oldest first."""


class Level(str, Enum):
    """The weight of a requirement, as in RFC 2119."""

    MUST = "MUST"
    SHOULD = "SHOULD"
    MAY = "MAY"

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True)
class Decision:
    """Why a requirement is as it is, where stores in the wild differ.

    :ivar rows: the numbers of the observed divergences, such as ``D-08a``.
    """

    rows: tuple[str, ...]
    reason: str


@dataclass(frozen=True)
class Requirement:
    """One normative sentence.

    :ivar not_testable: why no check can judge it, or None.
    :ivar chapter: the file name of its chapter.
    :ivar line: where it starts in the chapter, from 1.
    """

    id: str
    level: Level
    profile: str
    since: str
    text: str
    decisions: tuple[Decision, ...]
    not_testable: str | None
    chapter: str
    line: int

    @property
    def place(self) -> str:
        """Where to read it: chapter and line."""
        return f"spec/{self.chapter}:{self.line}"


@dataclass(frozen=True)
class Profile:
    """A set of requirements that a backend claims as one; ``default`` ones unless it says otherwise."""

    name: str
    interface: str
    default: bool
    summary: str


class CatalogueError(ValueError):
    """A chapter that does not follow the format above."""


def chapters_directory() -> Path:
    """Where the chapters are: beside the package in a checkout, inside it when installed."""
    package = Path(__file__).parent
    installed = package / "chapters"
    return installed if installed.is_dir() else package.parent


@cache
def chapters() -> dict[str, str]:
    """The text of each chapter by file name, the reading guide first, the rest in its order."""
    directory = chapters_directory()
    guide = (directory / "README.md").read_text(encoding="utf-8")
    names = list(dict.fromkeys(re.findall(r"\]\(([a-z0-9-]+\.md)\)", guide)))
    stray = {path.name for path in directory.glob("*.md")} - {"README.md", *names}
    if stray:
        raise CatalogueError(f"Not in the reading guide's list of chapters: {', '.join(sorted(stray))}")
    return {"README.md": guide} | {name: (directory / name).read_text(encoding="utf-8") for name in names}


@cache
def requirements() -> dict[str, Requirement]:
    """Every requirement by id, in the order of the chapters."""
    found: dict[str, Requirement] = {}
    for name, text in chapters().items():
        for requirement in parse_chapter(name, text):
            if requirement.id in found:
                raise CatalogueError(f"{requirement.place}: {requirement.id} is defined twice")
            if requirement.profile not in profiles():
                raise CatalogueError(f"{requirement.place}: unknown profile {requirement.profile!r}")
            found[requirement.id] = requirement
    return found


@cache
def profiles() -> dict[str, Profile]:
    """Every profile by name, from the table of the reading guide."""
    rows = re.findall(
        r"^\| `([a-z-]+)` \| (tracking|artifacts) \| (yes|no) \| (.+?) \|$", chapters()["README.md"], re.M
    )
    return {
        name: Profile(name, interface, default == "yes", summary) for name, interface, default, summary in rows
    }


def profiles_of(interface: str) -> dict[str, Profile]:
    """The profiles of one interface by name."""
    return {name: profile for name, profile in profiles().items() if profile.interface == interface}


def requirements_of(interface: str) -> dict[str, Requirement]:
    """The requirements of one interface by id, in the order of the chapters."""
    mine = profiles_of(interface)
    return {id_: item for id_, item in requirements().items() if item.profile in mine}


_HEAD = re.compile(
    r"- \*\*`(?P<id>[a-z0-9]+(?:[.-][a-z0-9]+)*)`\*\* (?P<level>MUST|SHOULD|MAY) · (?P<profile>[a-z-]+)"
    r" · (?P<since>\d+\.\d+)(?: · not testable: (?P<not_testable>.+))?"
)
_DECIDED = re.compile(r"\*Decided:\* (?P<rows>D-\w+(?:, D-\w+)*): (?P<reason>.+)")


def parse_chapter(name: str, text: str) -> list[Requirement]:
    """The requirements of one chapter.

    :raises CatalogueError: if an item that begins like a requirement is malformed.
    """
    found = []
    lines = text.splitlines()
    for number, line in enumerate(lines, 1):
        if not line.startswith("- **`"):
            continue
        head = _HEAD.fullmatch(line)
        if head is None:
            raise CatalogueError(f"spec/{name}:{number}: malformed requirement head: {line}")
        paragraphs = _item_paragraphs(lines[number:])
        if not paragraphs or paragraphs[0].startswith("*"):
            raise CatalogueError(f"spec/{name}:{number}: {head['id']} has no sentence")
        decisions = []
        for paragraph in paragraphs[1:]:
            if paragraph.startswith("*Decided:*"):
                decided = _DECIDED.fullmatch(paragraph)
                if decided is None:
                    raise CatalogueError(f"spec/{name}:{number}: malformed decision: {paragraph}")
                decisions.append(Decision(tuple(decided["rows"].split(", ")), decided["reason"]))
        found.append(
            Requirement(
                head["id"],
                Level(head["level"]),
                head["profile"],
                head["since"],
                paragraphs[0],
                tuple(decisions),
                head["not_testable"],
                name,
                number,
            )
        )
    return found


def _item_paragraphs(lines: list[str]) -> list[str]:
    """The paragraphs of a list item: its indented lines, unwrapped."""
    paragraphs: list[str] = []
    current: list[str] = []
    for line in [*lines, ""]:
        if line.strip() and not line.startswith("  "):
            break
        if line.strip():
            current.append(line.strip())
        elif current:
            paragraphs.append(" ".join(current))
            current = []
    return paragraphs + ([" ".join(current)] if current else [])
