"""A small HDFS as it is seen over WebHDFS: a NameNode that redirects, and a DataNode that has the contents.

Written from the public description of the protocol, and held to what a real NameNode does by the same tests. A
file is there, and empty, from when its writing begins; it has its content a moment after the answer that says so,
and one whose writing was cut is left short. A NameNode composes accents in what it redirects to, and a DataNode
decodes a path twice.
"""

from __future__ import annotations

import contextlib
import json
import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, quote, unquote, unquote_plus, urlsplit

from tests.servers.file_servers import USER
from tests.servers.object_stores import ObjectStore

_STATUS = {"FileNotFoundException": 404, "AccessControlException": 403, "IllegalArgumentException": 400}


class _Failure(Exception):
    """A RemoteException of this name."""


class Hdfs:
    """The files and folders, and who may do something with them.

    :ivar denied: the user who may do nothing.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.files: dict[str, bytearray] = {}
        self.folders = {"/"}
        self.denied = "nobody"

    def status(self, path: str, name: str = "") -> dict[str, Any]:
        if path in self.files:
            return {"pathSuffix": name, "type": "FILE", "length": len(self.files[path])}
        if path in self.folders:
            return {"pathSuffix": name, "type": "DIRECTORY", "length": 0}
        raise _Failure("FileNotFoundException")

    def children(self, folder: str) -> list[str]:
        below = folder.rstrip("/") + "/"
        return [
            path
            for path in (*self.files, *self.folders)
            if path.startswith(below) and path != "/" and "/" not in path[len(below) :]
        ]

    def make_folder(self, path: str) -> None:
        above = "/"
        for name in [name for name in path.split("/") if name]:
            above = f"{above.rstrip('/')}/{name}"
            if above in self.files:
                raise _Failure("ParentNotDirectoryException")
            if ":" in name or name in (".", "..") or len(name.encode()) > 255:
                raise _Failure("InvalidPathException")
            self.folders.add(above)

    def create(self, path: str) -> bytearray:
        if path in self.folders:
            raise _Failure("FileAlreadyExistsException")
        folder, _, name = path.rpartition("/")
        if ":" in name or len(name.encode()) > 255:
            raise _Failure("InvalidPathException")
        self.make_folder(folder)
        self.files[path] = bytearray()
        return self.files[path]

    def rename(self, source: str, target: str, *, overwrite: bool) -> bool:
        """Rename a file, which is all that is asked for."""
        if source not in self.files:
            if overwrite:
                raise _Failure("FileNotFoundException")
            return False
        if target in self.folders:
            if overwrite:
                raise _Failure("IOException")
            target = f"{target.rstrip('/')}/{source.rpartition('/')[2]}"
        if target in self.files and not overwrite:
            return False
        if target.rpartition("/")[0] not in {*self.folders, ""} or ":" in target:
            raise _Failure("FileNotFoundException")
        self.files[target] = self.files.pop(source)
        return True

    def delete(self, path: str, *, recursive: bool) -> bool:
        if path in self.files:
            del self.files[path]
            return True
        if path not in self.folders or path == "/":
            return False
        below = [other for other in (*self.files, *self.folders) if other.startswith(f"{path}/")]
        if below and not recursive:
            raise _Failure("PathIsNotEmptyDirectoryException")
        for other in [*below, path]:
            self.files.pop(other, None)
            self.folders.discard(other)
        return True


class _Node(BaseHTTPRequestHandler):
    """What NameNode and DataNode share: requests are read, and answered by one piece."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    hdfs: Hdfs
    data_node: str

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name there
        return

    def answer(self, status: int, content: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def handle(self) -> None:
        with contextlib.suppress(ConnectionError):  # clients leave as they please
            super().handle()

    def serve(self) -> None:
        parts = urlsplit(self.path)
        place = unquote(parts.path.removeprefix("/webhdfs/v1")).rstrip("/") or "/"
        options = {name: values[0] for name, values in parse_qs(parts.query).items()}
        try:
            if options.get("user.name") == self.hdfs.denied:
                raise _Failure("AccessControlException")
            self.operate(options["op"], place, options)
        except _Failure as failure:
            told = {
                "RemoteException": {"exception": str(failure), "message": f"{place} of {options.get('user.name')}"}
            }
            self.close_connection = True
            self.answer(_STATUS.get(str(failure), 403), json.dumps(told).encode(), Connection="close")

    do_GET = do_PUT = do_DELETE = serve  # noqa: N815 - names of the library

    def operate(self, operation: str, place: str, options: dict[str, str]) -> None:
        raise NotImplementedError


class _NameNode(_Node):
    def operate(self, operation: str, place: str, options: dict[str, str]) -> None:
        with self.hdfs.lock:
            if operation in ("CREATE", "OPEN"):
                if operation == "OPEN" and self.hdfs.status(place)["type"] != "FILE":
                    raise _Failure("FileNotFoundException")
                query = "&".join(f"{name}={quote(value)}" for name, value in options.items())
                composed = quote(unicodedata.normalize("NFC", place))
                self.answer(307, Location=f"{self.data_node}/webhdfs/v1{composed}?{query}")
                return
            told: Any
            if operation == "GETFILESTATUS":
                told = {"FileStatus": self.hdfs.status(place)}
            elif operation == "LISTSTATUS":
                self.hdfs.status(place)
                found = [self.hdfs.status(path, path.rpartition("/")[2]) for path in self.hdfs.children(place)]
                told = {"FileStatuses": {"FileStatus": found}}
            elif operation == "MKDIRS":
                self.hdfs.make_folder(place)
                told = {"boolean": True}
            elif operation == "RENAME":
                overwrite = options.get("renameoptions") == "OVERWRITE"
                told = {"boolean": self.hdfs.rename(place, options["destination"], overwrite=overwrite)}
                if overwrite:
                    self.answer(200)
                    return
            elif operation == "DELETE":
                told = {"boolean": self.hdfs.delete(place, recursive=options.get("recursive") == "true")}
            else:
                raise _Failure("UnsupportedOperationException")
        self.answer(200, json.dumps(told).encode(), **{"Content-Type": "application/json"})


class _DataNode(_Node):
    def operate(self, operation: str, place: str, options: dict[str, str]) -> None:
        place = unquote_plus(place).partition(";")[0]
        if operation == "OPEN":
            with self.hdfs.lock:
                self.hdfs.status(place)
                content = bytes(self.hdfs.files[place])
            self.answer(200, content)
            return
        with self.hdfs.lock:
            written = self.hdfs.create(place)
        left, received = int(self.headers["Content-Length"]), bytearray()
        while left and (piece := self.rfile.read(min(left, 1 << 18))):
            received += piece
            left -= len(piece)
        if left:
            self.close_connection = True
        else:
            self.answer(201)
            self.wfile.flush()
        written += received


@contextmanager
def server() -> Iterator[ObjectStore]:
    """A NameNode and a DataNode that hold nothing."""
    hdfs = Hdfs()
    nodes = []
    with contextlib.ExitStack() as stack:
        for kind in (_DataNode, _NameNode):
            location = f"http://127.0.0.1:{nodes[0].server_port}" if nodes else ""
            handler = type(kind.__name__, (kind,), {"hdfs": hdfs, "data_node": location})
            node = ThreadingHTTPServer(("127.0.0.1", 0), handler)
            node.daemon_threads = True
            stack.callback(node.server_close)
            threading.Thread(target=node.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
            stack.callback(node.shutdown)
            nodes.append(node)
        settings = {"TRACKSPEC_WEBHDFS_URL": f"http://127.0.0.1:{nodes[1].server_port}", "HADOOP_USER_NAME": USER}
        yield ObjectStore("hdfs://127.0.0.1", settings)
