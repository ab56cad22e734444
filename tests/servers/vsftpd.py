"""vsftpd: an FTP server that knows no listing of RFC 3659, and hides names with a full stop at the start."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from ftplib import FTP
from pathlib import Path

from tests.servers import Unavailable, free_port, wait_until_ready
from tests.servers.file_servers import FileServer

_USER = "ftp"
"""The user of the system as whom it serves; Debian's package makes it."""


@contextmanager
def server() -> Iterator[FileServer]:
    """A server on which ``anonymous`` may do everything, in a folder that is not its top.

    :raises Unavailable: if there is none to be had.
    """
    program = shutil.which("vsftpd", path="/usr/sbin:/usr/local/sbin")
    if program is None or os.getuid() != 0:
        raise Unavailable("no vsftpd: tests/servers/install could not install it, or this is not root")
    directory, port = Path(tempfile.mkdtemp(prefix="trackspec-vsftpd-")), free_port()
    folder = directory / "top" / "served"
    try:
        folder.mkdir(parents=True)
        (directory / "empty").mkdir()
        directory.chmod(0o755)
        shutil.chown(folder, _USER)
        yes = ("listen", "anonymous_enable", "write_enable", "anon_upload_enable", "anon_mkdir_write_enable")
        no = ("background", "local_enable", "seccomp_sandbox", "anon_world_readable_only")
        options = {
            **dict.fromkeys((*yes, "anon_other_write_enable"), "YES"),
            **dict.fromkeys(no, "NO"),
            "listen_address": "127.0.0.1",
            "listen_port": str(port),
            "anon_umask": "022",
            "anon_root": str(directory / "top"),
            "ftp_username": _USER,
            "secure_chroot_dir": str(directory / "empty"),
        }
        (directory / "config").write_text("".join(f"{name}={value}\n" for name, value in options.items()))
        (directory / "netrc").touch()
        process = subprocess.Popen([program, str(directory / "config")])
        try:
            wait_until_ready(lambda: FTP().connect("127.0.0.1", port, 5), process)
            settings = {"NETRC": str(directory / "netrc")}
            yield FileServer(f"ftp://127.0.0.1:{port}/served", settings, folder)
        finally:
            process.kill()
            process.wait(timeout=30)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
