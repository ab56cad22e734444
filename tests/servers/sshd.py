"""OpenSSH's server, with a configuration and keys of its own."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers import Unavailable, free_port, run, wait_until_ready
from tests.servers.file_servers import FileServer

_PATH = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"))
"""Where Debian keeps the server, and not everybody's path leads."""


@contextmanager
def server(*, key: str = "ed25519") -> Iterator[FileServer]:
    """A server that accepts the user of the tests by a key.

    Its settings make a home directory of their own the one in which SSH clients look.

    :param key: of which kind, as ``ssh-keygen`` names it.
    :raises Unavailable: if there is none to be had.
    """
    program = shutil.which("sshd", path=_PATH)
    if program is None:
        raise Unavailable("no sshd: tests/servers/install could not install it")
    directory, port = Path(tempfile.mkdtemp(prefix="trackspec-sshd-")), free_port()
    folder, home, user = directory / "served", directory / "home", getpass.getuser()
    try:
        folder.mkdir()
        (home / ".ssh").mkdir(parents=True)
        for kind, file in (("ed25519", directory / "host_key"), (key, home / ".ssh" / f"id_{key}")):
            run("ssh-keygen", "-q", "-t", kind, "-N", "", "-f", str(file))
        host_key = (directory / "host_key.pub").read_text()
        (home / ".ssh" / "known_hosts").write_text(f"[127.0.0.1]:{port} {host_key}")
        options = {
            "Port": str(port),
            "ListenAddress": "127.0.0.1",
            "HostKey": str(directory / "host_key"),
            "AuthorizedKeysFile": str(home / ".ssh" / f"id_{key}.pub"),
            "AllowUsers": user,
            "StrictModes": "no",
            "UsePAM": "no",
            "PasswordAuthentication": "no",
            "KbdInteractiveAuthentication": "no",
            "PermitRootLogin": "prohibit-password",
            "PidFile": str(directory / "pid"),
            "MaxStartups": "100",
            "Subsystem": "sftp internal-sftp",
        }
        (directory / "config").write_text("".join(f"{name} {value}\n" for name, value in options.items()))
        if os.getuid() == 0:  # it parts its rights there, and will not start without
            Path("/run/sshd").mkdir(exist_ok=True)
        process = subprocess.Popen(
            [program, "-D", "-e", "-f", str(directory / "config")],
            stdout=subprocess.DEVNULL,
            stderr=(directory / "log").open("wb"),
        )
        try:
            wait_until_ready(lambda: socket.create_connection(("127.0.0.1", port)).close(), process)
            yield FileServer(f"sftp://{user}@127.0.0.1:{port}{folder}", {"HOME": str(home)}, folder)
        finally:
            process.kill()
            process.wait(timeout=30)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
