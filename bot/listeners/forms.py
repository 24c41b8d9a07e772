"""Modals: the promotion form and the comment. Validated on what is there, inside the ack."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from slack_bolt import Ack, App
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot import modals
from bot.block_kit import Block
from bot.intake import Intake
from bot.messages import answer_words, form_words
from bot.typed import prefilled, version_number
from governance.domain.errors import FoureyesError, Refused
from governance.domain.evidence import ModelName, Snapshot, Stage, Version
from governance.domain.policy import ModelPolicy, policy_for
from governance.domain.suggestion import nearest
from governance.ports import VersionSummary
from governance.use_cases.promote import REASON_LIMIT, refuse_bad_reference, refuse_long_text
from governance.use_cases.world import World, require_policy

_log = logging.getLogger("foureyes.forms")
_OFFERED = 100
"""A menu of Slack holds so many choices."""
_WITH_METRICS = 10
"""For so many of the newest versions the headline metrics are read."""

Body = Mapping[str, Any]
"""Slack's own JSON; every value is read by name and checked where it is used."""


@dataclass
class PromoteForm:
    """Opens at once and is filled from MLflow afterwards."""

    world: World
    client: WebClient
    workers: ThreadPoolExecutor

    def open(self, trigger_id: str, typed: str, channel: str) -> None:
        """Open the loading modal with the trigger, then fill it."""
        try:
            opened = self.client.views_open(trigger_id=trigger_id, view=modals.loading_modal())
        except (SlackApiError, OSError) as error:
            _log.warning("a form could not be opened: %s", type(error).__name__)
            return
        self.fill_soon(str(opened["view"]["id"]), typed, channel)

    def open_known(self, trigger_id: str, model: ModelName, version: Version, channel: str) -> None:
        """Open it filled in, from what the store knows: it asks MLflow nothing, so it is there at
        once, and also while MLflow does not answer."""
        try:
            view = self._known(model, version, channel)
        except FoureyesError as problem:
            view = modals.sentence_modal(problem.sentence)
        try:
            self.client.views_open(trigger_id=trigger_id, view=view)
        except (SlackApiError, OSError) as error:
            _log.warning("a form could not be opened: %s", type(error).__name__)

    def _known(self, model: ModelName, version: Version, channel: str) -> Block:
        policy = require_policy(self.world.rules.current(), model)
        if not modals.fits_menu(model):
            raise Refused("names_too_long", answer_words.NAMES_TOO_LONG)
        with self.world.store.read() as tx:
            numbers = sorted({*tx.kept_versions(model), version}, reverse=True)
            described = [n for n in numbers[:_OFFERED] if n != version][:_WITH_METRICS]
            kept = {n: tx.saved_snapshot(model, n) for n in (version, *described)}
            running = {t.version: t.stage for t in tx.tenures(model) if t.ended_at is None}
        known = kept[version]
        stage = running.get(version, known[0].stage if known else Stage.NONE)
        target = policy.next_stage(stage)
        texts = {
            n: _version_line(found[0], running.get(n, found[0].stage), policy)
            for n, found in kept.items()
            if found is not None
        }
        offered = sorted({*numbers[: _OFFERED - 1], version}, reverse=True)
        return modals.promote_modal(
            modals.Choices(
                models=(model,),
                model=model,
                versions=tuple((n, texts.get(n, f"v{n}")) for n in offered),
                version=version,
                stages=tuple(s.value for s in policy.stages),
                stage=target.value if target else None,
                channel=channel,
            )
        )

    def fill_soon(self, view_id: str, typed: str, channel: str) -> None:
        """Fill it beside; when the bot is shutting down, the form says so."""
        try:
            self.workers.submit(self.fill, view_id, typed, channel)
        except RuntimeError:
            self._show(view_id, modals.sentence_modal(answer_words.RESTARTING))

    def fill(self, view_id: str, typed: str, channel: str) -> None:
        """Show what MLflow has, or the sentence that says why not."""
        try:
            with self.world.registry.together():
                choices = self._choices(typed, channel)
            view = modals.promote_modal(choices)
        except FoureyesError as problem:
            view = modals.sentence_modal(problem.sentence)
        except Exception:  # a defect: the person is told, and the log says where
            reference = uuid4().hex[:8]
            _log.exception("defect %s while filling a form", reference)
            view = modals.sentence_modal(answer_words.broke(reference))
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

    def _choices(self, typed: str, channel: str) -> modals.Choices:
        policies = self.world.rules.current().policies
        models = [m for m in self.world.registry.models() if policy_for(policies, m)]
        if not models:
            raise Refused("no_models", "MLflow has no model that a policy governs.")
        if not any(modals.fits_menu(m) for m in models):
            raise Refused("names_too_long", answer_words.NAMES_TOO_LONG)
        model, version, stage = prefilled(typed)
        if model is not None and model not in models:
            meant = nearest(model, [str(m) for m in models])
            hint = f" Did you mean {meant}?" if meant else ""
            listed = ", ".join(models)
            raise Refused(
                "no_such_model", f"There is no governed model {model}.{hint} There are: {listed}."
            )
        chosen = ModelName(model) if model else (models[0] if len(models) == 1 else None)
        versions: tuple[tuple[int, str], ...] = ()
        stages: tuple[str, ...] = ()
        if chosen is not None:
            versions = self._versions(chosen)
            policy = policy_for(policies, chosen)
            stages = tuple(s.value for s in policy.stages) if policy else ()
        return modals.Choices(
            models=tuple(models),
            model=chosen,
            versions=versions,
            version=version,
            stages=stages,
            stage=stage.value if stage else None,
            channel=channel,
        )

    def _versions(self, model: ModelName) -> tuple[tuple[int, str], ...]:
        found = sorted(self.world.registry.versions(model), key=lambda v: -v.version)
        return tuple(
            (v.version, self._describe(model, v, with_metrics=number < _WITH_METRICS))
            for number, v in enumerate(found)
        )

    def _describe(self, model: ModelName, version: VersionSummary, *, with_metrics: bool) -> str:
        text = f"v{version.version} · {version.stage.value}"
        policy = policy_for(self.world.rules.current().policies, model)
        if not with_metrics or policy is None:
            return text
        try:
            snapshot = self.world.registry.snapshot(model, version.version)
        except Refused:
            return f"{text} · its run is gone"
        return _version_line(snapshot, version.stage, policy)


def _version_line(snapshot: Snapshot, stage: Stage, policy: ModelPolicy) -> str:
    """A version as a choice of the menu: its stage, and the metrics that policy names."""
    text = f"v{snapshot.version} · {stage.value}"
    for name in policy.headline:
        metric = snapshot.metric(name)
        if metric is not None and metric.number is not None:
            text += f" · {name} {metric.number:.4g}"
    return text


def register(app: App, intake: Intake, form: PromoteForm) -> None:
    """Add the listeners."""

    def take(kind: str, body: Body, ack: Ack, payload: Mapping[str, str], block: str) -> None:
        try:
            stored = intake.store(kind, str(body["trigger_id"]), payload)
        except FoureyesError:
            ack(response_action="errors", errors={block: answer_words.NOT_STORED})
            return
        ack()
        intake.hand_over(stored)

    @app.action("promote_model")
    def choose_model(body: Body, ack: Ack) -> None:
        ack()
        view = body["view"]
        model = str(body["actions"][0]["selected_option"]["value"])
        channel = str(json.loads(view["private_metadata"])["channel"])
        form.fill_soon(str(view["id"]), model, channel)

    @app.view("promote_form")
    def submitted(body: Body, ack: Ack) -> None:
        view = body["view"]
        about = json.loads(view["private_metadata"])
        values = view["state"]["values"]
        reason = str(values["reason"]["reason"].get("value") or "")
        ticket = str(values["ticket"]["ticket"].get("value") or "")
        errors = text_problems(reason=(reason, REASON_LIMIT)) | reference_problems(ticket=ticket)
        if not reason.strip():
            errors["reason"] = form_words.NO_REASON
        if errors:
            ack(response_action="errors", errors=errors)
            return
        payload = {
            "user": str(body["user"]["id"]),
            "channel": str(about["channel"]),
            "model": str(about["model"]),
            "version": str(values["version"]["version"]["selected_option"]["value"]),
            "stage": str(values["stage"]["stage"]["selected_option"]["value"]),
            "reason": reason,
            "ticket": ticket,
        }
        take("promote_form", body, ack, payload, "reason")

    @app.view("decision")
    def decided(body: Body, ack: Ack) -> None:
        view = body["view"]
        about = json.loads(view["private_metadata"])
        comment = str(view["state"]["values"]["comment"]["comment"].get("value") or "")
        errors = text_problems(comment=(comment, REASON_LIMIT))
        if not comment.strip():
            errors["comment"] = form_words.NO_COMMENT
        if errors:
            ack(response_action="errors", errors=errors)
            return
        payload = {
            "user": str(body["user"]["id"]),
            "channel": str(about["channel"]),
            "request": str(about["request"]),
            "drawing": str(about["drawing"]),
            "verdict": str(about["verdict"]),
            "comment": comment,
        }
        take("decision", body, ack, payload, "comment")

    @app.view("answer")
    def answered(body: Body, ack: Ack) -> None:
        view = body["view"]
        about = json.loads(view["private_metadata"])
        values = view["state"]["values"]
        text = str(values["answer"]["answer"].get("value") or "")
        version = str(values["version"]["version"].get("value") or "").strip()
        errors = text_problems(answer=(text, REASON_LIMIT))
        if not text.strip():
            errors["answer"] = form_words.NO_ANSWER
        if version and version_number(version) is None:
            errors["version"] = form_words.NO_NUMBER
        if errors:
            ack(response_action="errors", errors=errors)
            return
        payload = {
            "user": str(body["user"]["id"]),
            "channel": str(about["channel"]),
            "request": str(about["request"]),
            "shown": str(about.get("shown", "")),
            "answer": text,
            "version": str(version_number(version) or ""),
        }
        take("answer", body, ack, payload, "answer")


def text_problems(**fields: tuple[str, int]) -> dict[str, str]:
    """What is wrong with typed text, by input: field → (text, limit)."""
    found: dict[str, str] = {}
    for name, (text, limit) in fields.items():
        try:
            refuse_long_text(name, text, limit)
        except Refused as refusal:
            found[name] = refusal.sentence
    return found


def reference_problems(**fields: str) -> dict[str, str]:
    """The same of references, which are one line each."""
    found: dict[str, str] = {}
    for name, text in fields.items():
        try:
            refuse_bad_reference(name, text)
        except Refused as refusal:
            found[name] = refusal.sentence
    return found
