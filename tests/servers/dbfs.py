"""A small DBFS, since nobody emulates it: written from Databricks' public description, with its limits.

One request carries at most a mebibyte of content, either way. A listing is not paged, and that of a file is the
file. A name that is taken is renamed to by nobody. A large folder is deleted in pieces, and who asked asks again.
"""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.servers.object_stores import ObjectStore

TOKEN = "dapi-of-the-tests"
MOST = 1024 * 1024
DELETED_AT_ONCE = 500

_STATUS = {"RESOURCE_DOES_NOT_EXIST": 404, "PARTIAL_DELETE": 503}


class _Failure(Exception):
    """An error with this code."""


class Dbfs:
    """The files and folders of a workspace. Its methods are the operations."""

    def __init__(self) -> None:
        self.files: dict[str, tuple[bytes, int]] = {}
        self.folders = {"/"}
        self._handles: dict[int, tuple[str, list[bytes]]] = {}
        self._ticks = itertools.count(1_700_000_000_000)

    def get_status(self, path: str) -> dict[str, Any]:
        if path in self.folders:
            return {"path": path, "is_dir": True, "file_size": 0}
        content, modified = self._file(path)
        return {"path": path, "is_dir": False, "file_size": len(content), "modification_time": modified}

    def list(self, path: str) -> dict[str, Any]:
        if path not in self.folders:
            return {"files": [self.get_status(path)]}
        below = path.rstrip("/") + "/"
        found = [
            self.get_status(other)
            for other in (*self.files, *self.folders)
            if other.startswith(below) and other != "/" and "/" not in other[len(below) :]
        ]
        return {"files": found} if found else {}

    def read(self, path: str, offset: str = "0", length: str = "524288") -> dict[str, Any]:
        if path in self.folders:
            raise _Failure("INVALID_PARAMETER_VALUE")
        if int(length) > MOST:
            raise _Failure("MAX_READ_SIZE_EXCEEDED")
        piece = self._file(path)[0][int(offset) : int(offset) + int(length)]
        return {"bytes_read": len(piece), "data": base64.b64encode(piece).decode()}

    def put(self, path: str, contents: str, overwrite: bool = False) -> None:
        self._require_free(path, overwrite=overwrite)
        self._keep(path, _decoded(contents))

    def create(self, path: str, overwrite: bool = False) -> dict[str, Any]:
        self._require_free(path, overwrite=overwrite)
        self._keep(path, b"")
        handle = next(self._ticks)
        self._handles[handle] = (path, [])
        return {"handle": handle}

    def add_block(self, handle: int, data: str) -> None:
        self._opened(handle)[1].append(_decoded(data))

    def close(self, handle: int) -> None:
        path, blocks = self._opened(handle)
        del self._handles[handle]
        self._keep(path, b"".join(blocks))

    def mkdirs(self, path: str) -> None:
        names = [name for name in path.split("/") if name]
        for depth in range(1, len(names) + 1):
            folder = "/" + "/".join(names[:depth])
            if folder in self.files:
                raise _Failure("RESOURCE_ALREADY_EXISTS")
            self.folders.add(folder)

    def move(self, source_path: str, destination_path: str) -> None:
        content, modified = self._file(source_path)
        self._require_free(destination_path, overwrite=False)
        self.files[destination_path] = (content, modified)
        del self.files[source_path]

    def delete(self, path: str, recursive: bool = False) -> None:
        if path in self.files:
            del self.files[path]
            return
        if path not in self.folders:
            return
        below = [other for other in (*self.files, *self.folders) if other.startswith(f"{path}/")]
        if below and not recursive:
            raise _Failure("IO_ERROR")
        for other in sorted(below, key=len, reverse=True)[:DELETED_AT_ONCE]:
            self.files.pop(other, None)
            self.folders.discard(other)
        if len(below) > DELETED_AT_ONCE:
            raise _Failure("PARTIAL_DELETE")
        self.folders.discard(path)

    def _file(self, path: str) -> tuple[bytes, int]:
        if path not in self.files:
            raise _Failure("RESOURCE_DOES_NOT_EXIST")
        return self.files[path]

    def _keep(self, path: str, content: bytes) -> None:
        self.files[path] = (content, next(self._ticks))

    def _require_free(self, path: str, *, overwrite: bool) -> None:
        folder = path.rpartition("/")[0] or "/"
        if folder not in self.folders:
            raise _Failure("IO_ERROR" if folder in self.files else "RESOURCE_DOES_NOT_EXIST")
        if path in self.folders or (path in self.files and not overwrite):
            raise _Failure("RESOURCE_ALREADY_EXISTS")

    def _opened(self, handle: int) -> tuple[str, Any]:
        if handle not in self._handles:
            raise _Failure("RESOURCE_DOES_NOT_EXIST")
        return self._handles[handle]


def _decoded(data: str) -> bytes:
    content = base64.b64decode(data)
    if len(content) > MOST:
        raise _Failure("MAX_BLOCK_SIZE_EXCEEDED")
    return content


_OPERATIONS = {
    "GET": {"get-status", "list", "read"},
    "POST": {"put", "create", "add-block", "close", "mkdirs", "move", "delete"},
}


class _Workspace(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    dbfs: Dbfs
    lock: threading.Lock

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name there
        return

    def handle(self) -> None:
        with contextlib.suppress(ConnectionError):  # clients leave as they please
            super().handle()

    def serve(self) -> None:
        parts = urlsplit(self.path)
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length)
        if len(body) < length:  # the client has left in the middle
            self.close_connection = True
            return
        base, _, operation = parts.path.rpartition("/")
        if base != "/api/2.0/dbfs" or operation not in _OPERATIONS[self.command]:
            self.answer(404, {"error_code": "ENDPOINT_NOT_FOUND", "message": f"No API found for {self.path}"})
        elif self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self.answer(401, {"error_code": "UNAUTHENTICATED", "message": str(self.headers.get("Authorization"))})
        else:
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            try:
                with self.lock:
                    told = getattr(self.dbfs, operation.replace("-", "_"))(**(json.loads(body) if body else query))
            except _Failure as failure:
                code = str(failure)
                self.answer(_STATUS.get(code, 400), {"error_code": code, "message": f"{code} at {self.path}"})
            else:
                self.answer(200, told or {})

    do_GET = do_POST = serve  # noqa: N815 - names of the library

    def answer(self, status: int, fields: dict[str, Any]) -> None:
        content = json.dumps(fields).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def server() -> Iterator[ObjectStore]:
    """A workspace with an empty file system."""
    handler = type("Workspace", (_Workspace,), {"dbfs": Dbfs(), "lock": threading.Lock()})
    workspace = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    workspace.daemon_threads = True
    threading.Thread(target=workspace.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        url = f"http://127.0.0.1:{workspace.server_port}"
        yield ObjectStore("dbfs:", {"DATABRICKS_HOST": url, "DATABRICKS_TOKEN": TOKEN})
    finally:
        workspace.shutdown()
        workspace.server_close()
