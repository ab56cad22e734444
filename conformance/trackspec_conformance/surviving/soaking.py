"""The command ``trackspec soak``: rounds of every scenario until the time is over, or so many as are asked for."""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import secrets
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from trackspec_conformance.arrangement import Blocked, Openings, Workspace
from trackspec_conformance.checking import UsageError, masked, served
from trackspec_conformance.expectations import NotApplicable, Unexpected, shown_error
from trackspec_conformance.interfaces import INTERFACES, TRACKING, Interface
from trackspec_conformance.started_server import KillableServer
from trackspec_conformance.subjects import SubjectError, open_subject
from trackspec_conformance.surviving.found import Found
from trackspec_conformance.surviving.scenarios import SCENARIOS
from trackspec_conformance.surviving.tally import Tally

COULD_NOT_BE_JUDGED = 2

OTHERWISE = "the round fails"
"""The anomaly of a round that cannot be ended, since a call fails that arranges or judges."""


def soak(options: argparse.Namespace) -> int:
    """Make the rounds, print what came of them, and return the exit status."""
    seed = secrets.randbelow(2**32) if options.seed is None else options.seed
    interface = INTERFACES[options.interface]
    try:
        with (
            served(options, interface) as (locator, shown, server),
            contextlib.closing(Soak(locator, server, interface)) as run,
        ):
            started = time.monotonic()
            for scenario, own in _rounds(options, seed):
                run.round(scenario, own)
            _print(run.tallies, interface, masked(shown), seed, time.monotonic() - started)
    except (SubjectError, UsageError) as error:
        print(f"trackspec: {error}", file=sys.stderr)
        return COULD_NOT_BE_JUDGED
    if options.json:
        written = {"subject": masked(shown), "seed": seed, "scenarios": _as_json(run.tallies)}
        Path(options.json).write_text(json.dumps(written, indent=1) + "\n", encoding="utf-8")
    if not any(tally.rounds for tally in run.tallies.values()):
        return COULD_NOT_BE_JUDGED
    return 1 if any(tally.anomalies for tally in run.tallies.values()) else 0


class Soak:
    """Rounds over one subject.

    :ivar tallies: what came of them so far, by scenario.
    """

    def __init__(
        self, locator: str, server: KillableServer | None = None, interface: Interface = TRACKING
    ) -> None:
        self._interface = interface
        subject = open_subject(locator, interface.name)
        self._openings = Openings.of(subject, locator, server)
        self._opened: Any = subject.open()
        self._workspace = Workspace()
        self.tallies: dict[str, Tally] = {}

    def round(self, scenario: str, seed: int) -> None:
        """Make one round; a scenario that cannot be tried on the subject is not tried again."""
        tally = self.tallies.setdefault(scenario, Tally())
        if tally.reason:
            return
        fresh = self._interface.arrangement(
            self._opened, self._workspace, seed=seed, check_name=scenario, openings=self._openings
        )
        replay = f"{scenario}:{seed}"
        try:
            with contextlib.closing(fresh):
                found = SCENARIOS[self._interface.name][scenario](self._opened, fresh)
        except NotApplicable as reason:
            tally.reason = str(reason)
            return
        except (Blocked, Unexpected) as answer:
            found = Found(0, 0, [(OTHERWISE, str(answer), 1)])
        except Exception as error:
            found = Found(0, 0, [(OTHERWISE, shown_error(error), 1)])
        tally.rounds += 1
        tally.operations += found.operations
        tally.faults += found.faults
        for kind, told, count in found.anomalies:
            tally.note(kind, told, replay, count)

    def close(self) -> None:
        """End the processes that it uses."""
        self._workspace.resources.close()
        self._opened.close()


def _rounds(options: argparse.Namespace, seed: int) -> Iterator[tuple[str, int]]:
    """The rounds to make: a scenario and a seed each."""
    scenarios = SCENARIOS[options.interface]
    if options.replay:
        yield _split(options.replay, ":", scenarios)
        return
    source = random.Random(seed)
    if options.rounds:
        for scenario, count in [_split(text, "=", scenarios) for text in options.rounds]:
            for _ in range(count):
                yield scenario, source.randrange(2**32)
        return
    end = time.monotonic() + 60 * options.minutes
    while time.monotonic() < end:
        for scenario in scenarios:
            yield scenario, source.randrange(2**32)


def _as_json(tallies: dict[str, Tally]) -> dict[str, object]:
    return {scenario: tally.as_json() for scenario, tally in tallies.items()}


def _print(tallies: dict[str, Tally], interface: Interface, shown: str, seed: int, seconds: float) -> None:
    console = Console()
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("scenario")
    for heading in ("rounds", "operations", "faults", "anomalies"):
        table.add_column(heading, justify="right")
    for scenario, tally in tallies.items():
        numbers = (tally.rounds, tally.operations, tally.faults, tally.anomalies.total())
        table.add_row(scenario, *(f"{number:,}" for number in numbers))
    of = "" if interface is TRACKING else f"--interface {interface.name} "
    for scenario, tally in tallies.items():
        if tally.reason:
            console.print(f"{scenario} was not tried: {tally.reason}", markup=False, soft_wrap=True)
        for anomaly in tally.examples:
            told = anomaly.told if len(anomaly.told) <= 600 else f"{anomaly.told[:599]}…"
            console.print(f"{anomaly.kind}: {told}", markup=False, soft_wrap=True)
            console.print(
                f"  again: trackspec soak {of}{shown} --replay {anomaly.replay}", markup=False, soft_wrap=True
            )
    console.print(table)
    console.print(f"{shown}, seed {seed}, in {seconds:.1f} s", markup=False, highlight=False, soft_wrap=True)


def _split(text: str, mark: str, scenarios: Iterable[str]) -> tuple[str, int]:
    scenario, _, number = text.partition(mark)
    if scenario not in scenarios or not number.isdecimal():
        raise UsageError(f"{text!r} is none of {', '.join(scenarios)}, followed by {mark!r} and a number")
    return scenario, int(number)
