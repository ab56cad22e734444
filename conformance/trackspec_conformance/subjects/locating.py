"""From the text on the command line to a subject."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Callable
from typing import Any

import trackspec
from trackspec import TrackingStore, TrackspecError
from trackspec.opening import schemes
from trackspec_conformance.subjects.adapting import as_store, is_mlflow_store
from trackspec_conformance.subjects.errors import SubjectError
from trackspec_conformance.subjects.subject import Subject, default_profiles

_FACTORY = re.compile(r"(?P<module>[A-Za-z_]\w*(?:\.\w+)*):(?P<name>[A-Za-z_]\w*(?:\.\w+)*)")
_MLFLOW = "mlflow+"


def open_subject(locator: str) -> Subject:
    """The subject that a locator names.

    :param locator: a store URI or path, ``mlflow+URI`` for what the installed MLflow opens, or ``module:factory``
        for a Python callable without parameters that returns a store or a :class:`Subject`.
    :raises SubjectError: if it cannot be had; the message is one line that says what to do.
    """
    if locator.startswith(_MLFLOW):
        from trackspec_conformance.subjects.mlflow_subject import mlflow_subject  # noqa: PLC0415 - needs MLflow

        return mlflow_subject(locator.removeprefix(_MLFLOW))
    factory = _FACTORY.fullmatch(locator)
    if factory and factory["module"] not in schemes():
        return _factory_subject(locator, _imported(factory["module"], factory["name"]))
    return Subject(lambda: _open_store(locator), reopenable=locator != "memory:")


def _open_store(uri: str) -> TrackingStore:
    try:
        return trackspec.open_store(uri)
    except TrackspecError as error:
        raise SubjectError(error.message) from error


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


def _factory_subject(locator: str, factory: Callable[[], Any]) -> Subject:
    made = _call(locator, factory)
    if isinstance(made, Subject):
        return made
    first = [made]

    def open_again() -> TrackingStore:
        return as_store(first.pop() if first else _call(locator, factory))

    if is_mlflow_store(made):
        return Subject(open_again, profiles=default_profiles() - {"configuration"}, reopenable=False)
    return Subject(open_again, reopenable=False)


def _call(locator: str, factory: Callable[[], Any]) -> Any:
    try:
        return factory()
    except Exception as error:
        raise SubjectError(f"{locator} raised {type(error).__name__}: {error}") from error
