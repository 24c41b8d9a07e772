"""What `/healthz`, `/readyz` and `/metrics` say. Reads; changes and decides nothing.

Healthy: the process is worth keeping. Ready: it can do its work now, and if not, why not.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from bot.web import Answer, Page
from governance.domain.errors import FoureyesError
from governance.jobs import LOOK_AROUND, Beat
from governance.ports import RuleSource, Store

_STUCK_SECONDS = 3600.0
"""Longer than reading every file of the largest version that is allowed."""
_LATE_SECONDS = 60.0
_OLD_INBOX_SECONDS = 30.0


class Link(Protocol):
    """What is asked of the connection to Slack."""

    def connected(self) -> bool:
        """Whether a session is up now."""

    def seconds_without(self) -> float:
        """Since when there is none."""


@dataclass(frozen=True, kw_only=True)
class VitalSigns:
    """Everything that is looked at."""

    store: Store
    rules: RuleSource
    link: Link
    beats: Callable[[], Mapping[str, Beat]]
    record_holds: Callable[[], bool]
    """Whether the record matched its kept heads when it was last compared."""
    elapsed: Callable[[], float]
    look_every: timedelta
    stopping: Callable[[], bool]

    def pages(self) -> Mapping[str, Page]:
        """Path → page."""
        return {"/healthz": self.healthz, "/readyz": self.readyz, "/metrics": self.metrics}

    def healthz(self) -> Answer:
        """200 while the process lives and its jobs tick."""
        stuck = list(self._stuck())
        return _json(200 if not stuck else 503, {"healthy": not stuck, "reasons": stuck})

    def readyz(self) -> Answer:
        """200 when it can do its work now; 503 with the reasons."""
        facts, reasons = self._look()
        return _json(503 if reasons else 200, {"ready": not reasons, "reasons": reasons, **facts})

    def metrics(self) -> Answer:
        """The same in Prometheus's text format."""
        facts, reasons = self._look()
        lines = [f"foureyes_ready {int(not reasons)}"]
        for name, value in facts.items():
            if isinstance(value, bool | int | float):
                lines.append(f"foureyes_{name} {float(value):g}")
        for name, beat in self.beats().items():
            lines.append(f'foureyes_job_runs_total{{job="{name}"}} {beat.runs}')
            lines.append(f'foureyes_job_failures_total{{job="{name}"}} {beat.failures}')
        return Answer(
            status=200, body="\n".join(lines) + "\n", content_type="text/plain; version=0.0.4"
        )

    def _stuck(self) -> Iterator[str]:
        now = self.elapsed()
        for name, beat in self.beats().items():
            if beat.begun_at is None:
                continue
            if beat.running and now - beat.begun_at > _STUCK_SECONDS:
                yield f"{name} has been running for {now - beat.begun_at:.0f} s"
            late = now - (beat.ended_at or beat.begun_at)
            if not beat.running and late > self.look_every.total_seconds() * 2 + _LATE_SECONDS:
                yield f"{name} has not run for {late:.0f} s"

    def _look(self) -> tuple[dict[str, bool | float | str | None], list[str]]:
        reasons: list[str] = []
        if self.stopping():
            reasons.append("stopping")
        connected = self.link.connected()
        without = self.link.seconds_without()
        if not connected:
            reasons.append(f"no connection to Slack for {without:.0f} s")
        writable, inbox_age = self._ask_store(reasons)
        beat = self.beats().get(LOOK_AROUND, Beat())
        looked = None if beat.succeeded_at is None else self.elapsed() - beat.succeeded_at
        if looked is None or looked > self.look_every.total_seconds() * 3:
            why = f": {beat.problem}" if beat.problem else ""
            ago = "not yet" if looked is None else f"last {looked:.0f} s ago"
            reasons.append(f"MLflow was compared with the record {ago}{why}")
        if inbox_age > _OLD_INBOX_SECONDS:
            reasons.append(f"the oldest click waits since {inbox_age:.0f} s")
        if not self.record_holds():
            reasons.append("the record contradicts its kept heads; promotions stop")
        rules = self.rules.current()
        facts: dict[str, bool | float | str | None] = {
            "slack_connected": connected,
            "slack_without_seconds": round(without, 1),
            "store_writable": writable,
            "last_reconcile_seconds": None if looked is None else round(looked, 1),
            "inbox_age_seconds": round(inbox_age, 1),
            "policies": len(rules.policies.policies),
            "policies_digest": rules.policies.digest,
        }
        return facts, reasons

    def _ask_store(self, reasons: list[str]) -> tuple[bool, float]:
        try:
            # A write transaction that writes nothing takes the lock that a real one would.
            with self.store.transaction() as tx:
                return True, tx.inbox_age_seconds()
        except FoureyesError as problem:
            reasons.append(problem.sentence)
            return False, 0.0


def _json(status: int, value: Mapping[str, object]) -> Answer:
    return Answer(status=status, body=json.dumps(value, indent=2, ensure_ascii=False) + "\n")
