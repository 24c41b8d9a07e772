"""The outbox to Slack: in order for each request and model, at least once, within rate limits.

Knows when and in what order; what is said and where is the announcer's.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

from slack_sdk.errors import SlackApiError

from bot.announcer import Announcer
from bot.places import Undeliverable
from bot.turns import Busy, retry_after_seconds
from governance.domain.errors import Unavailable
from governance.domain.evidence import ModelName
from governance.domain.policy import policy_for
from governance.ports import Notice, NoticeKind, QueuedNotice
from governance.use_cases.world import World

_log = logging.getLogger("foureyes.outbox")

_SENDER = ModelName(" outbox")
"""The lock under which one replica sends; no model is named so, for a name has no space first."""
_LEASE = timedelta(seconds=60)
_LONGEST_WAIT_SECONDS = 300
_DEFECT_ATTEMPTS = 8
"""A notice that our own code cannot draw is given up after so many: about four minutes."""
_IN_CHANNEL = (
    NoticeKind.CHANNEL,
    NoticeKind.REQUEST_CHANGED,
    NoticeKind.ALERT,
    NoticeKind.REVIEW,
)
TRANSIENT = frozenset(
    {
        "account_inactive",
        "fatal_error",
        "internal_error",
        "invalid_auth",
        "missing_scope",
        "not_authed",
        "request_timeout",
        "service_unavailable",
        "team_added_to_org",
        "token_expired",
        "token_revoked",
    }
)
"""What passes by itself, or concerns the bot's own token: the operator mends it, and everything
is sent then."""
PERMANENT = frozenset(
    {
        "cannot_dm_bot",
        "channel_not_found",
        "ekm_access_denied",
        "invalid_blocks",
        "is_archived",
        "msg_blocks_too_long",
        "msg_too_long",
        "not_in_channel",
        "restricted_action",
        "user_disabled",
        "user_not_found",
    }
)
"""What trying again does not change. A code of neither list is tried a few times."""


@dataclass
class Outbox:
    """Sends what is due."""

    world: World
    announcer: Announcer

    def __post_init__(self) -> None:
        self._sending = threading.Lock()
        self._holder = f"{self.world.holder}:{uuid4().hex}"

    def send_due(self, limit: int = 50) -> int:
        """Send until nothing is due or something has to wait; how many were sent."""
        if not self._sending.acquire(blocking=False):
            return 0
        try:
            with self.world.store.read() as tx:
                if not tx.due_notices(1):
                    return 0
            if not self.world.store.lock_model(_SENDER, self._holder, _LEASE):
                return 0
            try:
                return self._send_all(limit)
            finally:
                self.world.store.unlock_model(_SENDER, self._holder)
        finally:
            self._sending.release()

    def _send_all(self, limit: int) -> int:
        sent = 0
        while sent < limit:
            with self.world.store.read() as tx:
                due = tx.due_notices(limit)
            if not due:
                break
            for queued in due:
                if not self._send(queued):
                    return sent
                sent += 1
        return sent

    def _send(self, queued: QueuedNotice) -> bool:
        """Send one; False when Slack takes nothing at the moment."""
        try:
            self.announcer.announce(queued.notice)
        except SlackApiError as error:
            return self._failed(queued, error)
        except OSError:
            self._delay(queued, _back_off(queued.attempts), "Slack does not answer")
            return False
        except Busy as busy:
            self._delay(queued, busy.seconds, "ratelimited")
            return True
        except Undeliverable as reason:
            self._drop(queued, str(reason))
            return True
        except Unavailable:
            raise
        except Exception as defect:  # one notice must not stop all others
            _log.exception("a notice (%s) cannot be drawn", queued.notice.what)
            if queued.attempts >= _DEFECT_ATTEMPTS:
                self._drop(queued, f"defect {type(defect).__name__}")
            else:
                self._delay(queued, _back_off(queued.attempts), type(defect).__name__)
            return True
        with self.world.store.transaction() as tx:
            tx.notice_sent(queued.id)
        return True

    def _failed(self, queued: QueuedNotice, error: SlackApiError) -> bool:
        code = str(error.response.get("error"))
        seconds = retry_after_seconds(error)
        if seconds is not None:
            self._delay(queued, seconds, code)
            return True
        if code in PERMANENT or (code not in TRANSIENT and queued.attempts >= _DEFECT_ATTEMPTS):
            self._drop(queued, code)
            return True
        self._delay(queued, _back_off(queued.attempts), code)
        return False

    def _delay(self, queued: QueuedNotice, seconds: float, why: str) -> None:
        with self.world.store.transaction() as tx:
            tx.notice_delayed(queued.id, tx.now + timedelta(seconds=seconds), why)

    def _drop(self, queued: QueuedNotice, why: str) -> None:
        """Kept with the reason; the owners are told where a whole channel cannot be reached."""
        notice = queued.notice
        _log.error("a notice (%s) cannot be delivered: %s", notice.what, why)
        with self.world.store.transaction() as tx:
            tx.notice_dropped(queued.id, why)
            if notice.what == "unreachable" or notice.model is None:
                return
            policy = policy_for(self.world.rules.current().policies, notice.model)
            if policy is None or notice.kind not in _IN_CHANNEL:
                return
            if notice.kind is NoticeKind.ALERT:
                # Who is on call has to hear of it, channel or not.
                for person in dict.fromkeys([*policy.on_call, *sorted(policy.owners)]):
                    tx.notify(
                        Notice(
                            kind=NoticeKind.TELL,
                            what="alert_reminder",
                            model=notice.model,
                            person=person,
                            facts=notice.facts,
                        )
                    )
            for owner in sorted(policy.owners):
                tx.notify(
                    Notice(
                        kind=NoticeKind.TELL,
                        what="unreachable",
                        model=notice.model,
                        person=owner,
                        facts={"channel": policy.channel, "why": why},
                    )
                )


def _back_off(attempts: int) -> float:
    """1, 2, 4 … 300 seconds."""
    return min(float(2 ** min(attempts, 20)), _LONGEST_WAIT_SECONDS)
