"""A report for a person at a terminal: each failure as a bug report, then the verdict."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.padding import Padding
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from trackspec.catalogue import Level
from trackspec_conformance.outcomes import Outcome
from trackspec_conformance.report.verdict import ProfileVerdict, Report, RequirementVerdict


def print_report(report: Report, console: Console) -> None:
    """Print the findings, worst last, and below them the verdict for each profile."""
    for item in _in_reading_order(report):
        _print_finding(item, console)
        _print_script(item, console)
    _print_blocked(report, console)
    for entry in report.stale:
        console.print(
            Text.assemble(("STALE ", "bold yellow"), f"{entry.id} is listed as a known failure, and did not fail")
        )
    console.print(_verdicts(report))
    console.print(f"[dim]judged[/] {report.identity} [dim]at[/] {report.subject}", soft_wrap=True, highlight=False)
    console.print(
        f"[dim]with[/] trackspec {report.suite_version}, specification {report.spec_version}, "
        f"seed {report.seed}, in {report.seconds:.1f} s",
        soft_wrap=True,
        highlight=False,
    )
    console.print(_closing_line(report))


def _in_reading_order(report: Report) -> list[RequirementVerdict]:
    found = report.with_outcome(Outcome.FAIL, Outcome.ERROR)
    return sorted(found, key=lambda item: (item.requirement.level is Level.MUST, item.outcome is Outcome.ERROR))


def _print_finding(item: RequirementVerdict, console: Console) -> None:
    requirement = item.requirement
    colour = "red" if requirement.level is Level.MUST else "yellow"
    word = "ERROR" if item.outcome is Outcome.ERROR else "FAIL "
    head = Text.assemble(
        (f"{word} ", f"bold {colour}"),
        (requirement.id, "bold"),
        (f"  {requirement.level} · {requirement.profile} · {requirement.place}", "dim"),
    )
    console.print(head, soft_wrap=True)
    for line in _explanation(item):
        console.print(Padding(line, (0, 0, 0, 6), expand=False))
    console.print()


def _explanation(item: RequirementVerdict) -> Iterator[Text]:
    """The sentence that does not hold, and what came instead."""
    yield Text(item.requirement.text, style="italic")
    decisive = item.decisive
    if decisive is not None and decisive.expected:
        yield Text.assemble(("expected  ", "dim"), decisive.expected)
        yield Text.assemble(("got       ", "dim"), decisive.got)
        return
    yield Text(item.message)
    if decisive is not None and decisive.got:
        yield Text(decisive.got, style="dim")


def _print_script(item: RequirementVerdict, console: Console) -> None:
    """Print the script whole: its lines are neither cut nor broken where the terminal is narrow."""
    if item.decisive is not None and item.decisive.script:
        _print_source(item.decisive.script, "python", console)
        if item.decisive.curl:
            _print_source(item.decisive.curl, "bash", console)


def _print_source(source: str, language: str, console: Console) -> None:
    highlighter = Syntax("", language, theme="ansi_dark", background_color="default")
    console.print(highlighter.highlight(source), soft_wrap=True)


def _print_blocked(report: Report, console: Console) -> None:
    blocked = report.with_outcome(Outcome.BLOCKED)
    causes: dict[str, list[str]] = {}
    for item in blocked:
        causes.setdefault(item.message, []).append(item.requirement.id)
    for cause, ids in causes.items():
        console.print(
            Text.assemble(
                ("BLOCKED ", "bold magenta"), f"{len(ids)} not judged, since {cause}: {', '.join(ids)}\n"
            )
        )


_COLUMNS = {
    Outcome.PASS: "pass",
    Outcome.FAIL: "fail",
    Outcome.BLOCKED: "blocked",
    Outcome.KNOWN: "known",
    Outcome.DECLINED: "declined",
    Outcome.NOT_APPLICABLE: "n/a",
    Outcome.ERROR: "error",
}


def _verdicts(report: Report) -> Table:
    counted = [
        outcome
        for outcome in _COLUMNS
        if outcome in (Outcome.PASS, Outcome.FAIL) or any(profile.counts[outcome] for profile in report.profiles)
    ]
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("profile", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    for heading in ("total", *(_COLUMNS[outcome] for outcome in counted)):
        table.add_column(heading, justify="right", no_wrap=True)
    for profile in report.profiles:
        cells = [str(profile.counts[outcome] or "·") for outcome in counted]
        total = str(sum(profile.counts.values()))
        table.add_row(profile.name, _verdict(profile, report), total, *(cells if profile.claimed else []))
    return table


def _verdict(profile: ProfileVerdict, report: Report) -> Text:
    if not profile.claimed:
        return Text("not claimed", style="dim")
    if profile.conforms is None:
        return Text("partial run" if report.partial else "not judged", style="dim")
    if profile.conforms:
        return Text("conforms", style="bold green")
    mine = [item for item in report.requirements if item.requirement.profile == profile.name and not item.preview]
    against = {item.outcome for item in mine if item.requirement.level is Level.MUST} - {Outcome.PASS}
    if Outcome.KNOWN in against and not against & {Outcome.FAIL, Outcome.BLOCKED, Outcome.ERROR}:
        return Text("known failures", style="yellow")
    return Text("does not conform", style="bold red")


def _closing_line(report: Report) -> Text:
    failed = report.with_outcome(Outcome.FAIL)
    musts = sum(item.requirement.level is Level.MUST for item in failed)
    shoulds = len(failed) - musts
    advice = f"; {shoulds} SHOULD not kept" if shoulds else ""
    if report.exit_status == 2 and report.unjudged:
        return Text(
            f"Nothing could be judged of {', '.join(report.unjudged)}: this is no verdict.", style="bold red"
        )
    if report.exit_status == 2:
        return Text(
            "The suite itself failed: this is no verdict. Please report the errors above.", style="bold red"
        )
    if report.exit_status == 1:
        blocked = len(report.with_outcome(Outcome.BLOCKED))
        reasons = [f"{musts} MUST failed"] if musts else []
        reasons += [f"{blocked} blocked"] if blocked else []
        reasons += [f"{len(report.stale)} known failures are stale"] if report.stale else []
        return Text(f"Does not conform: {', '.join(reasons)}{advice}.", style="bold red")
    if report.with_outcome(Outcome.KNOWN):
        return Text(f"No failure but the known ones{advice}.", style="bold green")
    if report.partial:
        return Text(f"Nothing failed among the selected requirements{advice}.", style="bold green")
    return Text(f"Conforms to every claimed profile{advice}.", style="bold green")
