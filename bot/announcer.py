"""The outbox to Slack: in order for each request and model, at least once, within rate limits.

Decides nothing: words come from `messages`, blocks from `views`, state from the store.
"""

from __future__ import annotations

import json
import logging
import threading
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot import messages, views
from bot.shown import shown_request
from bot.views import Drawn
from governance.domain.approval import RequestId
from governance.domain.evidence import ModelName
from governance.domain.identity import PersonId
from governance.domain.policy import policy_for
from governance.ports import Notice, NoticeKind, QueuedNotice, SentMessage
from governance.use_cases.world import World

_log = logging.getLogger("foureyes.announcer")

_SENDER = ModelName(" outbox")
"""The lock under which one replica sends; no model is named so, for a name has no space first."""
_LEASE = timedelta(seconds=60)
_PAGE = 200
_LONGEST_WAIT_SECONDS = 300
_PERMANENT = frozenset(
    {
        "account_inactive",
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
_ALERTS = frozenset(
    {"changed_elsewhere", "record_broken", "restored_differs", "rollback_failed", "rolled_back"}
)


class Undeliverable(Exception):
    """This notice can never arrive; the reason is kept with it."""


@dataclass
class Announcer:
    """Sends what is due."""

    world: World
    client: WebClient

    def __post_init__(self) -> None:
        self._sending = threading.Lock()
        self._holder = f"{self.world.holder}:{uuid4().hex}"
        self._channels: dict[str, str] = {}
        self._last_drawn: dict[str, str] = {}

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
        try:
            self._deliver(queued.notice)
        except SlackApiError as error:
            return self._failed(queued, error)
        except OSError:
            self._delay(queued, _back_off(queued.attempts), "Slack does not answer")
            return False
        except Undeliverable as reason:
            self._drop(queued, str(reason))
            return True
        with self.world.store.transaction() as tx:
            tx.notice_sent(queued.id)
        return True

    def _failed(self, queued: QueuedNotice, error: SlackApiError) -> bool:
        code = str(error.response.get("error"))
        if error.response.status_code == 429 or code == "ratelimited":
            headers = error.response.headers or {}
            self._delay(queued, float(headers.get("Retry-After", 1)), code)
            return True
        if code in _PERMANENT:
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
            if notice.kind not in (NoticeKind.CHANNEL, NoticeKind.REQUEST_CHANGED):
                return
            policy = policy_for(self.world.rules.current().policies, notice.model)
            for owner in sorted(policy.owners) if policy else ():
                tx.notify(
                    Notice(
                        kind=NoticeKind.TELL,
                        what="unreachable",
                        model=notice.model,
                        person=owner,
                        facts={"channel": policy.channel if policy else "", "why": why},
                    )
                )

    # --- one notice -----------------------------------------------------------------------

    def _deliver(self, notice: Notice) -> None:
        match notice.kind:
            case NoticeKind.REQUEST_CHANGED:
                self._redraw(_request_of(notice))
            case NoticeKind.TIMELINE:
                self._timeline(notice)
            case NoticeKind.ASK:
                self._ask(notice)
            case NoticeKind.TELL:
                self._tell(notice)
            case NoticeKind.CHANNEL:
                self._channel(notice)

    def _redraw(self, request_id: RequestId) -> None:
        rules = self.world.rules.current()
        with self.world.store.read() as tx:
            shown = shown_request(tx, rules, request_id)
            copies = {
                key: tx.message(key)
                for key in (_direct_key(request_id, p) for p in sorted(rules.roster.people))
            }
        drawn = views.request_message(shown)
        where = self._channel_of(shown.request.model)
        self._put(_main_key(request_id), where, drawn)
        for key, copy in copies.items():
            if copy is not None:
                self._put(key, copy.channel, drawn)

    def _put(self, key: str, where: str, drawn: Drawn) -> None:
        """Update the message with this key in place, or post it where it is not (any more)."""
        spelled = json.dumps([drawn.text, drawn.blocks])
        with self.world.store.read() as tx:
            there = tx.message(key)
        if there is not None:
            if self._last_drawn.get(key) == spelled:
                return
            try:
                self.client.chat_update(
                    channel=there.channel, ts=there.ts, text=drawn.text, blocks=drawn.blocks
                )
                self._last_drawn[key] = spelled
                return
            except SlackApiError as error:
                if error.response.get("error") != "message_not_found":
                    raise
        self._post(key, where, drawn)
        self._last_drawn[key] = spelled

    def _post(self, key: str | None, where: str, drawn: Drawn) -> None:
        answer = self.client.chat_postMessage(
            channel=where, text=drawn.text, blocks=drawn.blocks, unfurl_links=False
        )
        if key is not None:
            with self.world.store.transaction() as tx:
                tx.save_message(
                    key, SentMessage(channel=str(answer["channel"]), ts=str(answer["ts"]))
                )

    def _timeline(self, notice: Notice) -> None:
        with self.world.store.read() as tx:
            there = tx.message(_main_key(_request_of(notice)))
        if there is None:
            raise Undeliverable("the request has no message")
        roster = self.world.rules.current().roster
        drawn = views.sentence(messages.timeline(notice.what, notice.facts, roster))
        self.client.chat_postMessage(
            channel=there.channel,
            thread_ts=there.ts,
            text=drawn.text,
            blocks=drawn.blocks,
            unfurl_links=False,
        )

    def _ask(self, notice: Notice) -> None:
        request_id = _request_of(notice)
        rules = self.world.rules.current()
        with self.world.store.read() as tx:
            shown = shown_request(tx, rules, request_id)
            key = _direct_key(request_id, _person_of(notice))
            there = tx.message(key)
        if not shown.request.is_open:
            return  # decided meanwhile: nobody is asked any more
        where = self._direct_channel(_person_of(notice))
        if there is None:
            asked = views.sentence(messages.asked(shown.request, rules.roster))
            drawn = views.request_message(shown)
            drawn = Drawn(text=asked.text, blocks=[*asked.blocks, *drawn.blocks])
            self._post(key, where, drawn)
        else:
            self._put(key, where, views.request_message(shown))

    def _tell(self, notice: Notice) -> None:
        rules = self.world.rules.current()
        request = None
        if notice.request_id is not None:
            with self.world.store.read() as tx:
                request = tx.request(notice.request_id)
        if notice.what == "unreachable":
            text = messages.unreachable(str(notice.model), notice.facts)
        else:
            text = messages.told(notice.what, notice.facts, request, rules.roster)
        self._post(None, self._direct_channel(_person_of(notice)), views.sentence(text))

    def _channel(self, notice: Notice) -> None:
        rules = self.world.rules.current()
        model = ModelName(str(notice.model))
        policy = policy_for(rules.policies, model)
        mentions: dict[str, str] = {}
        if policy is not None and notice.what in _ALERTS:
            people = (rules.roster.people.get(p) for p in policy.on_call)
            mentions = {str(a): p.name for p in people if p for a in sorted(p.slack)[:1]}
        text = messages.channel(notice.what, model, notice.facts, rules.roster)
        self._post(None, self._channel_of(model), views.sentence(text, mentions))

    # --- places ---------------------------------------------------------------------------

    def _channel_of(self, model: ModelName) -> str:
        policies = self.world.rules.current().policies
        policy = policy_for(policies, model) or policies.policies.get(model)
        if policy is None:
            raise Undeliverable("no policy names a channel for this model any more")
        if not policy.channel.startswith("#"):
            return policy.channel
        name = policy.channel.removeprefix("#")
        if name not in self._channels:
            self._channels.update(self._list_channels())
        if name not in self._channels:
            raise Undeliverable(f"there is no channel {policy.channel}, or the bot cannot see it")
        return self._channels[name]

    def _list_channels(self) -> dict[str, str]:
        found: dict[str, str] = {}
        cursor = ""
        while True:
            page = self.client.conversations_list(
                types="public_channel,private_channel", limit=_PAGE, cursor=cursor
            )
            channels: list[dict[str, object]] = page.get("channels") or []
            found.update({str(c["name"]): str(c["id"]) for c in channels})
            cursor = str((page.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                return found

    def _direct_channel(self, person: PersonId) -> str:
        known = self.world.rules.current().roster.people.get(person)
        accounts = sorted(known.slack) if known else []
        if not accounts:
            raise Undeliverable(f"{person} has no Slack account in people.yaml")
        opened = self.client.conversations_open(users=[str(accounts[0])])
        return str(opened["channel"]["id"])


def _main_key(request_id: RequestId) -> str:
    return f"request {request_id}"


def _direct_key(request_id: RequestId, person: PersonId) -> str:
    return f"request {request_id} to {person}"


def _request_of(notice: Notice) -> RequestId:
    if notice.request_id is None:
        raise Undeliverable("a notice without its request")
    return notice.request_id


def _person_of(notice: Notice) -> PersonId:
    if notice.person is None:
        raise Undeliverable("a notice without its person")
    return notice.person


def _back_off(attempts: int) -> float:
    """1, 2, 4 … 300 seconds."""
    return min(float(2 ** min(attempts, 20)), _LONGEST_WAIT_SECONDS)
