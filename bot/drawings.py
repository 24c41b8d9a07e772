"""Pictures beside words: drawn and uploaded in the background, and shown once Slack has them.

A picture is a help and never a condition: no message waits for one, and whatever goes wrong with
one is logged. What was uploaded is kept, so every replica shows it and none draws it again.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from threading import Lock

from slack_sdk import WebClient
from slack_sdk.errors import SlackClientError

from bot.block_kit import Block
from bot.drawing import Drawing, comparison_drawing, facts_drawn
from bot.views import image_block
from governance.domain.approval import RequestId
from governance.domain.errors import FoureyesError
from governance.domain.evidence import Snapshot
from governance.domain.policy import policy_for
from governance.domain.promotion import Request
from governance.ports import Notice, NoticeKind, SentPicture
from governance.use_cases.world import World

_log = logging.getLogger("foureyes.drawings")
_PAUSES_SECONDS = (1.0, 3.0, 8.0)
"""Slack knows a new file a moment after it has taken it."""


@dataclass
class Drawings:
    """Makes pictures one after the other, away from everybody who waits for words."""

    world: World
    client: WebClient
    workers: Executor | None
    """None where none are drawn."""
    after_drawing: Callable[[], None] = lambda: None
    """Called when there may be something to send."""
    _under_way: set[str] = field(default_factory=set)
    _failures: dict[str, int] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def of_request(self, request: Request) -> Block | None:
        """The picture of a request if Slack has it; else it is begun for one that is open, and
        the message is drawn again when it is there."""
        key = self._key(request.champion, request.snapshot)
        with self.world.store.read() as tx:
            known = tx.picture(key)
        if known is not None:
            return image_block(known)
        if request.is_open:
            self._begin(
                key,
                lambda: comparison_drawing(self.world, request.champion, request.snapshot),
                lambda _picture: self._draw_again(request.id),
            )
        return None

    def not_taken(self, request: Request) -> None:
        """Slack does not know the picture (yet): the message is tried again with it in a moment;
        after a few times the picture is left out."""
        key = self._key(request.champion, request.snapshot)
        with self._lock:
            failed = self._failures[key] = self._failures.get(key, 0) + 1
        if failed > len(_PAUSES_SECONDS):
            with self.world.store.transaction() as tx:
                tx.save_picture(key, None)
            return

        def again() -> None:
            self.world.pause(_PAUSES_SECONDS[failed - 1])
            self._draw_again(request.id)

        self._submit(again)

    def follow_comparison(
        self, before: Snapshot, after: Snapshot, show: Callable[[SentPicture], bool]
    ) -> None:
        """Show the picture of a comparison after its words; `show` says whether Slack took it."""
        self._begin(
            self._key(before, after),
            lambda: comparison_drawing(self.world, before, after),
            lambda picture: self._persist(picture, show),
            is_wanted_by_each=True,
        )

    def follow(
        self, draw: Callable[[], Drawing | None], show: Callable[[SentPicture], bool]
    ) -> None:
        """Show a picture after its words, without keeping it."""

        def work() -> None:
            uploaded = self._uploaded(draw)
            if uploaded is not None:
                self._persist(uploaded, show)

        self._submit(work)

    def _begin(
        self,
        key: str,
        draw: Callable[[], Drawing | None],
        then: Callable[[SentPicture], None],
        *,
        is_wanted_by_each: bool = False,
    ) -> None:
        with self._lock:
            if self._failures.get(key, 0) > len(_PAUSES_SECONDS):
                return
            if key in self._under_way and not is_wanted_by_each:
                return
            self._under_way.add(key)

        def work() -> None:
            try:
                picture = self._kept(key, draw)
            finally:
                with self._lock:
                    self._under_way.discard(key)
            if picture is not None:
                then(picture)

        self._submit(work)

    def _kept(self, key: str, draw: Callable[[], Drawing | None]) -> SentPicture | None:
        with self.world.store.read() as tx:
            known = tx.picture(key)
        if known is not None:
            return known
        uploaded = self._uploaded(draw)
        if uploaded is None:
            with self._lock:
                self._failures[key] = self._failures.get(key, 0) + 1
            return None
        with self.world.store.transaction() as tx:
            tx.save_picture(key, uploaded)
        return uploaded

    def _uploaded(self, draw: Callable[[], Drawing | None]) -> SentPicture | None:
        try:
            drawing = draw()
        except ModuleNotFoundError:  # without the extra for monitors there are no pictures
            return None
        if drawing is None:
            return None
        answer = self.client.files_upload_v2(
            content=drawing.png, filename="comparison.png", alt_txt=drawing.alt_text
        )
        return SentPicture(file_id=str(answer["file"]["id"]), alt_text=drawing.alt_text)

    def _persist(self, picture: SentPicture, show: Callable[[SentPicture], bool]) -> None:
        for seconds in _PAUSES_SECONDS:
            if show(picture):
                return
            self.world.pause(seconds)

    def _draw_again(self, request_id: RequestId) -> None:
        with self.world.store.transaction() as tx:
            request = tx.request(request_id)
            tx.notify(
                Notice(
                    kind=NoticeKind.REQUEST_CHANGED,
                    what="changed",
                    model=request.model,
                    request_id=request.id,
                )
            )
        self.after_drawing()

    def _submit(self, work: Callable[[], None]) -> None:
        if self.workers is None:
            return

        def guarded() -> None:
            try:
                work()
            except (FoureyesError, SlackClientError, OSError, KeyError, TypeError) as error:
                _log.warning("words go without their picture: %s", type(error).__name__)
            except Exception:  # a defect in a picture is nobody's trouble but ours
                _log.exception("a picture broke")

        try:
            self.workers.submit(guarded)
        except RuntimeError:
            _log.info("a picture is left out: the bot is stopping")

    def _key(self, before: Snapshot | None, after: Snapshot) -> str:
        policy = policy_for(self.world.rules.current().policies, after.model)
        facts = json.dumps(facts_drawn(before, after, policy), sort_keys=True)
        return f"comparison {hashlib.sha256(facts.encode()).hexdigest()}"
