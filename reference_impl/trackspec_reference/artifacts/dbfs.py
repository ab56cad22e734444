"""Artifacts in the file system of a Databricks workspace."""

from __future__ import annotations

import base64
import binascii
import contextlib
import posixpath
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlencode

from trackspec import __version__
from trackspec.artifact_locations import artifact_location
from trackspec.artifact_paths import RESERVED
from trackspec.errors import ErrorCode, TrackspecError, invalid
from trackspec_reference.artifacts.remote_tree import (
    CONNECT_TIMEOUT,
    TIMEOUT,
    Entry,
    Lost,
    Refused,
    RemoteTreeRepository,
)
from trackspec_reference.artifacts.service import Service
from trackspec_reference.credentials.databricks import get_databricks_host_creds
from trackspec_reference.json_bodies import read_answer, write_body
from trackspec_reference.tracking.rest.patience import Patience
from trackspec_reference.tracking.rest.repeating import Client
from trackspec_reference.tracking.rest.request import Request

BLOCK = 1024 * 1024
"""The most bytes of a content that the service takes or gives by one request."""

_ASIDE = f"{RESERVED}replaced"
_PATIENCE = Patience(CONNECT_TIMEOUT, TIMEOUT, 3 * TIMEOUT, retries=4)
_LOOKS = 8
"""How often something is tried that others undo by replacing the same files."""
_DELETIONS = 1000
"""How often a large folder is deleted further."""


class DbfsArtifactRepository(RemoteTreeRepository):
    """The files below a folder of DBFS, the file system of a Databricks workspace.

    ``get_databricks_host_creds`` finds the workspace and who asks, by Databricks' own SDK, and renews what
    expires.

    DBFS renames to free names only. A file that one of more than one block replaces is put aside meanwhile, into
    the folder ``.trackspec-replaced`` beside it, where readers look for what they do not find.

    :param artifact_uri: ``dbfs:/PATH``, or ``dbfs://PROFILE@databricks/PATH`` for the workspace of a profile of
        Databricks' configuration file. Nothing in the path is decoded.
    :raises TrackspecError: INVALID_PARAMETER_VALUE for any other URI, or if there are no credentials;
        TEMPORARILY_UNAVAILABLE if finding them takes too long.
    """

    def __init__(self, artifact_uri: str) -> None:
        location = artifact_location(artifact_uri)
        profile, _, place = location.authority.rpartition("@")
        if (
            location.scheme != "dbfs"
            or (place if location.authority else "databricks") != "databricks"
            or not location.path.startswith("/")
        ):
            raise invalid("A DBFS repository's URI is 'dbfs:/PATH' or 'dbfs://PROFILE@databricks/PATH'.")
        super().__init__(artifact_uri, location.path)
        creds = get_databricks_host_creds(unquote(profile) or None)
        self._service = Service(
            "DBFS",
            f"folder '/{self._root}'",
            creds.advice,
            f"Its workspace is at {creds.host}; correct that if not.",
        )
        self._client = Client(creds, _PATIENCE, f"trackspec/{__version__}")

    def close(self) -> None:
        self._client.close()

    # -- contents ---------------------------------------------------------------------------------------------

    def _put(self, local_file: Path, path: str) -> None:
        if local_file.stat().st_size > BLOCK:
            super()._put(local_file, path)
            return
        place = self._place_of(path)
        contents = base64.b64encode(local_file.read_bytes()).decode()
        try:
            try:
                self._post("put", path=place, contents=contents, overwrite=True)
            except FileNotFoundError:
                self._make_folder(posixpath.dirname(place))
                self._post("put", path=place, contents=contents, overwrite=True)
        except (Refused, FileNotFoundError):
            raise self._refusal(path) from None

    def _write(self, local_file: Path, place: str) -> None:
        handle = self._post("create", path=place, overwrite=True).get("handle")
        with local_file.open("rb") as content:
            while block := content.read(BLOCK):
                self._append("add-block", handle=handle, data=base64.b64encode(block).decode())
        self._append("close", handle=handle)

    def _read(self, place: str, local_file: Path) -> bool:
        for candidate in (place, _aside(place), place):  # it may be put back between the first look and the second
            with contextlib.suppress(FileNotFoundError):
                block = self._block(candidate, 0)
                if len(block) < BLOCK:
                    local_file.write_bytes(block)
                else:
                    self._read_blocks(candidate, local_file)
                return True
        return False

    def _read_blocks(self, place: str, local_file: Path) -> None:
        """Read a file of several blocks; the time of its last change tells whether they belong together."""
        before = self._status(place)
        with local_file.open("wb") as written:
            while block := self._block(place, written.tell()):
                written.write(block)
        if self._status(place) != before:
            raise Lost

    def _block(self, place: str, offset: int) -> bytes:
        try:
            return base64.b64decode(self._get_json("read", path=place, offset=offset, length=BLOCK)["data"])
        except (KeyError, TypeError, binascii.Error):
            raise self._no_answer() from None

    # -- names ------------------------------------------------------------------------------------------------

    def _entries(self, place: str) -> Iterable[Entry]:
        found = self._by_name(place)
        for _ in range(_LOOKS):
            if _ASIDE not in found:
                break
            before, aside = found, self._by_name(posixpath.join(place, _ASIDE))
            found = {**aside, **self._by_name(place)}
            if before.keys() <= found.keys():
                break
        return found.values()

    def _entry(self, place: str) -> Entry | None:
        for candidate in (place, _aside(place), place):
            with contextlib.suppress(FileNotFoundError):
                return _entry_of(self._status(candidate))
        return None

    def _make_folder(self, place: str) -> None:
        self._post("mkdirs", path=place)

    def _rename(self, temporary: str, place: str) -> None:
        there = self._entry(place)
        if there is not None and there.size is None:
            raise Refused
        put_aside = False
        for _ in range(_LOOKS):
            try:
                self._move(temporary, place)
            except _Taken:  # noqa: PERF203 - it is what the loop is for
                put_aside = True
                self._put_aside(place)
            else:
                if put_aside:
                    self._remove_aside(place)
                return
        told = "A file is replaced by others faster than it can be replaced."
        raise TrackspecError(told, ErrorCode.TEMPORARILY_UNAVAILABLE)

    def _put_aside(self, place: str) -> None:
        """Make the name of a file free, unless somebody else does."""
        aside = _aside(place)
        self._make_folder(posixpath.dirname(aside))
        try:
            self._move(place, aside)
        except _Taken:  # by what an upload that was cut has left: the file has its name, and another content since
            self._delete_at(aside)
        except FileNotFoundError:
            return

    def _move(self, source: str, target: str) -> None:
        self._post("move", source_path=source, destination_path=target)

    def _remove_aside(self, place: str) -> None:
        aside = _aside(place)
        self._delete_at(aside)
        with contextlib.suppress(Refused):  # where others are replacing other files
            self._delete_at(posixpath.dirname(aside))

    def _remove_file(self, place: str) -> None:
        self._delete_at(_aside(place))
        self._delete_at(place)

    def _remove_folder(self, place: str) -> None:
        for _ in range(_DELETIONS):
            try:
                self._delete_at(place, recursive=True)
            except _Partial:
                continue
            return
        raise self._service.answered(503)

    def _delete_at(self, place: str, *, recursive: bool = False) -> None:
        with contextlib.suppress(FileNotFoundError):
            self._post("delete", path=place, recursive=recursive)

    def _status(self, place: str) -> dict[str, Any]:
        return self._get_json("get-status", path=place)

    def _by_name(self, place: str) -> dict[str, Entry]:
        """What a folder holds, by name; a file's listing is the file itself."""
        try:
            told = self._get_json("list", path=place).get("files", [])
        except FileNotFoundError:
            return {}
        try:
            inside = [file for file in told if posixpath.dirname(file["path"]) == place]
            return {entry.name: entry for entry in map(_entry_of, inside)}
        except (KeyError, TypeError):
            raise self._no_answer() from None

    # -- requests ---------------------------------------------------------------------------------------------

    def _get_json(self, operation: str, **parameters: Any) -> dict[str, Any]:
        query = urlencode(parameters, quote_via=quote, safe="/")
        return self._ask(Request(operation, "GET", f"/api/2.0/dbfs/{operation}?{query}"))

    def _post(self, operation: str, **fields: Any) -> dict[str, Any]:
        return self._ask(Request(operation, "POST", f"/api/2.0/dbfs/{operation}", write_body(fields)))

    def _append(self, operation: str, **fields: Any) -> None:
        """Go on with a file that is being written. Where it is not known how far it is, it is written anew."""
        target = f"/api/2.0/dbfs/{operation}"
        try:
            self._ask(Request(operation, "POST", target, write_body(fields), repeatable=False))
        except FileNotFoundError:  # the handle has expired
            raise Lost from None
        except TrackspecError as error:
            if error.error_code is ErrorCode.TEMPORARILY_UNAVAILABLE:
                raise Lost from None
            raise

    def _ask(self, request: Request) -> dict[str, Any]:
        """What the service answers; what goes wrong is told without its texts."""
        try:
            answer = self._client.ask(request).answer
        except TrackspecError as error:
            if error.error_code is ErrorCode.TEMPORARILY_UNAVAILABLE:
                raise self._service.unreachable() from None
            raise
        try:
            fields = read_answer(answer.body)
        except TrackspecError:
            fields = {}
        if answer.status == 200:
            return fields
        code = fields.get("error_code")
        if code == "RESOURCE_DOES_NOT_EXIST":
            raise FileNotFoundError
        if code == "RESOURCE_ALREADY_EXISTS":
            raise _Taken
        if code == "PARTIAL_DELETE":
            raise _Partial
        if answer.status == 400:
            raise Refused
        raise self._service.answered(answer.status)

    def _no_answer(self) -> TrackspecError:
        return TrackspecError("What answers for DBFS is no Databricks workspace.", ErrorCode.INTERNAL_ERROR)


class _Taken(Refused):
    """Something has the name already."""


class _Partial(Exception):
    """A folder is deleted in part, and whoever asked is to ask again."""


def _aside(place: str) -> str:
    """Where a file is while another one takes its name."""
    folder, name = posixpath.split(place)
    return posixpath.join(folder, _ASIDE, name)


def _entry_of(status: dict[str, Any]) -> Entry:
    name = posixpath.basename(status["path"])
    return Entry(name, None if status["is_dir"] else int(status["file_size"]))
