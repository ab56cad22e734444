"""Faults of the chapter on configuration."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import unquote, urldefrag

from trackspec import uris
from trackspec.entities import ExperimentTag
from trackspec.errors import invalid
from trackspec.memory_store import MemoryStore
from trackspec.validated_store import ARTIFACT_ROOT_VARIABLE

from . import fault


@fault("config.root-is-uri")
class RootIsAPath(MemoryStore):
    """The built-in artifact root is a path."""

    def get_artifact_root(self) -> str:
        return self._configured_artifact_root() or "/artifacts"


class _LocatesItself(MemoryStore):
    """A backend that puts a new experiment at :meth:`_location`."""

    def _location(self, name: str, experiment_id: str, given: str | None) -> str | None:
        raise NotImplementedError

    def _create_experiment(self, name: str, artifact_location: str | None, tags: dict[str, str]) -> str:
        experiment_id = super()._create_experiment(name, artifact_location, tags)
        location = self._location(name, experiment_id, artifact_location)
        if location is not None:
            experiment = self._experiment(experiment_id)
            self._state.experiments[experiment_id] = replace(experiment, artifact_location=location)
        return experiment_id


@fault("config.root-applied")
class LocatesInAFolder(_LocatesItself):
    """A new experiment is located in a folder of the artifact root."""

    def _location(self, name: str, experiment_id: str, given: str | None) -> str | None:
        return given or uris.join(self.get_artifact_root(), "experiments", experiment_id)


@fault("config.opening-changes-nothing")
class OpeningDropsTags(MemoryStore):
    """Opening the store drops the tags of its experiments."""

    def __init__(self, store_uri: str = "memory:") -> None:
        super().__init__(store_uri)
        for experiment in self._state.experiments.values():
            experiment.tags.clear()


@fault("config.opening-changes-nothing", "config.set-kept")
class OpeningResetsTheRoot(MemoryStore):
    """Opening the store sets the artifact root to that of the process that opens it."""

    def __init__(self, store_uri: str = "memory:") -> None:
        super().__init__(store_uri)
        self._state.artifact_root = f"s3://bucket/{id(self)}"


@fault("config.set-read")
class SettingTheRootDoesNothing(MemoryStore):
    """Setting the artifact root succeeds without effect."""

    def _configure_artifact_root(self, artifact_root: str) -> None:
        return None


@fault("config.set-kept", "config.set-applied-elsewhere")
class RootOfTheObject(MemoryStore):
    """The artifact root that was set is that of the object only."""

    _root: str | None = None

    def _configure_artifact_root(self, artifact_root: str) -> None:
        self._root = artifact_root

    def _configured_artifact_root(self) -> str | None:
        return self._root


@fault("config.set-applied")
class RootIsOnlyShown(_LocatesItself):
    """The artifact root that was set is returned, and does not apply."""

    def _location(self, name: str, experiment_id: str, given: str | None) -> str | None:
        return None if given else uris.join(self._built_in_artifact_root(), experiment_id)


@fault("config.set-applied-elsewhere")
class RootAsOpened(_LocatesItself):
    """An object locates experiments below the root that there was when it was opened or that it set itself."""

    def __init__(self, store_uri: str = "memory:") -> None:
        super().__init__(store_uri)
        self._root = self.get_artifact_root()

    def _configure_artifact_root(self, artifact_root: str) -> None:
        super()._configure_artifact_root(artifact_root)
        self._root = artifact_root

    def _location(self, name: str, experiment_id: str, given: str | None) -> str | None:
        return None if given else uris.join(self._root, experiment_id)


@fault("config.set-slash")
class DoublesTheSlash(_LocatesItself):
    """A root that ends in a slash gets another one."""

    def _location(self, name: str, experiment_id: str, given: str | None) -> str | None:
        root = self.get_artifact_root()
        return f"{root}/{experiment_id}" if root.endswith("/") and not given else None


@fault("config.set-query")
class AppendsToTheQuery(_LocatesItself):
    """The id is appended to the root's query."""

    def _location(self, name: str, experiment_id: str, given: str | None) -> str | None:
        return None if given else f"{self.get_artifact_root().removesuffix('/')}/{experiment_id}"


@fault("config.set-not-normalised")
class DecodesTheRoot(MemoryStore):
    """Escapes in the artifact root are decoded."""

    def _configure_artifact_root(self, artifact_root: str) -> None:
        super()._configure_artifact_root(unquote(artifact_root))


@fault("config.set-for-new-experiments")
class MovesExperiments(MemoryStore):
    """Setting the artifact root moves the experiments below the former one."""

    def _configure_artifact_root(self, artifact_root: str) -> None:
        former = self.get_artifact_root()
        super()._configure_artifact_root(artifact_root)
        for experiment_id, experiment in self._state.experiments.items():
            if experiment.artifact_location == uris.join(former, experiment_id):
                location = uris.join(artifact_root, experiment_id)
                self._state.experiments[experiment_id] = replace(experiment, artifact_location=location)


@fault("config.set-under-location")
class RootOverLocation(_LocatesItself):
    """A root that was set counts more than an experiment's own location."""

    def _location(self, name: str, experiment_id: str, given: str | None) -> str | None:
        root = self._configured_artifact_root()
        return root and uris.join(root, experiment_id)


@fault("config.set-over-environment")
class EnvironmentOverRoot(MemoryStore):
    """The environment counts more than the root that was set."""

    def get_artifact_root(self) -> str:
        return os.environ.get(ARTIFACT_ROOT_VARIABLE) or super().get_artifact_root()


@fault("config.set-path")
class KeepsPathsAsRoots(MemoryStore):
    """A root that is a relative path stays one."""

    def set_artifact_root(self, artifact_root: str) -> None:
        super().set_artifact_root(artifact_root)
        self._configure_artifact_root(artifact_root)

    def get_artifact_root(self) -> str:
        return self._configured_artifact_root() or super().get_artifact_root()


@fault("config.set-any-scheme")
class IgnoresUnknownSchemes(MemoryStore):
    """Setting a root of an unknown scheme succeeds without effect."""

    def _configure_artifact_root(self, artifact_root: str) -> None:
        if not artifact_root.startswith("x-"):
            super()._configure_artifact_root(artifact_root)


@fault("config.set-refused")
class NoRootMeansBuiltIn(MemoryStore):
    """Setting no artifact root goes back to the built-in one."""

    def set_artifact_root(self, artifact_root: str) -> None:
        if artifact_root:
            super().set_artifact_root(artifact_root)
        else:
            self._state.artifact_root = None


# -- locations --------------------------------------------------------------------------------------------------


@fault("config.default-location")
class SharedLocation(_LocatesItself):
    """All experiments without a location of their own share one."""

    def _location(self, name: str, experiment_id: str, given: str | None) -> str | None:
        return given or self.get_artifact_root()


@fault("config.default-location-is-uri")
class DefaultLocationIsAPath(_LocatesItself):
    """An experiment without a location of its own is located at a path."""

    def _location(self, name: str, experiment_id: str, given: str | None) -> str | None:
        return given or f"/artifacts/{experiment_id}"


@fault("config.location-kept")
class DropsTheLastSlash(_LocatesItself):
    """A slash at the end of a location is lost."""

    def _location(self, name: str, experiment_id: str, given: str | None) -> str | None:
        return given and given.removesuffix("/")


@fault("config.location-kept")
class QuotesLocations(_LocatesItself):
    """A space in a location is escaped."""

    def _location(self, name: str, experiment_id: str, given: str | None) -> str | None:
        return given and given.replace(" ", "%20")


@fault("config.location-by-policy")
class DropsFragments(_LocatesItself):
    """A fragment of a location is lost."""

    def _location(self, name: str, experiment_id: str, given: str | None) -> str | None:
        return given and urldefrag(given).url


@fault("config.location-longest")
class CutsLongLocations(_LocatesItself):
    """A location is cut to 256 characters."""

    def _location(self, name: str, experiment_id: str, given: str | None) -> str | None:
        return given and given[:256]


class _TakesLocations(MemoryStore):
    """A backend that takes a location, whatever it is, as :meth:`_taken` says."""

    def _taken(self, location: str | None) -> str | None:
        raise NotImplementedError

    def create_experiment(
        self, name: str, artifact_location: str | None = None, tags: Sequence[ExperimentTag] | None = None
    ) -> str:
        return super().create_experiment(name, self._taken(artifact_location), tags)


@fault("config.location-absolute")
class KeepsRelativePaths(MemoryStore):
    """A location that is a relative path stays one."""

    def create_experiment(
        self, name: str, artifact_location: str | None = None, tags: Sequence[ExperimentTag] | None = None
    ) -> str:
        experiment_id = super().create_experiment(name, artifact_location, tags)
        if artifact_location and ":" not in artifact_location:
            experiment = self._experiment(experiment_id)
            self._state.experiments[experiment_id] = replace(experiment, artifact_location=artifact_location)
        return experiment_id


@fault("config.location-empty")
class RefusesEmptyLocations(_TakesLocations):
    """An empty location is refused."""

    def _taken(self, location: str | None) -> str | None:
        if location == "":
            raise invalid("An artifact location must not be empty.")
        return location


@fault("config.location-refused")
class CutsOverLongLocations(_TakesLocations):
    """A location of more than 2048 characters is cut."""

    def _taken(self, location: str | None) -> str | None:
        return location[:2048] if isinstance(location, str) else location


@fault("config.location-refused")
class DecodesLocations(_TakesLocations):
    """A location in bytes is decoded."""

    def _taken(self, location: str | None) -> str | None:
        return location.decode() if isinstance(location, bytes) else location
