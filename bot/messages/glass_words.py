"""Every sentence about breaking glass and its review, for the person who reads it.

Returns plain text; whoever shows it as mrkdwn escapes it.
"""

from __future__ import annotations

from collections.abc import Mapping

from bot.messages.endings import ended
from bot.messages.request_words import seats_needed
from governance.domain.break_glass import BrokenGlass, Bypass
from governance.domain.canonical import Json
from governance.domain.identity import PersonId, Roster
from governance.domain.promotion import Request, State
from governance.domain.review import Answer, Review, ReviewState
from governance.use_cases.break_glass import Plan

BUTTON = "Break glass …"
LOADING = "Asking MLflow what breaking glass would skip…"
CONFIRM = "I go past policy and answer for it"
REASON_HINT = "Everyone who is skipped reads this now, and whoever audits it later."
INCIDENT_HINT = "A reference under which others find what happened, such as INC-12."
CONFIRM_HINT = "It is done at once, recorded for good, and reviewed afterwards."
SAY_WHY = "Say why: others review it."
SAY_INCIDENT = "Name an incident or a ticket, such as INC-12."
CONFIRM_IT = "Confirm it, or cancel."
DEMAND_HINT = "The channel and whoever may roll back read this. Nothing goes back by itself."
COUNTED = "Your review is counted."
DEMANDED = "Your demand is counted. Whoever may roll back has one button for it in the message now."
DEMANDED_LATE = "Your demand is counted. Nothing is offered to roll back to; the owners hear of it."


def title(review: Review) -> str:
    """What was done, for the eye that only passes."""
    if review.glass.bypass is Bypass.PROMOTION:
        return f"Break-glass: {review.model} v{review.version} → Production"
    was = f"v{review.from_version}" if review.from_version is not None else "nothing"
    return f"Break-glass: {review.model} rolled back {was} → v{review.version}"


def more_told(more: int) -> str:
    """How many were skipped beside those who are named."""
    return f"and {more} more, each told directly"


def done(review: Review, roster: Roster) -> str:
    """Who did it, and what is so since."""
    was = "nothing" if review.from_version is None else f"v{review.from_version}"
    return (
        f"{roster.name_of(review.glass.person)} went past policy: v{review.version} is in "
        f"Production since then, where {was} was before."
    )


def standing(review: Review, missing: tuple[str, ...], roster: Roster, *, still_there: bool) -> str:
    """Where the review is, and what to do next; `still_there`: what was done still is so."""
    needs = seats_needed(missing)
    match review.state:
        case ReviewState.DUE:
            return (
                f"Review due: needs {needs}. Accept it, or demand that it goes back; one "
                "demand is enough."
            )
        case ReviewState.OVERDUE:
            who = roster.name_of(review.glass.person)
            return (
                f"Review overdue: needs {needs}. Until it is made, {who} can neither ask "
                "nor break glass."
            )
        case ReviewState.ACCEPTED:
            names = ", ".join(roster.name_of(p) for p in review.accepted_by)
            return f"Accepted by {names}. Nothing is left to do."
        case ReviewState.ROLLBACK_DEMANDED:
            return _demanded(review, roster, still_there=still_there)


def _demanded(review: Review, roster: Roster, *, still_there: bool) -> str:
    demand = review.demand
    said = ""
    if demand is not None:
        said = f"{roster.name_of(demand.person)} demands a rollback: {ended(demand.comment)}"
    if not still_there:
        return f"{said} v{review.version} is not in Production any more."
    if review.back_to is None:
        return (
            f"{said} There is no last known good version to go back to: somebody has to promote "
            f"one, /promote {review.model}."
        )
    return f"{said} Whoever may roll back decides: v{review.version} → v{review.back_to}."


def plan_lines(plan: Plan, roster: Roster) -> tuple[str, str, str]:
    """What would happen, what is skipped, and who is told."""
    was = "nothing" if plan.from_version is None else f"v{plan.from_version}"
    if plan.bypass is Bypass.PROMOTION:
        happens = (
            f"{plan.model} v{plan.version} goes to Production at once, in place of {was}. No "
            "rollback leads to it later until its review is accepted."
        )
    else:
        happens = (
            f"{plan.model} is rolled back at once, {was} → v{plan.version}. {was} is quarantined "
            "until it is approved again."
        )
    skipped = "Skipped\n" + "\n".join(f"• {line}" for line in plan.skipped.lines)
    reviewers = ", ".join(roster.name_of(p) for p in plan.reviewers)
    on_call = ", ".join(roster.name_of(p) for p in plan.on_call if p not in plan.reviewers)
    calls = f", and {on_call} (on call)" if on_call else ""
    told = (
        f"Told at once, in the channel: {reviewers}{calls}. Those who were skipped review it: they "
        "accept it, or demand a rollback."
    )
    return happens, skipped, told


def why_back(by: str, incident: str) -> str:
    """The reason of a rollback that a review demanded."""
    return f"Demanded by {by} in the review of the break-glass (incident {incident})"


def overdue_then() -> str:
    """What an overdue review means for whoever breaks the glass."""
    return "While the review is overdue, you can neither ask for a promotion nor break glass."


def past_policy(glass: BrokenGlass, roster: Roster) -> str:
    """One line of a request that was carried out past policy."""
    skipped = "; ".join(glass.skipped.lines)
    return (
        f"⚠️ Break-glass by {roster.name_of(glass.person)} (incident {glass.incident}): carried out "
        f"past policy. Skipped: {skipped}."
    )


def carried_out(request: Request) -> str:
    """To whoever broke the glass for a promotion."""
    name = f"v{request.version} of {request.model}"
    match request.state:
        case State.COMPLETED:
            return f"Done: {request.note} Those who were skipped are told, and review it."
        case State.EXECUTING:
            return f"Ordered and recorded, and not done yet: {request.note}"
        case _:
            return f"{name} did not go to Production. {request.note}"


def asked(review: Review, roster: Roster) -> str:
    """To somebody who was skipped."""
    return (
        f"{roster.name_of(review.glass.person)} broke glass (incident {review.glass.incident}), "
        f"and you were skipped. Please review it: {title(review)}."
    )


def thread_line(what: str, facts: Mapping[str, Json], roster: Roster) -> str:
    """One line in the thread of a review."""
    who = roster.name_of(PersonId(str(facts.get("by"))))
    comment = f" {facts['comment']}" if facts.get("comment") else ""
    if what == Answer.ACCEPT.value:
        return f"{who} accepts it.{comment}"
    return f"{who} demands a rollback.{comment}"


def told(what: str, review: Review, missing: tuple[str, ...], roster: Roster) -> str:
    """A direct message about a review."""
    if what == "review_overdue":
        who = roster.name_of(review.glass.person)
        return (
            f"Not reviewed in time: {title(review)} by {who} (incident {review.glass.incident}). "
            f"Needs {seats_needed(missing)}. Its message is in the channel; you are told again "
            "every day."
        )
    stands = standing(review, missing, roster, still_there=True)
    return f"Your break-glass was reviewed. {title(review)}. {stands}"
