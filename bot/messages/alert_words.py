"""An alert as people read it: what happened, what was done, what to do next."""

from __future__ import annotations

from collections.abc import Mapping

from bot.messages.answer_words import NOT_SERVED
from bot.messages.endings import ended
from governance.domain.monitoring.alert import Alert, Outcome


def alert_title(alert: Alert) -> str:
    """What happened, for the eye that only passes."""
    name = f"{alert.model} v{alert.version}"
    match alert.outcome:
        case Outcome.ROLLED_BACK:
            return f"Rolled back: {name} → v{alert.to_version}"
        case Outcome.PENDING:
            return f"Rolling back: {name}"
        case Outcome.ONLY_ALERTED:
            return f"Look at {name}: {alert.metric}"
        case _:
            return f"Not rolled back: {name}"


def what_was_done(alert: Alert) -> str:
    """What became of it, and the next step."""
    model, version = alert.model, alert.version
    match alert.outcome:
        case Outcome.ROLLED_BACK:
            seconds = "" if alert.seconds is None else f", {alert.seconds:.2f} s after the verdict"
            served = ended(alert.served or NOT_SERVED)
            note = f" {alert.note}" if alert.note else ""
            return (
                f"MLflow Production is v{alert.to_version} (was v{version}){seconds}. {served} "
                f"v{version} is quarantined until it is approved again.{note}"
            )
        case Outcome.PENDING:
            return "The last known good version is being put back. This message changes then."
        case Outcome.ONLY_ALERTED:
            return (
                "Nothing was changed: the policy only alerts here. "
                f"/rollback {model} shows what could be put back, if anything."
            )
        case Outcome.NO_TARGET:
            return (
                f"Nothing was changed, and v{version} still is in Production. {ended(alert.note)} "
                f"Somebody has to promote a version now: /promote {model}."
            )
        case Outcome.LIMITED:
            return (
                f"Nothing was changed, and v{version} still is in Production. {ended(alert.note)} "
                f"/rollback {model} shows what could be put back, if anything."
            )
        case Outcome.MOVED:
            return f"Nothing had to be changed. {alert.note}"
        case Outcome.FAILED:
            return (
                f"The rollback failed: {ended(alert.note)} Somebody has to look at MLflow now; "
                f"/rollback {model} shows what is possible."
            )


def alert_line(what: str, facts: Mapping[str, object], by: str) -> str:
    """One line in the thread."""
    if what == "acknowledged":
        return f"{by} acknowledged this."
    if what == "served":
        return str(facts.get("served"))
    if what == "recovered":
        return f"{ended(str(facts.get('why')))} It stays open until somebody acknowledges it."
    return f"Over. {facts.get('why')}"


def reminder(alert: Alert) -> str:
    """To somebody who has to look."""
    return (
        f"Nobody has acknowledged this yet. {alert_title(alert)}. {ended(alert.sentence)} "
        f"{what_was_done(alert)}"
    )
