"""Declining an optional operation: its refusal, seen to have no effect, takes the place of its checks."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping
from typing import Any

from trackspec import catalogue
from trackspec_conformance.checks import DEFAULT_TIMEOUT, Check
from trackspec_conformance.expectations import NotApplicable
from trackspec_conformance.interfaces import Interface
from trackspec_conformance.interfaces.interface import Refusal


class Declined(NotApplicable):
    """The subject refused as specified what it says it lacks."""


def refusal_checks(interface: Interface) -> dict[str, Check]:
    """The check of each optional operation's refusal, by the operation's name."""
    return {refusal.operation: _check_of(refusal, interface) for refusal in interface.refusals}


def _check_of(refusal: Refusal, interface: Interface) -> Check:
    ids = tuple(
        item.id
        for item in catalogue.requirements_of(interface.name).values()
        if item.id.startswith(refusal.prefixes) and not item.not_testable
    )
    name = f"declining.{refusal.operation}"
    summary = " ".join((refusal.function.__doc__ or "").split())
    return Check(name, interface.name, summary, ids, (), DEFAULT_TIMEOUT, _declined(refusal))


def _declined(refusal: Refusal) -> Callable[..., None]:
    def declines(*args: Any, **kwargs: Any) -> None:
        refusal.function(*args, **kwargs)
        raise Declined(f"the subject says that it lacks {refusal.operation}, and refuses it as specified")

    declines.__signature__ = inspect.signature(refusal.function)  # type: ignore[attr-defined]  # it asks for the same
    return declines


def replaced_by_refusals(
    checks: Mapping[str, Check], refusals: Mapping[str, Check], declines: Collection[str]
) -> dict[str, Check]:
    """The checks with those of declined operations replaced by the check of their refusal."""
    chosen = [refusals[operation] for operation in sorted(declines)]
    replaced = {id_ for check in chosen for id_ in check.verifies}
    kept = {
        name: check
        for name, check in checks.items()
        if not replaced.intersection(check.verifies) and check.needs not in replaced
    }
    return kept | {check.name: check for check in chosen}
