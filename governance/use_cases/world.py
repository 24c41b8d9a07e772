"""What every use case works with: the ports, and nothing that decides anything."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

from governance.domain.approval import RequestId
from governance.domain.errors import Conflict, Refused
from governance.domain.evidence import ModelName, Version
from governance.domain.identity import Actor, Person, Standing
from governance.domain.ledger import Event, EventKind
from governance.domain.policy import ModelPolicy, policy_for
from governance.ports import (
    Accounts,
    KeptHeads,
    MetricSources,
    Registry,
    Rules,
    RuleSource,
    ServingProbe,
    Store,
    Traffic,
)

_LOCK_POLL_SECONDS = 0.05


@dataclass(frozen=True, kw_only=True)
class World:
    """The ports, put together once by the composition root."""

    store: Store
    registry: Registry
    rules: RuleSource
    accounts: Accounts
    heads: KeptHeads
    elapsed: Callable[[], float]
    """Seconds on a monotonic clock: measures, never tells the time."""
    holder: str
    """Names this process in locks."""
    pause: Callable[[float], None]
    """Waits so many seconds."""
    traffic: Traffic | None = None
    """Told first when a version is to be served; None where nothing follows it."""
    sources: Callable[[], MetricSources] | None = None
    """Opens predictions and outcomes, which is heavy and so comes when first needed; None where
    nothing is watched. Raises Refused `monitors_not_installed`."""
    probe: ServingProbe | None = None
    """What the serving platform says; None where nothing can be asked."""
    lock_lease: timedelta = timedelta(minutes=2)
    """A crashed holder keeps others waiting this long at most."""
    lock_patience: timedelta = timedelta(seconds=5)

    @contextmanager
    def model_locked(self, model: ModelName) -> Iterator[None]:
        """Hold the lock on a model's transitions. Nothing slow belongs inside: a rollback may be
        waiting for it.

        Raises:
            Conflict: `model_busy` while another transition of the model runs.
        """
        holder = f"{self.holder}:{uuid4().hex}"
        give_up_at = self.elapsed() + self.lock_patience.total_seconds()
        while not self.store.lock_model(model, holder, self.lock_lease):
            if self.elapsed() >= give_up_at:
                raise Conflict(
                    "model_busy",
                    f"Another transition of {model} is running. Try again in a moment.",
                )
            self.pause(_LOCK_POLL_SECONDS)
        try:
            yield
        finally:
            self.store.unlock_model(model, holder)

    @contextmanager
    def refusals_recorded(
        self,
        kind: EventKind,
        actor: Actor,
        *,
        model: ModelName | None = None,
        version: Version | None = None,
        request_id: RequestId | None = None,
    ) -> Iterator[None]:
        """Record a refusal before the person hears of it."""
        try:
            yield
        except Refused as refusal:
            with self.store.transaction() as tx:
                tx.record(
                    Event(
                        kind=kind,
                        at=tx.now,
                        actor=actor,
                        model=model,
                        version=version,
                        request_id=request_id,
                        why=refusal.sentence,
                        facts={"code": refusal.code},
                    )
                )
            raise


def require_policy(rules: Rules, model: ModelName) -> ModelPolicy:
    """The policy of a model.

    Raises:
        Refused: `not_governed`.
    """
    policy = policy_for(rules.policies, model)
    if policy is None:
        governed = ", ".join(sorted(rules.policies.policies)) or "none"
        raise Refused(
            "not_governed",
            f"No policy governs a model named {model}. There are policies for: {governed}.",
        )
    return policy


def require_person(rules: Rules, actor: Actor) -> Person:
    """The person behind an actor.

    Raises:
        Refused: `unknown_account` when nobody of `people.yaml` owns the account.
    """
    person = rules.roster.people.get(actor.person) if actor.person is not None else None
    if person is None:
        raise Refused(
            "unknown_account",
            f"The account {actor.account} belongs to nobody in people.yaml, so it cannot act. "
            "A platform engineer can add it there.",
        )
    return person


def require_standing(standing: Standing) -> None:
    """Refuse an account that Slack does not vouch for.

    Raises:
        Refused: `account_barred`.
    """
    reason = standing.why_barred()
    if reason is not None:
        raise Refused("account_barred", f"Not counted: {reason}.")
