"""From the results of checks to a verdict on each requirement and profile."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from trackspec import __version__, catalogue
from trackspec.catalogue import Level, Requirement
from trackspec_conformance.checks import Check
from trackspec_conformance.coordinator import Judgement
from trackspec_conformance.known import KnownFailure
from trackspec_conformance.outcomes import CheckResult, Outcome
from trackspec_conformance.subjects.subject import Identity

_AGAINST = (Outcome.ERROR, Outcome.FAIL, Outcome.KNOWN, Outcome.BLOCKED)


@dataclass(frozen=True)
class RequirementVerdict:
    """What became of one requirement.

    :ivar checks: the names of the checks that verify it and were planned.
    :ivar decisive: the result that decided the outcome, if a check did.
    :ivar preview: whether the judged spec version does not have it yet, so that it is not counted.
    """

    requirement: Requirement
    outcome: Outcome
    checks: tuple[str, ...] = ()
    message: str = ""
    decisive: CheckResult | None = None
    preview: bool = False


@dataclass(frozen=True)
class ProfileVerdict:
    """What became of one profile.

    :ivar conforms: whether every MUST of it is kept; None where it is not claimed, only a part of it was run, or
        none of it could be judged.
    :ivar counts: how many of its requirements have each outcome; their sum is the same for every subject.
    """

    name: str
    claimed: bool
    conforms: bool | None
    counts: Mapping[Outcome, int]


@dataclass(frozen=True)
class Report:
    """The outcome of a run.

    :ivar interface: the name of the interface that the subject was judged by.
    :ivar partial: whether only selected requirements were run.
    :ivar stale: known failures that did not fail.
    """

    interface: str
    subject: str
    identity: Identity
    spec_version: str
    seed: int
    profiles: tuple[ProfileVerdict, ...]
    requirements: tuple[RequirementVerdict, ...]
    partial: bool
    stale: tuple[KnownFailure, ...] = ()
    seconds: float = 0.0
    suite_version: str = field(default=__version__)

    def with_outcome(self, *outcomes: Outcome) -> list[RequirementVerdict]:
        """The counted requirements that have one of the outcomes."""
        return [item for item in self.requirements if item.outcome in outcomes and not item.preview]

    @property
    def unjudged(self) -> list[str]:
        """The claimed profiles of which nothing could be judged."""
        if self.partial:
            return []
        return [profile.name for profile in self.profiles if profile.claimed and profile.conforms is None]

    @property
    def exit_status(self) -> int:
        """0 if all is well, 1 if a MUST failed or a known failure is stale, 2 if something could not be judged."""
        against = [
            item
            for item in self.with_outcome(Outcome.FAIL, Outcome.BLOCKED)
            if item.requirement.level is Level.MUST
        ]
        if against or self.stale:
            return 1
        return 2 if self.with_outcome(Outcome.ERROR) or self.unjudged else 0


def draw_up(
    judgement: Judgement,
    planned: Iterable[Check],
    selected: Iterable[Requirement],
    *,
    interface: str,
    subject: str,
    claimed: Collection[str],
    spec_version: str,
    seed: int,
    partial: bool,
    known: Mapping[str, KnownFailure],
    seconds: float = 0.0,
) -> Report:
    """Draw up the report of a run.

    :param planned: the checks that were to be run; one without a result is an error.
    :param selected: the requirements to report on.
    :param claimed: the profiles that are judged.
    """
    by_requirement: dict[str, list[Check]] = {}
    for check in planned:
        for id_ in check.verifies:
            by_requirement.setdefault(id_, []).append(check)
    verdicts = tuple(
        _verdict(requirement, by_requirement.get(requirement.id, []), judgement, claimed, spec_version, known)
        for requirement in selected
    )
    failing = {item.requirement.id for item in verdicts if item.outcome is Outcome.KNOWN}
    judged = {item.requirement.id for item in verdicts if item.outcome is not Outcome.NOT_CLAIMED}
    stale = tuple(entry for id_, entry in known.items() if id_ in judged and id_ not in failing)
    profiles = tuple(
        _profile(name, verdicts, name in claimed, partial) for name in catalogue.profiles_of(interface)
    )
    return Report(
        interface,
        subject,
        judgement.identity,
        spec_version,
        seed,
        profiles,
        verdicts,
        partial,
        stale,
        round(seconds, 3),
    )


def _verdict(
    requirement: Requirement,
    checks: list[Check],
    judgement: Judgement,
    claimed: Collection[str],
    spec_version: str,
    known: Mapping[str, KnownFailure],
) -> RequirementVerdict:
    names = tuple(check.name for check in checks)
    preview = _number(requirement.since) > _number(spec_version)
    if requirement.profile not in claimed:
        return RequirementVerdict(requirement, Outcome.NOT_CLAIMED, preview=preview)
    if requirement.not_testable:
        message = f"not testable: {requirement.not_testable}"
        return RequirementVerdict(requirement, Outcome.NOT_APPLICABLE, message=message, preview=preview)
    if not checks and requirement.level is Level.MAY:
        return RequirementVerdict(
            requirement, Outcome.NOT_APPLICABLE, message="permitted: nothing to judge", preview=preview
        )
    if not checks or judgement.results.keys().isdisjoint(names):
        return RequirementVerdict(requirement, Outcome.ERROR, names, "no check reported", preview=preview)
    missing = [name for name in names if name not in judgement.results]
    if missing:
        message = f"{missing[0]} was planned and did not report"
        return RequirementVerdict(requirement, Outcome.ERROR, names, message, preview=preview)
    results = [judgement.results[name] for name in names]
    outcome, decisive = _worst(results)
    message = decisive.message
    if outcome is Outcome.FAIL and requirement.id in known:
        outcome, message = Outcome.KNOWN, str(known[requirement.id])
    return RequirementVerdict(requirement, outcome, names, message, decisive, preview)


def _worst(results: list[CheckResult]) -> tuple[Outcome, CheckResult]:
    ranking = [*_AGAINST, Outcome.DECLINED, Outcome.PASS, Outcome.NOT_APPLICABLE]
    decisive = min(results, key=lambda result: ranking.index(result.outcome))
    return decisive.outcome, decisive


def _profile(name: str, verdicts: tuple[RequirementVerdict, ...], claimed: bool, partial: bool) -> ProfileVerdict:
    mine = [item for item in verdicts if item.requirement.profile == name and not item.preview]
    counts = {outcome: sum(item.outcome is outcome for item in mine) for outcome in Outcome}
    conforms = None
    untried = all(item.outcome is Outcome.NOT_APPLICABLE for item in mine)
    if claimed and not partial and not untried:
        conforms = not any(
            item.outcome in _AGAINST for item in mine if item.requirement.level is Level.MUST
        ) and not any(item.outcome is Outcome.ERROR for item in mine)
    return ProfileVerdict(name, claimed, conforms, counts)


def _number(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))
