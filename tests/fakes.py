"""In-memory ports that keep the real ones' promises, with switches for what goes wrong."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace

from governance.domain.errors import Refused, Unavailable
from governance.domain.evidence import Content, ModelName, Snapshot, Stage, Version
from governance.domain.identity import SlackAccount, Standing, UserGroup
from governance.ports import MetricPoint, ProductionState, Rules, VersionSummary


class Crash(BaseException):
    """The process ends here: no handler, no rollback of what the registry already did."""


@dataclass
class FakeRegistry:
    """One registry. `fail_before` loses the next transitions; `fail_after` makes them and reports
    them lost; `crash_before` and `crash_after` end the process there."""

    snapshots: dict[tuple[ModelName, Version], Snapshot] = field(default_factory=dict)
    contents: dict[tuple[ModelName, Version], Content] = field(default_factory=dict)
    aliases: dict[ModelName, Version] = field(default_factory=dict)
    is_down: bool = False
    fail_before: int = 0
    fail_after: int = 0
    crash_before: int = 0
    crash_after: int = 0
    before_answer: Callable[[], None] | None = None
    """What a slow server does first."""
    transitions: list[tuple[ModelName, Version, Stage]] = field(default_factory=list)
    points: dict[tuple[ModelName, Version, str], tuple[MetricPoint, ...]] = field(
        default_factory=dict
    )
    files: dict[tuple[ModelName, Version, str], bytes] = field(default_factory=dict)
    is_read_only: bool = False
    proofs: list[tuple[ModelName, str]] = field(default_factory=list)

    def add(self, snapshot: Snapshot, content: Content) -> None:
        """Register a version."""
        self.snapshots[snapshot.model, snapshot.version] = snapshot
        self.contents[snapshot.model, snapshot.version] = content

    def change(self, model: ModelName, version: int, **changes: object) -> None:
        """Somebody changes what MLflow says of a version."""
        key = (model, Version(version))
        self.snapshots[key] = replace(self.snapshots[key], **changes)  # type: ignore[arg-type]  # a table of changes

    def together(self) -> AbstractContextManager[None]:
        """It answers at once."""
        return nullcontext()

    def server_version(self) -> str:
        """A supported one."""
        self._answer()
        return "3.17.2"

    def models(self) -> tuple[ModelName, ...]:
        """All registered models, by name."""
        self._answer()
        return tuple(sorted({model for model, _version in self.snapshots}))

    def versions(self, model: ModelName) -> tuple[VersionSummary, ...]:
        """Every version, ascending."""
        if model not in self.models():
            raise Refused("no_such_model", f"MLflow has no registered model named {model}.")
        return tuple(
            VersionSummary(
                version=s.version,
                stage=s.stage,
                run_id=s.run_id,
                registered_at=s.registered_at,
            )
            for (name, _version), s in sorted(self.snapshots.items())
            if name == model
        )

    def snapshot(self, model: ModelName, version: Version) -> Snapshot:
        """What is said of one version now."""
        self._answer()
        found = self.snapshots.get((model, version))
        if found is None:
            raise self._no_such_version(model, version)
        return found

    def content(
        self, model: ModelName, version: Version, *, progress: Callable[[int, int], None]
    ) -> Content:
        """The files of a version."""
        self._answer()
        found = self.contents.get((model, version))
        if found is None:
            raise self._no_such_version(model, version)
        total = sum(f.size_bytes for f in found.files)
        progress(total, total)
        return found

    def content_to_show(
        self, model: ModelName, version: Version, *, progress: Callable[[int, int], None]
    ) -> Content:
        """The same: there is nothing to remember."""
        return self.content(model, version, progress=progress)

    def production(self, model: ModelName) -> ProductionState:
        """By stage and by alias."""
        self._answer()
        staged = sorted(
            v
            for (name, v), s in self.snapshots.items()
            if name == model and s.stage is Stage.PRODUCTION
        )
        return ProductionState(staged=tuple(staged), alias=self.aliases.get(model))

    def is_in_production(self, state: ProductionState, version: Version) -> bool:
        """Alone there, and the alias too."""
        return state.staged == (version,) and state.alias == version

    def set_production(self, model: ModelName, version: Version) -> ProductionState:
        """Archive the others, move this one, set the alias."""
        self._before(model, version)
        for name, other in list(self.snapshots):
            if name == model and self.snapshots[name, other].stage is Stage.PRODUCTION:
                self.change(model, other, stage=Stage.ARCHIVED)
        self.change(model, version, stage=Stage.PRODUCTION)
        self.aliases[model] = version
        self.transitions.append((model, version, Stage.PRODUCTION))
        self._after()
        return self.production(model)

    def set_staging(self, model: ModelName, version: Version) -> Stage:
        """Move this one; nothing is archived."""
        self._before(model, version)
        self.change(model, version, stage=Stage.STAGING)
        self.transitions.append((model, version, Stage.STAGING))
        self._after()
        return Stage.STAGING

    def metric_points(
        self, model: ModelName, version: Version, metric: str
    ) -> tuple[MetricPoint, ...]:
        """What was logged to the run."""
        self.snapshot(model, version)
        return self.points.get((model, version, metric), ())

    def run_file(self, model: ModelName, version: Version, path: str, *, max_bytes: int) -> bytes:
        """One file of the run."""
        self.snapshot(model, version)
        found = self.files.get((model, version, path))
        if found is None:
            raise Refused("no_such_file", f"The run has no artifact {path}.")
        if len(found) > max_bytes:
            raise Refused("too_large", f"{path} has {len(found)} bytes.")
        return found

    def prove_writable(self, model: ModelName, proof: str) -> None:
        """A tag that decides nothing."""
        self._answer()
        if self.is_read_only:
            raise Refused("not_permitted", "MLflow lets Foureyes write nothing.")
        if model not in self.models():
            raise Refused("no_such_model", f"MLflow has no registered model named {model}.")
        self.proofs.append((model, proof))

    def _answer(self) -> None:
        if self.before_answer is not None:
            self.before_answer()
        if self.is_down:
            raise Unavailable("registry_unavailable", "MLflow does not answer.")

    def _before(self, model: ModelName, version: Version) -> None:
        self._answer()
        if self.crash_before > 0:
            self.crash_before -= 1
            raise Crash
        if self.fail_before > 0:
            self.fail_before -= 1
            raise Unavailable("registry_unavailable", "MLflow does not answer.")
        if (model, version) not in self.snapshots:
            raise self._no_such_version(model, version)

    def _after(self) -> None:
        if self.crash_after > 0:
            self.crash_after -= 1
            raise Crash
        if self.fail_after > 0:
            self.fail_after -= 1
            raise Unavailable("registry_unavailable", "MLflow does not answer.")

    def _no_such_version(self, model: ModelName, version: Version) -> Refused:
        return Refused("no_such_version", f"MLflow has no version {version} of {model}.")


@dataclass
class FakeAccounts:
    """A workspace in which everybody stands, save those in `gone`."""

    gone: set[str] = field(default_factory=set)
    no_channels: set[str] = field(default_factory=set)
    zones: dict[str, str] = field(default_factory=dict)
    is_down: bool = False
    groups: dict[str, set[str]] = field(default_factory=dict)
    """Members of user groups; one that is not here has none."""
    groups_are_down: bool = False
    groups_asked: int = 0
    """How often somebody asked for a group."""

    def members(self, group: UserGroup) -> frozenset[str]:
        """Who is in a user group now."""
        self.groups_asked += 1
        if self.is_down or self.groups_are_down:
            raise Unavailable("workspace_unavailable", "Slack does not answer.")
        return frozenset(self.groups.get(group, ()))

    def members_shown(self, group: UserGroup) -> frozenset[str] | None:
        """The same for showing."""
        return None if self.is_down or self.groups_are_down else self.members(group)

    def standing(self, account: str) -> Standing:
        """What Slack says of an account now."""
        if self.is_down:
            raise Unavailable("workspace_unavailable", "Slack does not answer.")
        return Standing(
            account=SlackAccount(account),
            deleted=account in self.gone,
            is_bot=False,
            is_guest=False,
            same_workspace=True,
        )

    def time_zone(self, account: str) -> str:
        """As a test says, else UTC."""
        if self.is_down:
            raise Unavailable("workspace_unavailable", "Slack does not answer.")
        return self.zones.get(account, "UTC")

    def verify_channel(self, channel: str) -> None:
        """Every channel is there, save those in `no_channels`."""
        if self.is_down:
            raise Unavailable("workspace_unavailable", "Slack does not answer.")
        if channel in self.no_channels:
            raise Refused("no_such_channel", f"There is no channel {channel}.")


@dataclass
class FixedRules:
    """Rules that a test replaces."""

    rules: Rules

    def current(self) -> Rules:
        """The rules in force."""
        return self.rules
