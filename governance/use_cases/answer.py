"""The requester answers in words what approvers asked for. A newer version answers too: then a
request of its own follows, which `promote` opens. Either way what was asked stands in the way no
longer, and whoever asked is told."""

from __future__ import annotations

from dataclasses import replace

from governance.domain.approval import RequestId
from governance.domain.errors import Refused
from governance.domain.identity import Actor, Standing
from governance.domain.ledger import EventKind
from governance.domain.policy import policy_for
from governance.domain.promotion import Answer, Request
from governance.domain.texts import refuse_long_text
from governance.ports import Notice, NoticeKind
from governance.use_cases.attention import ask_those_who_could_fill
from governance.use_cases.rounds import end_asks, refuse_stale_round, what_is_asked
from governance.use_cases.settle import redraw, settle, voided_by_policy
from governance.use_cases.world import World, require_person, require_standing

ANSWER_LIMIT = 3000


def answer(
    world: World,
    request_id: RequestId,
    text: str,
    *,
    shown: str,
    actor: Actor,
    standing: Standing,
) -> Request:
    """Answer every request for changes that is in force, with words. `shown` is what its requester
    was shown of them, as `round_of` tells it.

    Raises:
        Refused: not the requester, nothing is asked, no words, or the request is over; recorded.
        Conflict: `stale_round`, something else is asked by now; nothing was answered.
    """
    rules = world.rules.current()
    with world.refusals_recorded(EventKind.ANSWER_REFUSED, actor, request_id=request_id):
        require_standing(standing)
        person = require_person(rules, actor)
        refuse_long_text("answer", text, ANSWER_LIMIT)
        if not text.strip():
            raise Refused("answer_missing", "Say what is new: approvers cannot act on silence.")
        with world.store.transaction() as tx:
            request, asked = what_is_asked(tx, rules, request_id, person.id)
            refuse_stale_round(asked, shown)
            policy = policy_for(rules.policies, request.model)
            if policy is None or policy.digest != request.binding.policy:
                return voided_by_policy(tx, request, actor)
            said = Answer(at=tx.now, text=text, to=tuple(d.person for d in asked))
            request = tx.save_request(replace(request, answers=(*request.answers, said)))
            end_asks(tx, request, asked, actor, text, follower=None)
            tx.notify(
                Notice(
                    kind=NoticeKind.TIMELINE,
                    what="answered",
                    model=request.model,
                    request_id=request.id,
                    facts={"person": person.id, "answer": text},
                )
            )
            request = settle(tx, rules, policy, request, actor)
            redraw(tx, request)
            ask_those_who_could_fill(tx, rules, policy, request)
            return request
