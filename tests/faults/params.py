"""Faults of params."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import replace

from trackspec.entities import Metric, Param, RunTag
from trackspec.errors import ErrorCode, TrackspecError, invalid
from trackspec.memory_store import MemoryStore, RunRecord

from . import fault


class OtherValues(MemoryStore):
    """A store that keeps other values of params than it is given, or refuses some."""

    def _log_batch(
        self, run_id: str, metrics: Sequence[Metric], params: Sequence[Param], tags: Sequence[RunTag]
    ) -> None:
        kept = [replace(param, value=self._kept(param.value)) for param in params]
        super()._log_batch(run_id, metrics, kept, tags)

    def _kept(self, value: str) -> str:
        raise NotImplementedError


class ChangedBeforeJudged(MemoryStore):
    """A store that changes the values of params before it judges them."""

    def log_param(self, run_id: str, param: Param) -> None:
        super().log_param(run_id, replace(param, value=self._changed(param.value)))

    def log_batch(
        self, run_id: str, metrics: Sequence[Metric], params: Sequence[Param], tags: Sequence[RunTag]
    ) -> None:
        if isinstance(params, (list, tuple)):
            params = [replace(param, value=self._changed(param.value)) for param in params]
        super().log_batch(run_id, metrics, params, tags)

    def _changed(self, value: object) -> str:
        raise NotImplementedError


@fault("param.log")
class TheThirdParamIsLost(MemoryStore):
    """A run keeps two params."""

    def log_param(self, run_id: str, param: Param) -> None:
        params = self.get_run(run_id).data.params
        if len(params) < 2 or param.key in params:
            super().log_param(run_id, param)


@fault("param.log")
class ParamsAreSwapped(MemoryStore):
    """A param takes the value of the one logged before it."""

    def _log_batch(
        self, run_id: str, metrics: Sequence[Metric], params: Sequence[Param], tags: Sequence[RunTag]
    ) -> None:
        values = list(self._active_run(run_id).params.values())
        moved = [replace(param, value=values[-1]) if values else param for param in params]
        super()._log_batch(run_id, metrics, moved, tags)


@fault("param.value-exact")
class LineBreaksInParamsAreFolded(OtherValues):
    """A carriage return is taken for a line feed."""

    def _kept(self, value: str) -> str:
        return value.replace("\r\n", "\n").replace("\r", "\n")


@fault("param.value-exact")
class ParamsEndAtTheirLastCharacter(OtherValues):
    """A newline at the end of a value is dropped."""

    def _kept(self, value: str) -> str:
        return value.removesuffix("\n")


@fault("param.value-exact")
class ParamsAreNormalised(OtherValues):
    """A value is kept in Unicode's composed form."""

    def _kept(self, value: str) -> str:
        return unicodedata.normalize("NFC", value)


@fault("param.value-exact")
class ParamsAreNumbers(OtherValues):
    """A value that reads as a number is kept as one."""

    def _kept(self, value: str) -> str:
        try:
            return repr(float(value)) if "." in value else str(int(value))
        except ValueError:
            return value


@fault("param.value-exact")
class ParamsAreFormatted(MemoryStore):
    """A percent sign in a param of a batch is doubled."""

    def log_batch(
        self, run_id: str, metrics: Sequence[Metric], params: Sequence[Param], tags: Sequence[RunTag]
    ) -> None:
        super().log_batch(run_id, metrics, params, tags)
        for param in params:
            self._run(run_id).params[param.key] = param.value.replace("%", "%%")


@fault("param.empty-value")
class EmptyParamsAreNone(MemoryStore):
    """A param with the empty value is not kept."""

    def _log_batch(
        self, run_id: str, metrics: Sequence[Metric], params: Sequence[Param], tags: Sequence[RunTag]
    ) -> None:
        super()._log_batch(run_id, metrics, [param for param in params if param.value], tags)


@fault("param.empty-value")
class EmptyParamsMayChange(MemoryStore):
    """A param with the empty value can be set to another one."""

    def _require_no_other_value(self, record: RunRecord, param: Param) -> None:
        if record.params.get(param.key):
            super()._require_no_other_value(record, param)


@fault("param.same-value-again")
class RepeatedParamsAreRefused(MemoryStore):
    """A param that is logged again is refused, whatever its value."""

    def _require_no_other_value(self, record: RunRecord, param: Param) -> None:
        if param.key in record.params:
            raise invalid("The param exists.")


@fault("param.same-line-breaks-again")
class LineBreaksMakeAnotherValue(MemoryStore):
    """Line breaks are folded on one side of the comparison."""

    def _require_no_other_value(self, record: RunRecord, param: Param) -> None:
        folded = param.value.replace("\r\n", "\n").replace("\r", "\n")
        if record.params.get(param.key, folded) != folded:
            raise invalid("The param has another value.")


@fault("param.other-value-refused")
class ParamsAreOverwritten(MemoryStore):
    """A second value replaces the first."""

    def _require_no_other_value(self, record: RunRecord, param: Param) -> None:
        return None


@fault("param.other-value-refused")
class OtherValuesAreDropped(MemoryStore):
    """A second value is reported logged, and the first one stays."""

    def log_param(self, run_id: str, param: Param) -> None:
        if param.key not in self.get_run(run_id).data.params:
            super().log_param(run_id, param)


@fault("param.other-value-refused")
class OtherValuesAreTheStoresFault(MemoryStore):
    """A second value is answered as a failure of the store."""

    def _require_no_other_value(self, record: RunRecord, param: Param) -> None:
        if record.params.get(param.key, param.value) != param.value:
            raise TrackspecError("The param has another value.", ErrorCode.INTERNAL_ERROR)


@fault("param.other-value-refused")
class RefusedValuesAreKept(MemoryStore):
    """A second value is refused, and kept."""

    def _require_no_other_value(self, record: RunRecord, param: Param) -> None:
        known = record.params.get(param.key, param.value)
        record.params[param.key] = param.value
        if known != param.value:
            raise invalid("The param has another value.")


class LooselyCompared(MemoryStore):
    """A store that takes a value for another one."""

    def _require_no_other_value(self, record: RunRecord, param: Param) -> None:
        known = record.params.get(param.key, param.value)
        if self._compared(known) != self._compared(param.value):
            raise invalid("The param has another value.")
        record.params.setdefault(param.key, param.value)

    def _log_batch(
        self, run_id: str, metrics: Sequence[Metric], params: Sequence[Param], tags: Sequence[RunTag]
    ) -> None:
        before = dict(self._active_run(run_id).params)
        super()._log_batch(run_id, metrics, params, tags)
        self._run(run_id).params.update(before)

    def _compared(self, value: str) -> str:
        raise NotImplementedError


@fault("param.near-value-refused")
class CaseMakesNoOtherValue(LooselyCompared):
    """Values that differ in case are one."""

    def _compared(self, value: str) -> str:
        return value.casefold()


@fault("param.near-value-refused")
class SpaceMakesNoOtherValue(LooselyCompared):
    """Values that differ in the space at their ends are one."""

    def _compared(self, value: str) -> str:
        return value.strip()


@fault("param.near-value-refused")
class UnicodeFormMakesNoOtherValue(LooselyCompared):
    """Values that differ in their Unicode form are one."""

    def _compared(self, value: str) -> str:
        return unicodedata.normalize("NFC", value)


@fault("param.near-value-refused")
class LineBreaksMakeNoOtherValue(LooselyCompared):
    """Values that differ in the kind of their line breaks are one."""

    def _compared(self, value: str) -> str:
        return value.replace("\r\n", "\n")


@fault("param.longest-value")
class ParamsAreMeasuredInBytes(OtherValues):
    """A value of more than 6000 bytes is refused."""

    def _kept(self, value: str) -> str:
        if len(value.encode()) > 6000:
            raise invalid("The value is too long.")
        return value


@fault("param.longest-value")
class ParamsAreCutAt5999(OtherValues):
    """A value is cut at 5999 characters."""

    def _kept(self, value: str) -> str:
        return value[:5999]


@fault("param.over-long-refused")
class LongParamsAreCut(MemoryStore):
    """log_param cuts a value at 6000 characters."""

    def log_param(self, run_id: str, param: Param) -> None:
        value = param.value
        super().log_param(run_id, Param(param.key, value[:6000] if isinstance(value, str) else value))


@fault("param.over-long-refused")
class LongParamsAreKeptByBatches(MemoryStore):
    """log_batch does not look at the length of values."""

    def log_batch(
        self, run_id: str, metrics: Sequence[Metric], params: Sequence[Param], tags: Sequence[RunTag]
    ) -> None:
        if isinstance(params, list) and any(
            isinstance(param.value, str) and len(param.value) > 6000 for param in params
        ):
            self._log_batch(run_id, metrics, params, tags)
        else:
            super().log_batch(run_id, metrics, params, tags)


@fault("param.value-type-refused")
class NoParamIsTheEmptyOne(ChangedBeforeJudged):
    """None is taken for the empty value."""

    def _changed(self, value: object) -> str:
        return "" if value is None else value  # type: ignore[return-value]


@fault("param.value-type-refused")
class ParamsBecomeText(ChangedBeforeJudged):
    """A value that is no text is turned into text."""

    def _changed(self, value: object) -> str:
        return str(value)


@fault("param.surrogates-refused")
class SurrogatesInParamsAreReplaced(ChangedBeforeJudged):
    """A lone surrogate becomes a question mark."""

    def _changed(self, value: object) -> str:
        return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value  # type: ignore[return-value]


@fault("param.refused-value-leaves-key-free")
class RefusedParamsTakeTheKey(MemoryStore):
    """A param is made with the empty value before its own is judged."""

    def log_param(self, run_id: str, param: Param) -> None:
        try:
            super().log_param(run_id, param)
        except TrackspecError:
            if isinstance(param.key, str) and run_id in self._state.runs:
                self._run(run_id).params.setdefault(param.key, "")
            raise


class KeysAreDirectories(MemoryStore):
    """A store that cannot hold a param and another one below it."""

    def _require_no_other_value(self, record: RunRecord, param: Param) -> None:
        super()._require_no_other_value(record, param)
        if any(self._collides(param.key, known) for known in record.params):
            raise NotADirectoryError(param.key)

    def _collides(self, key: str, known: str) -> bool:
        raise NotImplementedError


@fault("param.prefix-keys")
class ParamsAreFiles(KeysAreDirectories):
    """There is no param below another one."""

    def _collides(self, key: str, known: str) -> bool:
        return key.startswith(f"{known}/")


@fault("param.prefix-keys")
class ParamsAreFolders(KeysAreDirectories):
    """There is no param above another one."""

    def _collides(self, key: str, known: str) -> bool:
        return known.startswith(f"{key}/")


@fault("param.unknown-run")
class UnknownRunsTakeParams(MemoryStore):
    """A param for a run that does not exist is reported logged."""

    def log_param(self, run_id: str, param: Param) -> None:
        if not isinstance(run_id, str) or "/" in run_id or run_id in self._state.runs:
            super().log_param(run_id, param)
