"""Whom the REST store trusts: certificates, and the proxies of the environment."""

from __future__ import annotations

import socket
import ssl
import threading
import traceback
from pathlib import Path

import pytest
import trustme

from tests.rest_credentials import CANARY, TOKEN, call, refusal, said, set_up
from tests.servers import free_port
from tests.servers.scripted import answer, scripted
from trackspec import ErrorCode, RunTag
from trackspec_reference.tracking.rest_store import RestStore

pytestmark = pytest.mark.usefixtures("no_credentials")

# -- TLS ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """An authority that nobody knows."""
    return trustme.CA()


def showing(authority: trustme.CA, *names: str) -> ssl.SSLContext:
    """What a server shows a certificate of these names with."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    return context


@pytest.fixture
def authority_file(authority: trustme.CA, tmp_path: Path) -> str:
    """The certificate of the authority, in a file."""
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    return str(tmp_path / "ca.pem")


def test_a_certificate_that_nobody_vouches_for_is_refused(
    authority: trustme.CA, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No request is sent, and no password; the error says what to set."""
    set_up(monkeypatch, TOKEN=TOKEN)

    with scripted(answer(), tls=showing(authority, "127.0.0.1")) as server:
        error = refusal(server.url)

    assert error.error_code is ErrorCode.INTERNAL_ERROR
    assert "MLFLOW_TRACKING_SERVER_CERT_PATH" in error.message
    assert server.received == []


def test_a_certificate_of_an_authority_that_is_named_is_trusted(
    authority: trustme.CA, authority_file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file may hold what no system knows."""
    set_up(monkeypatch, SERVER_CERT_PATH=authority_file, TOKEN=TOKEN)

    with scripted(answer(), tls=showing(authority, "127.0.0.1")) as server:
        call(server.url)

    assert said(server) == f"Bearer {TOKEN}"


def test_a_certificate_of_another_host_is_refused(
    authority: trustme.CA, authority_file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever vouches for it."""
    set_up(monkeypatch, SERVER_CERT_PATH=authority_file)

    with scripted(answer(), tls=showing(authority, "tracking.example")) as server:
        error = refusal(server.url)

    assert error.error_code is ErrorCode.INTERNAL_ERROR
    assert server.received == []


@pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")
def test_verification_is_left_out_where_that_is_asked_for(
    authority: trustme.CA, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And only there."""
    set_up(monkeypatch, INSECURE_TLS="true")

    with scripted(answer(), tls=showing(authority, "elsewhere.example")) as server:
        call(server.url)

    assert len(server.received) == 1


def test_a_file_that_holds_no_certificates_is_refused(
    authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is trusted by it."""
    (tmp_path / "empty.pem").write_text("nothing\n")
    set_up(monkeypatch, SERVER_CERT_PATH=str(tmp_path / "empty.pem"))

    with scripted(answer(), tls=showing(authority, "127.0.0.1")) as server:
        refusal(f"{server.url}?retries=0")

    assert server.received == []


def test_a_client_shows_the_certificate_that_is_named(
    authority: trustme.CA, authority_file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server may ask for one; without it, the error says what to set."""
    context = showing(authority, "127.0.0.1")
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    context.maximum_version = ssl.TLSVersion.TLSv1_2  # later, a client that has none may not be told so
    authority.issue_cert("client.example").private_key_and_cert_chain_pem.write_to_path(
        str(tmp_path / "client.pem")
    )
    set_up(monkeypatch, SERVER_CERT_PATH=authority_file)

    with scripted(answer(), tls=context) as server:
        error = refusal(f"{server.url}?retries=0")
        set_up(monkeypatch, CLIENT_CERT_PATH=str(tmp_path / "client.pem"))
        call(server.url)

    assert "MLFLOW_TRACKING_CLIENT_CERT_PATH" in error.message
    assert len(server.received) == 1


def test_a_server_that_speaks_no_tls_is_an_error() -> None:
    """Nothing is sent to it in the clear."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def greet() -> None:
            with listening.accept()[0] as connection:
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                connection.recv(1)

        threading.Thread(target=greet, daemon=True).start()
        error = refusal(f"https://127.0.0.1:{listening.getsockname()[1]}?retries=0")

    assert error.error_code is ErrorCode.INTERNAL_ERROR
    assert "TLS" in error.message


def test_a_server_that_speaks_tls_only_is_an_error(authority: trustme.CA) -> None:
    """No request is sent to it in the clear and taken for served."""
    with scripted(answer(), tls=showing(authority, "127.0.0.1")) as server:
        refusal(f"http://127.0.0.1:{server.port}?retries=0&timeout=5")

    assert server.received == []


# -- proxies -----------------------------------------------------------------------------------------------------


def test_a_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests go through it, whole URL and all."""
    with scripted(answer()) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        call("http://tracking.example:5000/below")

    assert proxy.received[0].target == "http://tracking.example:5000/below/api/2.0/mlflow/runs/set-tag"


def test_a_proxy_is_told_its_credentials_with_every_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also over a connection that is open."""
    with scripted(answer()) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url.replace("://", "://ada:secret@"))
        with RestStore("http://tracking.example:5000") as store:
            for _ in range(3):
                store.set_tag("r1", RunTag("t", "v"))

    assert proxy.connections == 1
    assert [request.headers["proxy-authorization"] for request in proxy.received] == ["Basic YWRhOnNlY3JldA=="] * 3


def test_a_proxy_that_lets_nothing_through_is_told_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is asked for a tunnel to the server, and who asks the server is none of its business."""
    set_up(monkeypatch, TOKEN=TOKEN)
    with scripted(answer("no", "403 Forbidden", "text/plain")) as proxy:
        monkeypatch.setenv("https_proxy", proxy.url)
        error = refusal("https://tracking.example?retries=0")

    assert error.error_code is ErrorCode.TEMPORARILY_UNAVAILABLE
    assert "proxy" in error.message
    assert [(request.method, request.target) for request in proxy.received] == [
        ("CONNECT", "tracking.example:443")
    ]
    assert CANARY not in repr(proxy.received)


def test_a_proxy_that_is_not_there_is_named_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable that names it may hold a secret."""
    monkeypatch.setenv("http_proxy", f"http://user:{CANARY}@127.0.0.1:{free_port()}")

    error = refusal("http://tracking.example:5000?retries=0")

    assert error.error_code is ErrorCode.TEMPORARILY_UNAVAILABLE
    assert "proxy" in error.message
    assert CANARY not in "".join(traceback.format_exception(error))
