"""What comes in: one committed inbox row, then the ack, then the work. Nothing is decided here."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from governance.domain.errors import FoureyesError
from governance.ports import InboxId
from governance.use_cases.world import World

_log = logging.getLogger("foureyes.intake")


@dataclass
class Intake:
    """Stores an item and hands it to a worker thread."""

    world: World
    work: Callable[[InboxId], None]
    workers: ThreadPoolExecutor
    urgent: ThreadPoolExecutor
    """For rollbacks: they wait behind no file that a request reads."""

    def store(self, kind: str, key: str, payload: Mapping[str, str]) -> InboxId | None:
        """Commit what came in; None when Slack sent it before.

        Raises:
            FoureyesError: it could not be stored; the person has to be told in the ack.
        """
        with self.world.store.transaction() as tx:
            return tx.accept(kind, key, json.dumps(payload))

    def hand_over(self, inbox_id: InboxId | None, *, urgent: bool = False) -> None:
        """Begin the work; a duplicate has nothing to begin."""
        if inbox_id is None:
            return
        try:
            (self.urgent if urgent else self.workers).submit(self._work, inbox_id)
        except RuntimeError:
            # Shutting down: the row stands, and the next start works it off.
            _log.info("an item waits for the next start")

    def _work(self, inbox_id: InboxId) -> None:
        try:
            self.work(inbox_id)
        except FoureyesError as problem:
            # The row stands; the ticker takes it up again when the store answers.
            _log.warning("an item waits: %s", problem.sentence)
        except Exception:  # a defect must not end the worker's thread unseen
            _log.exception("an item broke")
