"""The Slack side of the bot: listeners, desk and outbox, put together around one world."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from slack_bolt import App
from slack_sdk import WebClient

from bot.announcer import Announcer
from bot.desk import Desk
from bot.drawings import Drawings
from bot.errands import Errands
from bot.glass_form import GlassForm
from bot.homes import Homes
from bot.intake import Intake
from bot.listeners import clicks, commands, forms, glass, home
from bot.listeners.reception import Reception
from bot.mlflow_ui import MlflowUi
from bot.outbox import Outbox
from bot.pictures import UploadedPictures
from bot.promote_form import PromoteForm
from bot.upkeep import Upkeep
from governance.domain.errors import FoureyesError
from governance.use_cases.world import World

_log = logging.getLogger("foureyes.conversation")
_LISTENERS = 40
"""Bolt's default of 5 threads lets unrelated clicks starve while one is slow."""
_WORKERS = 8
_URGENT = 2


class Conversation:
    """What people do in Slack, and what they are told."""

    def __init__(
        self,
        world: World,
        client: WebClient,
        *,
        rollback_click: timedelta,
        ui: MlflowUi | None = None,
        draws_comparisons: bool = False,
    ) -> None:
        ui = ui or MlflowUi()
        self._client = client
        self._listening = ThreadPoolExecutor(_LISTENERS, thread_name_prefix="listener")
        self._working = ThreadPoolExecutor(_WORKERS, thread_name_prefix="worker")
        self._rolling_back = ThreadPoolExecutor(_URGENT, thread_name_prefix="urgent")
        self._sending = ThreadPoolExecutor(1, thread_name_prefix="sender")
        self._drawing = ThreadPoolExecutor(1, thread_name_prefix="homes")
        self._homes = Homes(world=world, client=client, ui=ui)
        self._upkeep = Upkeep(world=world, client=client)
        self._picturing = ThreadPoolExecutor(1, thread_name_prefix="pictures")
        drawings = Drawings(
            world=world,
            client=client,
            workers=self._picturing if draws_comparisons else None,
            after_drawing=self._show_soon,
        )
        self._drawings = drawings
        self._outbox = Outbox(
            world=world,
            announcer=Announcer(
                world=world,
                client=client,
                pictures=UploadedPictures(client),
                ui=ui,
                drawings=drawings,
            ),
        )
        errands = Errands(
            world=world,
            client=client,
            rollback_click=rollback_click,
            after_work=self._show_soon,
            ui=ui,
            drawings=drawings,
        )
        self._desk = Desk(errands)
        self._intake = Intake(
            world=world,
            work=self._desk.work,
            workers=self._working,
            urgent=self._rolling_back,
        )
        self._form = PromoteForm(world=world, client=client, workers=self._working)
        self._glass = GlassForm(
            world=world, client=client, workers=self._working, actor=errands.actor
        )
        self._world = world

    def bolt_app(self) -> App:
        """The Bolt app with every listener; asks Slack nothing yet."""
        logging.getLogger("slack_bolt.App").addFilter(_says_something)
        app = App(
            name="foureyes",  # without one, Bolt reads the source of every frame to find a name
            client=self._client,
            token_verification_enabled=False,
            listener_executor=self._listening,
            raise_error_for_unhandled_request=False,
        )
        reception = Reception(self._intake)
        commands.register(app, reception, self._form)
        clicks.register(app, reception, self._world, self._form, self._glass, self._drawings)
        glass.register(app, reception, self._world, self._glass)
        forms.register(app, reception, self._form)
        home.register(app, self._intake)
        return app

    def work_off(self, limit: int = 50) -> int:
        """Work off inbox rows that nobody works on; how many there were."""
        return self._desk.work_off(limit)

    def send_due(self, limit: int = 50) -> int:
        """Send what the outbox holds; how many arrived."""
        return self._outbox.send_due(limit)

    def refresh_homes(self) -> int:
        """Draw each open Home that would look otherwise now; how many were drawn."""
        return self._homes.refresh()

    def look_after_messages(self) -> int:
        """See whether messages of open requests were deleted; how many are to be drawn again."""
        return self._upkeep.look()

    def drain(self) -> None:
        """Take nothing new, and finish what runs."""
        self._listening.shutdown(wait=True)
        self._working.shutdown(wait=True)
        self._rolling_back.shutdown(wait=True)
        self._picturing.shutdown(wait=True, cancel_futures=True)
        self._sending.shutdown(wait=True)
        self._drawing.shutdown(wait=True)

    def _show_soon(self) -> None:
        try:
            self._sending.submit(self._send)
            self._drawing.submit(self._draw)
        except RuntimeError:
            # Shutting down: the outbox is sent after the next start.
            _log.info("the outbox waits for the next start")

    def _send(self) -> None:
        try:
            self._outbox.send_due()
        except FoureyesError as problem:
            _log.warning("the outbox waits: %s", problem.sentence)
        except Exception:  # a defect must not end the sender's thread unseen
            _log.exception("the outbox broke")

    def _draw(self) -> None:
        try:
            self._homes.refresh()
        except FoureyesError as problem:
            _log.warning("Homes wait: %s", problem.sentence)
        except Exception:  # a defect must not end the drawer's thread unseen
            _log.exception("Homes broke")


def _says_something(record: logging.LogRecord) -> bool:
    """Bolt finds SLACK_BOT_TOKEN in the environment and warns that our client has it already."""
    return "`token` will be unused" not in record.getMessage()
