"""Transitions and alerts to an address outside, from the record itself: in its order, at least
once, and nothing that is not recorded."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import uuid4

from governance.domain.errors import Refused
from governance.domain.evidence import ModelName
from governance.domain.ledger import EventKind, kind_of
from governance.ports import Webhook
from governance.use_cases.world import World

TOLD_OF = frozenset(
    {
        EventKind.TRANSITION_DONE,
        EventKind.TRANSITION_FAILED,
        EventKind.ROLLBACK_DONE,
        EventKind.ROLLBACK_FAILED,
        EventKind.CHANGED_ELSEWHERE,
        EventKind.ALERT_RAISED,
        EventKind.ALERT_ACKNOWLEDGED,
        EventKind.ALERT_REPEATED,
        EventKind.ALERT_CLOSED,
        EventKind.AUTOMATIC_ROLLBACK_WITHHELD,
        EventKind.MONITOR_BLIND,
        EventKind.ROLLBACK_DRILLED,
        EventKind.INTEGRITY_BROKEN,
        EventKind.GLASS_BROKEN,
        EventKind.REVIEW_OPENED,
        EventKind.REVIEW_STATE_CHANGED,
        EventKind.REVIEW_REPEATED,
    }
)
_NAME = "webhook"
_TURN = ModelName(" webhook")
"""The lock under which one replica sends; no model is named so, for a name has no space first."""
_LEASE = timedelta(minutes=1)
_AT_ONCE = 100


def tell_outside(world: World, webhook: Webhook) -> int:
    """Send what was recorded since the last time; returns how many arrived. What the address
    refuses is passed over, what does not answer is sent again.

    Raises:
        Unavailable: the address or the store; the next call goes on from there. Refused: of the
        newest that was passed over, so that an operator hears of it.
    """
    holder = f"{world.holder}:{uuid4().hex}"
    if not world.store.lock_model(_TURN, holder, _LEASE):
        return 0
    try:
        return _tell(world, webhook)
    finally:
        world.store.unlock_model(_TURN, holder)


def _tell(world: World, webhook: Webhook) -> int:
    with world.store.read() as tx:
        told = tx.told_up_to(_NAME)
        size = tx.head().size
        waiting: list[tuple[int, bytes]] = []
        if told is not None and told < size:
            for number, record in enumerate(tx.records(after=told), told + 1):
                waiting.append((number, record))
                if len(waiting) >= _AT_ONCE:
                    break
    if told is None:
        # Whoever connects an address hears of what happens from then on.
        _save(world, size)
        return 0
    sent = 0
    passed_over: Refused | None = None
    for number, record in waiting:
        if kind_of(record) in {kind.value for kind in TOLD_OF}:
            try:
                webhook.send(f"foureyes-{number}", _now(world), record)
                sent += 1
            except Refused as refusal:
                passed_over = refusal
        _save(world, number)
    if passed_over is not None:
        raise passed_over
    return sent


def _now(world: World) -> datetime:
    with world.store.read() as tx:
        return tx.now


def _save(world: World, number: int) -> None:
    with world.store.transaction() as tx:
        tx.save_told(_NAME, number)
