"""The running bot: everything is built here, started in order, and stopped in the opposite one.

Decides nothing. Starts while Slack or MLflow is down; refuses to start without settings, policies,
a database at this version, or somewhere to keep the record's heads.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from threading import Event, Thread
from types import FrameType

from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient

from bot.assembly import (
    RulesInForce,
    StoppableHeads,
    build_world,
    load_rules,
    open_database_to_run,
    open_heads,
    open_registry,
    open_webhook,
    record_load,
    source_secrets,
)
from bot.conversation import Conversation
from bot.directory import SlackAccounts
from bot.git_commit import git_commit
from bot.log_lines import start_logging
from bot.mlflow_ui import MlflowUi
from bot.os_login import actor_for_record, current_login
from bot.settings import Settings, required
from bot.slack_link import PING_SECONDS, SlackLink
from bot.vital_signs import VitalSigns
from bot.web import HealthServer
from governance.adapters.policy_files import load_texts
from governance.adapters.sql_store import SqlStore
from governance.domain.errors import FoureyesError, IntegrityViolation
from governance.jobs import Job, Jobs, Rhythm, attending, reconciling, watching
from governance.use_cases import reconcile
from governance.use_cases.attention import Reminding
from governance.use_cases.audit import verify
from governance.use_cases.pushing import Pushing
from governance.use_cases.watch import Watch
from governance.use_cases.world import World

_log = logging.getLogger("foureyes")

LOST_SLACK = 3
"""Exit code when Slack was gone for longer than the grace."""
_INBOX = "inbox"
_OUTBOX = "outbox"
_HOMES = "homes"
_MESSAGES = "messages"
_RULES = "rules"
_SLACK_TIMEOUT_SECONDS = 10
_MAIN_LOOP_SECONDS = 0.25
_RULES_EVERY = timedelta(seconds=2)
_RECORD_EVERY = timedelta(seconds=30)
_DRAIN_SECONDS = 25.0
"""What runs may take so long to end after SIGTERM; whatever is cut off is finished at the next
start, as after a crash."""


def run(settings: Settings) -> int:
    """Run until a signal, or until Slack has been gone for too long; returns the exit code.

    Raises:
        FoureyesError: it could not start; the sentence says why.
    """
    start_logging(settings.secrets())
    with ExitStack() as stack:
        store = stack.enter_context(_store(settings))
        rules = _rules(settings, store)
        start_logging((*settings.secrets(), *source_secrets(rules.current(), os.environ)))
        # Slack's own words about tokens and calls are logged by whoever makes the call.
        client = WebClient(
            token=required(settings.slack_bot_token, "SLACK_BOT_TOKEN").reveal(),
            base_url=settings.slack_api_url,
            timeout=_SLACK_TIMEOUT_SECONDS,
        )
        heads = StoppableHeads(open_heads(settings))
        world = build_world(
            store,
            registry=open_registry(settings),
            rules=rules,
            accounts=SlackAccounts(client),
            heads=heads,
            settings=settings,
        )
        return _Running(settings, world, store, rules, heads, client).until_stopped()


class _Running:
    """The threads of one bot, between start and stop."""

    def __init__(
        self,
        settings: Settings,
        world: World,
        store: SqlStore,
        rules: RulesInForce,
        heads: StoppableHeads,
        client: WebClient,
    ) -> None:
        self._settings = settings
        self._world = world
        self._store = store
        self._rules = rules
        self._stop = Event()
        self._reload = Event()
        self._record = _Record(world, heads)
        self._watch = Watch(world)
        self._pushing = Pushing(world)
        self._conversation = Conversation(
            world,
            client,
            rollback_click=settings.rollback_click,
            ui=MlflowUi(settings.mlflow_ui_url),
            draws_comparisons=True,
        )
        app_token = required(settings.slack_app_token, "SLACK_APP_TOKEN").reveal()
        handler = SocketModeHandler(
            self._conversation.bolt_app(),
            app_token,
            web_client=WebClient(
                token=app_token, base_url=settings.slack_api_url, timeout=_SLACK_TIMEOUT_SECONDS
            ),
            ping_interval=PING_SECONDS,
        )
        self._link = SlackLink(handler.client, elapsed=world.elapsed)
        self._jobs = Jobs(self._all_jobs(), elapsed=world.elapsed)
        signs = VitalSigns(
            store=store,
            rules=rules,
            link=self._link,
            beats=self._jobs.beats,
            record_holds=self._record.holds,
            elapsed=world.elapsed,
            look_every=settings.look_every,
            stopping=self._stop.is_set,
        )
        self._web = HealthServer(settings.health_port, signs.pages())

    def until_stopped(self) -> int:
        """Start everything, wait, and stop it in order."""
        with _signals(on_stop=self._stop.set, on_reload=self._reload.set):
            self._web.start()
            _log.info("listening on http://127.0.0.1:%d/readyz", self._web.port)
            self._record.check_whole()
            self._jobs.start()
            self._link.start()
            try:
                code = self._wait()
            finally:
                idle = self._end()
        if not idle:
            _log.warning("something still runs; it is finished at the next start")
            sys.stderr.flush()
            self._store.close()
            os._exit(code)
        _log.info("stopped")
        return code

    def _wait(self) -> int:
        grace_seconds = self._settings.slack_grace.total_seconds()
        while not self._stop.wait(_MAIN_LOOP_SECONDS):
            if self._reload.is_set():
                self._reload.clear()
                self._reload_folder()
            if self._link.seconds_without() > grace_seconds:
                _log.error("no connection to Slack for %.0f s; ending", grace_seconds)
                return LOST_SLACK
        return 0

    def _end(self) -> bool:
        """Take nothing new, finish what runs. False when something would not end."""
        self._stop.set()
        self._watch.stop()
        unlinked = self._link.close()
        draining = Thread(target=self._conversation.drain, name="drain", daemon=True)
        draining.start()
        patience = timedelta(seconds=_DRAIN_SECONDS)
        jobs_ended = self._jobs.stop(patience=patience, pause=time.sleep)
        looks_ended = self._watch.is_idle(patience)
        pushes_ended = self._pushing.is_idle(patience)
        draining.join(_DRAIN_SECONDS)
        self._web.stop()
        all_ended = jobs_ended and looks_ended and pushes_ended
        return unlinked and all_ended and not draining.is_alive()

    def _all_jobs(self) -> tuple[Job, ...]:
        settings = self._settings
        rhythm = Rhythm(
            push_every=settings.push_every,
            look_every=settings.look_every,
            watch_every=settings.watch_every,
        )
        reminding = Reminding(first=settings.remind_after, hours=settings.working_hours)
        jobs = [
            Job(name=_INBOX, every=settings.inbox_every, run=self._work_off),
            Job(name=_OUTBOX, every=settings.inbox_every, run=self._send_due),
            Job(name=_MESSAGES, every=settings.look_every, run=self._look_after_messages),
            Job(name=_HOMES, every=settings.inbox_every, run=self._refresh_homes),
            *reconciling(self._world, self._pushing, rhythm),
            *attending(self._world, rhythm, reminding),
            *watching(self._world, self._watch, rhythm, webhook=open_webhook(settings)),
            Job(name="record", every=_RECORD_EVERY, run=self._record.check_newest),
        ]
        if settings.policies_from_store:
            jobs.append(Job(name=_RULES, every=_RULES_EVERY, run=self._follow_store))
        return tuple(jobs)

    def _work_off(self) -> None:
        self._conversation.work_off()

    def _send_due(self) -> None:
        self._conversation.send_due()

    def _look_after_messages(self) -> None:
        self._conversation.look_after_messages()

    def _refresh_homes(self) -> None:
        self._conversation.refresh_homes()

    def _follow_store(self) -> None:
        with self._store.read() as tx:
            newest = tx.policy_load()
        if newest is None or newest.digest == self._rules.current().policies.digest:
            return
        self._rules.switch(load_texts(newest.texts).rules)
        _log.info("policies %s are in force", newest.digest)

    def _reload_folder(self) -> None:
        if self._settings.policies_from_store:
            _log.info("policies come from the store; nothing to read again")
            return
        try:
            _load_and_record(self._settings, self._store, self._rules)
        except FoureyesError as problem:
            _log.error("the policies before stay in force: %s", problem.sentence)


class _Record:
    """Whether the record matches its kept heads: looked at as a whole at start, and at its newest
    head again and again."""

    def __init__(self, world: World, heads: StoppableHeads) -> None:
        self._world = world
        self._heads = heads
        self._whole = True
        self._newest = True

    def holds(self) -> bool:
        """As of the newest comparison."""
        return self._whole and self._newest

    def check_whole(self) -> None:
        """Recompute the tree; a contradiction is announced, and the bot goes on without
        promotions. Raises FoureyesError when the store or the heads cannot be read."""
        problem = self._contradiction()
        self._whole = problem is None
        self._heads.stop(problem)
        if problem is not None:
            _log.critical("the record contradicts its kept heads: %s", problem.sentence)
            reconcile.announce_broken_record(self._world, problem)

    def check_newest(self) -> None:
        """Hold the newest kept head against the log; all of it while it was found broken, to
        notice that an operator recorded the gap."""
        if not self._whole:
            self.check_whole()
        self._newest = reconcile.check_record(self._world)

    def _contradiction(self) -> IntegrityViolation | None:
        try:
            found = verify(self._world.store, self._heads)
        except IntegrityViolation as unreadable:
            return unreadable
        if found.ok:
            _log.info("the record holds: %d records", found.head.size)
            return None
        return IntegrityViolation("record_broken", "; ".join(found.problems))


@contextmanager
def _store(settings: Settings) -> Iterator[SqlStore]:
    store = open_database_to_run(settings)
    try:
        released = store.release_dead_holders()
        if released:
            _log.info("took over %d leases of a process that was killed", released)
        yield store
    finally:
        store.close()


def _rules(settings: Settings, store: SqlStore) -> RulesInForce:
    loaded = load_rules(settings, store)
    rules = RulesInForce(loaded.rules)
    if not settings.policies_from_store:
        _load_and_record(settings, store, rules)
    return rules


def _load_and_record(settings: Settings, store: SqlStore, rules: RulesInForce) -> None:
    """Read the folder, record what differs from the newest load, and only then switch."""
    loaded = load_rules(settings, store)
    for warning in loaded.warnings:
        _log.warning("%s", warning)
    folder = required(settings.policies, "FOUREYES_POLICIES")
    actor = actor_for_record(loaded.rules.roster, current_login())
    done = record_load(store, loaded, actor=actor, git_commit=git_commit(folder), why="")
    for line in done.lines:
        _log.info("policies: %s", line)
    rules.switch(loaded.rules)


@contextmanager
def _signals(*, on_stop: Callable[[], None], on_reload: Callable[[], None]) -> Iterator[None]:
    """SIGTERM and SIGINT stop, SIGHUP reads the policies again; as before afterwards."""
    wanted = {signal.SIGTERM: on_stop, signal.SIGINT: on_stop, signal.SIGHUP: on_reload}
    before = {number: signal.getsignal(number) for number in wanted}
    for number, act in wanted.items():
        signal.signal(number, _handler(act))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _handler(act: Callable[[], None]) -> Callable[[int, FrameType | None], None]:
    def handle(_number: int, _frame: FrameType | None) -> None:
        act()

    return handle
