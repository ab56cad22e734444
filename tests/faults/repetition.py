"""Faults of repeated calls: idempotency keys."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import replace
from typing import Any

from trackspec import arguments
from trackspec.entities import Run, RunData
from trackspec.errors import TrackspecError, invalid
from trackspec.memory_store import MemoryStore

from . import fault


class KeysChanged(MemoryStore):
    """A store that makes something else of each key."""

    def _create_run_once(self, key: str, *rest: Any) -> Run:
        return super()._create_run_once(self._changed(key), *rest)

    def _create_experiment_once(self, key: str, *rest: Any) -> str:
        return super()._create_experiment_once(self._changed(key), *rest)

    def _changed(self, key: str) -> str:
        return key


@fault("repeat.create-run")
class RunKeysAreIgnored(MemoryStore):
    """Each call makes a run of its own, whatever its key."""

    def _create_run_once(self, key: str, *rest: Any) -> Run:
        return self._create_run(*rest)


@fault("repeat.create-experiment")
class ExperimentKeysAreIgnored(MemoryStore):
    """A repeated call finds the name taken, whatever its key."""

    def _create_experiment_once(self, key: str, *rest: Any) -> str:
        return self._create_experiment(*rest)


@fault("repeat.create-run-as-it-is")
class RepeatedCreateAnswersTheEmptyRun(MemoryStore):
    """The repeated call returns the run as it was created."""

    def _create_run_once(self, key: str, *rest: Any) -> Run:
        run = super()._create_run_once(key, *rest)
        return replace(run, data=RunData(tags={"mlflow.runName": run.info.run_name}))


@fault("repeat.other-key")
class KeysAreCutShort(KeysChanged):
    """Only the first 24 characters of a key count."""

    def _changed(self, key: str) -> str:
        return key[:24]


@fault("repeat.kinds-apart")
class KeysAreSharedByKinds(MemoryStore):
    """A key that has made an experiment is refused for a run."""

    def _create_run_once(self, key: str, *rest: Any) -> Run:
        if key in self._state.experiment_keys:
            raise invalid("The key has been used.")
        return super()._create_run_once(key, *rest)


class KeysLookedUpFirst(MemoryStore):
    """A store that looks a key up, and then creates, with room for others between the two."""

    runs_too = True

    def _create_run_once(self, key: str, *rest: Any) -> Run:
        if not self.runs_too or key in self._state.run_keys:
            return super()._create_run_once(key, *rest)
        time.sleep(0.01)
        run = self._create_run(*rest)
        self._state.run_keys[key] = run.info.run_id
        return run

    def _create_experiment_once(self, key: str, name: str, *rest: Any) -> str:
        if self.runs_too or key in self._state.experiment_keys:
            return super()._create_experiment_once(key, name, *rest)
        time.sleep(0.01)
        experiment_id = self._create_experiment(name, *rest)
        self._state.experiment_keys[key] = experiment_id, name
        return experiment_id


@fault("repeat.at-once")
class RunKeysAreCheckedTooEarly(KeysLookedUpFirst):
    """Callers that come at the same time with one key make a run each."""


@fault("repeat.at-once-experiment")
class ExperimentKeysAreCheckedTooEarly(KeysLookedUpFirst):
    """Of callers that come at the same time with one key, all but one find the name taken."""

    runs_too = False


@fault("repeat.key-reopened")
class KeysLiveInTheObject(KeysChanged):
    """Another store object knows nothing of the keys that were used."""

    def _changed(self, key: str) -> str:
        return f"{id(self)}/{key}"


@fault("repeat.key-of-another-experiment")
class RunKeysCountEverywhere(MemoryStore):
    """A run of another experiment is returned for its key."""

    def _create_run_once(self, key: str, *rest: Any) -> Run:
        made = self._state.run_keys.get(key)
        return self._get_run(made) if made else super()._create_run_once(key, *rest)


@fault("repeat.key-of-another-name")
class ExperimentKeysCountForAnyName(MemoryStore):
    """The experiment of the key is returned, whatever name is asked for."""

    def _create_experiment_once(self, key: str, *rest: Any) -> str:
        made = self._state.experiment_keys.get(key)
        return made[0] if made else super()._create_experiment_once(key, *rest)


@fault("repeat.key-of-another-name")
class ExperimentKeysFollowARenaming(MemoryStore):
    """The name that the experiment has now is compared, and not the one that it was asked for with."""

    def _rename_experiment(self, experiment_id: str, new_name: str) -> None:
        super()._rename_experiment(experiment_id, new_name)
        keys = self._state.experiment_keys
        keys |= {key: (id_, new_name) for key, (id_, _) in keys.items() if id_ == experiment_id}


@fault("repeat.name-taken")
class KeysGetOrCreate(MemoryStore):
    """With a key, the experiment that has the name is returned, whoever made it."""

    def _create_experiment_once(self, key: str, name: str, *rest: Any) -> str:
        held = self._get_experiment_by_name(name)
        if held is not None:
            return held.experiment_id
        return super()._create_experiment_once(key, name, *rest)


@fault("repeat.key-after-refusal")
class RefusedCallsUseTheirKeysUp(MemoryStore):
    """A key is noted before the call is tried."""

    def __init__(self, store_uri: str = "memory:") -> None:
        super().__init__(store_uri)
        self._spent: set[str] = set()

    def _create_run_once(self, key: str, *rest: Any) -> Run:
        if key in self._spent:
            raise invalid("The key has been used.")
        try:
            return super()._create_run_once(key, *rest)
        except TrackspecError:
            self._spent.add(key)
            raise


@fault("repeat.key-form")
class MalformedKeysAreIgnored(MemoryStore):
    """A call with a malformed key is served like one without."""

    def create_run(self, *args: Any, idempotency_key: Any = None) -> Run:
        with suppress(TrackspecError):
            arguments.idempotency_key(idempotency_key)
            return super().create_run(*args, idempotency_key=idempotency_key)
        return super().create_run(*args)


@fault("repeat.key-longest")
class KeysIgnoreCase(KeysChanged):
    """Keys that differ in case are one."""

    def _changed(self, key: str) -> str:
        return key.lower()


@fault("repeat.key-longest")
class LongKeysAreCut(KeysChanged):
    """Keys are cut to 191 characters."""

    def _changed(self, key: str) -> str:
        return key[:191]
