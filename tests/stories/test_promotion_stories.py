"""What happens to a request, each as one story that ends in the record."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot.messages.model_words import card_text
from bot.messages.request_words import warning_lines
from governance.domain.approval import Verdict
from governance.domain.checks import Outcome, Situation, evaluate
from governance.domain.errors import Conflict, IntegrityViolation, Refused, Unavailable
from governance.domain.evidence import MetricOrigin, ModelName, Stage, Version
from governance.domain.identity import Role
from governance.domain.ledger import EventKind
from governance.domain.policy import Seats, StageRule, ValidatedAfterStaging
from governance.domain.promotion import State
from governance.ports import NoticeKind
from governance.use_cases import execute
from governance.use_cases.audit import render_trail, verify
from governance.use_cases.draft import Wish
from governance.use_cases.inspect import model_card
from governance.use_cases.promote import promote
from tests.builders import MODEL, a_content, a_metric, a_policy, a_rule, a_snapshot, some_rules
from tests.stories.desk import Desk


def test_two_distinct_eligible_people_promote_a_version(desk: Desk) -> None:
    """Request, two approvals, transition, and a complete record that verifies."""
    done = desk.promoted()
    assert desk.production() == (4,)
    assert desk.registry.aliases[MODEL] == 4
    assert desk.registry.snapshot(MODEL, Version(3)).stage is Stage.ARCHIVED
    kinds = desk.kinds()
    wanted = [
        EventKind.VERSION_ADOPTED,
        EventKind.REQUEST_OPENED,
        EventKind.DECISION_MADE,
        EventKind.DECISION_MADE,
        EventKind.TRANSITION_INTENDED,
        EventKind.TRANSITION_DONE,
    ]
    assert [k for k in kinds if k in wanted] == [k.value for k in wanted]
    assert verify(desk.store, desk.heads).ok
    decided = [e for e in desk.events() if e["kind"] == EventKind.DECISION_MADE.value]
    assert [e["person"] for e in decided] == ["ana", "raj"]
    assert all(e["request"] == done.id for e in decided)


@pytest.mark.parametrize("target", [Stage.PRODUCTION, None])
def test_without_a_stage_the_next_one_that_policy_allows_is_meant(
    desk: Desk, target: Stage | None
) -> None:
    """v4 is in Staging, so Production is next."""
    assert desk.promote(target=target).target is Stage.PRODUCTION


def test_a_target_without_seats_executes_at_once_and_archives_nothing(desk: Desk) -> None:
    """Staging takes several versions, and no alias moves."""
    request = desk.promote(5, target=Stage.STAGING)
    assert request.state is State.APPROVED
    desk.push_on()
    assert desk.request(request.id).state is State.COMPLETED
    assert desk.registry.snapshot(MODEL, Version(4)).stage is Stage.STAGING
    assert desk.registry.snapshot(MODEL, Version(5)).stage is Stage.STAGING
    assert desk.registry.aliases[MODEL] == 3


def test_author_cannot_approve_own_request(desk: Desk) -> None:
    """Denied, told why, and recorded."""
    request = desk.promote()
    with pytest.raises(Refused, match="opened this request") as refusal:
        desk.vote(request, "dana")
    assert refusal.value.code == "separation_of_duties"
    last = desk.events()[-1]
    assert (last["kind"], last["person"]) == (EventKind.DECISION_REFUSED.value, "dana")


def test_author_is_barred_when_somebody_else_asks(desk: Desk) -> None:
    """Ana made v4; Vera asks for it; Ana is barred, Vera too."""
    desk.registry.change(MODEL, 4, author_claims=a_snapshot(author="ana").author_claims)
    request = desk.promote(by="vera")
    with pytest.raises(Refused, match="made this version"):
        desk.vote(request, "ana")
    with pytest.raises(Refused, match="opened this request"):
        desk.vote(request, "vera")


def test_one_person_with_two_accounts_is_counted_once(desk: Desk) -> None:
    """Votes are keyed by person."""
    request = desk.promote()
    desk.vote(request, "rosa")
    with pytest.raises(Refused, match="already counted"):
        desk.vote(request, "rosa")
    assert desk.request(request.id).state is State.PENDING


def test_one_person_with_two_roles_fills_one_seat(desk: Desk) -> None:
    """Rosa is validator and risk; she is not two people."""
    request = desk.promote()
    desk.vote(request, "rosa")
    assert desk.request(request.id).state is State.PENDING
    desk.vote(request, "ana")
    assert desk.request(request.id).state is State.APPROVED


def test_an_account_of_nobody_cannot_vote(desk: Desk) -> None:
    """Mallory is in Slack, and not in people.yaml."""
    request = desk.promote()
    with pytest.raises(Refused, match="belongs to nobody"):
        desk.vote(request, "mallory")


def test_a_deactivated_account_cannot_vote(desk: Desk) -> None:
    """Slack says deleted."""
    request = desk.promote()
    desk.accounts.gone.add("U0ANA")
    with pytest.raises(Refused, match="deactivated"):
        desk.vote(request, "ana")


def test_somebody_without_an_asked_role_has_no_seat(desk: Desk) -> None:
    """Otto is on call, and nothing else."""
    request = desk.promote()
    with pytest.raises(Refused, match="risk or validator"):
        desk.vote(request, "otto")


def test_a_role_given_after_opening_does_not_count_for_that_request(desk: Desk) -> None:
    """Otto becomes validator at noon; the request is from the morning."""
    request = desk.promote()
    desk.with_roles("otto", "on_call", "validator")
    with pytest.raises(Refused, match="when it was opened"):
        desk.vote(request, "otto")


def test_an_account_given_after_opening_does_not_count_for_that_request(desk: Desk) -> None:
    """Ana's second account was added later."""
    request = desk.promote()
    with pytest.raises(Refused, match="added to people"):
        desk.vote(request, "ana", account="U0ANA2")


def test_approve_withdraw_approve_is_legal(desk: Desk) -> None:
    """Each is one record."""
    request = desk.promote()
    desk.vote(request, "ana")
    desk.withdraw_vote(request, "ana")
    desk.vote(request, "ana")
    desk.vote(request, "raj")
    assert desk.request(request.id).state is State.APPROVED
    assert desk.kinds().count(EventKind.DECISION_WITHDRAWN.value) == 1


def test_ask_for_changes_keeps_the_request_open_and_can_become_an_approval(desk: Desk) -> None:
    """Ask, then approve; the requester is told what is asked."""
    request = desk.promote()
    desk.vote(request, "ana", Verdict.ASK_FOR_CHANGES, "Which data?")
    assert desk.request(request.id).state is State.PENDING
    told = [n for n in desk.notices() if n.what == "changes_asked"]
    assert [(n.person, n.facts["comment"]) for n in told] == [("dana", "Which data?")]
    desk.vote(request, "ana")
    desk.vote(request, "raj")
    assert desk.request(request.id).state is State.APPROVED


@pytest.mark.parametrize("verdict", [Verdict.REJECT, Verdict.ASK_FOR_CHANGES])
def test_saying_no_needs_a_comment(desk: Desk, verdict: Verdict) -> None:
    """The requester cannot act on silence."""
    request = desk.promote()
    with pytest.raises(Refused, match="Say what is wrong"):
        desk.vote(request, "ana", verdict, "  ")


def test_a_rejection_ends_the_request_with_its_comment(desk: Desk) -> None:
    """rejections_to_end is 1."""
    request = desk.promote()
    desk.vote(request, "raj", Verdict.REJECT, "Show me the bads.")
    ended = desk.request(request.id)
    assert (ended.state, ended.note) == (State.REJECTED, "Show me the bads.")
    with pytest.raises(Refused, match="rejected"):
        desk.vote(request, "ana")


def test_several_rejections_are_needed_where_policy_says_so(desk: Desk) -> None:
    """rejections_to_end: 2."""
    policy = a_policy(a_rule(Stage.STAGING), a_rule(rejections_to_end=2))
    desk.rules.rules = some_rules(policy)
    request = desk.promote()
    desk.vote(request, "raj", Verdict.REJECT, "no")
    assert desk.request(request.id).state is State.PENDING
    desk.vote(request, "ana", Verdict.REJECT, "no")
    assert desk.request(request.id).state is State.REJECTED


def test_a_click_on_an_older_drawing_is_not_counted(desk: Desk) -> None:
    """The evidence changed after the message was drawn."""
    request = desk.promote()
    desk.registry.change(MODEL, 4, metrics=(a_metric(text="0.91"),))
    desk.look_around()
    with pytest.raises(Conflict, match=r"not counted.*auc_validation: 0\.78 → 0\.91"):
        desk.vote(request, "ana", drawing=request.drawing)
    with desk.store.read() as tx:
        assert tx.decisions(request.id) == ()


def test_only_the_requester_withdraws_a_request(desk: Desk) -> None:
    """Ana may reject, not withdraw."""
    request = desk.promote()
    with pytest.raises(Refused, match="Only Dana"):
        desk.withdraw(request, "ana")
    assert desk.withdraw(request, "dana").state is State.WITHDRAWN


@pytest.mark.parametrize(("seconds", "expired"), [(-1, False), (0, True)])
def test_votes_stop_at_the_boundary_of_expiry(desk: Desk, seconds: int, expired: bool) -> None:
    """Expired when now ≥ expires_at."""
    request = desk.promote()
    desk.clock.now = request.expires_at + timedelta(seconds=seconds)
    if expired:
        with pytest.raises(Refused, match="expired"):
            desk.vote(request, "ana")
        desk.push_on()
        assert desk.request(request.id).state is State.EXPIRED
    else:
        desk.vote(request, "ana")


def test_only_those_who_could_fill_a_seat_are_asked(desk: Desk) -> None:
    """Neither the maker nor Otto, and nobody twice."""
    desk.promote()
    asked = [n.person for n in desk.notices() if n.kind is NoticeKind.ASK]
    assert sorted(str(p) for p in asked) == ["ana", "raj", "rosa", "vera"]


def test_a_request_that_nobody_could_approve_is_refused_before_anyone_is_asked(desk: Desk) -> None:
    """Raj and Rosa are the only risk officers, and they made it together."""
    makers = (*a_snapshot(author="raj").author_claims, *a_snapshot(author="rosa").author_claims)
    desk.registry.change(MODEL, 4, author_claims=makers)
    with pytest.raises(Refused, match="Nobody is left to approve this as risk"):
        desk.promote()
    assert [n for n in desk.notices() if n.kind is NoticeKind.ASK] == []


def test_a_failed_check_refuses_before_anyone_is_asked(desk: Desk) -> None:
    """The finding is in the sentence."""
    desk.registry.change(MODEL, 4, metrics=(a_metric(text="0.5"),))
    with pytest.raises(Refused, match=r"auc_validation is 0\.5"):
        desk.promote()
    assert [n for n in desk.notices() if n.kind is NoticeKind.ASK] == []


@pytest.mark.parametrize("text", ["nan", "inf"])
def test_a_metric_that_is_no_number_never_passes(desk: Desk, text: str) -> None:
    """Refused, never treated as true."""
    desk.registry.change(MODEL, 4, metrics=(a_metric(text=text),))
    with pytest.raises(Refused, match="no number to compare"):
        desk.promote()


def test_a_downgrade_has_to_be_said(desk: Desk) -> None:
    """v2 is older than v3 in Production."""
    desk.registry.add(a_snapshot(2), a_content(2))
    desk.staged(2)
    with pytest.raises(Refused, match="/rollback credit_scoring 2"):
        desk.promote(2)
    request = desk.promote(2, downgrade=True)
    assert request.is_downgrade
    (warning,) = warning_lines(request)
    assert "A downgrade: v2 is older than v3" in warning


def test_the_same_request_is_not_opened_twice(desk: Desk) -> None:
    """One open request for one model, version and target."""
    desk.promote()
    with pytest.raises(Conflict, match="open already"):
        desk.promote(by="vera")


def test_the_winner_supersedes_the_other_request(desk: Desk) -> None:
    """v5's approvers compared against v3."""
    desk.staged(5)
    other = desk.promote(5)
    desk.promoted(4)
    ended = desk.request(other.id)
    assert ended.state is State.SUPERSEDED
    assert "v4 went to Production first" in ended.note


def test_held_until_the_soak_time_is_over(desk: Desk) -> None:
    """Approved, waiting; executes by itself when the time has come, not a second before."""
    desk.rules.rules = some_rules(a_policy(a_rule(Stage.STAGING), a_rule(soak=timedelta(hours=1))))
    request = desk.promote()
    desk.vote(request, "ana")
    assert desk.vote(request, "raj").state is State.HELD
    desk.clock.advance(seconds=3599)
    desk.push_on()
    assert desk.request(request.id).state is State.HELD
    desk.clock.advance(seconds=1)
    desk.push_on()
    assert desk.request(request.id).state is State.COMPLETED


def test_a_validation_that_arrives_later_releases_the_request_and_voids_nothing(
    desk: Desk,
) -> None:
    """A claim from a validator's run that started after the version entered Staging."""
    check = ValidatedAfterStaging(metric="auc_fresh", limit=0.7, role=Role("validator"))
    desk.rules.rules = some_rules(a_policy(a_rule(Stage.STAGING), a_rule(checks=(check,))))
    request = desk.promote()
    desk.vote(request, "raj")
    assert desk.vote(request, "ana").state is State.HELD
    made_by_dana = a_metric(
        "auc_fresh", "0.9", run_id="x", run_user="dana", run_started_at=desk.clock.now
    )
    desk.clock.advance(minutes=5)
    fresh = replace(made_by_dana, run_user="vera", run_started_at=desk.clock.now, run_id="y")
    own = a_snapshot().metrics
    desk.registry.change(MODEL, 4, metrics=(*own, made_by_dana))
    desk.look_around()
    assert desk.request(request.id).state is State.HELD
    desk.registry.change(MODEL, 4, metrics=(*own, made_by_dana, fresh))
    desk.look_around()
    desk.push_on()
    assert desk.request(request.id).state is State.COMPLETED
    assert EventKind.VOTES_VOIDED.value not in desk.kinds()


def test_a_check_that_fails_at_execution_voids_the_request(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same evidence, judged more strictly by the Foureyes that was installed meanwhile."""
    request = desk.promote()
    desk.vote(request, "raj")
    desk.vote(request, "ana")

    def stricter(rule: StageRule, situation: Situation, *, now: datetime) -> object:
        return tuple(
            replace(c, outcome=Outcome.FAILED, finding="not by this measure")
            for c in evaluate(rule, situation, now=now)
        )

    monkeypatch.setattr(execute, "evaluate", stricter)
    desk.push_on()
    ended = desk.request(request.id)
    assert ended.state is State.VOIDED
    assert "not by this measure" in ended.note
    assert desk.production() == (3,)


def test_two_versions_in_production_stop_a_request_before_and_after_it_is_approved(
    desk: Desk,
) -> None:
    """Nobody knows what it would be compared with; an owner has to heal it first."""
    request = desk.promote()
    desk.vote(request, "ana")
    desk.vote(request, "raj")
    desk.registry.change(MODEL, 5, stage=Stage.PRODUCTION)
    desk.push_on()
    ended = desk.request(request.id)
    assert (ended.state, ended.note) == (
        State.VOIDED,
        "More than one version is in Production in MLflow.",
    )
    with pytest.raises(Refused, match="v3 and v5 of credit_scoring in Production at once"):
        desk.promote()
    assert desk.registry.transitions == []


def test_a_request_for_staging_outlives_a_change_of_production(desk: Desk) -> None:
    """Its comparison is shown and binds nothing."""
    seats = (Seats(role=Role("risk"), count=1),)
    desk.rules.rules = some_rules(a_policy(a_rule(Stage.STAGING, seats=seats), a_rule()))
    request = desk.promote(5, target=Stage.STAGING)
    assert request.binding.expected_production is None
    desk.promoted(4)
    desk.look_around()
    desk.vote(request, "raj")
    desk.push_on()
    assert desk.request(request.id).state is State.COMPLETED


def test_an_account_that_slack_bars_asks_for_nothing(desk: Desk) -> None:
    """Neither for a promotion nor for a rollback; both are recorded."""
    desk.promoted()
    desk.accounts.gone |= {"U0DANA", "U0OTTO"}
    for ask in (lambda: desk.promote(5), desk.roll_back, desk.offer):
        with pytest.raises(Refused, match="deactivated"):
            ask()
    kinds = desk.kinds()
    assert kinds.count(EventKind.REQUEST_REFUSED.value) == 1
    assert kinds.count(EventKind.ROLLBACK_REFUSED.value) == 2
    assert desk.production() == (4,)


def test_evidence_changed_while_open_voids_the_votes_and_not_the_request(desk: Desk) -> None:
    """Voters are told; the message is another drawing."""
    request = desk.promote()
    desk.vote(request, "ana")
    desk.registry.change(MODEL, 4, metrics=(a_metric(text="0.91"),))
    desk.look_around()
    again = desk.request(request.id)
    assert again.state is State.PENDING
    assert again.drawing != request.drawing
    assert again.note == (
        "What it claims changed: metric auc_validation: 0.78 → 0.91. 1 vote is void. Look again."
    )
    (told,) = [n for n in desk.notices() if n.what == "vote_voided"]
    assert told.person == "ana"
    assert str(told.facts["why"]).endswith("auc_validation: 0.78 → 0.91")
    desk.vote(request, "ana")
    desk.vote(request, "raj")
    desk.push_on()
    assert desk.request(request.id).state is State.COMPLETED


def test_content_changed_after_approval_voids_the_request_before_mlflow_is_called(
    desk: Desk,
) -> None:
    """A file was overwritten; the difference is named."""
    request = desk.promote()
    desk.vote(request, "ana")
    desk.vote(request, "raj")
    desk.registry.contents[MODEL, Version(4)] = a_content(4, body="other weights")
    desk.push_on()
    ended = desk.request(request.id)
    assert ended.state is State.VOIDED
    assert "model.bin" in ended.note
    assert desk.registry.transitions == []


def test_any_difference_at_execution_voids(desk: Desk) -> None:
    """Evidence that changed between the last vote and the transition."""
    request = desk.promote()
    desk.vote(request, "ana")
    desk.vote(request, "raj")
    desk.registry.change(MODEL, 4, parameters={"C": "9"})
    desk.push_on()
    ended = desk.request(request.id)
    assert ended.state is State.VOIDED
    assert "parameter C: 1.0 → 9" in ended.note
    assert desk.registry.transitions == []


def test_policy_changed_while_open_voids_the_request(desk: Desk) -> None:
    """Asked again under the new one."""
    request = desk.promote()
    desk.rules.rules = some_rules(
        a_policy(a_rule(Stage.STAGING), a_rule(seats=(Seats(role=Role("risk"), count=1),)))
    )
    assert desk.vote(request, "raj").state is State.VOIDED


def test_production_changed_while_open_voids_the_request(desk: Desk) -> None:
    """The approvers compared against v3."""
    request = desk.promote()
    desk.registry.change(MODEL, 3, stage=Stage.ARCHIVED)
    desk.registry.change(MODEL, 5, stage=Stage.PRODUCTION)
    desk.look_around()
    assert desk.request(request.id).state is State.VOIDED


def test_role_lost_after_voting_opens_the_quorum_again(desk: Desk) -> None:
    """Looked at again at execution."""
    request = desk.promote()
    desk.vote(request, "ana")
    desk.vote(request, "raj")
    desk.with_roles("raj", "data_scientist")
    desk.push_on()
    assert desk.request(request.id).state is State.PENDING
    assert desk.registry.transitions == []
    assert [n.person for n in desk.notices() if n.what == "vote_voided"] == ["raj"]


def test_account_deactivated_after_voting_opens_the_quorum_again(desk: Desk) -> None:
    """Raj left between vote and execution."""
    request = desk.promote()
    desk.vote(request, "ana")
    desk.vote(request, "raj")
    desk.accounts.gone.add("U0RAJ")
    desk.push_on()
    assert desk.request(request.id).state is State.PENDING
    desk.vote(request, "rosa")
    desk.push_on()
    assert desk.request(request.id).state is State.COMPLETED


def test_a_version_deleted_while_open_voids_the_request(desk: Desk) -> None:
    """What is gone cannot be approved."""
    request = desk.promote()
    del desk.registry.snapshots[MODEL, Version(4)]
    desk.look_around()
    assert desk.request(request.id).state is State.VOIDED


def test_mlflow_down_after_approval_is_tried_again_until_it_answers(desk: Desk) -> None:
    """The request says why it waits."""
    request = desk.promote()
    desk.vote(request, "ana")
    desk.vote(request, "raj")
    desk.registry.is_down = True
    desk.push_on()
    waiting = desk.request(request.id)
    assert waiting.state is State.APPROVED
    assert waiting.note == ("MLflow does not answer. It is tried again until this request expires.")
    desk.registry.is_down = False
    desk.push_on()
    assert desk.request(request.id).state is State.COMPLETED


def test_mlflow_down_until_expiry_fails_the_request_with_the_reason(desk: Desk) -> None:
    """Approved, and it could not be carried out in time."""
    request = desk.promote()
    desk.vote(request, "ana")
    desk.vote(request, "raj")
    desk.registry.is_down = True
    desk.push_on()
    desk.clock.now = request.expires_at
    desk.push_on()
    ended = desk.request(request.id)
    assert ended.state is State.FAILED
    assert "MLflow does not answer" in ended.note


def test_slack_down_at_execution_holds_the_transition_back(desk: Desk) -> None:
    """Whether a voter still stands cannot be known."""
    request = desk.promote()
    desk.vote(request, "ana")
    desk.vote(request, "raj")
    desk.accounts.is_down = True
    desk.push_on()
    assert desk.request(request.id).state is State.APPROVED
    assert desk.registry.transitions == []


def test_a_model_without_a_policy_is_left_alone(desk: Desk) -> None:
    """Not observed, not promoted; the sentence says which are governed."""
    other = replace(a_snapshot(1), model=ModelName("other_model"))
    desk.registry.snapshots[other.model, Version(1)] = other
    desk.look_around()
    assert not [e for e in desk.events() if e["model"] == "other_model"]


def test_a_ticket_is_one_line(desk: Desk) -> None:
    """Else it could draw a line of its own wherever it is shown."""
    wish = Wish(model=MODEL, version=Version(4), target=None, reason="x", ticket="A-1\nApproved")
    actor = desk.actor("dana")
    with pytest.raises(Refused, match="The ticket holds a line break"):
        promote(
            desk.world,
            wish,
            actor=actor,
            standing=desk.accounts.standing(actor.account),
            progress=lambda _done, _total: None,
        )


@pytest.mark.parametrize(
    ("reason", "code"),
    [("", "reason_missing"), ("x" * 100_000, "text_too_long"), ("a\x00b", "control_characters")],
)
def test_a_bad_reason_is_refused_whole(desk: Desk, reason: str, code: str) -> None:
    """Never cut, never guessed."""
    with pytest.raises(Refused) as refusal:
        desk.promote(reason=reason)
    assert refusal.value.code == code


def test_markup_in_a_reason_is_kept_as_it_is_in_the_record(desk: Desk) -> None:
    """Escaping belongs to where it is shown."""
    reason = "<!channel> *now* <https://evil|Approve> `x` \u202etext"
    desk.promote(reason=reason)
    opened = next(e for e in desk.events() if e["kind"] == EventKind.REQUEST_OPENED.value)
    assert opened["why"] == reason


def test_a_cut_log_stops_promotions_until_an_operator_records_the_gap(desk: Desk) -> None:
    """And the request says so."""
    request = desk.promote()
    desk.vote(request, "ana")
    desk.vote(request, "raj")
    with desk.store.read() as tx:
        head = tx.head()
    desk.heads.append(replace(head, size=head.size + 5))
    desk.push_on()
    assert desk.request(request.id).state is State.APPROVED
    assert "contradicts" in desk.request(request.id).note
    with pytest.raises(IntegrityViolation):
        desk.promote(5, target=Stage.STAGING)
    assert desk.kinds().count(EventKind.INTEGRITY_BROKEN.value) == 1


def test_metric_of_the_run_alone_is_read_where_there_is_no_logged_model(desk: Desk) -> None:
    """The LoggedModel's first, else the run's."""
    desk.registry.change(MODEL, 4, metrics=(a_metric(text="0.8", origin=MetricOrigin.RUN),))
    assert desk.promote().checks[0].finding == "auc_validation is 0.8"


def test_nothing_is_opened_while_mlflow_is_down(desk: Desk) -> None:
    """Nothing half done."""
    desk.registry.is_down = True
    with pytest.raises(Unavailable):
        desk.promote()
    with desk.store.read() as tx:
        assert tx.open_requests() == ()


def test_a_version_in_another_stage_is_refused_with_the_step_before(desk: Desk) -> None:
    """Where a rule leads from its stage to one that the target takes."""
    desk.registry.change(MODEL, 4, stage=Stage.NONE)
    with pytest.raises(Refused) as refused:
        desk.promote(4)
    assert refused.value.code == "wrong_stage"
    assert refused.value.sentence.endswith(f"/promote {MODEL} 4 staging first.")


def test_the_card_pads_nothing(desk: Desk) -> None:
    """Slack's letters differ in width, so columns would only be gaps."""
    desk.promoted()
    card = model_card(desk.world, MODEL)
    history = card_text(card, desk.world).split("History (UTC)\n")[1].splitlines()
    assert [line[:27] for line in history] == [
        "Version 3  Adopted  2026-03",
        "Version 4  Adopted  2026-03",
        "Version 4  Production  2026",
    ]
    in_columns = render_trail(card.history).splitlines()
    assert {line.index("2026-03") for line in in_columns} == {len("Version 4  Production  ")}


def test_the_card_says_that_no_approval_was_needed(desk: Desk) -> None:
    """Foureyes moved it itself, and knows by whose wish."""
    desk.registry.change(MODEL, 4, stage=Stage.NONE)
    desk.promote(4, target=Stage.STAGING)
    desk.push_on()
    said = card_text(model_card(desk.world, MODEL), desk.world)
    assert "asked by Dana; no approval needed" in said
    assert "nobody that the record knows" not in said
