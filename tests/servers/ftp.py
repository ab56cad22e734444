"""pyftpdlib: an FTP server in threads of this process, plain or over TLS."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers.file_servers import PASSWORD, USER, FileServer

logging.getLogger("pyftpdlib").addHandler(logging.NullHandler())  # else it tells each command at the terminal


@contextmanager
def server(*, tls: bool = False, password: str = PASSWORD) -> Iterator[FileServer]:
    """A server on which one user may do everything, and ``anonymous`` may read."""
    import trustme  # noqa: PLC0415 - not everybody has it
    from pyftpdlib.authorizers import DummyAuthorizer  # noqa: PLC0415 - not everybody has it
    from pyftpdlib.filesystems import AbstractedFS  # noqa: PLC0415 - not everybody has it
    from pyftpdlib.handlers import FTPHandler, TLS_FTPHandler  # noqa: PLC0415 - not everybody has it
    from pyftpdlib.servers import ThreadedFTPServer  # noqa: PLC0415 - not everybody has it

    directory = Path(tempfile.mkdtemp(prefix="trackspec-ftp-"))
    folder, settings = directory / "served", {"NETRC": str(directory / "netrc")}
    folder.mkdir()
    (directory / "netrc").write_text(f"machine 127.0.0.1 login {USER} password {password}\n")
    (directory / "netrc").chmod(0o600)

    class Files(AbstractedFS):  # type: ignore[misc]
        def chdir(self, path: str) -> None:
            """Enter a folder, without this whole process entering it."""
            os.scandir(path).close()
            self.cwd = self.fs2ftp(path)

    class Handler(TLS_FTPHandler if tls else FTPHandler):  # type: ignore[misc]
        abstracted_fs = Files
        authorizer = DummyAuthorizer()
        auth_failed_timeout = 0
        log_prefix = ""

    Handler.authorizer.add_user(USER, password, str(folder), perm="elradfmwMT")
    Handler.authorizer.add_anonymous(str(folder))
    if tls:
        authority = trustme.CA()
        authority.cert_pem.write_to_path(directory / "authority.pem")
        authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(directory / "server.pem")
        Handler.certfile = str(directory / "server.pem")
        Handler.tls_control_required = Handler.tls_data_required = True
        settings["SSL_CERT_FILE"] = str(directory / "authority.pem")
    started = ThreadedFTPServer(("127.0.0.1", 0), Handler)
    started.max_cons_per_ip = 0
    thread = threading.Thread(target=started.serve_forever, kwargs={"timeout": 0.05, "handle_exit": False})
    thread.start()
    try:
        yield FileServer(f"ftp{'s' if tls else ''}://127.0.0.1:{started.address[1]}", settings, folder)
    finally:
        started.close_all()
        thread.join()
        shutil.rmtree(directory, ignore_errors=True)
