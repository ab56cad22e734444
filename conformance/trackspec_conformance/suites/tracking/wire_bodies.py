"""The checks of the chapter on the REST protocol: bodies and queries."""

import json
from urllib.parse import quote, quote_plus

from trackspec import ErrorCode, Metric, TrackingStore
from trackspec_conformance.checks import check
from trackspec_conformance.expectations import NotApplicable, expect_equal
from trackspec_conformance.fresh import Fresh
from trackspec_conformance.suites.tracking.wire_paths import REFUSALS, SERVED
from trackspec_conformance.wire import Wire
from trackspec_conformance.wire.expectations import (
    expect_answered,
    expect_each_refused,
    expect_refused,
    is_refused,
)
from trackspec_conformance.wire.samples import MLFLOWS, Samples

PARAM = "runs/log-parameter"


# -- bodies ------------------------------------------------------------------------------------------------------


@check("wire.content-type", rests_on=REFUSALS)
def another_content_type_is_refused(store: TrackingStore, fresh: Fresh, wire: Wire) -> None:
    """A body that is said to be no JSON, or nothing, is refused, and nothing is written."""
    run_id = fresh.run()
    fields = {"run_id": run_id, "key": "p", "value": "1"}

    expect_refused(wire.post(PARAM, fields, content_type=None))
    expect_refused(wire.post(PARAM, fields, content_type="text/plain"))
    expect_refused(wire.post(PARAM, fields, content_type="application/x-www-form-urlencoded"))
    expect_refused(wire.post(PARAM, fields, content_type="multipart/form-data; boundary=x"))
    expect_refused(wire.post(PARAM, fields, content_type="text/plain; also=application/json"))
    expect_refused(wire.post(PARAM, fields, content_type="application/jsonp"))

    expect_equal({}, store.get_run(run_id).data.params, "the run's params")


@check("wire.content-type", rests_on=(*REFUSALS, *SERVED))
def every_endpoint_looks_at_the_content_type(store: TrackingStore, fresh: Fresh, wire: Wire) -> None:
    """A good request to any endpoint is refused where its body is said to be text, and nothing is written."""
    samples = Samples.arranged(store, fresh)
    before, taken = samples.kept(store), []

    for endpoint in MLFLOWS:
        if "POST" in endpoint.methods:
            answer = wire.post(endpoint.path, samples.of(endpoint), content_type="text/plain")
            if not (is_refused(answer) or is_refused(answer, ErrorCode.NOT_IMPLEMENTED)):
                taken.append(f"{endpoint.path}: {answer}")

    expect_each_refused(taken, "a body that is said to be text/plain")
    expect_equal(before, samples.kept(store), "what the store keeps")


@check("wire.content-type-parameters", rests_on=SERVED)
def a_content_type_may_say_more(store: TrackingStore, fresh: Fresh, wire: Wire) -> None:
    """Parameters of the content type are taken, with and without a space and quotes."""
    run_id = fresh.run()
    types = ("application/json; charset=utf-8", 'application/json;charset="UTF-8"', "application/json; version=1")

    for number, content_type in enumerate(types):
        fields = {"run_id": run_id, "key": f"p{number}", "value": "é"}
        expect_answered(wire.post(PARAM, fields, content_type=content_type))

    expect_equal({f"p{number}": "é" for number in range(3)}, store.get_run(run_id).data.params, "the params")


@check("wire.content-type-case", rests_on=SERVED)
def a_content_type_has_no_case(store: TrackingStore, fresh: Fresh, wire: Wire) -> None:
    """A content type in capitals is the same."""
    run_id = fresh.run()

    expect_answered(
        wire.post(PARAM, {"run_id": run_id, "key": "p", "value": "1"}, content_type="Application/JSON")
    )

    expect_equal({"p": "1"}, store.get_run(run_id).data.params, "the params")


@check("wire.body-json", rests_on=REFUSALS)
def what_is_no_json_is_refused(store: TrackingStore, fresh: Fresh, wire: Wire) -> None:
    """A body that is empty, cut, misspelt or followed by more is refused, and nothing is written."""
    run_id = fresh.run()
    good = json.dumps({"run_id": run_id, "key": "p", "value": "1"})

    for body in (
        "",
        "  ",
        good[:-1],
        good + "}",
        f"{good} {good}",
        good.replace('"1"', '"1",'),
        good.replace('"', "'"),
        good.replace('"1"', "1x"),
        f"body={quote(good)}",
    ):
        expect_refused(wire.post(PARAM, body))
    for body in ("", "{", "nonsense"):
        expect_refused(wire.post("runs/search", body))

    expect_equal({}, store.get_run(run_id).data.params, "the run's params")


@check("wire.body-object", rests_on=REFUSALS)
def what_is_no_object_is_refused(store: TrackingStore, fresh: Fresh, wire: Wire) -> None:
    """A list, a string, a number, a truth value and null in the place of the object are refused."""
    run_id = fresh.run()
    good = {"run_id": run_id, "key": "p", "value": "1"}

    for path, body in (
        (PARAM, json.dumps([good])),
        (PARAM, json.dumps(json.dumps(good))),
        (PARAM, json.dumps([list(pair) for pair in good.items()])),
        ("runs/search", "[]"),
        ("runs/search", '"{}"'),
        ("runs/search", "7"),
        ("runs/search", "true"),
        ("runs/search", "null"),
    ):
        expect_refused(wire.post(path, body))

    expect_equal({}, store.get_run(run_id).data.params, "the run's params")


@check("wire.body-utf8", rests_on=REFUSALS)
def other_bytes_are_refused(store: TrackingStore, fresh: Fresh, wire: Wire) -> None:
    """Latin-1, cut and over-long sequences and encoded surrogates are refused, and nothing is written."""
    run_id = fresh.run()

    for bytes_ in ("\xe9", "\xc3", "\xf0\x9f\x98", "\xc0\xaf", "\xed\xa0\x80", "\xff"):
        body = f'{{"run_id": "{run_id}", "key": "p", "value": "a{bytes_}"}}'
        expect_refused(wire.post(PARAM, body, encoding="latin-1"))

    expect_equal({}, store.get_run(run_id).data.params, "the run's params")


@check("wire.body-utf16", rests_on=REFUSALS)
def other_encodings_are_refused(store: TrackingStore, fresh: Fresh, wire: Wire) -> None:
    """A body in UTF-16 or UTF-32 is refused, and nothing is written."""
    run_id = fresh.run()
    body = f'{{"run_id": "{run_id}", "key": "p", "value": "1"}}'

    for encoding in ("utf-16", "utf-16-le", "utf-32"):
        expect_refused(wire.post(PARAM, body, encoding=encoding))

    expect_equal({}, store.get_run(run_id).data.params, "the run's params")


@check("wire.text-exact", rests_on=SERVED)
def escapes_make_no_difference(store: TrackingStore, fresh: Fresh, wire: Wire) -> None:
    """Characters that come as they are and escaped ones are stored and answered alike."""
    run_id = fresh.run()
    values = ["é", "e\u0301", "\u00a0 \u2028\u200b", "\ufeff", "😀\U0010ffff", "ÿ\u0100", "\x7f\x85"]
    pairs = [(f"raw{number}", json.dumps(value, ensure_ascii=False)) for number, value in enumerate(values)]
    pairs += [(f"escaped{number}", json.dumps(value)) for number, value in enumerate(values)]
    pairs += [("controls", r'"\u0001\b\t\n\"\\\/"')]
    params = ", ".join(f'{{"key": "{key}", "value": {value}}}' for key, value in pairs)

    expect_answered(wire.post("runs/log-batch", f'{{"run_id": "{run_id}", "params": [{params}]}}'))

    expected = {key: json.loads(value) for key, value in pairs}
    expect_equal(expected, store.get_run(run_id).data.params, "the params")
    answered = expect_answered(wire.get("runs/get", {"run_id": run_id}))["run"]["data"]["params"]
    expect_equal(expected, {item["key"]: item["value"] for item in answered}, "the params that are answered")


# -- queries -----------------------------------------------------------------------------------------------------


@check("wire.query-text", rests_on=SERVED)
def any_text_can_be_asked_for(store: TrackingStore, fresh: Fresh, wire: Wire) -> None:
    """An experiment is found by a name of awkward characters, with a space as an escape and as a plus."""
    name = f"{fresh.name()} a+b %41 %2B &c=d;e #?é e\u0301 \u2028😀/\\"
    experiment_id = store.create_experiment(name, None, [])

    for encoded in (quote(name, safe=""), quote_plus(name), quote(name, safe="/;:@?~!*()'")):
        found = expect_answered(wire.get("experiments/get-by-name", f"experiment_name={encoded}"))
        expect_equal(experiment_id, found["experiment"]["experiment_id"], "the id of what is found")
        expect_equal(name, found["experiment"]["name"], "its name")


@check("wire.query-lists", rests_on=(*SERVED, "interval.several-runs"))
def a_list_repeats_its_name(fresh: Fresh, wire: Wire) -> None:
    """Three runs named in one query are all answered for."""
    runs = [fresh.run(metrics=[Metric("m", float(number), 0, 0)]) for number in range(3)]
    path = "metrics/get-history-bulk-interval"

    answer = wire.get(path, [*(("run_ids", run_id) for run_id in runs), ("metric_key", "m"), ("max_results", "9")])

    if answer.status == 501:
        raise NotApplicable("the server has no endpoint that takes a list in a query")
    points = expect_answered(answer)["metrics"]
    expected = {run_id: float(number) for number, run_id in enumerate(runs)}
    expect_equal(expected, {point["run_id"]: point["value"] for point in points}, "the runs' values")


@check("wire.query-long", rests_on=(*SERVED, "experiment.name-longest"))
def the_longest_name_is_asked_for(store: TrackingStore, fresh: Fresh, wire: Wire) -> None:
    """An experiment whose name is 500 characters long, most of four bytes, is found by it."""
    name = fresh.name().ljust(500, "😀")
    experiment_id = store.create_experiment(name, None, [])

    found = expect_answered(wire.get("experiments/get-by-name", {"experiment_name": name}))

    expect_equal(experiment_id, found["experiment"]["experiment_id"], "the id of what is found")


@check("wire.query-escapes", rests_on=REFUSALS)
def a_query_says_what_it_asks_for(store: TrackingStore, fresh: Fresh, wire: Wire) -> None:
    """A broken escape finds no experiment whose name has it, or a replacement, in that place."""
    name = fresh.name()
    for end in ("%zz", "%", "\ufffd", "ÿ"):
        store.create_experiment(f"{name}{end}", None, [])

    for end in ("%zz", "%", "%ff", "%e2%82"):
        expect_refused(wire.get("experiments/get-by-name", f"experiment_name={name}{end}"))
