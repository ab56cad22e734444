"""The command ``trackspec spec``: a chapter, or one requirement with its reasons."""

from __future__ import annotations

import difflib
import sys

from trackspec import catalogue
from trackspec.catalogue import Requirement


def print_spec(name: str | None) -> int:
    """Print the list of chapters, a chapter, or a requirement, and return the exit status."""
    chapters = catalogue.chapters()
    if name is None:
        for file, text in chapters.items():
            count = sum(item.chapter == file for item in catalogue.requirements().values())
            title = text.splitlines()[0].removeprefix("# ")
            print(f"{file.removesuffix('.md'):<20} {title}" + (f" ({count} requirements)" if count else ""))
        return 0
    if requirement := catalogue.requirements().get(name):
        print(_shown(requirement))
        return 0
    if (chapter := f"{name.removesuffix('.md')}.md") in chapters:
        print(chapters[chapter], end="")
        return 0
    beginning = [id_ for id_ in catalogue.requirements() if id_.startswith(f"{name}.")]
    near = beginning or difflib.get_close_matches(name, [*catalogue.requirements(), *chapters], n=5, cutoff=0.5)
    hint = f"; near it: {', '.join(near)}" if near else ""
    print(f"trackspec: no requirement and no chapter is called {name!r}{hint}", file=sys.stderr)
    return 2


def _shown(requirement: Requirement) -> str:
    lines = [
        f"{requirement.id}  {requirement.level} · {requirement.profile} · since {requirement.since}",
        "",
        requirement.text,
    ]
    for decision in requirement.decisions:
        lines += ["", f"Decided: {', '.join(decision.rows)}: {decision.reason}"]
    if requirement.not_testable:
        lines += ["", f"Not testable: {requirement.not_testable}"]
    return "\n".join([*lines, "", requirement.place])
