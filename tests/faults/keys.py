"""Faults of the keys of params, metrics and tags."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import replace

from trackspec.entities import Metric, Param, RunTag
from trackspec.errors import invalid
from trackspec.memory_store import MemoryStore

from . import fault


class OtherKeys(MemoryStore):
    """A store that keeps what is logged under keys of its own making, or refuses some."""

    def _log_batch(
        self, run_id: str, metrics: Sequence[Metric], params: Sequence[Param], tags: Sequence[RunTag]
    ) -> None:
        record = self._active_run(run_id)
        known = [*record.points, *record.params, *record.tags]
        super()._log_batch(
            run_id,
            [replace(metric, key=self._kept(metric.key, known)) for metric in metrics],
            [replace(param, key=self._kept(param.key, known)) for param in params],
            [replace(tag, key=self._kept(tag.key, known)) for tag in tags],
        )

    def _kept(self, key: str, known: Collection[str]) -> str:
        raise NotImplementedError


class UnjudgedKeys(MemoryStore):
    """A store that takes some of the keys that the rules refuse, where one item is logged."""

    def log_metric(self, run_id: str, metric: Metric) -> None:
        if self._unjudged(metric.key):
            self._log_batch(run_id, [replace(metric, key=str(metric.key))], [], [])
        else:
            super().log_metric(run_id, metric)

    def log_param(self, run_id: str, param: Param) -> None:
        if self._unjudged(param.key):
            self._log_batch(run_id, [], [replace(param, key=str(param.key))], [])
        else:
            super().log_param(run_id, param)

    def set_tag(self, run_id: str, tag: RunTag) -> None:
        if self._unjudged(tag.key):
            self._log_batch(run_id, [], [], [replace(tag, key=str(tag.key))])
        else:
            super().set_tag(run_id, tag)

    def _unjudged(self, key: object) -> bool:
        raise NotImplementedError


@fault("key.characters")
class KeysAreAscii(OtherKeys):
    """A key with a letter beyond ASCII is refused."""

    def _kept(self, key: str, known: Collection[str]) -> str:
        if not key.isascii():
            raise invalid("The key is not ASCII.")
        return key


@fault("key.characters")
class KeysHaveNoColon(OtherKeys):
    """A key with a colon is refused."""

    def _kept(self, key: str, known: Collection[str]) -> str:
        if ":" in key:
            raise invalid("The key has a colon.")
        return key


@fault("key.spaces-kept")
class KeysArePaddedWithSpaces(OtherKeys):
    """Spaces at the end of a key do not count."""

    def _kept(self, key: str, known: Collection[str]) -> str:
        return next((other for other in known if other.rstrip(" ") == key.rstrip(" ")), key)


@fault("key.kept-exactly")
class KeysAreFileNames(OtherKeys):
    """A slash in a key becomes an underscore."""

    def _kept(self, key: str, known: Collection[str]) -> str:
        return key.replace("/", "_")


@fault("key.kept-exactly")
class TagKeysMatchAsPatterns(MemoryStore):
    """A tag replaces one whose key its own matches as a pattern."""

    def _log_batch(
        self, run_id: str, metrics: Sequence[Metric], params: Sequence[Param], tags: Sequence[RunTag]
    ) -> None:
        record = self._active_run(run_id)
        super()._log_batch(run_id, metrics, params, tags)
        for tag in tags:
            for other in [key for key in record.tags if key.replace(".", "_") == tag.key != key]:
                del record.tags[other]


@fault("key.case-apart")
class KeysIgnoreCase(OtherKeys):
    """A key is taken for one that differs in case."""

    def _kept(self, key: str, known: Collection[str]) -> str:
        return next((other for other in known if other.casefold() == key.casefold()), key)


@fault("key.look-alikes-apart")
class KeysAreNormalised(OtherKeys):
    """A key is kept in Unicode's compatibility form."""

    def _kept(self, key: str, known: Collection[str]) -> str:
        return unicodedata.normalize("NFKC", key)


@fault("key.look-alikes-apart")
class KeysIgnoreAccents(OtherKeys):
    """A key is taken for one that differs in accents."""

    def _kept(self, key: str, known: Collection[str]) -> str:
        plain = _without_accents(key)
        return next((other for other in known if _without_accents(other) == plain), key)


def _without_accents(key: str) -> str:
    letters = unicodedata.normalize("NFD", key)
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


@fault("key.kinds-apart")
class TagsAndParamsShareKeys(MemoryStore):
    """Setting a tag removes the param of its key."""

    def _log_batch(
        self, run_id: str, metrics: Sequence[Metric], params: Sequence[Param], tags: Sequence[RunTag]
    ) -> None:
        super()._log_batch(run_id, metrics, params, tags)
        for tag in tags:
            self._run(run_id).params.pop(tag.key, None)


@fault("key.kinds-apart")
class MetricsAndParamsShareKeys(MemoryStore):
    """A metric is not logged under the key of a param."""

    def _log_batch(
        self, run_id: str, metrics: Sequence[Metric], params: Sequence[Param], tags: Sequence[RunTag]
    ) -> None:
        free = [metric for metric in metrics if metric.key not in self._active_run(run_id).params]
        super()._log_batch(run_id, free, params, tags)


@fault("key.longest")
class KeysEndAt249(OtherKeys):
    """A key of 250 characters is refused."""

    def _kept(self, key: str, known: Collection[str]) -> str:
        if len(key) > 249:
            raise invalid("The key is too long.")
        return key


@fault("key.longest-wide")
class KeysAreMeasuredInBytes(OtherKeys):
    """A key of more than 250 bytes is refused."""

    def _kept(self, key: str, known: Collection[str]) -> str:
        if len(key.encode()) > 250:
            raise invalid("The key is too long.")
        return key


@fault("key.longest-wide")
class KeysAreMeasuredInUtf16(OtherKeys):
    """A key of more than 250 UTF-16 units is refused."""

    def _kept(self, key: str, known: Collection[str]) -> str:
        if len(key.encode("utf-16-le")) > 500:
            raise invalid("The key is too long.")
        return key


@fault("key.longest-apart")
class KeysAreComparedByTheirStart(OtherKeys):
    """A key is taken for one that begins with the same 240 characters."""

    def _kept(self, key: str, known: Collection[str]) -> str:
        return next((other for other in known if other[:240] == key[:240] and len(key) > 240), key)


@fault("key.over-long-refused")
class SetTagTakesKeysOfAnyLength(MemoryStore):
    """set_tag does not look at the length of the key."""

    def set_tag(self, run_id: str, tag: RunTag) -> None:
        if isinstance(tag.key, str) and len(tag.key) > 250:
            self._log_batch(run_id, [], [], [tag])
        else:
            super().set_tag(run_id, tag)


@fault("key.over-long-refused")
class ParamKeysAreCutInBatches(MemoryStore):
    """log_batch cuts the keys of params at 250 characters."""

    def log_batch(
        self, run_id: str, metrics: Sequence[Metric], params: Sequence[Param], tags: Sequence[RunTag]
    ) -> None:
        if isinstance(params, list) and all(isinstance(param.key, str) for param in params):
            params = [replace(param, key=param.key[:250]) for param in params]
        super().log_batch(run_id, metrics, params, tags)


@fault("key.empty-refused")
class KeysMayBeEmpty(UnjudgedKeys):
    """The empty key is taken."""

    def _unjudged(self, key: object) -> bool:
        return key == ""


@fault("key.path-refused")
class KeysMayBeAbsolute(UnjudgedKeys):
    """A key that starts with a slash is taken."""

    def _unjudged(self, key: object) -> bool:
        return isinstance(key, str) and key.startswith("/")


@fault("key.path-refused")
class KeysMayLeadUpwards(UnjudgedKeys):
    """A key with a segment of two dots behind the first one is taken."""

    def _unjudged(self, key: object) -> bool:
        return isinstance(key, str) and ".." in key.split("/")[1:]


@fault("key.path-refused")
class KeysAreTidied(UnjudgedKeys):
    """A key with an empty segment is taken."""

    def _unjudged(self, key: object) -> bool:
        return isinstance(key, str) and "" in key.split("/")[1:]


@fault("key.other-characters-refused")
class KeysMayHoldPunctuation(UnjudgedKeys):
    """A key with any printable ASCII character is taken."""

    def _unjudged(self, key: object) -> bool:
        return isinstance(key, str) and any(character in "'\"\\%*" for character in key)


@fault("key.other-characters-refused")
class KeysMayHoldCombiningMarks(UnjudgedKeys):
    """A key with a combining mark is taken."""

    def _unjudged(self, key: object) -> bool:
        return isinstance(key, str) and any(unicodedata.combining(character) for character in key)


@fault("key.trailing-newline-refused")
class KeysMayEndInANewline(UnjudgedKeys):
    """The end of a key is sought in front of its last newline."""

    def _unjudged(self, key: object) -> bool:
        return isinstance(key, str) and key[-1:] == "\n" and key[:-1].isalnum()


@fault("key.type-refused")
class KeysBecomeText(UnjudgedKeys):
    """A key that is no text is turned into text."""

    def _unjudged(self, key: object) -> bool:
        return not isinstance(key, str)


@fault("key.type-refused")
class KeysMustBeText(MemoryStore):
    """A key that is no text raises a bare TypeError."""

    def log_param(self, run_id: str, param: Param) -> None:
        if not isinstance(param.key, str):
            raise TypeError("expected string or bytes-like object")
        super().log_param(run_id, param)
