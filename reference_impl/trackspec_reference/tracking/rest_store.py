"""A tracking store behind a server of the REST protocol."""

from __future__ import annotations

import os
import secrets
import time
from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from trackspec import __version__, arguments, limits
from trackspec.entities import (
    DatasetInput,
    Experiment,
    ExperimentTag,
    LifecycleStage,
    Metric,
    PagedList,
    Param,
    Run,
    RunInfo,
    RunStatus,
    RunTag,
    ViewType,
)
from trackspec.errors import ErrorCode, TrackspecError, no_keys
from trackspec.protocol.endpoint import EXTENSION_BASE, Endpoint
from trackspec.protocol.endpoints import BY_NAME
from trackspec.store import TrackingStore
from trackspec_reference.credentials.environment import environment_host_creds
from trackspec_reference.credentials.host_creds import HostCreds
from trackspec_reference.tracking.rest.answers import returned
from trackspec_reference.tracking.rest.location import patience_of, server_url
from trackspec_reference.tracking.rest.repeating import Client, Reply
from trackspec_reference.tracking.rest.request import Request

_USER_AGENT = f"trackspec/{__version__}"


class AbstractRestStore(TrackingStore):
    """A tracking store behind a server, which each call is a request to.

    Arguments are judged before anything is sent, by the functions that judge them where they are stored; to read
    filters and orderings is the server's part. An error of the server is raised with the code that it has there.

    :param store_uri: the URI, whose options say how patient the store is: ``connect_timeout``, ``timeout``,
        ``total_timeout`` (seconds) and ``retries``.
    :raises TrackspecError: INVALID_PARAMETER_VALUE if the URI is malformed or has another option, or credentials
        cannot be had.
    """

    def __init__(self, store_uri: str) -> None:
        self._patience = patience_of(store_uri)
        self.store_uri = store_uri
        self._start()

    @abstractmethod
    def _get_host_creds(self) -> HostCreds:
        """Return where the server is and who asks; called once, and once more in a process that was forked off."""

    def _start(self) -> None:
        self._client = Client(self._get_host_creds(), self._patience, _USER_AGENT)
        self._process = os.getpid()

    def close(self) -> None:
        self._client.close()

    # -- experiments ----------------------------------------------------------------------------------------

    def create_experiment(
        self,
        name: str,
        artifact_location: str | None = None,
        tags: Sequence[ExperimentTag] | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> str:
        created: str = self._create(
            "create_experiment",
            idempotency_key,
            name=arguments.experiment_name(name),
            artifact_location=arguments.artifact_location(artifact_location),
            tags=arguments.experiment_tags(tags),
        )
        return created

    def get_experiment(self, experiment_id: str) -> Experiment:
        experiment_id = arguments.experiment_id(experiment_id)
        found: Experiment = self._call("get_experiment", experiment_id=experiment_id)
        _expect(found.experiment_id == experiment_id, "get_experiment")
        return found

    def get_experiment_by_name(self, experiment_name: str) -> Experiment | None:
        experiment_name = arguments.experiment_name(experiment_name)
        try:
            found: Experiment = self._call("get_experiment_by_name", experiment_name=experiment_name)
        except TrackspecError as error:
            if error.error_code is ErrorCode.RESOURCE_DOES_NOT_EXIST:
                return None
            raise
        _expect(found.name == experiment_name, "get_experiment_by_name")
        return found

    def delete_experiment(self, experiment_id: str) -> None:
        experiment_id = arguments.experiment_id(experiment_id)

        def done() -> bool:
            return self.get_experiment(experiment_id).lifecycle_stage is LifecycleStage.DELETED

        self._call_until(done, "delete_experiment", experiment_id=experiment_id)

    def restore_experiment(self, experiment_id: str) -> None:
        experiment_id = arguments.experiment_id(experiment_id)

        def done() -> bool:
            return self.get_experiment(experiment_id).lifecycle_stage is LifecycleStage.ACTIVE

        self._call_until(done, "restore_experiment", experiment_id=experiment_id)

    def rename_experiment(self, experiment_id: str, new_name: str) -> None:
        self._call(
            "rename_experiment",
            experiment_id=arguments.experiment_id(experiment_id),
            new_name=arguments.experiment_name(new_name),
        )

    def set_experiment_tag(self, experiment_id: str, tag: ExperimentTag) -> None:
        label = arguments.experiment_tag(arguments.entity(tag, ExperimentTag))
        self._call("set_experiment_tag", experiment_id=arguments.experiment_id(experiment_id), tag=label)

    def delete_experiment_tag(self, experiment_id: str, key: str) -> None:
        experiment_id, key = arguments.experiment_id(experiment_id), arguments.key(key, "A tag key")

        def done() -> bool:
            return key not in self.get_experiment(experiment_id).tags

        self._call_until(done, "delete_experiment_tag", experiment_id=experiment_id, key=key)

    def search_experiments(
        self,
        view_type: ViewType = ViewType.ACTIVE_ONLY,
        max_results: int | None = limits.DEFAULT_MAX_RESULTS,
        filter_string: str | None = None,
        order_by: Sequence[str] | None = None,
        page_token: str | None = None,
    ) -> PagedList[Experiment]:
        found: PagedList[Experiment] = self._call(
            "search_experiments",
            view_type=arguments.view_type(view_type),
            max_results=arguments.max_results(max_results),
            filter_string=arguments.filter_string(filter_string) or None,
            order_by=arguments.order_by(order_by),
            page_token=arguments.page_token(page_token),
        )
        return found

    # -- runs -----------------------------------------------------------------------------------------------

    def create_run(
        self,
        experiment_id: str,
        user_id: str | None,
        start_time: int | None,
        tags: Sequence[RunTag] | None,
        run_name: str | None,
        *,
        idempotency_key: str | None = None,
    ) -> Run:
        experiment_id = arguments.experiment_id(experiment_id)
        labels, name = arguments.tags_and_name(tags, run_name)
        created: Run = self._create(
            "create_run",
            idempotency_key,
            experiment_id=experiment_id,
            user_id=arguments.user_id(user_id),
            # Not left to the server: MLflow's takes a missing one for 0.
            start_time=_now() if start_time is None else arguments.int64(start_time, "A start time"),
            tags=labels,
            run_name=name,
        )
        _expect(created.info.experiment_id == experiment_id, "create_run")
        return created

    def get_run(self, run_id: str) -> Run:
        run_id = arguments.run_id(run_id)
        found: Run = self._call("get_run", run_id=run_id)
        _expect(found.info.run_id == run_id, "get_run")
        return found

    def update_run_info(
        self,
        run_id: str,
        run_status: RunStatus | None = None,
        end_time: int | None = None,
        run_name: str | None = None,
    ) -> RunInfo:
        run_id = arguments.run_id(run_id)
        updated: RunInfo = self._call(
            "update_run_info",
            run_id=run_id,
            run_status=arguments.run_status(run_status),
            end_time=None if end_time is None else arguments.int64(end_time, "An end time"),
            run_name=arguments.run_name(run_name),
        )
        _expect(updated.run_id == run_id, "update_run_info")
        return updated

    def delete_run(self, run_id: str) -> None:
        self._call("delete_run", run_id=arguments.run_id(run_id))

    def restore_run(self, run_id: str) -> None:
        self._call("restore_run", run_id=arguments.run_id(run_id))

    # -- what a run logs ------------------------------------------------------------------------------------

    def log_metric(self, run_id: str, metric: Metric) -> None:
        point = arguments.metric(arguments.entity(metric, Metric))
        self._call("log_metric", run_id=arguments.run_id(run_id), metric=point)

    def log_param(self, run_id: str, param: Param) -> None:
        setting = arguments.param(arguments.entity(param, Param))
        self._call("log_param", run_id=arguments.run_id(run_id), param=setting)

    def set_tag(self, run_id: str, tag: RunTag) -> None:
        label = arguments.mirrored(arguments.run_tag(arguments.entity(tag, RunTag)))
        self._call("set_tag", run_id=arguments.run_id(run_id), tag=label)

    def delete_tag(self, run_id: str, key: str) -> None:
        run_id, key = arguments.run_id(run_id), arguments.key(key, "A tag key")
        self._call_until(lambda: key not in self.get_run(run_id).data.tags, "delete_tag", run_id=run_id, key=key)

    def log_batch(
        self, run_id: str, metrics: Sequence[Metric], params: Sequence[Param], tags: Sequence[RunTag]
    ) -> None:
        run_id = arguments.run_id(run_id)
        points, settings, labels = arguments.batch(metrics, params, tags)
        self._call("log_batch", run_id=run_id, metrics=points, params=settings, tags=labels)

    def log_inputs(self, run_id: str, datasets: Sequence[DatasetInput] | None = None) -> None:
        inputs = arguments.dataset_inputs(datasets)
        self._call("log_inputs", run_id=arguments.run_id(run_id), datasets=inputs)

    # -- metric history -------------------------------------------------------------------------------------

    def get_metric_history(
        self, run_id: str, metric_key: str, max_results: int | None = None, page_token: str | None = None
    ) -> PagedList[Metric]:
        run_id, metric_key = arguments.run_id(run_id), arguments.key(metric_key, "A metric key")
        size = None if max_results is None else arguments.max_results(max_results)
        token = arguments.page_token(page_token)
        page = self._history_page(run_id, metric_key, size, token)
        points = PagedList(page, page.token)
        while size is None and points.token:  # a server may not tell all at once
            page = self._history_page(run_id, metric_key, size, points.token)
            _expect(bool(page) and page.token != points.token, "get_metric_history")
            points.extend(page)
            points.token = page.token
        return points

    def _history_page(self, run_id: str, key: str, size: int | None, token: str | None) -> PagedList[Metric]:
        page: PagedList[Metric] = self._call(
            "get_metric_history", run_id=run_id, metric_key=key, max_results=size, page_token=token
        )
        _expect(all(point.key == key and point.run_id in (None, run_id) for point in page), "get_metric_history")
        if all(point.run_id for point in page):
            return page
        return PagedList([replace(point, run_id=run_id) for point in page], page.token)

    def get_metric_history_bulk_interval(
        self,
        run_ids: Sequence[str],
        metric_key: str,
        max_results: int,
        start_step: int | None = None,
        end_step: int | None = None,
    ) -> list[Metric]:
        runs, _, _ = arguments.interval(run_ids, start_step, end_step)
        metric_key = arguments.key(metric_key, "A metric key")
        found: list[Metric] = self._call(
            "get_metric_history_bulk_interval",
            run_ids=runs,
            metric_key=metric_key,
            start_step=start_step,
            end_step=end_step,
            max_results=arguments.interval_size(max_results),
        )
        known = frozenset(runs)
        _expect(
            all(point.key == metric_key and point.run_id in known for point in found),
            "get_metric_history_bulk_interval",
        )
        return found

    # -- search ---------------------------------------------------------------------------------------------

    def search_runs(
        self,
        experiment_ids: Sequence[str],
        filter_string: str | None = None,
        run_view_type: ViewType = ViewType.ACTIVE_ONLY,
        max_results: int | None = limits.DEFAULT_MAX_RESULTS,
        order_by: Sequence[str] | None = None,
        page_token: str | None = None,
    ) -> PagedList[Run]:
        ids = arguments.identifiers(experiment_ids, "experiment_ids")
        found: PagedList[Run] = self._call(
            "search_runs",
            experiment_ids=ids,
            filter_string=arguments.filter_string(filter_string) or None,
            run_view_type=arguments.view_type(run_view_type),
            max_results=arguments.max_results(max_results),
            order_by=arguments.order_by(order_by),
            page_token=arguments.page_token(page_token),
        )
        known = frozenset(ids)
        _expect(all(run.info.experiment_id in known for run in found), "search_runs")
        return found

    # -- configuration --------------------------------------------------------------------------------------

    def get_artifact_root(self) -> str:
        root: str = self._call("get_artifact_root")
        return root

    def set_artifact_root(self, artifact_root: str) -> None:
        self._call("set_artifact_root", artifact_root=arguments.artifact_root(artifact_root))

    # -- a call is a request --------------------------------------------------------------------------------

    def _call(self, name: str, /, **given: Any) -> Any:
        """Ask the server for a call, and return what it returned."""
        endpoint = BY_NAME[name]
        reply = self._own_client().ask(Request.of(endpoint, given))
        return self._returned(endpoint, reply)

    def _call_until(self, done: Callable[[], bool], name: str, /, **given: Any) -> None:
        """Ask for a call that is refused once its effect is there.

        :param done: whether the effect is there; looked for where an answer was lost and the call was repeated.
        """
        endpoint = BY_NAME[name]
        reply = self._own_client().ask(replace(Request.of(endpoint, given), repeatable=True))
        try:
            self._returned(endpoint, reply)
        except TrackspecError as error:
            if not (reply.again and error.error_code is ErrorCode.RESOURCE_DOES_NOT_EXIST and done()):
                raise

    def _create(self, name: str, idempotency_key: str | None, /, **given: Any) -> Any:
        """Ask for something new, once, whatever is repeated on the way."""
        key = arguments.idempotency_key(idempotency_key)
        client = self._own_client()
        if key is not None and not self._knows_keys(client):
            raise no_keys()
        endpoint = BY_NAME[name]
        request = Request.of(endpoint, given)
        return self._returned(endpoint, client.ask(replace(request, key=key or secrets.token_hex(16))))

    def _returned(self, endpoint: Endpoint, reply: Reply) -> Any:
        try:
            return returned(endpoint, reply, self._client.creds)
        except TrackspecError as error:
            if endpoint.base == EXTENSION_BASE and error.error_code is ErrorCode.ENDPOINT_NOT_FOUND:
                raise TrackspecError(
                    f"The server does not offer {endpoint.name}.", ErrorCode.NOT_IMPLEMENTED
                ) from None
            raise

    @staticmethod
    def _knows_keys(client: Client) -> bool:
        if client.keys_known is None:
            client.ask(Request("its version", "GET", "/version"))
        return client.keys_known is True

    def _own_client(self) -> Client:
        """The client of this process: connections are not shared with the one that it was forked from."""
        if self._process != os.getpid():
            self._start()
        return self._client


class RestStore(AbstractRestStore):
    """A tracking store behind a server that speaks MLflow's REST protocol: ours, or ``mlflow server``.

    Who asks is said by the first of these that there is: ``MLFLOW_TRACKING_USERNAME`` with
    ``MLFLOW_TRACKING_PASSWORD``, or ``MLFLOW_TRACKING_TOKEN``; the host's entry in the netrc file. It is read when
    the store is opened. ``MLFLOW_TRACKING_SERVER_CERT_PATH`` names the authorities that certificates are verified
    by, ``MLFLOW_TRACKING_CLIENT_CERT_PATH`` the client's own certificate, and
    ``MLFLOW_TRACKING_INSECURE_TLS=true`` leaves certificates unverified. Proxies are those of the environment.

    :param store_uri: ``http://HOST``, ``http://HOST:PORT`` or ``https://HOST``, maybe with a path that the server
        is below, and with options. It holds no credentials.
    :raises TrackspecError: INVALID_PARAMETER_VALUE if it is none of these, or variables contradict each other.
    """

    def _get_host_creds(self) -> HostCreds:
        return environment_host_creds(server_url(self.store_uri.partition("?")[0]))


def _now() -> int:
    """The time in milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


def _expect(truthful: bool, name: str) -> None:
    """Refuse an answer that belongs to something else than what was asked for."""
    if not truthful:
        raise TrackspecError(f"What the server answers to {name} belongs to something else.")
