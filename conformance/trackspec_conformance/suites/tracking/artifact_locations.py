"""The checks of the chapter on configuration: the artifact locations of experiments."""

import re

from trackspec import ErrorCode, TrackingStore
from trackspec_conformance.checks import check
from trackspec_conformance.expectations import expect, expect_equal, refused, unless_refused
from trackspec_conformance.fresh import Fresh

INVALID = ErrorCode.INVALID_PARAMETER_VALUE
URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:.+", re.DOTALL)
"""A scheme of one letter would be a drive."""

KEPT = (
    "s3://bucket/path",
    "s3://Bucket/Path/To",
    "s3://bucket/path/",
    "gs://bucket/path?x=1&y=%20",
    "s3://bucket/ü 界",
)
UP_TO_POLICY = (
    "s3://bucket/a/../b",
    "s3://bucket/%2e%2e/b",
    "s3://bucket//a/./b",
    "s3://bucket/path#fragment",
    "runs:/0123456789abcdef/path",
    "http://host/path",
    "dbfs:/path",
    "hdfs://host:8020/path",
    "file:///somewhere/else",
    "x-unknown+v1://host/path",
)


@check("config.default-location", rests_on=("experiment.create",))
def the_default_location_ends_with_the_id(store: TrackingStore, fresh: Fresh) -> None:
    """The path of the location that an experiment gets ends with its id."""
    for _ in range(2):
        experiment_id = store.create_experiment(fresh.name("default"), None, [])
        location = store.get_experiment(experiment_id).artifact_location
        expect_equal(experiment_id, _last_segment(location), f"the last segment of the path of {location!r}")


@check("config.default-location-is-uri", rests_on=("experiment.create",))
def the_default_location_is_a_uri(store: TrackingStore, fresh: Fresh) -> None:
    """The location that an experiment gets has a scheme."""
    experiment_id = store.create_experiment(fresh.name("default"), None, [])

    location = store.get_experiment(experiment_id).artifact_location
    expect(bool(URI.fullmatch(location)), "a URI with a scheme", location)


@check("config.location-kept", rests_on=("experiment.create",))
def a_location_is_kept(store: TrackingStore, fresh: Fresh) -> None:
    """Locations that are URIs are read as they were given."""
    for location in KEPT:
        experiment_id = store.create_experiment(fresh.name("kept"), location, [])
        expect_equal(location, store.get_experiment(experiment_id).artifact_location, "the location")


@check("config.location-by-policy", rests_on=("experiment.create",))
def a_location_is_kept_or_refused(store: TrackingStore, fresh: Fresh) -> None:
    """Locations that a store need not permit are read as they were given, or no experiment is created."""
    for location in UP_TO_POLICY:
        name = fresh.name("policy")
        expected = None
        with unless_refused(INVALID):
            store.create_experiment(name, location, [])
            expected = location
        found = store.get_experiment_by_name(name)
        expect_equal(expected, found and found.artifact_location, "the location")


@check("config.location-absolute", rests_on=("experiment.create",))
def a_relative_path_is_made_absolute(store: TrackingStore, fresh: Fresh) -> None:
    """A location that is a relative path is read as an absolute path or file URI, or refused."""
    with unless_refused(INVALID):
        experiment_id = store.create_experiment(fresh.name("relative"), "relative/location", [])

        location = store.get_experiment(experiment_id).artifact_location.replace("\\", "/")
        absolute = re.fullmatch(r"(file:(//[^/]*)?|[A-Za-z]:)?/(.*/)?relative/location", location)
        expect(bool(absolute), "an absolute path or file: URI that ends in relative/location", location)


@check("config.location-empty", rests_on=("config.default-location",))
def an_empty_location_is_none(store: TrackingStore, fresh: Fresh) -> None:
    """An experiment created with an empty location is located like one created with None."""
    for empty in ("", None):
        experiment_id = store.create_experiment(fresh.name("empty"), empty, [])
        location = store.get_experiment(experiment_id).artifact_location
        expect_equal(experiment_id, _last_segment(location), f"the last segment of the path of {location!r}")


@check("config.location-longest", rests_on=("experiment.create",))
def the_longest_location_is_kept(store: TrackingStore, fresh: Fresh) -> None:
    """A location of 2048 characters is kept whole."""
    location = "s3://bucket/".ljust(2047, "x") + "!"

    experiment_id = store.create_experiment(fresh.name("long"), location, [])

    expect_equal(location, store.get_experiment(experiment_id).artifact_location, "the location")


@check("config.location-refused")
def an_invalid_location_is_refused(store: TrackingStore, fresh: Fresh) -> None:
    """Locations that are no text or have 2049 characters are refused, and no experiment is created."""
    name = fresh.name("invalid")

    for location in (5, True, b"s3://bucket", ["s3://bucket"], "s3://bucket/".ljust(2049, "x")):
        with refused(INVALID):
            store.create_experiment(name, location, [])  # type: ignore[arg-type]

    expect_equal(None, store.get_experiment_by_name(name), "the experiment of that name")


def _last_segment(location: str) -> str:
    """The last segment of a URI's path."""
    return re.split("[?#]", location)[0].rpartition("/")[2]
