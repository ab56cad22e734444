"""Which requirements a run judges, and with which checks."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from trackspec import catalogue
from trackspec.catalogue import Requirement
from trackspec_conformance.checks import Check, checks_of
from trackspec_conformance.declining import refusal_checks, replaced_by_refusals
from trackspec_conformance.interfaces import Interface


class SelectionError(ValueError):
    """A selection that selects nothing, or names what does not exist."""


@dataclass(frozen=True)
class Plan:
    """What a run is going to judge.

    :ivar partial: whether requirements of the judged profiles are left out.
    """

    requirements: tuple[Requirement, ...]
    checks: tuple[Check, ...]
    partial: bool


def plan(
    interface: Interface, claimed: Collection[str], *, keyword: str | None, declines: Collection[str] = ()
) -> Plan:
    """The plan for a subject of an interface.

    :param claimed: the profiles to judge.
    :param keyword: text that the id of a requirement or the name of a check must contain.
    :param declines: the optional operations that the subject says it lacks.
    :raises SelectionError: if nothing is left.
    """
    everything = catalogue.requirements_of(interface.name).values()
    checks = _checks(interface, claimed, declines)
    if keyword is None:
        return Plan(tuple(everything), tuple(checks.values()), partial=False)
    named = {id_ for check in checks.values() if keyword in check.name for id_ in check.verifies}
    selected = [item for item in everything if keyword in item.id or item.id in named]
    ids = {item.id for item in selected}
    chosen = [check for check in checks.values() if ids.intersection(check.verifies)]
    if not selected:
        raise SelectionError(f"no requirement's id and no check's name contains {keyword!r}")
    return Plan(tuple(selected), tuple(chosen), partial=True)


def _checks(interface: Interface, claimed: Collection[str], declines: Collection[str]) -> Mapping[str, Check]:
    requirements = catalogue.requirements()
    checks = replaced_by_refusals(checks_of(interface.name), refusal_checks(interface), declines)
    return {
        name: check
        for name, check in checks.items()
        if any(requirements[id_].profile in claimed for id_ in check.verifies)
        and (check.needs is None or requirements[check.needs].profile in claimed)
    }
