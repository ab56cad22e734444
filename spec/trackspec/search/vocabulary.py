"""What can be searched for: the names that filters and orderings may use, and what each compares with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from trackspec.search.syntax import Comparator, Entity, Identifier

NUMERIC = frozenset({Comparator.EQ, Comparator.NE, Comparator.LT, Comparator.LE, Comparator.GT, Comparator.GE})
"""The comparators of what is a number; every other set below belongs to text."""
TEXT = frozenset({Comparator.EQ, Comparator.NE, Comparator.LIKE, Comparator.ILIKE})
MEMBERSHIP = frozenset({Comparator.IN, Comparator.NOT_IN})
PRESENCE = frozenset({Comparator.IS_NULL, Comparator.IS_NOT_NULL})

DATASET_CONTEXT_TAG = "mlflow.data.context"
"""The tag of a dataset input that ``dataset.context`` reads."""


@dataclass(frozen=True)
class Vocabulary:
    """The names that one kind of search knows.

    :ivar entities: entity by spelling; an identifier without an entity is an attribute.
    :ivar free: for each entity whose keys are the users' own, its comparators.
    :ivar fixed: for each entity whose keys are listed, the comparators of each key.
    :ivar aliases: other spellings of attributes.
    :ivar orderable: the entities whose keys can order results.
    """

    entities: Mapping[str, Entity]
    free: Mapping[Entity, frozenset[Comparator]]
    fixed: Mapping[Entity, Mapping[str, frozenset[Comparator]]]
    aliases: Mapping[str, str]
    orderable: frozenset[Entity]

    def comparators(self, identifier: Identifier) -> frozenset[Comparator]:
        """The comparators of an identifier of this vocabulary; none for a key that it does not know."""
        if identifier.entity in self.free:
            return self.free[identifier.entity]
        return self.fixed[identifier.entity].get(identifier.key, frozenset())


def _spellings(names: Mapping[Entity, str]) -> dict[str, Entity]:
    return {spelling: entity for entity, spellings in names.items() for spelling in spellings.split()}


RUNS = Vocabulary(
    entities=_spellings(
        {
            Entity.METRIC: "metric metrics",
            Entity.PARAM: "param params parameter parameters",
            Entity.TAG: "tag tags",
            Entity.ATTRIBUTE: "attribute attributes attr run",
            Entity.DATASET: "dataset datasets",
        }
    ),
    free={Entity.METRIC: NUMERIC, Entity.PARAM: TEXT | PRESENCE, Entity.TAG: TEXT | PRESENCE},
    fixed={
        Entity.ATTRIBUTE: {
            "run_id": TEXT | MEMBERSHIP,
            "run_name": TEXT,
            "user_id": TEXT,
            "status": TEXT,
            "artifact_uri": TEXT,
            "start_time": NUMERIC,
            "end_time": NUMERIC,
        },
        Entity.DATASET: dict.fromkeys(("name", "digest", "context"), TEXT | MEMBERSHIP),
    },
    aliases={
        "run name": "run_name",
        "Run name": "run_name",
        "Run Name": "run_name",
        "created": "start_time",
        "Created": "start_time",
    },
    orderable=frozenset({Entity.METRIC, Entity.PARAM, Entity.TAG, Entity.ATTRIBUTE}),
)

EXPERIMENTS = Vocabulary(
    entities=_spellings({Entity.TAG: "tag tags", Entity.ATTRIBUTE: "attribute attributes attr"}),
    free={Entity.TAG: TEXT | PRESENCE},
    fixed={
        Entity.ATTRIBUTE: {
            "experiment_id": frozenset({Comparator.EQ, Comparator.NE}) | MEMBERSHIP,
            "name": TEXT,
            "creation_time": NUMERIC,
            "last_update_time": NUMERIC,
        }
    },
    aliases={},
    orderable=frozenset({Entity.ATTRIBUTE}),
)

TIMES = frozenset(
    key
    for vocabulary in (RUNS, EXPERIMENTS)
    for key, comparators in vocabulary.fixed[Entity.ATTRIBUTE].items()
    if comparators == NUMERIC
)
"""The attributes that are integers."""
