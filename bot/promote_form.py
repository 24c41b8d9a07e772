"""The form of a promotion: opened at once, and filled with what there is to promote."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot import modals
from bot.block_kit import MENU_HOLDS, Block
from bot.late_modal import LateModal
from bot.messages import answer_words, form_words
from bot.typed import prefilled
from governance.domain.errors import FoureyesError, Refused
from governance.domain.evidence import ModelName, Snapshot, Stage, Version
from governance.domain.policy import ModelPolicy, policy_for
from governance.domain.promotion import Request
from governance.domain.suggestion import nearest
from governance.ports import Rules, Transaction, VersionSummary
from governance.use_cases.world import World, require_policy

_log = logging.getLogger("foureyes.forms")
_ELSEWHERE = 5
"""So many newer versions are named that have to be promoted first."""
_WITH_METRICS = 10
"""For so many of the newest versions the headline metrics are read."""


@dataclass
class PromoteForm:
    """Opens at once and is filled from MLflow afterwards."""

    world: World
    client: WebClient
    workers: ThreadPoolExecutor

    def open(self, trigger_id: str, typed: str, channel: str) -> None:
        """Open the loading modal with the trigger, then fill it."""
        self._modal().open(trigger_id, lambda: self._drawn(typed, channel))

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
            known = tx.saved_snapshot(model, version)
            others = tx.kept_versions(model) - {version}
            offered = {version, *sorted(others, reverse=True)[: MENU_HOLDS - 1]}
            versions = described(tx, policy, offered, first=version)
            stage = _stages_of(tx, model).get(version, known[0].stage if known else Stage.NONE)
        target = policy.next_stage(stage)
        return modals.promote_modal(
            modals.Choices(
                models=(model,),
                model=model,
                versions=versions,
                version=version,
                stages=tuple(s.value for s in policy.stages),
                stage=target.value if target else None,
                channel=channel,
            )
        )

    def fill_soon(self, view_id: str, typed: str, channel: str) -> None:
        """Fill it again, about what was typed or chosen."""
        self._modal().fill_soon(view_id, lambda: self._drawn(typed, channel))

    def _modal(self) -> LateModal:
        return LateModal(
            self.client,
            self.workers,
            loading=modals.loading_modal,
            sentence=modals.sentence_modal,
        )

    def _drawn(self, typed: str, channel: str) -> Block:
        """What MLflow has to choose from."""
        with self.world.registry.together():
            choices = self._choices(typed, channel)
        return modals.promote_modal(choices)

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


@dataclass(frozen=True, kw_only=True)
class Newer:
    """Versions newer than a request's, newest first."""

    offered: tuple[tuple[Version, str], ...] = ()
    """Those that could follow it now, as choices of a menu."""
    elsewhere: tuple[str, ...] = ()
    """Those that are in a stage from which policy takes none: each with its next step."""


def newer_versions(tx: Transaction, rules: Rules, request: Request) -> Newer:
    """What could answer a request for changes, and what could once it was promoted."""
    policy = require_policy(rules, request.model)
    rule = policy.rule(request.target)
    stages = _stages_seen(tx, request.model)
    newer = sorted(
        (n for n in tx.kept_versions(request.model) if n > request.version), reverse=True
    )
    fits = {n for n in newer if rule and stages.get(n, Stage.NONE) in rule.from_stages}
    return Newer(
        offered=described(tx, policy, fits, first=None),
        elsewhere=tuple(
            form_words.newer_elsewhere(
                request, n, stage, policy.stage_before(request.target, stage)
            )
            for n in [n for n in newer if n not in fits][:_ELSEWHERE]
            for stage in (stages.get(n, Stage.NONE),)
        ),
    )


def _stages_seen(tx: Transaction, model: ModelName) -> Mapping[Version, Stage]:
    """Of versions in any stage but None, as MLflow showed them last."""
    seen = tx.observed(model)
    return _stages_of(tx, model) if seen is None else seen.stages


def described(
    tx: Transaction, policy: ModelPolicy, versions: Collection[Version], *, first: Version | None
) -> tuple[tuple[Version, str], ...]:
    """Versions as choices of a menu, newest first, from what the store knows: the newest of them,
    and `first`, with their metrics."""
    running = _stages_of(tx, policy.model)
    ordered = sorted(versions, reverse=True)
    with_metrics = {first, *[n for n in ordered if n != first][:_WITH_METRICS]}
    texts: dict[Version, str] = {}
    for number in ordered:
        kept = tx.saved_snapshot(policy.model, number) if number in with_metrics else None
        if kept is not None:
            texts[number] = _version_line(kept[0], running.get(number, kept[0].stage), policy)
    return tuple((n, texts.get(n, f"v{n}")) for n in ordered)


def _stages_of(tx: Transaction, model: ModelName) -> Mapping[Version, Stage]:
    return {t.version: t.stage for t in tx.tenures(model) if t.ended_at is None}


def _version_line(snapshot: Snapshot, stage: Stage, policy: ModelPolicy) -> str:
    """A version as a choice of the menu: its stage, and the metrics that policy names."""
    text = f"v{snapshot.version} · {stage.value}"
    for name in policy.headline:
        metric = snapshot.metric(name)
        if metric is not None and metric.number is not None:
            text += f" · {name} {metric.number:.4g}"
    return text
