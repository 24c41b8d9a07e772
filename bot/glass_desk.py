"""Works off what people do about breaking glass: what could pass a refusal, the order itself, and
the reviews. Calls the use cases; decides nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from bot import views
from bot.glass_view import ShownReview, Wanted, refusal_with_glass
from bot.messages import glass_words
from bot.typed import parse_promotion, parse_rollback
from bot.views import Drawn
from governance.domain.approval import RequestId
from governance.domain.break_glass import Bypass, GlassId
from governance.domain.errors import FoureyesError
from governance.domain.evidence import ModelName, Stage, Version
from governance.domain.identity import Actor
from governance.domain.policy import policy_for
from governance.domain.promotion import Request
from governance.domain.review import Answer, standing_of
from governance.ports import Rules, Transaction
from governance.use_cases.break_glass import Plea, could_break_glass, leads_to_production
from governance.use_cases.break_glass_promotion import Order, break_glass_to_promote
from governance.use_cases.break_glass_rollback import break_glass_to_roll_back
from governance.use_cases.restore import Restored
from governance.use_cases.reviews import give_review, is_still_there, skipped_people
from governance.use_cases.world import World

Payload = Mapping[str, str]


def refusal(
    world: World, kind: str, payload: Payload, problem: FoureyesError, actor: Actor
) -> Drawn:
    """A refusal in words, with the way past it where there is one for this person."""
    wanted = _wanted(kind, payload)
    if wanted is None or not could_break_glass(
        world, wanted.bypass, problem.code, ModelName(wanted.model), actor
    ):
        return views.sentence(problem.sentence)
    if wanted.bypass is Bypass.PROMOTION and not _to_production(world, kind, payload, problem):
        return views.sentence(problem.sentence)
    return refusal_with_glass(problem.sentence, wanted)


def break_glass(
    world: World,
    payload: Payload,
    actor: Actor,
    *,
    valid_for: timedelta,
    progress: Callable[[int, int], None],
) -> Request | Restored:
    """Do what a modal was confirmed for. Raises as the use cases do."""
    standing = world.accounts.standing(payload["user"])
    plea = Plea(
        reason=payload["reason"],
        incident=payload["incident"],
        shown=frozenset(json.loads(payload["marks"])),
        ordered_at=datetime.fromisoformat(payload["at"]),
        valid_for=valid_for,
    )
    model, version = ModelName(payload["model"]), Version(int(payload["version"]))
    if payload["what"] == Bypass.ROLLBACK.value:
        return break_glass_to_roll_back(
            world,
            model,
            Version(int(payload["from"])),
            version,
            plea,
            actor=actor,
            standing=standing,
        )
    order = Order(
        model=model,
        version=version,
        from_version=Version(int(payload["from"])) if payload["from"] else None,
        request_id=RequestId(payload["request"]) if payload.get("request") else None,
        downgrade=payload["downgrade"] == "yes",
    )
    return break_glass_to_promote(
        world,
        order,
        plea,
        actor=actor,
        standing=standing,
        progress=progress,
    )


def review(world: World, payload: Payload, actor: Actor) -> Drawn:
    """Count a reviewer's click. Raises as the use case does."""
    answer = Answer(payload["answer"])
    made = give_review(
        world,
        GlassId(payload["review"]),
        answer,
        comment=payload.get("comment", ""),
        actor=actor,
        standing=world.accounts.standing(payload["user"]),
    )
    if answer is Answer.ACCEPT:
        return views.sentence(glass_words.COUNTED)
    said = glass_words.DEMANDED if made.back_to is not None else glass_words.DEMANDED_LATE
    return views.sentence(said)


def shown_review(tx: Transaction, rules: Rules, glass_id: GlassId, *, pinged: bool) -> ShownReview:
    """The review with its seats as they stand. Raises Refused `no_such_review`."""
    found = tx.review(glass_id)
    policy = policy_for(rules.policies, found.model)
    # Who is on call first: whoever was skipped is told directly as well.
    people = (*(policy.on_call if policy else ()), *sorted(skipped_people(found)))
    return ShownReview(
        review=found,
        quorum=standing_of(found, rules.roster.people, tx.now),
        roster=rules.roster,
        pinged=tuple(dict.fromkeys(people)) if pinged else (),
        still_there=is_still_there(tx, found),
    )


def demanded_rollback(tx: Transaction, rules: Rules, glass_id: GlassId) -> str:
    """What a click on the button of a demanded rollback orders, as a rollback's button carries it:
    from what was done past policy to what was good before. Raises Refused `no_such_review`."""
    found = tx.review(glass_id)
    by = rules.roster.name_of(found.demand.person) if found.demand else "nobody"
    return json.dumps(
        {
            "model": found.model,
            "from": found.version,
            "to": found.back_to or 0,
            "at": tx.now.isoformat(),
            "why": glass_words.why_back(by, found.glass.incident),
        },
        ensure_ascii=False,
    )


def _wanted(kind: str, payload: Payload) -> Wanted | None:
    """What was refused, where break-glass could be about it."""
    try:
        match kind:
            case "promote":
                typed = parse_promotion(payload["text"])
                return Wanted(
                    bypass=Bypass.PROMOTION,
                    model=typed.model,
                    version=typed.version,
                    downgrade=typed.downgrade,
                )
            case "promote_form":
                return Wanted(
                    bypass=Bypass.PROMOTION,
                    model=payload["model"],
                    version=int(payload["version"]),
                )
            case "rollback":
                asked = parse_rollback(payload["text"])
                return Wanted(bypass=Bypass.ROLLBACK, model=asked.model, version=asked.version)
            case "roll_back":
                value = json.loads(payload["value"])
                return Wanted(
                    bypass=Bypass.ROLLBACK, model=str(value["model"]), version=int(value["to"])
                )
            case _:
                return None
    except FoureyesError:
        return None  # what could not be understood is what was refused


def _to_production(world: World, kind: str, payload: Payload, problem: FoureyesError) -> bool:
    if kind == "promote":
        typed = parse_promotion(payload["text"])
        model, version, target = typed.model, typed.version, typed.target
    else:
        stage = payload["stage"]
        model, version = payload["model"], int(payload["version"])
        target = None if stage == "next" else Stage(stage)
    return leads_to_production(world, problem.code, ModelName(model), Version(version), target)
