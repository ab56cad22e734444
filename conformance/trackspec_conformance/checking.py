"""The command ``trackspec check``."""

from __future__ import annotations

import argparse
import contextlib
import re
import secrets
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from trackspec import catalogue
from trackspec_conformance.checks import Check
from trackspec_conformance.coordinator import Judgement, judge
from trackspec_conformance.interfaces import INTERFACES, Interface
from trackspec_conformance.known import KnownFailuresError, read_known_failures
from trackspec_conformance.outcomes import CheckResult, Outcome
from trackspec_conformance.planning import Plan, SelectionError, plan
from trackspec_conformance.report import Report, draw_up
from trackspec_conformance.report.machine_readable import as_json, as_junit
from trackspec_conformance.report.terminal import print_report
from trackspec_conformance.started_server import PORT, StartedServer, started, taking_orders
from trackspec_conformance.subjects import SubjectError

_COULD_NOT_BE_JUDGED = 2


class UsageError(Exception):
    """Options that make no sense; the message is one line."""


def check_subject(options: argparse.Namespace) -> int:
    """Judge a subject of an interface, print and write the report, and return the exit status."""
    interface = INTERFACES[options.interface]
    try:
        _require_sense(options, interface)
        with served(options, interface) as (subject, shown, server), _orders(server) as orders_at:
            report = _judged(options, interface, subject, shown, orders_at)
    except (UsageError, KnownFailuresError, SelectionError, SubjectError) as error:
        print(f"trackspec: {error}", file=sys.stderr)
        return _COULD_NOT_BE_JUDGED
    return _written(options, report)


def masked(locator: str) -> str:
    """A locator without the password that its URI may carry."""
    return re.sub(r"(://[^/@:\s]*):[^@\s]*@", r"\1:***@", locator)


@contextlib.contextmanager
def served(options: argparse.Namespace, interface: Interface) -> Iterator[tuple[str, str, StartedServer | None]]:
    """The locator to judge, the one to show, and the server, where a command is given that starts it."""
    if options.server_command is None:
        with located(options.subject, interface) as (subject, shown):
            yield subject, shown, None
        return
    with started(options.server_command) as server:
        subject = (options.subject or interface.served).replace(PORT, str(server.port))
        yield subject, masked(subject), server


@contextlib.contextmanager
def _orders(server: StartedServer | None) -> Iterator[str | None]:
    if server is None:
        yield None
        return
    with taking_orders(server) as address:
        yield address


@contextlib.contextmanager
def located(given: str | None, interface: Interface) -> Iterator[tuple[str, str]]:
    """The locator to judge and the one to show; a temporary subject of the reference where none is given."""
    if given is not None:
        yield given, masked(given)
        return
    with tempfile.TemporaryDirectory(prefix="trackspec-") as directory:
        temporary = interface.temporary
        yield temporary.replace("DIRECTORY", directory), temporary.replace("DIRECTORY/", "")


def _require_sense(options: argparse.Namespace, interface: Interface) -> None:
    profiles = catalogue.profiles_of(interface.name)
    unknown = sorted(set(options.profile or ()) - profiles.keys())
    if unknown:
        raise UsageError(f"no profile {unknown[0]!r}; the profiles of {interface.noun} are {', '.join(profiles)}")
    if options.spec_version not in (None, *catalogue.SPEC_VERSIONS):
        known = ", ".join(catalogue.SPEC_VERSIONS)
        raise UsageError(f"no specification {options.spec_version!r}; this suite judges by {known}")
    kills = {"durability", "artifact-durability"} & set(options.profile or ())
    if options.server_command and options.workers > 1 and kills:
        raise UsageError("a server that is killed is judged by one process: leave -n out")
    for file in (options.json, options.junit):
        if file not in (None, "-") and not Path(file).absolute().parent.is_dir():
            raise UsageError(f"cannot write {file}: there is no such directory")


def _judged(
    options: argparse.Namespace, interface: Interface, subject: str, shown: str, orders_at: str | None
) -> Report:
    known = read_known_failures(Path(options.known)) if options.known else {}
    seed = secrets.randbelow(2**32) if options.seed is None else options.seed
    plans: list[Plan] = []

    def on_opened(judgement: Judgement) -> list[Check]:
        claimed = frozenset(options.profile or judgement.claimed)
        plans.append(plan(interface, claimed, keyword=options.keyword, declines=judgement.declines))
        progress.start(len(plans[0].checks), str(judgement.identity))
        return list(plans[0].checks)

    started = time.monotonic()
    with _ProgressBar() as progress:
        judgement = judge(
            interface,
            subject,
            on_opened,
            shown_subject=shown,
            workers=options.workers,
            seed=seed,
            started_server=orders_at,
            on_result=progress.advance,
        )
    (planned,) = plans
    return draw_up(
        judgement,
        planned.checks,
        planned.requirements,
        interface=interface.name,
        subject=shown,
        claimed=frozenset(options.profile or judgement.claimed),
        spec_version=options.spec_version or catalogue.SPEC_VERSION,
        seed=seed,
        partial=planned.partial,
        known=known,
        seconds=time.monotonic() - started,
    )


def _written(options: argparse.Namespace, report: Report) -> int:
    to_stdout = options.json == "-"
    print_report(report, Console(stderr=to_stdout))
    try:
        if to_stdout:
            sys.stdout.write(as_json(report))
        elif options.json:
            Path(options.json).write_text(as_json(report), encoding="utf-8")
        if options.junit:
            Path(options.junit).write_text(as_junit(report), encoding="utf-8")
    except OSError as error:
        print(f"trackspec: cannot write the report: {error}", file=sys.stderr)
        return _COULD_NOT_BE_JUDGED
    return report.exit_status


class _ProgressBar:
    """A bar on standard error; nothing where that is no terminal."""

    def __init__(self) -> None:
        console = Console(stderr=True)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TextColumn("{task.fields[failed]}"),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._failed = 0

    def __enter__(self) -> _ProgressBar:
        self._progress.start()
        self._task = self._progress.add_task("opening", total=None, failed="")
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def start(self, total: int, subject: str) -> None:
        """Show what is judged, and of how many checks."""
        self._progress.update(self._task, total=total, description=subject)

    def advance(self, result: CheckResult) -> None:
        """Count a check."""
        self._failed += result.outcome in (Outcome.FAIL, Outcome.ERROR)
        failed = f"[red]{self._failed} failed[/]" if self._failed else ""
        self._progress.update(self._task, advance=1, failed=failed)
