"""Faults of the chapter on entities: text that is changed, cut or let through."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import replace

from trackspec.entities import ExperimentTag
from trackspec.errors import invalid
from trackspec.memory_store import MemoryStore

from . import fault


class _TagValuesThrough(MemoryStore):
    """A backend that keeps the values of experiment tags as :meth:`_kept` says."""

    def _kept(self, value: str) -> str:
        raise NotImplementedError

    def _create_experiment(self, name: str, artifact_location: str | None, tags: dict[str, str]) -> str:
        kept = {key: self._kept(value) for key, value in tags.items()}
        return super()._create_experiment(name, artifact_location, kept)

    def _set_experiment_tag(self, experiment_id: str, tag: ExperimentTag) -> None:
        super()._set_experiment_tag(experiment_id, replace(tag, value=self._kept(tag.value)))


@fault("text.exact")
class BasicLatin(_TagValuesThrough):
    """Characters beyond Latin-1 become question marks."""

    def _kept(self, value: str) -> str:
        return value.encode("latin-1", "replace").decode("latin-1")


@fault("text.exact")
class LongTextLosesItsLineEnd(_TagValuesThrough):
    """A line feed at the end of a long text is lost."""

    def _kept(self, value: str) -> str:
        return value.removesuffix("\n") if len(value) > 1000 else value


@fault("text.not-normalised")
class Composes(_TagValuesThrough):
    """Text is kept in normal form C."""

    def _kept(self, value: str) -> str:
        return unicodedata.normalize("NFC", value)


@fault("text.not-normalised")
class BasicPlaneOnly(_TagValuesThrough):
    """Characters outside the basic plane are left out."""

    def _kept(self, value: str) -> str:
        return "".join(character for character in value if ord(character) < 0x10000)


@fault("text.white-space-kept")
class TrimsText(_TagValuesThrough):
    """White space at the edges of text is lost."""

    def _kept(self, value: str) -> str:
        return value.strip()


@fault("text.white-space-kept")
class FoldsLineEnds(_TagValuesThrough):
    """A carriage return before a line feed is lost."""

    def _kept(self, value: str) -> str:
        return value.replace("\r\n", "\n")


@fault("text.control-characters-kept")
class DropsByteOrderMarks(_TagValuesThrough):
    """A byte order mark at the start of text is lost."""

    def _kept(self, value: str) -> str:
        return value.removeprefix("\ufeff")


@fault("text.syntax-is-data")
class UnescapesQuotes(_TagValuesThrough):
    """A doubled quote comes back as one."""

    def _kept(self, value: str) -> str:
        return value.replace("''", "'")


@fault("text.words-stay-text")
class ReadsNumbers(_TagValuesThrough):
    """Zeros before a number are lost."""

    def _kept(self, value: str) -> str:
        return str(int(value)) if value.isascii() and value.isdecimal() else value


@fault("text.words-stay-text")
class ReadsNull(_TagValuesThrough):
    """The text null comes back empty."""

    def _kept(self, value: str) -> str:
        return "" if value == "null" else value


@fault("text.empty-kept")
class DropsEmptyTags(MemoryStore):
    """A tag with an empty value is not kept."""

    def _set_experiment_tag(self, experiment_id: str, tag: ExperimentTag) -> None:
        if tag.value:
            super()._set_experiment_tag(experiment_id, tag)


@fault("text.length-in-characters")
class CountsBytes(MemoryStore):
    """The limit of names counts bytes."""

    def create_experiment(
        self, name: str, artifact_location: str | None = None, tags: Sequence[ExperimentTag] | None = None
    ) -> str:
        if isinstance(name, str) and len(name.encode(errors="replace")) > 500:
            raise invalid("An experiment name must have at most 500 bytes.")
        return super().create_experiment(name, artifact_location, tags)


@fault("text.lone-surrogates-refused")
class ReplacesSurrogates(MemoryStore):
    """A lone surrogate in a tag's value becomes a question mark."""

    def set_experiment_tag(self, experiment_id: str, tag: ExperimentTag) -> None:
        if isinstance(tag, ExperimentTag) and isinstance(tag.value, str):
            tag = replace(tag, value=tag.value.encode(errors="replace").decode())
        super().set_experiment_tag(experiment_id, tag)


@fault("text.nul-kept-or-refused")
class CutsTextAtNul(MemoryStore):
    """A tag's value ends before its first U+0000."""

    def set_experiment_tag(self, experiment_id: str, tag: ExperimentTag) -> None:
        if isinstance(tag, ExperimentTag) and isinstance(tag.value, str):
            tag = replace(tag, value=tag.value.partition("\x00")[0])
        super().set_experiment_tag(experiment_id, tag)
