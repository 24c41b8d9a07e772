"""The same story whichever means a bank has chosen for what is in Production: MLflow's stage, the
alias, or both. On a real server, because the difference is made there."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from bot.messages.answer_words import restored_text
from bot.messages.model_words import card_text
from governance.adapters.mlflow_registry import MlflowRegistry
from governance.domain.approval import Verdict
from governance.domain.errors import Refused
from governance.domain.evidence import ModelName, Stage, Version
from governance.domain.ledger import EventKind
from governance.domain.promotion import Request, State
from governance.use_cases import reconcile, roll_back
from governance.use_cases.decide import Ballot, decide
from governance.use_cases.draft import Wish
from governance.use_cases.inspect import model_card
from governance.use_cases.promote import promote
from governance.use_cases.restore import Restored
from governance.use_cases.world import World
from tests.builders import a_policy, a_rule, some_rules
from tests.fakes import FixedRules
from tests.mlflow_server import RealMlflow
from tests.stories.desk import Desk

ONE, TWO, THREE = Version(1), Version(2), Version(3)


@dataclass(frozen=True)
class Bank:
    """One way of writing, and a model whose v1 is in production from before Foureyes."""

    desk: Desk
    world: World
    model: ModelName

    def promote(self, version: Version, target: Stage | None = None) -> Request:
        """Dana asks, Ana and Raj approve, and it is carried out."""
        dana = self.desk.actor("dana")
        request = promote(
            self.world,
            Wish(model=self.model, version=version, target=target, reason="better"),
            actor=dana,
            standing=self.desk.accounts.standing(dana.account),
            progress=lambda _done, _total: None,
        )
        for name in ("ana", "raj"):
            actor = self.desk.actor(name)
            with self.world.store.read() as tx:
                drawing = tx.request(request.id).drawing
            decide(
                self.world,
                Ballot(request_id=request.id, verdict=Verdict.APPROVE, comment="", drawing=drawing),
                actor=actor,
                standing=self.desk.accounts.standing(actor.account),
            )
        reconcile.push_on(self.world)
        with self.world.store.read() as tx:
            done = tx.request(request.id)
        assert done.state is State.COMPLETED, done.note
        return done

    def roll_back(self) -> Restored:
        """Otto types the command and clicks the button."""
        otto = self.desk.actor("otto")
        standing = self.desk.accounts.standing(otto.account)
        offer = roll_back.offer(self.world, self.model, actor=otto, standing=standing)
        assert offer.target is not None
        order = roll_back.Order(
            model=self.model, from_version=offer.current, to_version=offer.target, why="bad"
        )
        return roll_back.roll_back(self.world, order, actor=otto, standing=standing)

    def card(self) -> list[str]:
        """The first lines of what `/model` says."""
        return card_text(model_card(self.world, self.model), self.world).splitlines()


@pytest.fixture(params=["both", "stage", "alias"])
def bank(request: pytest.FixtureRequest, desk: Desk, real_mlflow: RealMlflow) -> Bank:
    """Each way of writing."""
    model = ModelName(real_mlflow.new_model(3))
    by_stage, by_alias = request.param != "alias", request.param != "stage"
    if by_stage:
        real_mlflow.client.transition_model_version_stage(model, "1", "Production")
    if by_alias:
        real_mlflow.client.set_registered_model_alias(model, "champion", "1")
    policy = replace(
        a_policy(a_rule(Stage.STAGING, seats=a_rule().seats), a_rule()),
        model=model,
        pattern=model,
    )
    world = replace(
        desk.world,
        registry=MlflowRegistry(real_mlflow.uri, write_stage=by_stage, write_alias=by_alias),
        rules=FixedRules(some_rules(policy)),
    )
    reconcile.look_around(world)
    return Bank(desk=desk, world=world, model=model)


def test_a_version_goes_through_staging_to_production_and_back(bank: Bank) -> None:
    """With one value for what is in Production in every sentence and in the record."""
    assert bank.card()[1].startswith("Production: v1")
    assert bank.promote(TWO).target is Stage.STAGING
    card = bank.card()
    assert card[1].startswith("Production: v1")
    assert "Staging: v2" in card
    assert "approved by Ana" in card[card.index("Staging: v2") + 1]
    assert bank.promote(TWO).target is Stage.PRODUCTION
    card = bank.card()
    assert card[1].startswith("Production: v2")
    assert "approved by Ana" in card[2]
    assert "Staging: nothing" in card
    with pytest.raises(Refused, match=r"v2 of .* is already in Production"):
        bank.promote(TWO)
    restored = bank.roll_back()
    assert restored_text(restored, is_compared=True).startswith("MLflow Production is v1 (was v2)")
    reconcile.look_around(bank.world)
    reconcile.push_on(bank.world)
    assert bank.card()[1].startswith("Production: v1")
    kinds = bank.desk.kinds()
    assert EventKind.CHANGED_ELSEWHERE.value not in kinds
    assert kinds.count(EventKind.TRANSITION_DONE.value) == 2
    assert kinds.count(EventKind.ROLLBACK_DONE.value) == 1


def test_a_change_made_elsewhere_by_the_means_that_leads_is_recorded(
    bank: Bank, real_mlflow: RealMlflow
) -> None:
    """And told as a move of what is in Production."""
    if bank.world.registry.production(bank.model).alias is None:
        real_mlflow.client.transition_model_version_stage(bank.model, "3", "Production")
    else:
        real_mlflow.client.set_registered_model_alias(bank.model, "champion", "3")
    reconcile.look_around(bank.world)
    assert bank.desk.kinds().count(EventKind.CHANGED_ELSEWHERE.value) == 1
    with bank.world.store.read() as tx:
        observed = tx.observed(bank.model)
    assert observed is not None
    assert THREE in (*observed.production, observed.alias)
