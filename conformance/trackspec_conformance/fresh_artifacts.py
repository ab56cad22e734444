"""What a check of an artifact repository arranges: folders that nobody else has, and local files."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from trackspec import ArtifactRepository
from trackspec.protocol.artifact_endpoints import ARTIFACTS
from trackspec_conformance import local_files
from trackspec_conformance.arrangement import Arrangement, Blocked
from trackspec_conformance.calls import Call
from trackspec_conformance.histories.performing import Order
from trackspec_conformance.histories.transferring import content_of
from trackspec_conformance.local_files import Content, Many
from trackspec_conformance.lying_server import Lies, LyingServer


class FreshArtifacts(Arrangement[ArtifactRepository]):
    """Makes artifacts for one check, each below a folder of its own, and the local files that they come from."""

    interface = "artifacts"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._local: str | None = None
        self._servers: list[LyingServer] = []

    def folder(self, hint: str = "x") -> str:
        """The path of a folder that nobody has, and in which nothing is yet."""
        return self.name(hint)

    def file(self, name: str, content: Content = b"content") -> str:
        """A new local file of this name."""
        file = local_files.local_file(name, content, within=local_files.local_folder(within=self._within()))
        self.transcript.made("local_file", (name, content), "file", file)
        return file

    def tree(self, files: Mapping[str, Content] | None = None) -> str:
        """A new local folder that holds these files, by their relative paths.

        A path that ends in ``/`` is an empty folder.
        """
        folder = local_files.local_folder(files, within=self._within())
        self.transcript.made("local_folder", (_told(files),) if files else (), "folder", folder)
        return folder

    def destination(self) -> str:
        """A new local folder with nothing in it, for downloads."""
        return self.tree()

    def link(self, folder: str, path: str, target: str) -> str:
        """A new symbolic link at a relative path in a local folder."""
        link = local_files.local_link(folder, path, target)
        self.transcript.made("local_link", (folder, path, target), "link", link)
        return link

    def pipe(self, folder: str, name: str) -> str:
        """A new named pipe in a local folder."""
        pipe = local_files.local_pipe(folder, name)
        self.transcript.made("local_pipe", (folder, name), "pipe", pipe)
        return pipe

    def write(self, place: str, content: Content) -> str:
        """The file at a local place, with this content from now on."""
        self.transcript.did(self._told("local_write", place, content))
        return local_files.local_write(place, content)

    @contextlib.contextmanager
    def working_in(self, folder: str) -> Iterator[None]:
        """Have a local folder for the working directory meanwhile."""
        before = os.getcwd()
        os.chdir(folder)
        self.transcript.did(self._told("chdir", folder))
        try:
            yield
        finally:
            os.chdir(before)

    @contextlib.contextmanager
    def temporary_folders(self) -> Iterator[str]:
        """Have the temporary folders that are made meanwhile removed with the local files of the check.

        Gives the folder that they are made in.
        """
        before = tempfile.tempdir
        tempfile.tempdir = self._within()
        try:
            yield tempfile.tempdir
        finally:
            tempfile.tempdir = before

    def logged(self, files: Mapping[str, Content], folder: str | None = None) -> str:
        """A folder in the repository that holds these files, by their relative paths."""
        folder = folder or self.folder()
        try:
            self._subject.log_artifacts(self.tree(files), folder)
        except Exception as error:
            raise Blocked("upload.folder", error) from error
        return folder

    def shared(self, kind: str, pieces: Sequence[Mapping[str, Content]], told: str) -> str:
        """A folder that holds all these files, which the checks of a process share and leave as it is.

        :param pieces: the files of each call that logs some.
        :param told: an expression of scripts that gives all of them.
        """
        if kind not in self._workspace.shared:
            start = self.transcript.mark()
            folder = self.folder(kind)
            for files in pieces:
                self.logged(files, folder)
            self._workspace.shared[kind] = folder
            self.transcript.rewind(start)
        folder, name = self._workspace.shared[kind], f"shared_{kind}"
        self.transcript.recall(Call(f"f'{{ns}}-{kind}'", name, "returned"), folder)
        filled = f"repository.log_artifacts(local_folder({told}), {name})"
        self.transcript.recall(Call(filled, f"{name}_filled", "returned"), f"{folder}, filled")
        return folder

    def left_for_others(self) -> tuple[Order, object]:
        which = "1-1"
        return Order("download", f"{self.logged({'seen': content_of(which)})}/seen"), which

    def below(self, folder: str) -> ArtifactRepository:
        """The repository whose root is a folder of this one's.

        :raises NotApplicable: if the subject cannot be opened there.
        """
        assert self._openings.below is not None
        return self._openings.below(folder)

    def path_at_server(self, path: str) -> str:
        """The path that an artifact of the subject has for the server that it is behind, not encoded."""
        _, _, root = f"{self._subject.artifact_uri}/".partition(f"{ARTIFACTS}/")
        return f"{unquote(root)}{path}"

    def server(self, lies: Lies) -> LyingServer:
        """A server that lies."""
        server = LyingServer(lies)
        self._servers.append(server)
        self.transcript.made("lying_server", (lies,), "server", server.uri)
        return server

    def client_of(self, server: LyingServer) -> ArtifactRepository:
        """The subject as a client of a server.

        :raises NotApplicable: if it is no client of one.
        """
        assert self._openings.at is not None
        return self._openings.at(server.uri)

    def client(self, lies: Lies) -> ArtifactRepository:
        """The subject as a client of a server that lies."""
        return self.client_of(self.server(lies))

    def close(self) -> None:
        for server in self._servers:
            server.close()
        if self._local is not None:
            shutil.rmtree(self._local, ignore_errors=True)

    def _told(self, function: str, *arguments: Any) -> str:
        return f"{function}({', '.join(map(self.transcript.source_of, arguments))})"

    def _within(self) -> str:
        if self._local is None:
            self._local = str(Path(tempfile.mkdtemp(prefix="trackspec-check-")).resolve())
        return self._local


def _told(files: Mapping[str, Content]) -> Mapping[str, Content]:
    return files if isinstance(files, Many) else dict(files)
