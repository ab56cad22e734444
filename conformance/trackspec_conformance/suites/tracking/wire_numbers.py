"""The checks of the chapter on the REST protocol: integers and doubles, both ways."""

import math
from typing import Any

from trackspec import ErrorCode, Metric, TrackingStore
from trackspec_conformance.checks import check
from trackspec_conformance.expectations import expect, expect_equal, same
from trackspec_conformance.fresh import Fresh
from trackspec_conformance.suites.tracking.wire_paths import REFUSALS, SERVED
from trackspec_conformance.wire import Wire
from trackspec_conformance.wire.expectations import expect_answered, expect_refused, is_refused

METRIC = "runs/log-metric"
KEPT = ("metric.finite-values", "metric.nan", "metric.infinities")


@check("wire.int64-forms", rests_on=SERVED)
def an_integer_has_three_forms(store: TrackingStore, fresh: Fresh, wire: Wire) -> None:
    """A number, a number without a fraction and a string of digits are the same integer."""
    run_id = fresh.run()
    forms = ("12", "12.0", '"12"', "1.2e1", "-12", "-12.0", '"-12"', "0", "0.0", '"0"')

    for number, form in enumerate(forms):
        point = f'"key": "m{number}", "value": 1, "timestamp": {form.replace("-", "")}, "step": {form}'
        expect_answered(wire.post(METRIC, f'{{"run_id": "{run_id}", {point}}}'))
    found = expect_answered(wire.post("runs/search", '{"experiment_ids": [], "max_results": "5"}'))

    steps = [int(float(form.strip('"'))) for form in forms]
    expected = {f"m{number}": Metric(f"m{number}", 1.0, abs(step), step) for number, step in enumerate(steps)}
    expect_equal(expected, store.get_run(run_id).data.latest_metrics, "the metrics")
    expect_equal([], found.get("runs") or [], "the runs of no experiment")


@check("wire.int64-exact", rests_on=(*SERVED, "wire.int64-forms"))
def integers_keep_their_digits(fresh: Fresh, wire: Wire) -> None:
    """Steps and timestamps beyond what a double holds are taken and answered digit by digit, as numbers."""
    run_id = fresh.run()
    numbers = (2**53 + 1, -(2**53) - 1, 2**63 - 1, -(2**63), 2**63 - 2)

    for number in numbers:
        for form in (number, str(number)):
            point = {
                "key": f"m{type(form).__name__}",
                "value": 1.0,
                "timestamp": abs(number) % 2**63,
                "step": form,
            }
            expect_answered(wire.post(METRIC, {"run_id": run_id, **point}))

    for key in ("mint", "mstr"):
        answer = expect_answered(wire.get("metrics/get-history", {"run_id": run_id, "metric_key": key}))
        points = [(point["step"], point["timestamp"]) for point in answer["metrics"]]
        expect(
            all(type(number) is int for point in points for number in point), "steps that are JSON numbers", points
        )
        expect_equal(sorted((number, abs(number) % 2**63) for number in numbers), sorted(points), "the points")


@check("wire.int64-exact", rests_on=(*SERVED, "wire.int64-forms"))
def every_integer_is_a_number(store: TrackingStore, fresh: Fresh, wire: Wire) -> None:
    """The times, steps and timestamps of experiments, runs and metrics are JSON numbers without a fraction."""
    experiment_id = fresh.experiment()
    run_id = fresh.run(experiment_id, metrics=[Metric("m", 0.5, 7, 3)])
    name = store.get_experiment(experiment_id).name

    changed = expect_answered(wire.post("runs/update", {"run_id": run_id, "end_time": 1_700_000_000_500}))
    read = expect_answered(wire.get("runs/get", {"run_id": run_id}))["run"]
    (found,) = expect_answered(wire.post("runs/search", {"experiment_ids": [experiment_id]}))["runs"]
    by_id = expect_answered(wire.get("experiments/get", {"experiment_id": experiment_id}))["experiment"]
    by_name = expect_answered(wire.get("experiments/get-by-name", {"experiment_name": name}))["experiment"]

    for what, told, names in (
        ("runs/update", changed["run_info"], ("start_time", "end_time")),
        ("runs/get", read["info"], ("start_time", "end_time")),
        ("runs/search", found["info"], ("start_time", "end_time")),
        ("runs/get", read["data"]["metrics"][0], ("timestamp", "step")),
        ("runs/search", found["data"]["metrics"][0], ("timestamp", "step")),
        ("experiments/get", by_id, ("creation_time", "last_update_time")),
        ("experiments/get-by-name", by_name, ("creation_time", "last_update_time")),
    ):
        values = {name: told.get(name) for name in names}
        numbers = all(type(value) is int for value in values.values())
        expect(numbers, f"{' and '.join(names)} of {what} to be integers of JSON", values)


@check("wire.double-exact", rests_on=(*SERVED, "metric.finite-values"))
def doubles_keep_their_bits(fresh: Fresh, wire: Wire) -> None:
    """Finite values of every size, also given as integers, are answered as numbers that read as the same."""
    run_id = fresh.run()
    texts = (
        "0.1",
        "5e-324",
        "1.7976931348623157e308",
        "1e-7",
        "123456789.12345679",
        "-2.5E+3",
        "5",
        "9007199254740993",
    )
    metrics = ", ".join(
        f'{{"key": "m{number}", "value": {text}, "timestamp": 7}}' for number, text in enumerate(texts)
    )

    expect_answered(wire.post("runs/log-batch", f'{{"run_id": "{run_id}", "metrics": [{metrics}]}}'))
    answered = expect_answered(wire.get("runs/get", {"run_id": run_id}))["run"]["data"]["metrics"]

    values = {point["key"]: point["value"] for point in answered}
    expect(all(type(value) in (int, float) for value in values.values()), "values that are JSON numbers", values)
    expected = {f"m{number}": float(text) for number, text in enumerate(texts)}
    expect_equal(expected, {key: float(value) for key, value in values.items()}, "the values")


@check("wire.double-names-taken", rests_on=(*SERVED, *KEPT))
def names_of_numbers_are_taken(store: TrackingStore, fresh: Fresh, wire: Wire) -> None:
    """NaN and the infinities are logged by their names, alone and in a batch."""
    run_id = fresh.run()
    named = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
    points = [{"key": f"m{number}", "value": name, "timestamp": 7} for number, name in enumerate(named)]

    for point in points:
        expect_answered(wire.post(METRIC, {"run_id": run_id, **point}))
    batch = [{**point, "key": f"batch {point['key']}"} for point in points]
    expect_answered(wire.post("runs/log-batch", {"run_id": run_id, "metrics": batch}))

    expected = {f"{prefix}m{n}": value for prefix in ("", "batch ") for n, value in enumerate(named.values())}
    expect_equal(expected, store.get_run(run_id).data.metrics, "the metrics")


@check("wire.double-names", rests_on=(*SERVED, *KEPT))
def names_of_numbers_are_answered(fresh: Fresh, wire: Wire) -> None:
    """NaN and the infinities are answered by their names with a run, in a search and in a history."""
    experiment_id = fresh.experiment()
    values = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
    metrics = [Metric(name, value, 7, 3) for name, value in values.items()]
    run_id = fresh.run(experiment_id, metrics=metrics)

    read = expect_answered(wire.get("runs/get", {"run_id": run_id}))["run"]
    (found,) = expect_answered(wire.post("runs/search", {"experiment_ids": [experiment_id]}))["runs"]
    histories = {
        name: expect_answered(wire.get("metrics/get-history", {"run_id": run_id, "metric_key": name}))
        for name in values
    }

    interval = {"run_ids": run_id, "max_results": 9}
    points = {
        name: wire.get("metrics/get-history-bulk-interval", {**interval, "metric_key": name}) for name in values
    }

    expected = {name: name for name in values}
    expect_equal(expected, _by_key(read["data"]["metrics"]), "the values of the run that is read")
    expect_equal(expected, _by_key(found["data"]["metrics"]), "the values of the run that is found")
    for name, history in histories.items():
        expect_equal([name], [point["value"] for point in history["metrics"]], "the values of the history")
    for name, answer in points.items():
        if not is_refused(answer, ErrorCode.NOT_IMPLEMENTED):
            told = expect_answered(answer)["metrics"]
            expect_equal([name], [point["value"] for point in told], "the values of the interval")


@check("wire.double-tokens", rests_on=REFUSALS)
def tokens_that_are_no_json_are_refused(store: TrackingStore, fresh: Fresh, wire: Wire) -> None:
    """NaN and Infinity without quotes, and a number beyond the range of doubles, are refused."""
    run_id = fresh.run()

    for token in ("NaN", "Infinity", "-Infinity", "1e400", "-1e400", "9" * 400):
        body = f'{{"run_id": "{run_id}", "key": "m", "value": {token}, "timestamp": 7}}'
        expect_refused(wire.post(METRIC, body))

    expect_equal({}, store.get_run(run_id).data.metrics, "the metrics")


@check("wire.double-tokens-exact", rests_on=KEPT)
def tokens_that_are_taken_mean_what_they_name(store: TrackingStore, fresh: Fresh, wire: Wire) -> None:
    """What is logged as a token that is no JSON is stored as what it names, or not at all."""
    run_id = fresh.run()
    tokens = {
        "NaN": math.nan,
        "Infinity": math.inf,
        "-Infinity": -math.inf,
        "1e400": math.inf,
        "-1e400": -math.inf,
        "9" * 400: math.inf,
    }

    for number, token in enumerate(tokens):
        body = f'{{"run_id": "{run_id}", "key": "m{number}", "value": {token}, "timestamp": 7}}'
        wire.post(METRIC, body)

    kept = store.get_run(run_id).data.latest_metrics
    for number, (token, value) in enumerate(tokens.items()):
        point = kept.get(f"m{number}")
        right = point is None or (same(value, point.value) and point.timestamp == 7)
        expect(right, f"{token[:9]} to be stored as {value} at the time 7, or not at all", point)


def _by_key(points: list[dict[str, Any]]) -> dict[str, Any]:
    return {point["key"]: point["value"] for point in points}
