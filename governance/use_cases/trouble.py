"""What the owners hear of a source in trouble: once, whichever monitors it blinds, and not at every
turn of one that comes and goes."""

from __future__ import annotations

from collections.abc import Set
from datetime import timedelta

from governance.domain.canonical import digest_of
from governance.domain.ledger import Event, EventKind
from governance.domain.monitoring.state import MonitorState
from governance.ports import Notice, NoticeKind, Transaction
from governance.use_cases import alerts
from governance.use_cases.due import Due

_QUIET_FOR = timedelta(days=1)
"""A trouble that was told and comes back within that time comes and goes: this is told, and then
nothing more of it for as long."""


def tell_of_trouble(tx: Transaction, due: Due, before: MonitorState, found: MonitorState) -> None:
    """Each monitor's trouble, and its end, is recorded; the owners hear of it if it is news."""
    is_blind = bool(found.problem)
    tx.record(
        Event(
            kind=EventKind.MONITOR_BLIND if is_blind else EventKind.MONITOR_SEES_AGAIN,
            at=tx.now,
            actor=alerts.WATCHER,
            model=due.key.model,
            version=due.key.version,
            why=found.sentence if is_blind else "",
            facts={"monitor": due.spec.name},
        )
    )
    others = _problems_of_others(tx, due)
    is_known = found.problem in others if is_blind else bool(others - {""})
    flickers = _flickers(due, found.problem or before.problem)
    if is_known or _within_quiet(tx, flickers):
        return
    if not is_blind:
        _tell(tx, due, found, "monitor_sees_again")
    elif _within_quiet(tx, _mark(due, found.problem)):
        _remember(tx, flickers)
        _tell(tx, due, found, "monitor_comes_and_goes")
    else:
        _remember(tx, _mark(due, found.problem))
        _tell(tx, due, found, "monitor_blind")


def stayed(tx: Transaction, due: Due, found: MonitorState) -> bool:
    """Whether a trouble that came and went is there now that its quiet day is over."""
    told = tx.told_up_to(_flickers(due, found.problem)) if found.problem else None
    return bool(told) and not _within_quiet(tx, _flickers(due, found.problem))


def tell_that_it_stayed(tx: Transaction, due: Due, found: MonitorState) -> None:
    """Once: from here on it is a trouble as every other."""
    if stayed(tx, due, found):
        tx.save_told(_flickers(due, found.problem), 0)
        _remember(tx, _mark(due, found.problem))
        _tell(tx, due, found, "monitor_blind")


def _flickers(due: Due, problem: str) -> str:
    """Of each trouble by itself: one that flickers hides no other."""
    return _mark(due, f"comes and goes: {problem}")


def _problems_of_others(tx: Transaction, due: Due) -> Set[str]:
    watching = {spec.name for spec in due.policy.watching.monitors} - {due.spec.name}
    return {
        state.problem
        for state, _next in tx.monitor_states(due.key.model)
        if state.key.version == due.key.version
        and state.key.monitor in watching
        and state.looked_at is not None
        and state.looked_at >= due.stay.started_at
    }


def _tell(tx: Transaction, due: Due, found: MonitorState, what: str) -> None:
    why = found.sentence if found.problem else ""
    for owner in sorted(due.policy.owners):
        tx.notify(
            Notice(
                kind=NoticeKind.TELL,
                what=what,
                model=due.key.model,
                person=owner,
                facts={"monitor": due.spec.name, "why": why},
            )
        )


def _mark(due: Due, what: str) -> str:
    stay = due.stay.started_at.isoformat()
    return f"trouble {digest_of([due.key.model, due.key.version, stay, what])[:32]}"


def _remember(tx: Transaction, mark: str) -> None:
    tx.save_told(mark, int(tx.now.timestamp()))


def _within_quiet(tx: Transaction, mark: str) -> bool:
    told = tx.told_up_to(mark)
    return told is not None and tx.now.timestamp() - told < _QUIET_FOR.total_seconds()
