"""How the subjects of an interface are opened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from trackspec_conformance.subjects.errors import SubjectError
from trackspec_conformance.subjects.subject import Subject, default_profiles


@dataclass(frozen=True)
class Opener:
    """How the subjects of one interface are opened, by URI or from what a factory returns.

    :ivar interface: its name.
    :ivar noun: what a subject is.
    :ivar contract: the class whose methods a subject has.
    :ivar schemes: gives the URI schemes that installed packages claim.
    :ivar by_uri: the subject of a URI that is not MLflow's.
    :ivar by_mlflow: the subject that the installed MLflow opens for a URI.
    :ivar mlflow_class: module and name of the MLflow class whose instances are adapted.
    :ivar adapter: adapts such an instance; called where MLflow is imported already.
    :ivar adapted_profiles: what an adapted instance claims; None is what every subject claims by default.
    """

    interface: str
    noun: str
    contract: type
    schemes: Callable[[], list[str]]
    by_uri: Callable[[str], Subject]
    by_mlflow: Callable[[str], Subject]
    mlflow_class: tuple[str, str]
    adapter: Callable[[Any], Any]
    adapted_profiles: frozenset[str] | None = None

    def default_profiles(self) -> frozenset[str]:
        """The profiles that a subject claims unless it says otherwise."""
        return default_profiles(self.interface)

    def is_mlflows(self, made: object) -> bool:
        """Whether an object is an instance of MLflow's class, found out without importing MLflow."""
        return any((base.__module__, base.__name__) == self.mlflow_class for base in type(made).__mro__)

    def adapt(self, made: Any) -> Any:
        """A factory's product as the interface has it.

        :param made: an instance of the contract, any object with its methods, or an instance of MLflow's class.
        :raises SubjectError: if it is none of these; the message names the methods that it lacks.
        """
        if self.is_mlflows(made):
            return self.adapter(made)
        methods: frozenset[str] = self.contract.__abstractmethods__  # type: ignore[attr-defined]  # an ABC has it
        lacking = sorted(name for name in methods if not callable(getattr(made, name, None)))
        if lacking:
            raise SubjectError(
                f"the factory returned a {type(made).__name__}, no {self.noun}: it lacks {', '.join(lacking)}"
            )
        return made
