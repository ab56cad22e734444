"""Surfaces: filters, orderings and page tokens."""

from __future__ import annotations

import base64
import json
from functools import partial
from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.fuzz.surface import Surface, bytes_of, each, text_of
from trackspec import Metric, Param, RunTag, TrackingStore, open_store
from trackspec.search import page_token
from trackspec.search.parser import parse_run_filter, parse_run_order
from trackspec_conformance.search_strategies import run_filters, run_orders

_GRAMMAR = """
    params. metrics. tags. attributes. datasets. attr run. ` ' " ( ) , ; -- /* = != < > <= >= LIKE ILIKE IN NOT AND
    OR IS NULL ASC DESC 1 -1 1e400 0x1 nan inf % _ 'a' `k` start_time status name experiment_id creation_time
    '%%%%' 99999999999999999999 COLLATE UNION SELECT {} [] :p ?
"""
_WORDS = (*_GRAMMAR.split(), "\\", "\0", "\n", "é", "界", "\ud800")


def broken(texts: SearchStrategy[str]) -> SearchStrategy[str]:
    """Texts of a grammar, cut and mixed with words of it, and with anything."""
    words = st.sampled_from(_WORDS) | st.text(max_size=8)
    mixed = st.lists(words | texts, max_size=12).map(" ".join)
    cut = st.builds(
        lambda text, start, end: text[start:] + text[:end], texts, st.integers(0, 60), st.integers(0, 60)
    )
    return texts | mixed | cut | st.builds(lambda text, times: text * times, words, st.integers(1, 3000))


class _Searching(Surface):
    """Stores with some runs, in memory and in a database."""

    stores: tuple[TrackingStore, ...]

    def open(self) -> None:
        self.stores = (open_store(f"memory:{self.directory}"), open_store(f"sqlite:///{self.inside}/store.db"))
        for store in self.stores:
            self.run_ids = []
            for number in range(4):
                run = store.create_run("0", f"user{number}", number, [], f"run{number}")
                self.run_ids.append(run.info.run_id)
                points = [Metric("k", float(number), 0, step) for step in range(3)]
                store.log_batch(run.info.run_id, points, [Param("k", f"v{number}")], [RunTag("k", "t")])
                if number:
                    store.log_metric(run.info.run_id, Metric("kk", float("nan") if number == 1 else 1.0, 0, 0))

    def close(self) -> None:
        for store in self.stores:
            store.close()


class Filters(_Searching):
    """Filters of runs and of experiments."""

    name = "filters"
    seeds: ClassVar[tuple[bytes, ...]] = (
        b"params.k = 'v1' AND metrics.`k` >= 1.5",
        b"status IN ('RUNNING') AND tags.k IS NOT NULL",
        b"name ILIKE 'D%'",
        b"datasets.name = 'd'",
    )

    def inputs(self) -> SearchStrategy[bytes]:
        return broken(run_filters()).map(bytes_of)

    def take(self, data: bytes) -> object:
        text = text_of(data)
        return each(
            *(partial(store.search_runs, ["0"], text) for store in self.stores),
            *(partial(store.search_experiments, filter_string=text) for store in self.stores),
        )


class Orders(_Searching):
    """Orderings of runs and of experiments; a line break parts the columns."""

    name = "orders"
    seeds: ClassVar[tuple[bytes, ...]] = (
        b"metrics.k DESC\nparams.`k`",
        b"start_time ASC",
        b"name",
        b"creation_time DESC",
    )

    def inputs(self) -> SearchStrategy[bytes]:
        return (broken(run_orders().map("\n".join)) | run_orders().map("\n".join)).map(bytes_of)

    def take(self, data: bytes) -> object:
        columns = text_of(data).split("\n")
        return each(
            *(partial(store.search_runs, ["0"], order_by=columns) for store in self.stores),
            *(partial(store.search_experiments, order_by=columns) for store in self.stores),
        )


class Tokens(_Searching):
    """Page tokens: as they are, and what they could hold, with the digest that belongs to it."""

    name = "tokens"
    seeds: ClassVar[tuple[bytes, ...]] = (
        b'[1, "r"]',
        b'[[0, 1.0], 1, "r"]',
        b'[[2, null], 1, "r"]',
        b"[1, 1, 1.0]",
        b"bm9uZQ==",
    )
    _ORDERS: ClassVar[tuple[list[str], ...]] = (
        [],
        ["metrics.k"],
        ["params.k DESC"],
        ["end_time"],
        ["metrics.k", "tags.k"],
    )

    def inputs(self) -> SearchStrategy[bytes]:
        values = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
        columns = st.tuples(st.integers(-1, 3) | values, values).map(list)
        positions = st.lists(columns | values, max_size=5)
        good = st.builds(
            lambda found, time, id_: [*found, time, id_],
            st.lists(columns, max_size=2),
            st.integers(),
            st.text(max_size=4),
        )
        return (positions | good).map(lambda found: json.dumps(found).encode()) | st.binary(max_size=60)

    def take(self, data: bytes) -> object:
        tokens = [text_of(data), base64.urlsafe_b64encode(data).decode()]
        return [told for store in self.stores for told in self._redeemed(store, data, tokens)]

    def _redeemed(self, store: TrackingStore, data: bytes, tokens: list[str]) -> list[object]:
        told = each(*(partial(store.search_runs, ["0"], page_token=token) for token in tokens))
        told += each(lambda: store.search_experiments(page_token=tokens[0]))
        for columns in self._ORDERS:
            bound = ("runs", ("0",), "ACTIVE_ONLY", parse_run_filter(None), parse_run_order(columns))
            forged = self._forged(bound, data)
            told += each(partial(store.search_runs, ["0"], order_by=columns, page_token=forged))
        run_id = store.search_runs(["0"], max_results=1)[0].info.run_id
        forged = self._forged(("history", run_id, "k"), data)
        return told + each(lambda: store.get_metric_history(run_id, "k", 2, forged))

    @staticmethod
    def _forged(query: tuple[object, ...], body: bytes) -> str:
        """A token for a query that holds anything."""
        return base64.urlsafe_b64encode(page_token._digest(query, body) + body).decode()
