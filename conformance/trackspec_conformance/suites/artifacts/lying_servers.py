"""The checks of the chapter on transfers: servers that lie to their clients."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from trackspec import ArtifactRepository
from trackspec_conformance.checks import check
from trackspec_conformance.expectations import Unexpected, expect, expect_equal
from trackspec_conformance.fresh_artifacts import FreshArtifacts
from trackspec_conformance.local_files import tree_of
from trackspec_conformance.lying_server import PATIENCE, Lies

DETOURS = (
    "../evil",
    "../../evil",
    "a/../../evil",
    "/evil",
    "//evil",
    "..\\evil",
    "..\\..\\evil",
    "C:/evil",
    "%2e%2e/evil",
    "%252e%252e/evil",
    "..%2fevil",
    "..",
    ".",
    "",
    "evil\x00.txt",
    "./../evil",
    "\n../evil",
)
LONG = b"x" * 400


def require_raised(call: Callable[..., object], *arguments: object) -> None:
    """Require that a call raises, whatever it raises."""
    try:
        returned = call(*arguments)
    except Exception:
        return
    raise Unexpected("the call to raise", f"it returned {returned!r}")


@check("hostile.names", timeout=120)
def names_lead_nowhere(fresh: FreshArtifacts) -> None:
    """Files and folders that are listed under names that lead elsewhere are written nowhere outside."""
    for name in DETOURS:
        for entries, deeper in (({name: 4}, {}), ({name: None}, {"evil": 4}), ({"good": None}, {name: 4})):
            outside = fresh.tree({"mine": b"mine", "in/mine": b"mine", "in/to/mine": b"mine"})
            client = fresh.client(Lies(entries=entries, deeper=deeper, content=b"evil"))

            with suppress(Exception):
                client.download_artifacts("", f"{outside}/in/to")

            written = {
                path: content for path, content in tree_of(outside).items() if not path.startswith("in/to/")
            }
            expect_equal({"mine": b"mine", "in/mine": b"mine"}, written, f"what lies outside, for {name!r}")


@check("hostile.names", timeout=120)
def absolute_names_lead_nowhere(fresh: FreshArtifacts) -> None:
    """Files that are listed under the absolute path of a place outside are not written there."""
    for form in ("{}", "/{}", "file:{}", "file://{}", "x/../../../../../../../../..{}"):
        outside = fresh.tree({"mine": b"mine", "to/mine": b"mine"})
        entries = {form.format(f"{outside}/evil"): 4, form.format(f"{outside}/mine"): 4}
        client = fresh.client(Lies(entries=entries, content=b"evil"))

        with suppress(Exception):
            client.download_artifacts("", f"{outside}/to")

        written = {path: content for path, content in tree_of(outside).items() if not path.startswith("to/")}
        expect_equal({"mine": b"mine"}, written, "what lies outside")


@check("hostile.listed-names", timeout=120)
def listings_stay_in_the_folder(fresh: FreshArtifacts) -> None:
    """A client lists no path that leads out of the folder that was asked for."""
    for name in DETOURS:
        client = fresh.client(Lies(entries={name: 4, "good": 4}, deeper={name: 4, "good": 4}))
        for folder in ("", "a/b"):
            listed = []
            with suppress(Exception):
                listed = [info.path for info in client.list_artifacts(folder)]

            astray = [path for path in listed if not _lies_in(folder, path)]
            expect_equal([], astray, f"paths in {folder!r} that lead out of it")


def _lies_in(folder: str, path: str) -> bool:
    below = path.removeprefix(f"{folder}/" if folder else "")
    harmless = not {"", ".", ".."}.intersection(path.replace("\\", "/").split("/")) and ":" not in path
    return harmless and (not folder or below != path)


@check("hostile.circle", timeout=120)
def a_folder_in_itself_ends(fresh: FreshArtifacts) -> None:
    """Downloading a folder that contains itself ends, and writes nothing."""
    destination = fresh.destination()
    server = fresh.server(Lies(entries={"again": None}, deeper={"again": None}))
    client = fresh.client_of(server)

    with suppress(Exception):
        client.download_artifacts("", destination)

    expect(len(server.requests) < PATIENCE, f"fewer than {PATIENCE} requests", len(server.requests))
    expect_equal({}, tree_of(destination), "the destination")


@check("hostile.short-body")
def a_short_file_is_no_file(fresh: FreshArtifacts) -> None:
    """A file of which a part arrives is not there under its name, downloaded alone or with its folder."""
    for path in ("a.bin", ""):
        destination = fresh.destination()
        client = fresh.client(Lies(entries={"a.bin": 1000}, content=LONG, announced=1000))

        require_raised(client.download_artifacts, path, destination)

        expect(not Path(destination, "a.bin").exists(), "no file of this name in the destination", "there is one")


@check("hostile.other-size")
def a_file_of_another_size_is_no_file(fresh: FreshArtifacts) -> None:
    """A file that is longer or shorter than its listing says is not there under its name."""
    for size in (1, 399, 401, 100_000):
        destination = fresh.destination()
        client = fresh.client(Lies(entries={"a.bin": size}, content=LONG))

        require_raised(client.download_artifacts, "", destination)

        expect(not Path(destination, "a.bin").exists(), "no file of this name in the destination", "there is one")


@check("hostile.failures", timeout=120)
def what_is_no_listing_is_an_error(fresh: FreshArtifacts) -> None:
    """Listings that are no answer of the protocol make listing and downloading raise, and nothing is written."""
    html, odd = b"<html>sign in</html>", b'{"files": [{"path": 5, "is_dir": false, "file_size": 1}]}'
    answers = (
        (html, 200),
        (html, 500),
        (b"", 200),
        (b"[1, 2]", 200),
        (odd, 200),
        (b'{"files": 5}', 200),
        (b"{}", 403),
    )
    for body, status in answers:
        destination = fresh.destination()
        client = fresh.client(Lies(listing=body, listing_status=status, content=b"evil"))

        require_raised(client.list_artifacts, "a")
        require_raised(client.download_artifacts, "", destination)

        expect_equal({}, tree_of(destination), "the destination")


@check("hostile.failures")
def what_is_no_file_is_an_error(fresh: FreshArtifacts) -> None:
    """Files that are answered with an error make a download raise, and nothing has their names."""
    for status in (400, 401, 403, 404, 429, 500, 503):
        destination = fresh.destination()
        client = fresh.client(Lies(entries={"a.bin": 400}, content=LONG, status=status))

        require_raised(client.download_artifacts, "a.bin", destination)

        expect(not Path(destination, "a.bin").exists(), "no file of this name in the destination", "there is one")


@check("hostile.credentials", uses="environment")
def credentials_are_not_redirected(fresh: FreshArtifacts) -> None:
    """The token of a server is not sent to another one that it redirects to."""
    secret = fresh.name("secret")
    before = os.environ.get("MLFLOW_TRACKING_TOKEN")
    os.environ["MLFLOW_TRACKING_TOKEN"] = secret
    try:
        other = fresh.server(Lies(content=b"evil"))
        first = fresh.server(Lies(entries={"a.bin": 4}, elsewhere=other.uri.replace("127.0.0.1", "localhost")))
        client: ArtifactRepository = fresh.client_of(first)
        with suppress(Exception):
            client.download_artifacts("a.bin", fresh.destination())
    finally:
        del os.environ["MLFLOW_TRACKING_TOKEN"]
        if before is not None:
            os.environ["MLFLOW_TRACKING_TOKEN"] = before

    expect(bool(first.requests), "a request to the first server", "none")
    leaked = [value for headers in other.requests for value in headers.values() if secret in value]
    expect_equal([], leaked, "headers with the token that reached the other server")
