"""The suite's strategies draw valid data only: a backend that refuses it is wrong."""

from hypothesis import given, settings

from trackspec import DatasetInput, arguments
from trackspec_conformance import strategies


@settings(max_examples=50, deadline=None)
@given(strategies.distinct_keys())
def test_keys_are_valid_and_differ(keys: list[str]) -> None:
    """Every key drawn is one that a store takes, and no two are the same."""
    assert keys == [arguments.key(key, "A key") for key in keys]
    assert len(keys) == len(set(keys))


def test_pools_hold_only_valid_keys() -> None:
    """Every key of the pools is one that a store takes."""
    for key in strategies.COLLIDING_KEYS:
        assert key == arguments.key(key, "A key")


@settings(max_examples=50, deadline=None)
@given(strategies.batches())
def test_batches_are_valid(batch: strategies.Batch) -> None:
    """Every batch drawn is one that a store takes, as it is."""
    metrics, params, tags = arguments.batch(list(batch.metrics), list(batch.params), list(batch.tags))

    assert len(batch.metrics) == len(metrics)
    assert list(batch.params) == params
    assert list(batch.tags) == tags


@settings(max_examples=50, deadline=None)
@given(strategies.dataset_inputs())
def test_dataset_inputs_are_valid(dataset_input: DatasetInput) -> None:
    """Every dataset input drawn is one that a store takes, as it is."""
    assert dataset_input == arguments.dataset_input(dataset_input)


@settings(max_examples=50, deadline=None)
@given(strategies.texts(30, min_length=1))
def test_texts_keep_to_their_length(text: str) -> None:
    """Every text drawn is storable and as long as asked for."""
    assert text == arguments.text(text, "A text", 30, min_length=1)
