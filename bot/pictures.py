"""Pictures of alerts in Slack: drawn, uploaded once, shown by their id.

A picture is a help and never a condition: whatever goes wrong with one is logged, and the words
arrive without it.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from slack_sdk import WebClient
from slack_sdk.errors import SlackClientError

from bot.block_kit import Block
from bot.chart import Chart, ChartPoint, Mark, alt_text, draw
from governance.domain.errors import Refused
from governance.domain.monitoring.alert import Alert, AlertId
from governance.domain.monitoring.state import SeriesPoint
from governance.domain.monitoring.words import metric_in_words
from governance.use_cases.backtest import History, Replayed

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
        chart = chart_of(alert)
        if not chart.points:
            return None
        alt = alt_text(chart)
        try:
            picture = draw(chart)
        except ModuleNotFoundError:  # without the extra for monitors there are no pictures
            return None
        try:
            answer = self.client.files_upload_v2(
                content=picture, filename=f"alert-{alert.id}.png", alt_txt=alt
            )
            return str(answer["file"]["id"]), alt
        except (SlackClientError, OSError, KeyError, TypeError, ValueError) as error:
            _log.warning("an alert goes without its picture: %s", type(error).__name__)
            return None


def chart_of(alert: Alert) -> Chart:
    """What an alert's picture shows: the metric as it was measured, with baseline and bound."""
    acted = "alert"
    if alert.to_version is not None:
        acted = f"v{alert.version} → v{alert.to_version}"
    return Chart(
        title=f"{alert.model} v{alert.version}",
        metric=alert.metric,
        points=_points(alert.series),
        baseline=alert.numbers.get("baseline"),
        bound=alert.numbers.get("bound"),
        marks=(Mark(at=alert.acted_at or alert.raised_at, label=acted),),
    )


def history_picture(history: History, found: Sequence[Replayed]) -> bytes:
    """What a replay showed: the first monitor that measured something, and when each fired.

    Raises:
        Refused: `monitors_not_installed`.
    """
    shown = next((r for r in found if r.state.series), found[0])
    marks = tuple(
        Mark(at=r.fired_at, label=r.monitor.name) for r in found if r.fired_at is not None
    )
    chart = Chart(
        title=f"{history.model} v{history.version}",
        metric=metric_in_words(shown.monitor.metric),
        points=_points(shown.state.series),
        baseline=shown.state.numbers.get("baseline"),
        bound=shown.state.numbers.get("bound"),
        marks=marks,
    )
    try:
        return draw(chart)
    except ModuleNotFoundError as missing:
        raise Refused(
            "monitors_not_installed",
            f"A picture needs {missing.name}. In a checkout: pip install '.[monitors]'.",
        ) from missing


def _points(series: Sequence[SeriesPoint]) -> tuple[ChartPoint, ...]:
    return tuple(ChartPoint(at=p.at, value=p.value, lower=p.lower, upper=p.upper) for p in series)
