"""The numbers that a version claims, with the run that each came from.

MLflow keeps less than was logged: of a LoggedModel's metric that is no number it gives back 0,
and of an infinite one the largest float. Neither may pass for a measured value here.
"""

from __future__ import annotations

import math
import sys
from datetime import UTC, datetime

from mlflow import MlflowClient
from mlflow.entities import LoggedModel, Run
from mlflow.entities import Metric as Logged

from governance.adapters.mlflow_registry.errors import translated
from governance.domain.errors import Refused
from governance.domain.evidence import Metric, MetricOrigin

USER_TAG = "mlflow.user"
NOBODY = "unknown"
"""What MLflow's client writes as the user of a run for a caller that names none."""
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_GONE = Refused("no_run", "A run that left a metric on this version's LoggedModel is gone.")


def metrics_of(client: MlflowClient, run: Run, model: LoggedModel | None) -> tuple[Metric, ...]:
    """Those of the LoggedModel, the last of each run by step and time, then those of the run.

    Raises:
        Unavailable.
    """
    runs: dict[str, Run | None] = {run.info.run_id: run}
    found: list[Metric] = []
    for logged in _last_of_each_run(model, run):
        run_id = logged.run_id or run.info.run_id
        if run_id not in runs:
            runs[run_id] = _run(client, run_id)
        value = _value(client, run_id, logged)
        found.append(
            _metric(logged.key, value, MetricOrigin.LOGGED_MODEL, run_id, runs[run_id], logged)
        )
    for name, number in sorted(run.data.metrics.items()):
        found.append(_metric(name, number, MetricOrigin.RUN, run.info.run_id, run, None))
    return tuple(found)


def user_of(run: Run) -> str:
    """Whom a run names as its user; empty for nobody."""
    named = str(run.data.tags.get(USER_TAG) or run.info.user_id or "")
    return "" if named == NOBODY else named


def moment_of(milliseconds: int) -> datetime:
    """MLflow's milliseconds since 1970 as an aware moment."""
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        # Nanoseconds given for milliseconds: no moment at all, and never before any other.
        return datetime.max.replace(tzinfo=UTC) if milliseconds > 0 else _LONG_AGO


def _last_of_each_run(model: LoggedModel | None, run: Run) -> list[Logged]:
    last: dict[tuple[str, str], Logged] = {}
    for logged in (model.metrics or []) if model else []:
        key = (logged.key, logged.run_id or run.info.run_id)
        before = last.get(key)
        if before is None or _order(logged) >= _order(before):
            last[key] = logged
    return [last[key] for key in sorted(last)]


def _order(logged: Logged) -> tuple[int, int]:
    return (logged.step or 0, logged.timestamp or 0)


def _value(client: MlflowClient, run_id: str, logged: Logged) -> float:
    value = float(logged.value)
    if value != 0.0:
        return value
    try:
        with translated("the history of a metric", _GONE):
            history = client.get_metric_history(run_id, logged.key)
    except Refused:
        # Whether this was a 0 can no longer be told, so nothing may rest on it.
        return math.nan
    same = [h for h in history if _order(h) == _order(logged)]
    return math.nan if any(math.isnan(h.value) for h in same) else value


def _run(client: MlflowClient, run_id: str) -> Run | None:
    """None for a run that was removed for good: its metric stays, and names nobody."""
    try:
        with translated("a validation run", _GONE):
            return client.get_run(run_id)
    except Refused:
        return None


def _metric(
    name: str,
    value: float,
    origin: MetricOrigin,
    run_id: str,
    run: Run | None,
    logged: Logged | None,
) -> Metric:
    return Metric(
        name=name,
        text=_text(float(value)),
        origin=origin,
        run_id=run_id,
        run_user=user_of(run) if run else "",
        run_started_at=_moment(run.info.start_time) if run else None,
        logged_at=_moment(logged.timestamp) if logged else None,
    )


def _text(value: float) -> str:
    if abs(value) == sys.float_info.max:
        return "inf" if value > 0 else "-inf"
    return repr(value)


def _moment(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else moment_of(milliseconds)
