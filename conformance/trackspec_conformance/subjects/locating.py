"""From the text on the command line to a subject."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from trackspec_conformance.subjects.errors import SubjectError
from trackspec_conformance.subjects.opener import Opener
from trackspec_conformance.subjects.subject import Subject
from trackspec_conformance.subjects.tracking_stores import TRACKING_STORES

OPENERS = {opener.interface: opener for opener in (TRACKING_STORES,)}
"""How the subjects of each interface are opened, by its name."""

_FACTORY = re.compile(r"(?P<module>[A-Za-z_]\w*(?:\.\w+)*):(?P<name>[A-Za-z_]\w*(?:\.\w+)*)")
_MLFLOW = "mlflow+"


def open_subject(locator: str, interface: str = "tracking") -> Subject:
    """The subject that a locator names.

    :param locator: a URI or path, ``mlflow+URI`` for what the installed MLflow opens, or ``module:factory`` for a
        Python callable without parameters that returns what the interface asks for, or a :class:`Subject`.
    :param interface: the name of the interface that it is judged by.
    :raises SubjectError: if it cannot be had; the message is one line that says what to do.
    """
    opener = OPENERS[interface]
    subject = _located(locator, opener)
    return subject if subject.profiles is not None else replace(subject, profiles=opener.default_profiles())


def _located(locator: str, opener: Opener) -> Subject:
    if locator.startswith(_MLFLOW):
        return opener.by_mlflow(locator.removeprefix(_MLFLOW))
    factory = _FACTORY.fullmatch(locator)
    if factory and factory["module"] not in opener.schemes():
        return _factory_subject(locator, _imported(factory["module"], factory["name"]), opener)
    return opener.by_uri(locator)


def _imported(module: str, name: str) -> Callable[[], Any]:
    if "" not in sys.path:
        sys.path.insert(0, "")  # a factory usually stands in the directory that the command is called from
    try:
        found: Any = importlib.import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError) as error:
        raise SubjectError(f"cannot import {module}:{name}: {error}") from error
    if not callable(found):
        raise SubjectError(f"{module}:{name} is not callable")
    factory: Callable[[], Any] = found
    return factory


def _factory_subject(locator: str, factory: Callable[[], Any], opener: Opener) -> Subject:
    made = _call(locator, factory)
    if isinstance(made, Subject):
        return made
    first = [made]

    def open_again() -> Any:
        return opener.adapt(first.pop() if first else _call(locator, factory))

    profiles = opener.adapted_profiles if opener.is_mlflows(made) else None
    return Subject(open_again, profiles=profiles, reopenable=False)


def _call(locator: str, factory: Callable[[], Any]) -> Any:
    try:
        return factory()
    except Exception as error:
        raise SubjectError(f"{locator} raised {type(error).__name__}: {error}") from error
