"""Pictures of alerts in Slack: drawn, uploaded once, shown by their id.

A picture is a help and never a condition: whatever goes wrong with one is logged, and the words
arrive without it.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.block_kit import Block
from governance.domain.monitoring.alert import Alert, AlertId

if TYPE_CHECKING:
    from bot.chart import AlertChart

_log = logging.getLogger("foureyes.pictures")

PICTURE_TROUBLE = frozenset({"invalid_blocks", "slack_file_not_found", "file_not_found"})
"""What Slack answers to a message whose picture it does not know or has not processed yet."""


class Pictures(Protocol):
    """Where the announcer gets the image block of an alert."""

    def block_for(self, alert: Alert) -> Block | None:
        """The image block, or None when there is no picture to be had."""

    def forget(self, alert: Alert) -> None:
        """Slack did not take it: upload anew the next time."""


class NoPictures:
    """Words alone."""

    def block_for(self, alert: Alert) -> Block | None:
        """None, always."""
        return None

    def forget(self, alert: Alert) -> None:
        """There is nothing to forget."""


@dataclass
class UploadedPictures:
    """One picture for each state of an alert that looks different."""

    client: WebClient
    _known: dict[tuple[AlertId, bool], tuple[str, str]] = field(default_factory=dict)

    def block_for(self, alert: Alert) -> Block | None:
        """Draw and upload it, or use what was uploaded before."""
        key = (alert.id, alert.acted_at is not None)
        if key not in self._known:
            uploaded = self._upload(alert)
            if uploaded is None:
                return None
            self._known[key] = uploaded
        file_id, alt = self._known[key]
        return {"type": "image", "slack_file": {"id": file_id}, "alt_text": alt}

    def forget(self, alert: Alert) -> None:
        """Upload anew the next time."""
        for acted in (True, False):
            self._known.pop((alert.id, acted), None)

    def _upload(self, alert: Alert) -> tuple[str, str] | None:
        try:
            from bot.chart import alt_text, draw
        except ModuleNotFoundError:  # without the extra for monitors there are no pictures
            return None
        try:
            chart = chart_of(alert)
            if not chart.points:
                return None
            alt = alt_text(chart)
            answer = self.client.files_upload_v2(
                content=draw(chart), filename=f"alert-{alert.id}.png", alt_txt=alt[:1000]
            )
            return str(answer["file"]["id"]), alt
        except (SlackApiError, OSError, KeyError, TypeError, ValueError) as error:
            _log.warning("an alert goes without its picture: %s", type(error).__name__)
            return None


def chart_of(alert: Alert) -> AlertChart:
    """What an alert's picture shows: the metric as it was measured, with baseline and bound."""
    from bot.chart import AlertChart, ChartPoint

    acted = ""
    if alert.to_version is not None:
        acted = f"v{alert.version} → v{alert.to_version}"
    return AlertChart(
        title=f"{alert.model} v{alert.version}",
        metric=alert.metric,
        points=tuple(
            ChartPoint(at=p.at, value=p.value, lower=p.lower, upper=p.upper) for p in alert.series
        ),
        baseline=alert.numbers.get("baseline"),
        bound=alert.numbers.get("bound"),
        acted_at=alert.acted_at or alert.raised_at,
        acted_label=acted or "alert",
    )
