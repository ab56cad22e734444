"""What is read from a Markdown document: its fenced blocks, its links, its headings."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent

CHAPTERS = sorted((ROOT / "spec").glob("*.md"))
GUIDES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
DOCUMENTS = [*GUIDES, ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*/*.md")), *CHAPTERS]

_MARK = re.compile(r"<!-- (?P<kind>not run|file|exit status|served): (?P<value>.+) -->")


@dataclass(frozen=True)
class Block:
    """A fenced block.

    An HTML comment on the line before it may say what is done with it: ``not run: reason``, ``file: name`` for
    what is written to a file of that name, ``exit status: number`` for commands that end with another than 0,
    ``served: how long`` for a command that serves, while the blocks after it call it at the address that it shows.

    :ivar line: where its text starts in the document, from 1.
    """

    path: Path
    line: int
    language: str
    text: str
    marks: dict[str, str]

    @property
    def place(self) -> str:
        """Document and line."""
        return f"{self.path.relative_to(ROOT)}:{self.line}"

    @property
    def source(self) -> str:
        """Its text on the lines that it has in the document, so that a traceback points there."""
        return "\n" * (self.line - 1) + self.text

    @property
    def commands(self) -> list[tuple[str, str]]:
        """The commands of a console session, each with the output shown below it."""
        found: list[tuple[str, str]] = []
        for line in self.text.splitlines():
            if line.startswith("$ "):
                found.append((line[2:], ""))
            elif found and found[-1][0].endswith("\\"):
                found[-1] = (found[-1][0][:-1] + line.lstrip("> "), "")
            else:
                command, output = found.pop()
                found.append((command, f"{output}{line}\n"))
        return found


def blocks_of(path: Path) -> list[Block]:
    """The fenced blocks of a document, in order."""
    found = []
    lines = path.read_text(encoding="utf-8").splitlines()
    starts = iter([number for number, line in enumerate(lines) if line.lstrip().startswith("```")])
    for start, end in zip(starts, starts, strict=True):
        indent = len(lines[start]) - len(lines[start].lstrip())
        mark = _MARK.search(lines[start - 1])
        found.append(
            Block(
                path,
                start + 2,
                lines[start].strip().removeprefix("```"),
                "".join(f"{line[indent:]}\n" for line in lines[start + 1 : end]),
                {mark["kind"]: mark["value"]} if mark else {},
            )
        )
    return found


def prose_of(path: Path) -> str:
    """A document without its fenced blocks."""
    return re.sub(r"^( *)```.*?^\1```$", "", path.read_text(encoding="utf-8"), flags=re.M | re.S)


def links_of(path: Path) -> list[str]:
    """The targets of a document's links that stay in this repository."""
    targets = re.findall(r"\]\(([^)\s]+)\)", prose_of(path))
    return [target for target in targets if not re.match(r"[a-z]+:", target)]


def anchors_of(path: Path) -> set[str]:
    """The anchors of a document's headings."""
    return {anchor(heading) for heading in re.findall(r"^#+ .+$", prose_of(path), re.M)}


def anchor(heading: str) -> str:
    """The anchor that a heading gets where Markdown is shown."""
    words = re.sub(r"[^\w\- ]", "", heading.lstrip("#").strip().lower())
    return words.replace(" ", "-")
