"""The rules of artifact paths and locations, each in one place."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trackspec import ArtifactRepository, ErrorCode, TrackspecError
from trackspec.artifact_locations import Location, artifact_location
from trackspec.artifact_paths import file_path, is_within, parent_of, valid_path

GOOD = (
    "a",
    "a/b/c.txt",
    ".hidden",
    "..a",
    "a..",
    "100%",
    "a%20b",
    "a b ",
    "größe/層",
    "e\u0301",
    "．．",
    "a#b?c;d&e=f+g@h:i",
    "~",
    "-rf",
    "x" * 255,
    "/".join(["y" * 199] * 5),
)
BAD = (
    "..",
    "../a",
    "a/..",
    "a/../b",
    "/a",
    "//a",
    "C:/a",
    "c:a",
    "a\\b",
    "..\\a",
    "a/./b",
    ".",
    "a//b",
    "a/",
    "...",
    ". .",
    " ",
    "a/ /b",
    "a\0",
    "a\nb",
    "\x7f",
    "\x85",
    "\ud800",
    "%2e%2e/a",
    "..%2fa",
    "%252e%252e%252fa",
    "%25252e%25252e/a",
    "a%00",
    "a%5cb",
    "%2fa",
    ".trackspec-upload-1",
    "x" * 256,
    "é" * 128,
    "/".join(["y" * 199] * 5) + "zz",
    5,
    b"a",
    True,
    ["a"],
)


@pytest.mark.parametrize("path", GOOD)
def test_a_path_that_keeps_the_rules_stays_as_it_is(path: str) -> None:
    """What is judged is what is used."""
    assert valid_path(path) == path


@pytest.mark.parametrize("path", BAD)
def test_a_path_that_breaks_a_rule_is_refused(path: object) -> None:
    """The refusal has one code, and does not repeat an over-long path whole."""
    with pytest.raises(TrackspecError) as refused:
        valid_path(path)

    assert refused.value.error_code is ErrorCode.INVALID_PARAMETER_VALUE
    assert len(refused.value.message) < 500


@given(st.text(st.characters(codec="utf-8"), max_size=30), st.integers(1, 3))
def test_encoding_makes_no_bad_path_good(path: str, times: int) -> None:
    """A path that is refused is refused however often it is encoded."""
    try:
        valid_path(path)
    except TrackspecError:
        for _ in range(times):
            path = quote(path, safe="")
        with pytest.raises(TrackspecError):
            valid_path(path)


def test_the_root_is_none_or_empty() -> None:
    """Both mean the same folder."""
    assert valid_path(None) == valid_path("") == ""


def test_a_name_is_one_segment() -> None:
    """A file's name is judged like a path, and parts no folders."""
    assert file_path("a", "") == "a"
    assert file_path("a", "b/c") == "b/c/a"
    for name in ("", "a/b", "..", "a\\b"):
        with pytest.raises(TrackspecError):
            file_path(name, "b")


def test_folders_are_told_by_segments() -> None:
    """A name that begins another is no folder of it."""
    assert parent_of("a/b/c") == "a/b"
    assert parent_of("a") == ""
    assert is_within("a/b", "a")
    assert is_within("a", "")
    assert not is_within("ab", "a")


# -- locations ---------------------------------------------------------------------------------------------------


def test_a_location_is_taken_apart() -> None:
    """The scheme is in lower case, the path as it was given."""
    assert artifact_location("S3://Bucket/a/B%20c/") == Location("s3", "Bucket", "/a/B%20c")
    assert artifact_location("dbfs:/a/b") == Location("dbfs", "", "/a/b")
    assert artifact_location("wasbs://c@account.host/p") == Location("wasbs", "c@account.host", "/p")


@pytest.mark.parametrize(
    "uri",
    [
        "no-scheme/a",
        "s3://bucket/a?versionId=1",
        "s3://bucket/a#b",
        "s3://user:hunter2@bucket/a",
        "s3://bucket/../a",
        "s3://bucket\\a",
        "s3://bucket/a\n",
        "s3://bucket/" + "a" * 2048,
        5,
        None,
    ],
)
def test_what_is_more_than_a_place_is_refused(uri: object) -> None:
    """The refusal does not repeat what may be a password."""
    with pytest.raises(TrackspecError) as refused:
        artifact_location(uri)

    assert refused.value.error_code is ErrorCode.INVALID_PARAMETER_VALUE
    assert "hunter2" not in refused.value.message


@pytest.mark.parametrize("uri", ["gopher://host/a", "", None, 5, "memory:a?b"])
def test_a_uri_that_no_repository_takes_is_refused(uri: object) -> None:
    """Opening refuses it, whoever finds out."""
    with pytest.raises(TrackspecError) as refused:
        ArtifactRepository.from_artifact_uri(uri)  # type: ignore[arg-type]

    assert refused.value.error_code is ErrorCode.INVALID_PARAMETER_VALUE
