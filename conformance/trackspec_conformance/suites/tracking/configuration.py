"""The checks of the chapter on configuration: the artifact root.

The artifact root belongs to the whole store. A check that sets it puts the former one back, and no other check
that uses it runs meanwhile.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from unittest.mock import patch

from trackspec import ErrorCode, ExperimentTag, TrackingStore
from trackspec_conformance.checks import check
from trackspec_conformance.expectations import expect, expect_equal, refused, unless_refused
from trackspec_conformance.fresh import Fresh

ROOT = "the artifact root"
INVALID = ErrorCode.INVALID_PARAMETER_VALUE
URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:.+", re.DOTALL)


@check("config.root-is-uri", uses=ROOT)
def the_root_is_a_uri(store: TrackingStore) -> None:
    """The artifact root has a scheme."""
    root = store.get_artifact_root()

    expect(bool(URI.fullmatch(root)), "a URI with a scheme", root)


@check("config.root-applied", rests_on=("experiment.create",), uses=ROOT)
def the_root_applies(store: TrackingStore, fresh: Fresh) -> None:
    """A new experiment is located below the artifact root, by its id."""
    root = store.get_artifact_root()

    experiment_id = store.create_experiment(fresh.name("root"), None, [])

    location = store.get_experiment(experiment_id).artifact_location
    expect_equal(_below(root, experiment_id), location, "the location")


@check("config.opening-changes-nothing", rests_on=("experiment.create-tags", "run.create"), uses=ROOT)
def opening_again_changes_nothing(store: TrackingStore, fresh: Fresh) -> None:
    """An experiment, a run and the artifact root are the same before and after the store is opened again."""
    experiment_id = store.create_experiment(fresh.name("open"), None, [ExperimentTag("k", "1")])
    run_id = fresh.run(experiment_id)
    before = store.get_experiment(experiment_id), store.get_run(run_id), store.get_artifact_root()

    opened = fresh.reopened()

    after = store.get_experiment(experiment_id), store.get_run(run_id), store.get_artifact_root()
    expect_equal(before, after, "the experiment, the run and the root")
    expect_equal(before[2], opened.get_artifact_root(), "the root, read by the new object")


@check("config.set-read", uses=ROOT)
def the_root_is_read_as_it_was_set(store: TrackingStore) -> None:
    """The artifact root is what was last set."""
    with _former_root_put_back(store):
        for root in ("s3://bucket/first", "gs://bucket/second"):
            store.set_artifact_root(root)
            expect_equal(root, store.get_artifact_root(), "the root")


@check("config.set-kept", rests_on=("config.set-read",), uses=ROOT)
def the_root_is_kept_in_the_store(store: TrackingStore, fresh: Fresh) -> None:
    """Store objects opened before and after the root was set both have it."""
    earlier = fresh.reopened()
    earlier.get_artifact_root()

    with _former_root_put_back(store):
        store.set_artifact_root("s3://bucket/kept")

        expect_equal("s3://bucket/kept", earlier.get_artifact_root(), "the root, by an object opened before")
        expect_equal("s3://bucket/kept", fresh.reopened().get_artifact_root(), "the root, by one opened after")


@check("config.set-applied", rests_on=("config.set-read",), uses=ROOT)
def the_root_that_was_set_applies(store: TrackingStore, fresh: Fresh) -> None:
    """Experiments created after the root was set are located below it, one root after the other."""
    with _former_root_put_back(store):
        for root in ("s3://bucket/first", "gs://bucket/second"):
            store.set_artifact_root(root)
            experiment_id = store.create_experiment(fresh.name("applied"), None, [])
            location = store.get_experiment(experiment_id).artifact_location
            expect_equal(f"{root}/{experiment_id}", location, "the location")


@check("config.set-applied-elsewhere", rests_on=("config.set-read",), uses=ROOT)
def the_root_applies_through_other_objects(store: TrackingStore, fresh: Fresh) -> None:
    """An experiment created through another store object is located below the root that this one set."""
    other = fresh.reopened()
    other.create_experiment(fresh.name("before"), None, [])

    with _former_root_put_back(store):
        store.set_artifact_root("s3://bucket/elsewhere")
        experiment_id = other.create_experiment(fresh.name("elsewhere"), None, [])

    location = store.get_experiment(experiment_id).artifact_location
    expect_equal(f"s3://bucket/elsewhere/{experiment_id}", location, "the location")


@check("config.set-slash", rests_on=("config.set-read",), uses=ROOT)
def a_slash_is_not_doubled(store: TrackingStore, fresh: Fresh) -> None:
    """Between a root that ends in a slash and the id there is one slash."""
    with _former_root_put_back(store):
        store.set_artifact_root("s3://bucket/slash/")
        experiment_id = store.create_experiment(fresh.name("slash"), None, [])

    location = store.get_experiment(experiment_id).artifact_location
    expect_equal(f"s3://bucket/slash/{experiment_id}", location, "the location")


@check("config.set-query", rests_on=("config.set-read",), uses=ROOT)
def the_id_comes_before_the_query(store: TrackingStore, fresh: Fresh) -> None:
    """The id is inserted before the root's query and its fragment."""
    with _former_root_put_back(store):
        for tail in ("?region=eu&path=/a", "#part", "?x=1#part"):
            store.set_artifact_root(f"s3://bucket/query{tail}")
            experiment_id = store.create_experiment(fresh.name("query"), None, [])
            location = store.get_experiment(experiment_id).artifact_location
            expect_equal(f"s3://bucket/query/{experiment_id}{tail}", location, "the location")


@check("config.set-not-normalised", rests_on=("config.set-read",), uses=ROOT)
def the_root_is_not_normalised(store: TrackingStore, fresh: Fresh) -> None:
    """Dots, escapes, doubled slashes, capitals and spaces in the root are kept, in it and below it."""
    with _former_root_put_back(store):
        for root in ("S3://Bucket/a/../B", "s3://bucket/%2e%2e/a%20b", "s3://bucket//a/./b", "s3://bucket/ü 界"):
            store.set_artifact_root(root)
            expect_equal(root, store.get_artifact_root(), "the root")
            experiment_id = store.create_experiment(fresh.name("exact"), None, [])
            location = store.get_experiment(experiment_id).artifact_location
            expect_equal(f"{root}/{experiment_id}", location, "the location")


@check("config.set-for-new-experiments", rests_on=("config.set-read",), uses=ROOT)
def locations_stay_when_the_root_is_set(store: TrackingStore, fresh: Fresh) -> None:
    """An experiment, and a run in it, keep their places when another root is set."""
    experiment_id = fresh.experiment("stays")
    location = store.get_experiment(experiment_id).artifact_location
    run_id = fresh.run(experiment_id)
    artifact_uri = store.get_run(run_id).info.artifact_uri

    with _former_root_put_back(store):
        store.set_artifact_root("s3://bucket/later")

        expect_equal(location, store.get_experiment(experiment_id).artifact_location, "the location")
        expect_equal(artifact_uri, store.get_run(run_id).info.artifact_uri, "the run's artifact URI")


@check("config.set-under-location", rests_on=("config.set-read",), uses=ROOT)
def an_own_location_counts_more_than_the_root(store: TrackingStore, fresh: Fresh) -> None:
    """An experiment created with a location has it, though a root is set."""
    with _former_root_put_back(store):
        store.set_artifact_root("s3://bucket/root")
        experiment_id = store.create_experiment(fresh.name("own"), "gs://bucket/own", [])

    expect_equal("gs://bucket/own", store.get_experiment(experiment_id).artifact_location, "the location")


@check("config.set-over-environment", rests_on=("config.set-read",), uses=ROOT)
def the_root_counts_more_than_the_environment(store: TrackingStore, fresh: Fresh) -> None:
    """A root that is set counts, whatever the environment variable says."""
    with (
        _former_root_put_back(store),
        patch.dict(os.environ, {"TRACKSPEC_ARTIFACT_ROOT": "s3://bucket/environment"}),
    ):
        store.set_artifact_root("s3://bucket/store")
        experiment_id = store.create_experiment(fresh.name("environment"), None, [])

        expect_equal("s3://bucket/store", store.get_artifact_root(), "the root")
        location = store.get_experiment(experiment_id).artifact_location
        expect_equal(f"s3://bucket/store/{experiment_id}", location, "the location")


@check("config.set-path", rests_on=("config.set-read",), uses=ROOT)
def a_path_becomes_a_uri(store: TrackingStore) -> None:
    """A relative path that is set as root is read as an absolute file URI, or refused."""
    with _former_root_put_back(store), unless_refused(INVALID):
        store.set_artifact_root("relative/root")

        root = store.get_artifact_root()
        absolute = re.fullmatch(r"file:(//[^/]*)?/(.*/)?relative/root", root)
        expect(bool(absolute), "a file: URI with an absolute path that ends in relative/root", root)


@check("config.set-any-scheme", rests_on=("config.set-read",), uses=ROOT)
def an_unknown_scheme_is_not_ignored(store: TrackingStore, fresh: Fresh) -> None:
    """A root of a scheme that nobody knows is set and applied, or refused."""
    expected = store.get_artifact_root()

    with _former_root_put_back(store):
        with unless_refused(INVALID):
            store.set_artifact_root("x-unknown+v1://host/path")
            expected = "x-unknown+v1://host/path"
        experiment_id = store.create_experiment(fresh.name("scheme"), None, [])

        expect_equal(expected, store.get_artifact_root(), "the root")
        location = store.get_experiment(experiment_id).artifact_location
        expect_equal(_below(expected, experiment_id), location, "the location")


@check("config.set-refused", uses=ROOT)
def an_invalid_root_is_refused(store: TrackingStore) -> None:
    """What is no text, no storable text, empty or longer than 2048 characters is refused, and the root stays."""
    with _former_root_put_back(store):
        former = store.get_artifact_root()

        for root in (None, 5, b"s3://b", ["s3://b"], "", "s3://".ljust(2049, "x"), "s3://b/\ud800"):
            with refused(INVALID):
                store.set_artifact_root(root)  # type: ignore[arg-type]

        expect_equal(former, store.get_artifact_root(), "the root")


@contextmanager
def _former_root_put_back(store: TrackingStore) -> Iterator[None]:
    """Set the present artifact root again after the block, as far as the store lets it."""
    former = store.get_artifact_root()
    try:
        yield
    finally:
        with suppress(Exception):
            store.set_artifact_root(former)


def _below(root: str, experiment_id: str) -> str:
    """A root with an id appended to its path."""
    path, tail = re.fullmatch(r"([^?#]*)(.*)", root, re.DOTALL).groups()  # type: ignore[union-attr]  # always matches
    return f"{path.removesuffix('/')}/{experiment_id}{tail}"
