"""The checks of the chapter on experiments: tags."""

from trackspec import ErrorCode, ExperimentTag, TrackingStore
from trackspec_conformance.checks import check
from trackspec_conformance.expectations import expect, expect_equal, refused
from trackspec_conformance.fresh import Fresh

INVALID, UNKNOWN = ErrorCode.INVALID_PARAMETER_VALUE, ErrorCode.RESOURCE_DOES_NOT_EXIST

MALFORMED_KEYS = ("", ".", "..", "../meta.yaml", "/a", "a/", "a//b", "a/./b", "a/../b")
OTHER_CHARACTERS = ("a\tb", "a\nb", 'a"b', "a'b", "a\\b", "a%b", "a=b", "a,b", "e\u0301", "😀", "a\x00b")


@check("experiment.tag-set")
def a_tag_is_set(store: TrackingStore, fresh: Fresh) -> None:
    """A tag that was set is read with its value."""
    experiment_id = fresh.experiment("tag")

    store.set_experiment_tag(experiment_id, ExperimentTag("k", "v"))

    expect_equal("v", store.get_experiment(experiment_id).tags.get("k"), "the tag k")


@check("experiment.tag-replace", rests_on=("experiment.tag-set",))
def a_tag_is_replaced(store: TrackingStore, fresh: Fresh) -> None:
    """A tag that is set again has its last value, be it shorter, empty or the first one again."""
    experiment_id = fresh.experiment("tag")

    for value in ("first", "2", "", "first"):
        store.set_experiment_tag(experiment_id, ExperimentTag("k", value))
        expect_equal(value, store.get_experiment(experiment_id).tags.get("k"), "the tag k")


@check("experiment.tag-set-alone", rests_on=("experiment.create-tags", "experiment.tag-set"))
def setting_a_tag_leaves_others(store: TrackingStore, fresh: Fresh) -> None:
    """Setting a tag leaves the experiment's other tags, and the same tag of another experiment."""
    tags = [ExperimentTag("a", "1"), ExperimentTag("b", "2"), ExperimentTag("c", "3")]
    one = store.create_experiment(fresh.name("one"), None, tags)
    two = store.create_experiment(fresh.name("two"), None, tags)

    store.set_experiment_tag(one, ExperimentTag("b", "4"))

    changed, other = store.get_experiment(one).tags, store.get_experiment(two).tags
    expect_equal(["1", "4", "3"], [changed.get(key) for key in "abc"], "the tags a, b and c")
    expect_equal(["1", "2", "3"], [other.get(key) for key in "abc"], "the tags a, b and c of the other one")


@check("experiment.tag-delete", rests_on=("experiment.tag-set",))
def a_tag_is_deleted(store: TrackingStore, fresh: Fresh) -> None:
    """A deleted tag is gone, and is there again once it is set again."""
    experiment_id = fresh.experiment("tag")
    store.set_experiment_tag(experiment_id, ExperimentTag("k", "1"))

    store.delete_experiment_tag(experiment_id, "k")

    left = store.get_experiment(experiment_id).tags
    expect("k" not in left, "no tag k", left)
    store.set_experiment_tag(experiment_id, ExperimentTag("k", "2"))
    expect_equal("2", store.get_experiment(experiment_id).tags.get("k"), "the tag k that was set again")


@check("experiment.tag-delete-alone", rests_on=("experiment.create-tags", "experiment.tag-delete"))
def deleting_a_tag_leaves_others(store: TrackingStore, fresh: Fresh) -> None:
    """Deleting a tag leaves tags whose keys resemble it, and the same tag of another experiment."""
    keys = ("a", "ab", "a.b", "A", "b")
    tags = [ExperimentTag(key, key) for key in keys]
    one = store.create_experiment(fresh.name("one"), None, tags)
    two = store.create_experiment(fresh.name("two"), None, tags)

    store.delete_experiment_tag(one, "a")

    changed, other = store.get_experiment(one).tags, store.get_experiment(two).tags
    expect_equal([None, *keys[1:]], [changed.get(key) for key in keys], "the tags left")
    expect_equal(list(keys), [other.get(key) for key in keys], "the tags of the other experiment")


@check("experiment.tag-delete-missing", rests_on=("experiment.tag-set",))
def deleting_a_missing_tag_is_refused(store: TrackingStore, fresh: Fresh) -> None:
    """A tag that was never set, or is deleted already, cannot be deleted, and no other one goes for it."""
    kept = {"T": "1", "x ": "2", "\u00c5": "3"}
    tags = [ExperimentTag(key, value) for key, value in kept.items()]
    experiment_id = store.create_experiment(fresh.name("tag"), None, [*tags, ExperimentTag("k", "0")])
    store.delete_experiment_tag(experiment_id, "k")

    for key in ("never", "k", "t", "x", "\u212b"):
        with refused(UNKNOWN):
            store.delete_experiment_tag(experiment_id, key)

    found = store.get_experiment(experiment_id).tags
    expect_equal(kept, {key: found.get(key) for key in kept}, "the other tags")


@check("experiment.tag-delete-prefix", rests_on=("experiment.tag-set",))
def deleting_the_beginning_of_a_key_is_refused(store: TrackingStore, fresh: Fresh) -> None:
    """A key that only begins another one cannot be deleted, and the other one stays."""
    experiment_id = fresh.experiment("tag")
    store.set_experiment_tag(experiment_id, ExperimentTag("folder/k", "1"))

    with refused(UNKNOWN):
        store.delete_experiment_tag(experiment_id, "folder")

    expect_equal("1", store.get_experiment(experiment_id).tags.get("folder/k"), "the tag folder/k")


@check("experiment.tag-delete-key-refused", rests_on=("experiment.tag-set",))
def deleting_a_malformed_key_is_refused(store: TrackingStore, fresh: Fresh) -> None:
    """Malformed keys are refused when they are to be deleted, and nothing is."""
    experiment_id = fresh.experiment("tag")
    store.set_experiment_tag(experiment_id, ExperimentTag("a/b", "1"))
    before = store.get_experiment(experiment_id)

    for key in MALFORMED_KEYS:
        with refused(INVALID, UNKNOWN):
            store.delete_experiment_tag(experiment_id, key)

    expect_equal(before, store.get_experiment(experiment_id), "the experiment")


@check("experiment.tag-delete-key-code", rests_on=("experiment.tag-delete-key-refused",))
def deleting_a_malformed_key_is_invalid(store: TrackingStore, fresh: Fresh) -> None:
    """Malformed keys are refused as invalid, not as missing, when they are to be deleted."""
    experiment_id = fresh.experiment("tag")

    for key in MALFORMED_KEYS:
        with refused(INVALID):
            store.delete_experiment_tag(experiment_id, key)


@check("experiment.tag-prefix-keys", rests_on=("experiment.create",))
def keys_and_their_prefixes_coexist(store: TrackingStore, fresh: Fresh) -> None:
    """Keys that continue one another after a slash coexist, set in either order or given at creation."""
    set_one_by_one = fresh.experiment("prefix")

    for key in ("q", "q/r", "q/r/s", "x/y", "x"):
        store.set_experiment_tag(set_one_by_one, ExperimentTag(key, key))
    created_with = store.create_experiment(
        fresh.name("prefix"), None, [ExperimentTag("q/r", "q/r"), ExperimentTag("q", "q")]
    )

    tags = store.get_experiment(set_one_by_one).tags
    expect_equal(["q", "q/r", "q/r/s", "x/y", "x"], [tags.get(key) for key in ("q", "q/r", "q/r/s", "x/y", "x")])
    tags = store.get_experiment(created_with).tags
    expect_equal(["q", "q/r"], [tags.get("q"), tags.get("q/r")], "the tags given at creation")


@check("experiment.tag-key-case", rests_on=("experiment.create",))
def case_makes_another_key(store: TrackingStore, fresh: Fresh) -> None:
    """Keys that differ in the case of a letter coexist."""
    keys = ("key", "Key", "KEY", "é", "É")

    experiment_id = store.create_experiment(fresh.name("case"), None, [ExperimentTag(key, key) for key in keys])

    tags = store.get_experiment(experiment_id).tags
    expect_equal(list(keys), [tags.get(key) for key in keys], "the tags")


@check("experiment.tag-key-characters", rests_on=("experiment.create",))
def keys_hold_the_permitted_characters(store: TrackingStore, fresh: Fresh) -> None:
    """Letters and digits of several scripts, punctuation and spaces make keys."""
    keys = (
        "a_b",
        "a-b",
        "a.b",
        ".a",
        "a.",
        "a b",
        " a",
        "a ",
        " ",
        "a/b",
        "é",
        "界",
        "Ж",
        "٣",
        "0",
        "-",
        "_",
        "𝒜",
    )

    experiment_id = store.create_experiment(fresh.name("chars"), None, [ExperimentTag(key, key) for key in keys])

    tags = store.get_experiment(experiment_id).tags
    expect_equal(list(keys), [tags.get(key) for key in keys], "the tags")


@check("experiment.tag-key-longest", rests_on=("experiment.create",))
def the_longest_keys_are_kept(store: TrackingStore, fresh: Fresh) -> None:
    """Keys of 250 characters, of one byte or of three, that differ in the last one coexist."""
    keys = ("k" * 249 + "a", "k" * 249 + "b", "界" * 249 + "a", "界" * 249 + "b")

    experiment_id = store.create_experiment(
        fresh.name("long"), None, [ExperimentTag(key, key[-1]) for key in keys]
    )

    tags = store.get_experiment(experiment_id).tags
    expect_equal(["a", "b", "a", "b"], [tags.get(key) for key in keys], "the tags")


@check("experiment.tag-key-over-long-refused")
def an_over_long_key_is_refused(store: TrackingStore, fresh: Fresh) -> None:
    """A key of 251 characters is refused when it is set and at creation, and nothing of it is kept."""
    experiment_id = fresh.experiment("long")

    with refused(INVALID):
        store.set_experiment_tag(experiment_id, ExperimentTag("k" * 251, "v"))
    with refused(INVALID):
        store.create_experiment(fresh.name("long"), None, [ExperimentTag("k" * 251, "v")])

    tags = store.get_experiment(experiment_id).tags
    expect(not any(key.startswith("kk") for key in tags), "no such tag", tags)


@check("experiment.tag-key-refused")
def a_malformed_key_is_refused(store: TrackingStore, fresh: Fresh) -> None:
    """Malformed keys and keys with other characters are refused, and not set."""
    experiment_id = fresh.experiment("key")

    for key in (*MALFORMED_KEYS, "..a", *OTHER_CHARACTERS):
        with refused(INVALID):
            store.set_experiment_tag(experiment_id, ExperimentTag(key, "written"))
    with refused(INVALID):
        store.create_experiment(fresh.name("key"), None, [ExperimentTag("a//b", "written")])

    tags = store.get_experiment(experiment_id).tags
    expect("written" not in tags.values(), "none of the tags", tags)


@check("experiment.tag-value-longest")
def the_longest_value_is_kept(store: TrackingStore, fresh: Fresh) -> None:
    """A value of 20,000 characters is kept whole, whether set or given at creation."""
    value = "v" * 19_999 + "!"
    experiment_id = store.create_experiment(fresh.name("long"), None, [ExperimentTag("created", value)])

    store.set_experiment_tag(experiment_id, ExperimentTag("set", value))

    tags = store.get_experiment(experiment_id).tags
    expect_equal(value, tags.get("created"), "the tag given at creation")
    expect_equal(value, tags.get("set"), "the tag that was set")


@check("experiment.tag-value-over-long-refused", rests_on=("experiment.tag-set",))
def an_over_long_value_is_refused(store: TrackingStore, fresh: Fresh) -> None:
    """A value of 20,001 characters is refused when it is set and at creation, and the value before it stays."""
    experiment_id = fresh.experiment("long")
    store.set_experiment_tag(experiment_id, ExperimentTag("k", "short"))

    with refused(INVALID):
        store.set_experiment_tag(experiment_id, ExperimentTag("k", "v" * 20_001))
    with refused(INVALID):
        store.create_experiment(fresh.name("long"), None, [ExperimentTag("k", "v" * 20_001)])

    expect_equal("short", store.get_experiment(experiment_id).tags.get("k"), "the tag k")


@check("experiment.tag-value-type-refused")
def a_value_of_another_type_is_refused(store: TrackingStore, fresh: Fresh) -> None:
    """None, numbers and bytes are refused as values, when they are set and at creation."""
    experiment_id = fresh.experiment("type")

    for value in (None, 5, 1.5, True, b"v"):
        tag = ExperimentTag("k", value)  # type: ignore[arg-type]
        with refused(INVALID):
            store.set_experiment_tag(experiment_id, tag)
        with refused(INVALID):
            store.create_experiment(fresh.name("type"), None, [tag])

    tags = store.get_experiment(experiment_id).tags
    expect("k" not in tags, "no tag k", tags)


@check("experiment.tag-type-refused")
def what_is_no_tag_is_refused(store: TrackingStore, fresh: Fresh) -> None:
    """Text, pairs, dictionaries and None are refused as tags, and what is no string as a key to delete."""
    experiment_id = fresh.experiment("type")

    for tag in ("k", ("k", "v"), {"key": "k", "value": "v"}, None, ExperimentTag(5, "v")):  # type: ignore[arg-type]
        with refused(INVALID):
            store.set_experiment_tag(experiment_id, tag)  # type: ignore[arg-type]
    for key in (None, 5, b"k"):
        with refused(INVALID):
            store.delete_experiment_tag(experiment_id, key)  # type: ignore[arg-type]

    tags = store.get_experiment(experiment_id).tags
    expect(not {"k", "5"}.intersection(tags), "none of the tags", tags)


@check("experiment.deleted-refuses-tags", rests_on=("experiment.tag-set", "experiment.delete"))
def a_deleted_experiment_takes_no_tags(store: TrackingStore, fresh: Fresh) -> None:
    """Setting and deleting tags of a deleted experiment are refused, and its tags stay."""
    experiment_id = fresh.experiment("deleted")
    store.set_experiment_tag(experiment_id, ExperimentTag("k", "1"))
    store.delete_experiment(experiment_id)

    with refused(INVALID):
        store.set_experiment_tag(experiment_id, ExperimentTag("k", "2"))
    with refused(INVALID):
        store.set_experiment_tag(experiment_id, ExperimentTag("new", "2"))
    with refused(INVALID):
        store.delete_experiment_tag(experiment_id, "k")

    tags = store.get_experiment(experiment_id).tags
    expect_equal("1", tags.get("k"), "the tag k")
    expect("new" not in tags, "no tag new", tags)
