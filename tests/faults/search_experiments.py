"""Backends that search experiments wrongly."""

from __future__ import annotations

import math
import random
import re
from dataclasses import replace
from typing import Any

from tests.faults import fault
from tests.faults.searching import LenientStore, RewritingStore, SearchingStore
from trackspec import ErrorCode, Experiment, PagedList, TrackspecError, ViewType
from trackspec.errors import invalid
from trackspec.memory_store import MemoryStore
from trackspec.search.query import ExperimentQuery
from trackspec.search.syntax import Comparator, Comparison, Entity, Filter, OrderBy


class _OtherExperiments(MemoryStore):
    """Answers something else of each experiment."""

    def other(self, experiment: Experiment) -> Experiment:
        """What is answered."""
        return experiment

    def _search_experiments(self, query: ExperimentQuery) -> list[Experiment]:
        return [self.other(experiment) for experiment in super()._search_experiments(query)]


@fault("search-experiments.whole")
class ExperimentsComeWithoutTags(_OtherExperiments):
    """A search leaves out the tags of experiments."""

    def other(self, experiment: Experiment) -> Experiment:
        return replace(experiment, tags={})


@fault("search-experiments.whole")
class EmptyExperimentTagsAreLeftOut(_OtherExperiments):
    """A search leaves out tags of experiments that are empty."""

    def other(self, experiment: Experiment) -> Experiment:
        return replace(experiment, tags={key: value for key, value in experiment.tags.items() if value})


@fault("search-experiments.whole")
class ExperimentTimesAreRounded(_OtherExperiments):
    """A search answers times in whole seconds."""

    def other(self, experiment: Experiment) -> Experiment:
        return replace(experiment, last_update_time=experiment.last_update_time // 1_000_000 * 1_000_000)


class _OtherView(MemoryStore):
    """Sees other experiments than the view type says."""

    def other_view(self, view_type: ViewType) -> ViewType:
        """The view that is taken instead."""
        return view_type

    def _search_experiments(self, query: ExperimentQuery) -> list[Experiment]:
        return super()._search_experiments(replace(query, view_type=self.other_view(query.view_type)))


@fault("search-experiments.view-active", "search-experiments.view-deleted")
class EveryViewOfExperimentsIsAll(_OtherView):
    """The view type is ignored, and all experiments are found."""

    def other_view(self, view_type: ViewType) -> ViewType:
        return ViewType.ALL


@fault("search-experiments.view-active")
class DeletedExperimentsAreShownByDefault(MemoryStore):
    """The default of the view type is ALL."""

    def search_experiments(self, *args: Any, **kwargs: Any) -> PagedList[Experiment]:
        if not args:
            kwargs.setdefault("view_type", ViewType.ALL)
        return super().search_experiments(*args, **kwargs)


@fault("search-experiments.view-deleted")
class DeletedExperimentsAreGone(_OtherView):
    """The view of deleted experiments shows the active ones."""

    def other_view(self, view_type: ViewType) -> ViewType:
        return ViewType.ACTIVE_ONLY if view_type is ViewType.DELETED_ONLY else view_type


@fault("search-experiments.view-all")
class AllExperimentsAreTheActive(_OtherView):
    """The view of all experiments leaves out the deleted ones."""

    def other_view(self, view_type: ViewType) -> ViewType:
        return ViewType.ACTIVE_ONLY if view_type is ViewType.ALL else view_type


@fault("search-experiments.view-type-refused")
class OtherViewsOfExperimentsFindNothing(MemoryStore):
    """A view type that is none finds nothing."""

    def search_experiments(self, *args: Any, **kwargs: Any) -> PagedList[Experiment]:
        if args and not isinstance(args[0], ViewType):
            return PagedList()
        return super().search_experiments(*args, **kwargs)


class _OtherClause(SearchingStore):
    """Reads the clauses on one key otherwise."""

    key: str

    def other_clause(self, clause: Comparison) -> Comparison:
        """The clause that is read instead; it may also raise."""
        return clause

    def experiment_clause_holds(self, clause: Comparison, experiment: Experiment) -> bool:
        if clause.identifier.entity is Entity.ATTRIBUTE and clause.identifier.key == self.key:
            clause = self.other_clause(clause)
        return super().experiment_clause_holds(clause, experiment)


@fault("search-experiments.name")
class ExperimentNamesAreFolded(_OtherClause):
    """Names that differ in case are one."""

    key = "name"

    def other_clause(self, clause: Comparison) -> Comparison:
        return replace(clause, comparator=Comparator.ILIKE) if clause.comparator is Comparator.EQ else clause


@fault("search-experiments.name")
class ExperimentPatternsAreFolded(_OtherClause):
    """LIKE on a name ignores case."""

    key = "name"

    def other_clause(self, clause: Comparison) -> Comparison:
        return replace(clause, comparator=Comparator.ILIKE) if clause.comparator is Comparator.LIKE else clause


@fault("search-experiments.id")
class ExperimentIdsNotInAreIn(_OtherClause):
    """NOT IN finds what is listed."""

    key = "experiment_id"

    def other_clause(self, clause: Comparison) -> Comparison:
        return replace(clause, comparator=Comparator.IN) if clause.comparator is Comparator.NOT_IN else clause


@fault("search-experiments.id")
class TheFirstExperimentOfAListCounts(_OtherClause):
    """Of a list, only the first id is looked up."""

    key = "experiment_id"

    def other_clause(self, clause: Comparison) -> Comparison:
        return replace(clause, value=clause.value[:1]) if isinstance(clause.value, tuple) else clause


@fault("search-experiments.unknown-id")
class ExperimentIdsAreIntegers(_OtherClause):
    """An id in a filter that is no integer is refused."""

    key = "experiment_id"

    def other_clause(self, clause: Comparison) -> Comparison:
        if isinstance(clause.value, str) and not clause.value.isdigit():
            raise invalid("An experiment id is an integer.")
        return clause


@fault("search-experiments.id-like-refused")
class ExperimentIdsHavePatterns(RewritingStore):
    """A pattern of ids is compared."""

    def rewritten(self, filter_string: str) -> str:
        return re.sub(r"^experiment_id I?LIKE", "name LIKE", filter_string)


@fault("search-experiments.times")
class CreationTimesCompareLoosely(_OtherClause):
    """``<`` on a creation time takes in what is equal."""

    key = "creation_time"

    def other_clause(self, clause: Comparison) -> Comparison:
        return replace(clause, comparator=Comparator.LE) if clause.comparator is Comparator.LT else clause


@fault("search-experiments.times")
class UpdateTimesAreUnequal(_OtherClause):
    """No last update time equals a number."""

    key = "last_update_time"

    def other_clause(self, clause: Comparison) -> Comparison:
        return replace(clause, value=-1) if clause.comparator is Comparator.EQ else clause


@fault("search-experiments.time-fraction")
class CreationTimesTakeIntegers(_OtherClause):
    """A number with a fraction is refused."""

    key = "creation_time"

    def other_clause(self, clause: Comparison) -> Comparison:
        if isinstance(clause.value, float) and math.isfinite(clause.value):
            raise invalid("A time is an integer.")
        return clause


@fault("search-experiments.time-out-of-range")
class LateTimesBreakTheStore(_OtherClause):
    """A number beyond 64 bits ends in an internal error."""

    key = "creation_time"

    def other_clause(self, clause: Comparison) -> Comparison:
        if isinstance(clause.value, float) and math.isinf(clause.value):
            raise TrackspecError("The integer is too large.", ErrorCode.INTERNAL_ERROR)
        return clause


@fault("search-experiments.tags")
class ExperimentsWithoutATagAreUnequal(SearchingStore):
    """An experiment without the tag fulfils ``!=``."""

    def experiment_clause_holds(self, clause: Comparison, experiment: Experiment) -> bool:
        missing = clause.identifier.entity is Entity.TAG and clause.identifier.key not in experiment.tags
        if missing and clause.comparator is Comparator.NE:
            return True
        return super().experiment_clause_holds(clause, experiment)


@fault("search-experiments.tags")
class ExperimentTagsArePresent(SearchingStore):
    """IS NULL and IS NOT NULL hold for every experiment."""

    def experiment_clause_holds(self, clause: Comparison, experiment: Experiment) -> bool:
        return clause.value is None or super().experiment_clause_holds(clause, experiment)


@fault("search-experiments.clauses-all-hold")
class OneClauseFindsExperiments(SearchingStore):
    """The clauses behind the second are dropped."""

    def experiment_matches(self, experiment: Experiment, clauses: Filter) -> bool:
        return super().experiment_matches(experiment, clauses[:2])


@fault("search-experiments.clauses-all-hold")
class AnyClauseFindsExperiments(SearchingStore):
    """Clauses are joined by OR."""

    def experiment_matches(self, experiment: Experiment, clauses: Filter) -> bool:
        return not clauses or any(self.experiment_clause_holds(clause, experiment) for clause in clauses)


@fault("search-experiments.filter-refused")
class ClausesOnMetricsAreIgnored(LenientStore):
    """A clause on what experiments do not have is ignored."""

    def pardons(self, filter_string: Any) -> bool:
        return isinstance(filter_string, str) and filter_string.startswith(("metrics", "params"))


class _OtherOrder(SearchingStore):
    """Orders experiments otherwise."""

    def ordered_experiments(
        self, experiments: list[Experiment], order_by: tuple[OrderBy, ...]
    ) -> list[Experiment]:
        return self.reordered(super().ordered_experiments(experiments, order_by), order_by)

    def reordered(self, experiments: list[Experiment], order_by: tuple[OrderBy, ...]) -> list[Experiment]:
        """The order that is given instead of the right one."""
        return experiments


@fault("search-experiments.default-order")
class TheOldestExperimentComesFirst(_OtherOrder):
    """Without ``order_by``, experiments come in the order in which they were made."""

    def reordered(self, experiments: list[Experiment], order_by: tuple[OrderBy, ...]) -> list[Experiment]:
        return experiments if order_by else experiments[::-1]


@fault("search-experiments.order", "search-experiments.order-id")
class OrdersOfExperimentsAreIgnored(_OtherOrder):
    """Every ``order_by`` is accepted, and none applied."""

    def reordered(self, experiments: list[Experiment], order_by: tuple[OrderBy, ...]) -> list[Experiment]:
        return super().ordered_experiments(experiments, ()) if order_by else experiments


@fault("search-experiments.order")
class NamesOrderByLetter(_OtherOrder):
    """Names are ordered as in a dictionary, small and capital letters alike."""

    def reordered(self, experiments: list[Experiment], order_by: tuple[OrderBy, ...]) -> list[Experiment]:
        if not order_by or order_by[0].identifier.key != "name":
            return experiments
        return sorted(experiments, key=lambda item: item.name.lower(), reverse=not order_by[0].ascending)


@fault("search-experiments.order")
class UpdateTimesOrderByCreation(_OtherOrder):
    """Ordering by the last update orders by creation."""

    def reordered(self, experiments: list[Experiment], order_by: tuple[OrderBy, ...]) -> list[Experiment]:
        if not order_by or order_by[0].identifier.key != "last_update_time":
            return experiments
        return sorted(experiments, key=lambda item: item.creation_time, reverse=not order_by[0].ascending)


@fault("search-experiments.order-id")
class IdsNeverDescend(_OtherOrder):
    """Ids are ordered the same way in both directions."""

    def reordered(self, experiments: list[Experiment], order_by: tuple[OrderBy, ...]) -> list[Experiment]:
        if not order_by or order_by[0].identifier.key != "experiment_id":
            return experiments
        return sorted(experiments, key=lambda item: item.experiment_id)


@fault("search-experiments.order-ties")
class ExperimentsTieAtRandom(_OtherOrder):
    """Experiments of the same time come in another order with each search."""

    def _now(self) -> int:
        return 1_700_000_000_000

    def reordered(self, experiments: list[Experiment], order_by: tuple[OrderBy, ...]) -> list[Experiment]:
        if order_by and order_by[0].identifier.key in ("name", "experiment_id"):
            return experiments
        return random.sample(experiments, len(experiments))


@fault("search-experiments.order-twice")
class TheLastColumnOrdersExperiments(MemoryStore):
    """Of two mentions of a column, the last one orders."""

    def search_experiments(self, *args: Any, **kwargs: Any) -> PagedList[Experiment]:
        if isinstance(kwargs.get("order_by"), list):
            kwargs["order_by"] = kwargs["order_by"][::-1]
        return super().search_experiments(*args, **kwargs)


@fault("search-experiments.order-type")
class OneColumnOfExperimentsNeedsNoList(MemoryStore):
    """A string is taken for a list of one."""

    def search_experiments(self, *args: Any, **kwargs: Any) -> PagedList[Experiment]:
        if isinstance(kwargs.get("order_by"), str):
            kwargs["order_by"] = [kwargs["order_by"]]
        return super().search_experiments(*args, **kwargs)


@fault("search-experiments.order-refused")
class OtherOrdersOfExperimentsAreIgnored(MemoryStore):
    """A column that is not understood is left out."""

    def search_experiments(self, *args: Any, **kwargs: Any) -> PagedList[Experiment]:
        try:
            return super().search_experiments(*args, **kwargs)
        except TrackspecError:
            if "order_by" not in kwargs:
                raise
            return super().search_experiments(*args, **kwargs | {"order_by": None})
