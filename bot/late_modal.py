"""A modal that is opened at once, while its trigger is good, and filled when it is known with
what."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from uuid import uuid4

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.block_kit import Block
from bot.messages import answer_words
from governance.domain.errors import FoureyesError

_log = logging.getLogger("foureyes.modal")


@dataclass(frozen=True)
class LateModal:
    """One kind of them."""

    client: WebClient
    workers: ThreadPoolExecutor
    loading: Callable[[], Block]
    sentence: Callable[[str], Block]
    """Shown in its place when it cannot be filled."""

    def open(self, trigger_id: str, draw: Callable[[], Block]) -> None:
        """Open it with the trigger, and fill it beside with what `draw` returns."""
        try:
            opened = self.client.views_open(trigger_id=trigger_id, view=self.loading())
        except (SlackApiError, OSError) as error:
            _log.warning("a form could not be opened: %s", type(error).__name__)
            return
        self.fill_soon(str(opened["view"]["id"]), draw)

    def fill_soon(self, view_id: str, draw: Callable[[], Block]) -> None:
        """Fill it beside; when the bot is shutting down, it says so."""
        try:
            self.workers.submit(self._fill, view_id, draw)
        except RuntimeError:
            self._show(view_id, self.sentence(answer_words.RESTARTING))

    def _fill(self, view_id: str, draw: Callable[[], Block]) -> None:
        try:
            view = draw()
        except FoureyesError as problem:
            view = self.sentence(problem.sentence)
        except Exception:  # a defect: the person is told, and the log says where
            reference = uuid4().hex[:8]
            _log.exception("defect %s while filling a form", reference)
            view = self.sentence(answer_words.broke(reference))
        self._show(view_id, view)

    def _show(self, view_id: str, view: Block) -> None:
        try:
            self.client.views_update(view_id=view_id, view=view)
        except SlackApiError as error:
            code = error.response.get("error")
            # `not_found`: closed meanwhile, so there is nobody left to show it to.
            _log.log(
                logging.INFO if code == "not_found" else logging.ERROR,
                "a form could not be filled: %s",
                code,
            )
        except OSError as error:
            _log.warning("a form could not be filled: %s", type(error).__name__)
