"""The checks of the chapter on artifacts behind a server."""

from __future__ import annotations

import gzip
import http.client
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from trackspec import ArtifactRepository, ErrorCode, FileInfo
from trackspec.protocol.artifact_endpoints import ARTIFACT_ENDPOINTS, ARTIFACTS, ARTIFACTS_BASE, IN_PATH
from trackspec_conformance.checks import check
from trackspec_conformance.expectations import NotApplicable, Unexpected, expect, expect_equal
from trackspec_conformance.fresh_artifacts import FreshArtifacts
from trackspec_conformance.wire import Answer, Wire
from trackspec_conformance.wire.client import put_request
from trackspec_conformance.wire.expectations import expect_answered, expect_refused, is_refused, told_code

INVALID, MISSING = ErrorCode.INVALID_PARAMETER_VALUE, ErrorCode.RESOURCE_DOES_NOT_EXIST
JSON = {"Content-Type": "application/json"}
DETOURS = (
    "../x",
    "a/../../x",
    "..\\x",
    "a\x00b",
    "a\nb",
    "%2e%2e/x",
    "%252e%252e/x",
    "..%2fx",
)
ABSOLUTE = ("/{}", "C:/{}", "%2F{}", "%252f{}")


def url(fresh: FreshArtifacts, path: str) -> str:
    """The path of a request for an artifact, percent-encoded."""
    return f"{ARTIFACTS}/{quote(fresh.path_at_server(path), safe='/')}"


def content_of(repository: ArtifactRepository, fresh: FreshArtifacts, path: str) -> bytes:
    """The content of a file, as the repository has it."""
    return Path(repository.download_artifacts(path, fresh.destination())).read_bytes()


@check("proxy.listing", rests_on=("upload.folder",))
def a_folder_is_listed(fresh: FreshArtifacts, wire: Wire) -> None:
    """A folder is answered with the names of what is directly in it, the root with more than nothing."""
    folder = fresh.logged({"a.txt": b"1", "empty": b"", "deep/b.txt": b"22"})

    answer = wire.get(ARTIFACTS, {"path": fresh.path_at_server(folder)})
    root = wire.get(ARTIFACTS)
    nothing = wire.get(ARTIFACTS, {"path": fresh.path_at_server(fresh.folder())})

    listed = {item["path"]: item for item in expect_answered(answer).get("files", [])}
    expect_equal({"a.txt", "deep", "empty"}, set(listed), "the names in the folder")
    expect_equal(
        [False, True, False], [listed[name].get("is_dir") for name in ("a.txt", "deep", "empty")], "is_dir"
    )
    expect_equal([1, 0], [listed[name].get("file_size") for name in ("a.txt", "empty")], "the sizes")
    expect(bool(expect_answered(root).get("files")), "something in the root", str(root))
    expect_equal([], expect_answered(nothing).get("files") or [], "the files of no folder")


@check("proxy.download", rests_on=("upload.folder",))
def a_file_is_answered(fresh: FreshArtifacts, wire: Wire) -> None:
    """A file is answered with its bytes and their number, an empty one and one of two megabytes too."""
    for content in (b"\x00\xff\r\nbytes", b"", bytes(range(256)) * 8192):
        folder = fresh.logged({"a.bin": content})

        answer = wire.get(url(fresh, f"{folder}/a.bin"))

        expect_equal(200, answer.status, "the status")
        expect_equal(content, answer.body, "the body")
        expect_equal(str(len(content)), answer.header("Content-Length"), "Content-Length")


@check("proxy.download", rests_on=("upload.folder",))
def no_name_tells_how_to_read(fresh: FreshArtifacts, wire: Wire) -> None:
    """Files whose names say that they are compressed are answered as they are, and said to be nothing else."""
    content = gzip.compress(b"content", mtime=0)
    folder = fresh.logged({"a.json.gz": content, "a.tgz": content})

    for name in ("a.json.gz", "a.tgz"):
        answer = wire.get(url(fresh, f"{folder}/{name}"))

        expect_equal((200, content), (answer.status, answer.body), "status and body")
        expect(answer.header("Content-Encoding") in (None, "identity"), "no Content-Encoding", str(answer.headers))


@check("proxy.rest", rests_on=("upload.folder",))
def a_download_goes_on(fresh: FreshArtifacts, wire: Wire) -> None:
    """What follows the first bytes of a file is answered to whoever names its version, of a large one too."""
    for content in (b"0123456789", bytes(range(256)) * 8192):
        place = url(fresh, f"{fresh.logged({'a.bin': content})}/a.bin")
        version = wire.get(place).header("ETag")
        expect(bool(version), "an ETag", "none")

        answer = wire.get(place, headers={"Range": "bytes=4-", "If-Range": str(version)})

        expect_equal(206, answer.status, "the status")
        expect_equal(content[4:], answer.body, "the body")
        told = f"bytes 4-{len(content) - 1}/{len(content)}"
        expect_equal(told, answer.header("Content-Range"), "Content-Range")


@check("proxy.rest-of-same", rests_on=("upload.folder",))
def a_download_goes_on_with_the_same_file(fresh: FreshArtifacts, wire: Wire) -> None:
    """Once a file is replaced, by one of the same size too, the version before has no rest."""
    folder = fresh.logged({"a.bin": b"0123456789"})
    place = url(fresh, f"{folder}/a.bin")
    version = wire.get(place).header("ETag") or '"none"'
    for content in (b"9876543210", b"longer than before"):
        wire.put(place, content)

        answer = wire.get(place, headers={"Range": "bytes=4-", "If-Range": version})

        expect_equal((200, content), (answer.status, answer.body), "status and body")


@check("proxy.missing", rests_on=("upload.folder",))
def what_is_no_file_is_missing(fresh: FreshArtifacts, wire: Wire) -> None:
    """A path at which there is nothing, and a folder, are no files."""
    folder = fresh.logged({"deep/a.txt": b"1"})

    for path in (f"{folder}/b.txt", f"{fresh.folder()}/a.txt", f"{folder}/deep", f"{folder}/deep/a.txt/b"):
        expect_refused(wire.get(url(fresh, path)), MISSING, path)


@check("proxy.upload", rests_on=("download.file",))
def a_file_is_stored(repository: ArtifactRepository, fresh: FreshArtifacts, wire: Wire) -> None:
    """A body is stored whatever it says of itself, and replaces a longer one."""
    folder = fresh.folder()
    long = bytes(range(256)) * 8192
    for kind, content in (("text/html", long), ("application/json", b'{"a'), (None, b"short"), ("x/y", b"")):
        headers = {} if kind is None else {"Content-Type": kind}

        answer = wire.put(url(fresh, f"{folder}/deep/a.bin"), content, headers=headers)

        expect_answered(answer)
        expect_equal(content, content_of(repository, fresh, f"{folder}/deep/a.bin"), "the file")


@check("proxy.upload-chunked", rests_on=("proxy.upload",))
def a_body_comes_in_chunks(repository: ArtifactRepository, fresh: FreshArtifacts, wire: Wire) -> None:
    """A body of chunks is stored, and an empty one."""
    folder = fresh.folder()
    for content in (b"in chunks", b""):
        answer = wire.put(url(fresh, f"{folder}/a.bin"), content, headers={"Transfer-Encoding": "chunked"})

        expect_answered(answer)
        expect_equal(content, content_of(repository, fresh, f"{folder}/a.bin"), "the file")


@check("proxy.upload-cut", rests_on=("upload.folder",))
def a_body_that_ends_early_is_no_file(repository: ArtifactRepository, fresh: FreshArtifacts, wire: Wire) -> None:
    """Of a body that ends before the length that was told, nothing is stored, whatever of it arrives."""
    folder = fresh.logged({"old.bin": b"old"})
    for part in (b"new", b"n" * 70_000, b"n" * 2_000_000):
        for name in ("old.bin", "new.bin"):
            for announced in (3_000_000, None):
                wire.put_cut(url(fresh, f"{folder}/{name}"), part, announced)
    wire.put(url(fresh, f"{folder}/last.bin"), b"last")  # what was begun before has had its time

    found = [FileInfo(f"{folder}/last.bin", False, 4), FileInfo(f"{folder}/old.bin", False, 3)]
    expect_equal(found, repository.list_artifacts(folder), "the listing")
    expect_equal(b"old", content_of(repository, fresh, f"{folder}/old.bin"), "the file")


@check("proxy.delete", rests_on=("upload.folder",))
def files_and_folders_are_deleted(repository: ArtifactRepository, fresh: FreshArtifacts, wire: Wire) -> None:
    """A file goes, a folder with and without a slash at its end goes with all below it, and the rest stays."""
    others = {"a.txt.old": b"1", "bc/d.txt": b"1", "f.txt": b"1"}
    folder = fresh.logged({"a.txt": b"1", "b/c.txt": b"1", "b/d/e.txt": b"1", "f/g.txt": b"1", **others})

    answers = [wire.request("DELETE", url(fresh, f"{folder}/{path}")) for path in ("a.txt", "b", "f/")]

    if all(answer.status == 501 for answer in answers):
        expect(all(told_code(answer) == "NOT_IMPLEMENTED" for answer in answers), "NOT_IMPLEMENTED", str(answers))
        return
    expect_equal([200, 200, 200], [answer.status for answer in answers], "the statuses")
    left = [f"{folder}/{path}" for path in ("a.txt.old", "bc", "f.txt")]
    expect_equal(left, [info.path for info in repository.list_artifacts(folder)], "the paths in the folder")


@check("proxy.connection-usable", rests_on=("proxy.upload", "proxy.path-refused"))
def a_refusal_leaves_the_connection_in_order(fresh: FreshArtifacts, wire: Wire) -> None:
    """After uploads that are refused, the next request on the connection is answered with what it asks for."""
    folder = fresh.logged({"a.txt": b"mine"})
    place = url(fresh, f"{folder}/a.txt")
    body = f"DELETE {place} HTTP/1.1\r\nHost: {urlsplit(wire.url).netloc}\r\n\r\nand the beginning of one more"

    for path, credentials in ((f"{url(fresh, folder)}/%2e%2e/b", True), ("/nonsense", True), (place, False)):
        if credentials or wire.authorization:
            wire.send(put_request(path, body.encode(), credentials=credentials), keep_open=True)
            try:
                answer = wire.get(place)
            except (OSError, http.client.HTTPException) as error:
                raise Unexpected("the next request to be answered", repr(error)) from error
            expect_equal(
                (200, b"mine"), (answer.status, answer.body), "status and body of the file that is read next"
            )


@check("proxy.path-decoded-once", rests_on=("proxy.upload",))
def a_path_is_decoded_once(repository: ArtifactRepository, fresh: FreshArtifacts, wire: Wire) -> None:
    """A file whose name reads as an encoding is stored, listed and answered under just this name."""
    folder = fresh.folder()

    expect_answered(wire.put(url(fresh, f"{folder}/a%20b"), b"percent"))
    expect_answered(wire.put(url(fresh, f"{folder}/a b"), b"space"))
    expect_answered(wire.put(f"{url(fresh, folder)}/a+b", b"plus"))

    names = [item.path for item in repository.list_artifacts(folder)]
    expect_equal([f"{folder}/a b", f"{folder}/a%20b", f"{folder}/a+b"], names, "the names")
    expect_equal(b"percent", wire.get(url(fresh, f"{folder}/a%20b")).body, "the file a%20b")


@check("proxy.path-refused", rests_on=("upload.folder",))
def a_detour_is_refused(repository: ArtifactRepository, fresh: FreshArtifacts, wire: Wire) -> None:
    """Paths that break the rules are refused by each method, and what is there stays alone and as it is."""
    folder = fresh.logged({"in/x": b"mine", "x": b"mine"})
    taken: list[str] = []
    asked = [fresh.path_at_server(f"{folder}/in/{detour}") for detour in DETOURS]
    for path in (*asked, *(form.format(fresh.name()) for form in ABSOLUTE)):
        place = f"{ARTIFACTS}/{quote(path, safe='')}"
        listed = wire.get(ARTIFACTS, {"path": path})
        answers = {"list": listed, "GET": wire.get(place), "PUT": wire.put(place, b"evil")}
        answers["DELETE"] = wire.request("DELETE", place)
        taken += [f"{method} {path!r}: {told}" for method, told in answers.items() if not _refuses(told, method)]

    expect(not taken, "status 400 and INVALID_PARAMETER_VALUE for each", "; ".join(taken[:6]))
    expect_equal(
        [FileInfo(f"{folder}/in", True, None), FileInfo(f"{folder}/x", False, 4)],
        repository.list_artifacts(folder),
        "the listing",
    )
    expect_equal([FileInfo(f"{folder}/in/x", False, 4)], repository.list_artifacts(f"{folder}/in"), "the folder")


def _refuses(answer: Answer, method: str) -> bool:
    declined = method == "DELETE" and answer.status == 501
    return declined or is_refused(answer)


@check("proxy.path-escapes")
def a_broken_escape_is_refused(fresh: FreshArtifacts, wire: Wire) -> None:
    """An escape of one digit, one of none, and bytes that are no UTF-8 are refused."""
    for bad in ("a%2", "a%zz", "a%ff", "%c3"):
        path = f"{url(fresh, fresh.folder())}/{bad}"

        expect_refused(wire.get(path), INVALID, bad)
        expect_refused(wire.put(path, b"1"), INVALID, bad)


def require_attachment(answer: Answer) -> None:
    """Require that no browser shows what is answered."""
    told = (answer.header("Content-Disposition") or "").partition(";")[0].strip().lower()
    expect_equal("attachment", told, "Content-Disposition")
    expect_equal("nosniff", (answer.header("X-Content-Type-Options") or "").lower(), "X-Content-Type-Options")


@check("proxy.attachment", rests_on=("upload.folder",))
def no_browser_shows_a_file(fresh: FreshArtifacts, wire: Wire) -> None:
    """Pages, pictures with scripts and files without a suffix are attachments, whose kind is not guessed."""
    folder = fresh.logged({"a.html": b"<script>1</script>", "b.svg": b"<svg/>", "c": b"<html>"})

    for name in ("a.html", "b.svg", "c"):
        answer = wire.get(url(fresh, f"{folder}/{name}"))

        require_attachment(answer)


@check("proxy.foreign-origin", rests_on=("upload.folder",))
def another_site_changes_nothing(repository: ArtifactRepository, fresh: FreshArtifacts, wire: Wire) -> None:
    """Uploads and deletions that come from another site's page are refused."""
    folder = fresh.logged({"a.txt": b"mine"})
    for origin in ("https://evil.example", "null"):
        headers = {"Origin": origin}

        answers = (
            wire.put(url(fresh, f"{folder}/a.txt"), b"evil", headers=headers),
            wire.put(url(fresh, f"{folder}/b.txt"), b"evil", headers=headers),
            wire.request("DELETE", url(fresh, f"{folder}/a.txt"), headers=headers),
        )

        strangers = [str(answer) for answer in answers if not 400 <= answer.status < 500]
        expect(not strangers, "a status from 400 to 499", "; ".join(strangers))
    expect_equal([FileInfo(f"{folder}/a.txt", False, 4)], repository.list_artifacts(folder), "the listing")
    expect_equal(b"mine", content_of(repository, fresh, f"{folder}/a.txt"), "the file")


@check("proxy.credentials", rests_on=("upload.folder",))
def strangers_are_asked_who_they_are(repository: ArtifactRepository, fresh: FreshArtifacts, wire: Wire) -> None:
    """Without credentials every row answers 401, and what is there stays alone and as it is."""
    if wire.authorization is None:
        raise NotApplicable("the suite was given no credentials")
    folder = fresh.logged({"a.txt": b"mine"})
    strangers = []
    for endpoint in ARTIFACT_ENDPOINTS:
        path = endpoint.paths[0].replace(IN_PATH, f"/{quote(fresh.path_at_server(folder))}/a.txt")
        if endpoint.method == "PUT":
            answer = wire.put(path, b"evil", credentials=False)
        elif endpoint.method == "POST":
            fields = {"path": "a.txt", "upload_id": "x", "parts": []}
            answer = wire.post(path, fields, credentials=False)
        else:
            answer = wire.request(endpoint.method, path, credentials=False)
        if (answer.status, told_code(answer)) != (401, "UNAUTHENTICATED"):
            strangers.append(f"{endpoint.name}: {answer}")
        if endpoint.method == "GET":
            answer = wire.request("HEAD", path, credentials=False)
            if not 400 <= answer.status < 500:
                strangers.append(f"HEAD for {endpoint.name}: {answer}")

    expect(not strangers, "status 401 and UNAUTHENTICATED", "; ".join(strangers))
    expect_equal([FileInfo(f"{folder}/a.txt", False, 4)], repository.list_artifacts(folder), "the listing")
    expect_equal(b"mine", content_of(repository, fresh, f"{folder}/a.txt"), "the file")


@check("proxy.parts")
def parts_have_credentials_or_are_declined(
    repository: ArtifactRepository, fresh: FreshArtifacts, wire: Wire
) -> None:
    """An upload of three parts has three credentials, shows no file and is thrown away; or it is declined."""
    folder = fresh.folder()
    below = f"{{}}/{quote(fresh.path_at_server(folder))}"

    begun = wire.post(below.format(f"{ARTIFACTS_BASE}/mpu/create"), {"path": "a.bin", "num_parts": 3})

    if begun.status == 501:
        expect_equal("NOT_IMPLEMENTED", told_code(begun), "the error code")
        return
    told = expect_answered(begun)
    numbers = [item["part_number"] for item in told.get("credentials", []) if item.get("url")]
    expect_equal([1, 2, 3], sorted(numbers), "the numbers of the parts")
    expect_equal([], repository.list_artifacts(folder), "the listing")
    upload: dict[str, Any] = {"path": "a.bin", "upload_id": told.get("upload_id")}
    expect_answered(wire.post(below.format(f"{ARTIFACTS_BASE}/mpu/abort"), upload))
    expect_equal([], repository.list_artifacts(folder), "the listing")


@check("proxy.parts-path-refused")
def parts_of_a_detour_are_refused(fresh: FreshArtifacts, wire: Wire) -> None:
    """An upload in parts whose folder or name leads elsewhere is refused or declined."""
    good = quote(fresh.path_at_server(fresh.folder()))
    for folder, name in (
        (f"{good}/%2e%2e/%2e%2e", "a"),
        (f"{good}/%252e%252e", "a"),
        (good, ".."),
        (good, "a\\b"),
    ):
        answer = wire.post(f"{ARTIFACTS_BASE}/mpu/create/{folder}", {"path": name, "num_parts": 1})

        if answer.status != 501 and not is_refused(answer):
            raise Unexpected("status 400 or 501", str(answer))


# -- the artifacts of a run --------------------------------------------------------------------------------------


def a_run(fresh: FreshArtifacts, wire: Wire, location: str | None = None) -> dict[str, Any]:
    """What a server that also has the tracking store tells of a new run."""
    made = wire.post(
        "experiments/create", {"name": fresh.name()} | ({"artifact_location": location} if location else {})
    )
    if made.status in (404, 405, 501):
        raise NotApplicable("the server has no tracking store")
    experiment_id = expect_answered(made)["experiment_id"]
    run: dict[str, Any] = expect_answered(wire.post("runs/create", {"experiment_id": experiment_id}))["run"][
        "info"
    ]
    return run


def a_proxied_run(fresh: FreshArtifacts, wire: Wire) -> tuple[str, str]:
    """The id of a new run whose artifacts the server has, and the path of a request for them."""
    run = a_run(fresh, wire, f"mlflow-artifacts:/{fresh.name()}")
    root = run["artifact_uri"].removeprefix("mlflow-artifacts:/")
    return run["run_id"], f"{ARTIFACTS}/{quote(root)}"


@check("proxy.run-listing", rests_on=("proxy.upload",))
def a_runs_folder_is_listed(fresh: FreshArtifacts, wire: Wire) -> None:
    """The artifacts of a run are listed by paths from their root, the files of a folder among them."""
    run_id, place = a_proxied_run(fresh, wire)
    wire.put(f"{place}/notes/a.txt", b"1")
    wire.put(f"{place}/b.txt", b"22")

    root = wire.get("artifacts/list", {"run_id": run_id})
    folder = wire.get("artifacts/list", {"run_id": run_id, "path": "notes"})

    told = [(item["path"], item["is_dir"]) for item in expect_answered(root).get("files", [])]
    expect_equal([("b.txt", False), ("notes", True)], sorted(told), "the files of the run")
    expect_equal(
        place, f"{ARTIFACTS}/{quote(str(root.json['root_uri']).removeprefix('mlflow-artifacts:/'))}", "root_uri"
    )
    found = [(item["path"], item.get("file_size")) for item in expect_answered(folder).get("files", [])]
    expect_equal([("notes/a.txt", 1)], found, "the files of the folder")


@check("proxy.run-file", rests_on=("proxy.upload",))
def a_runs_file_is_answered(fresh: FreshArtifacts, wire: Wire) -> None:
    """A file of a run is answered as an attachment; a path that leads out of the run's artifacts is refused."""
    run_id, place = a_proxied_run(fresh, wire)
    wire.put(f"{place}/notes/a.txt", b"of the run")

    answer = wire.get("/get-artifact", {"run_id": run_id, "path": "notes/a.txt"})
    detour = wire.get("/get-artifact", {"run_id": run_id, "path": "../artifacts/notes/a.txt"})

    expect_equal((200, b"of the run"), (answer.status, answer.body), "the file")
    require_attachment(answer)
    expect_refused(detour, INVALID)


@check("proxy.run-elsewhere")
def a_run_opens_nothing_else(fresh: FreshArtifacts, wire: Wire) -> None:
    """The folder of this machine that the URI of a run names is neither listed nor read."""
    mine = fresh.tree({"secret.txt": b"secret"})
    for form in ("file://{}", "{}"):
        location = form.format(mine)
        run = a_run(fresh, wire, location)
        below = run["artifact_uri"].partition(mine)[2].strip("/")
        place = Path(mine, below)
        place.mkdir(parents=True, exist_ok=True)
        (place / "secret.txt").write_bytes(b"secret")

        for answer in (
            wire.get("artifacts/list", {"run_id": run["run_id"]}),
            wire.get("/get-artifact", {"run_id": run["run_id"], "path": "secret.txt"}),
        ):
            refused = 400 <= answer.status < 500 and b"secret" not in answer.body
            expect(refused, "a status from 400 to 499", str(answer))
