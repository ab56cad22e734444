"""Making the calls that a history records, on a real artifact repository.

The content of a file follows from its name in the history, and so does its size, so that both tell which it is.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from trackspec import ArtifactRepository
from trackspec_conformance.expectations import error_code

TORN = "no whole file"
"""How the answer begins of a read that has found what nobody has logged."""
LEAST = 20_000
"""Bytes of the smallest file."""


class Transfer(Protocol):
    """What is asked for.

    :ivar subject: a path.
    :ivar given: which file is to be there: two numbers, as in ``"3-7"``, of a client and of a call.
    """

    @property
    def subject(self) -> str: ...

    @property
    def given(self) -> Any: ...


def content_of(which: str) -> bytes:
    """The content of a file."""
    client, _, number = which.partition("-")
    line = f"{which}\n".encode()
    size = LEAST + 1000 * int(number) + int(client)
    return (line * (size // len(line) + 1))[:size]


def which_of(content: bytes) -> str:
    """Which file a content is."""
    which = content[:40].partition(b"\n")[0].decode(errors="replace")
    if not which.replace("-", "").isdecimal() or content != content_of(which):
        return f"{TORN}: {len(content)} bytes"
    return which


def _upload(repository: ArtifactRepository, order: Transfer) -> None:
    folder, _, name = order.subject.rpartition("/")
    with tempfile.TemporaryDirectory(prefix="trackspec-") as directory:
        file = Path(directory, name)
        file.write_bytes(content_of(order.given))
        repository.log_artifact(file, folder)


def _download(repository: ArtifactRepository, order: Transfer) -> str | None:
    with tempfile.TemporaryDirectory(prefix="trackspec-") as directory:
        try:
            place = repository.download_artifacts(order.subject, directory)
        except Exception as error:
            if error_code(error) == "RESOURCE_DOES_NOT_EXIST":
                return None
            raise
        return which_of(Path(place).read_bytes())


def _list(repository: ArtifactRepository, order: Transfer) -> str | None:
    """Which file the size says that there is."""
    folder = order.subject.rpartition("/")[0]
    sizes = [item.file_size for item in repository.list_artifacts(folder) if item.path == order.subject]
    if len(sizes) > 1:
        return f"{TORN}: {len(sizes)} entries of one name"
    if not sizes:
        return None
    number, client = divmod((sizes[0] or 0) - LEAST, 1000)
    return f"{client}-{number}" if number >= 0 else f"{TORN}: a size of {sizes[0]}"


TRANSFERS: dict[str, Callable[[ArtifactRepository, Transfer], Any]] = {
    "upload": _upload,
    "download": _download,
    "list": _list,
}
