"""Monitors in words, for lists, differences and alerts. Pure: no clock, no IO, no vendor."""

from __future__ import annotations

from governance.domain.monitoring.spec import Metric, MlflowSource

_METRICS = {
    Metric.AUC: "AUC",
    Metric.PRECISION: "precision",
    Metric.RECALL: "recall",
    Metric.BRIER: "Brier score",
    Metric.SCORE_PSI: "PSI of the score",
    Metric.APPROVAL_RATE: "approval rate",
}


def metric_in_words(metric: Metric | MlflowSource) -> str:
    """AUC, approval rate, or the name that a metric has in MLflow."""
    return metric.metric if isinstance(metric, MlflowSource) else _METRICS[metric]
