"""An overdue review stops the next step of whoever broke the glass, until it is made."""

from __future__ import annotations

from governance.domain.errors import Refused
from governance.domain.identity import Person
from governance.domain.policy import policy_for
from governance.domain.review import debt_of, standing_of
from governance.ports import Rules, Transaction


def refuse_while_review_overdue(tx: Transaction, rules: Rules, person: Person) -> None:
    """Neither a request nor a break-glass of this person goes on before.

    Raises:
        Refused: `review_overdue`.
    """
    review = debt_of(tx.open_reviews(), person.id, tx.now)
    if review is None:
        return
    missing = " and ".join(standing_of(review, rules.roster.people, tx.now).missing)
    policy = policy_for(rules.policies, review.model)
    where = f" Its message is in {policy.channel}." if policy else ""
    raise Refused(
        "review_overdue",
        f"Your break-glass of v{review.version} of {review.model} (incident "
        f"{review.glass.incident}) had to be reviewed by {review.due_at:%Y-%m-%d %H:%M} UTC, and "
        f"is not: until then you can neither ask nor break glass. Ask {missing} to review it."
        f"{where}",
    )
