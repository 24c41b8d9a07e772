"""A request as people read it: where it stands, who decided, what is asked of whom."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from bot.messages.endings import ended
from governance.domain.approval import Decision, FilledSeat, Quorum, Verdict
from governance.domain.canonical import Json
from governance.domain.checks import CheckResult, Outcome
from governance.domain.identity import PersonId, Roster
from governance.domain.monitoring.words import duration
from governance.domain.promotion import Request, State
from governance.use_cases.rounds import Answered

NO_CHECKS = "No automated checks."
NO_SEATS = "No approval is needed."


def against(request: Request) -> str:
    """What its version is compared with."""
    if request.champion is None:
        return "Nothing is in Production to compare with"
    return f"What changed against v{request.champion.version} in Production"


def request_title(request: Request) -> str:
    """What a request is about."""
    return f"{request.model} v{request.version} → {request.target.value}"


def request_state(request: Request, quorum: Quorum) -> str:
    """Where it stands, in one line."""
    filled = f"{quorum.filled} of {len(quorum.seats)} approvals"
    match request.state:
        case State.PENDING:
            needs = seats_needed(missing_roles(quorum))
            lacks = [f"Needs {needs}."] if needs else []
            lacks += ["Changes are asked for, and to be answered."] if quorum.unanswered else []
            return " ".join([f"{filled}.", *lacks, request.note]).strip()
        case State.APPROVED:
            return f"Approved. {request.note}".strip()
        case State.HELD:
            return f"Held: approved, and waiting. {request.note}"
        case State.EXECUTING:
            return "Being carried out in MLflow."
        case State.COMPLETED:
            return f"Done. {request.note}"
        case _:
            return f"{request.state.value.capitalize()}. {request.note}"


def missing_roles(quorum: Quorum) -> list[str]:
    """Whom each empty seat waits for."""
    return [
        f"{s.seat.role} or {s.open_to}" if s.open_to else str(s.seat.role)
        for s in quorum.seats
        if s.person is None
    ]


def seats_needed(roles: Sequence[str]) -> str:
    """Empty seats by whom they wait for: one from risk and one from validator, or 2 from risk."""
    counted = Counter(roles)
    return " and ".join(f"{'one' if n == 1 else n} from {role}" for role, n in counted.items())


def check_line(check: CheckResult) -> str:
    """One check with its result."""
    mark = {Outcome.PASSED: "✅", Outcome.FAILED: "❌", Outcome.WAITING: "⏳"}[check.outcome]
    return f"{mark} {check.check}: {check.finding}"


def seat_lines(quorum: Quorum, roster: Roster) -> list[str]:
    """Each seat with who fills it, or that it is empty."""
    return [_seat_line(s, roster) for s in quorum.seats]


def _seat_line(filled: FilledSeat, roster: Roster) -> str:
    role = filled.seat.role
    if filled.person is None:
        also = f" ({filled.open_to} may decide too by now)" if filled.open_to else ""
        return f"⬜ {role}: missing{also}"
    by = f" (as {filled.held})" if filled.held not in (None, role) else ""
    standing_in = ""
    if filled.absent is not None:
        until = f" (away until {day(filled.away_until)})" if filled.away_until else ""
        standing_in = f" for {roster.name_of(filled.absent)}{until}"
    return f"✅ {role}: {roster.name_of(filled.person)}{standing_in}{by}"


def day(of: date) -> str:
    """A day as people say it: 24 Dec."""
    return f"{of.day} {of:%b}"


def round_lines(
    request: Request,
    asked: Sequence[Decision],
    answered: Sequence[Answered],
    roster: Roster,
) -> list[str]:
    """What approvers ask for, what was answered, and which request this one follows."""
    requester = roster.name_of(request.requester)
    lines = []
    if request.follows:
        lines.append(f"↪️ Answers what was asked on request {request.follows}.")
    if request.followed_by:
        lines.append(f"↪️ Followed by request {request.followed_by}.")
    for said in reversed(answered):
        lines += [f"✏️ {roster.name_of(d.person)} asked: {d.comment}" for d in said.asked]
        way = f" with v{said.by_version}" if said.by_version is not None else ""
        lines.append(f"💬 {requester} answered{way}: {said.text}")
    lines += [f"✏️ {roster.name_of(d.person)} asks for changes: {d.comment}" for d in asked]
    if asked:
        lines.append(f"{requester} has to answer; until then nothing is carried out.")
    return lines


def warning_lines(request: Request) -> list[str]:
    """What approvers should not overlook."""
    lines = []
    if request.author_unknown:
        lines.append("⚠️ Nobody is known to have made this version; the policy allows that.")
    if request.unmapped_authors:
        names = ", ".join(request.unmapped_authors)
        lines.append(f"⚠️ MLflow also names {names}, who is nobody in people.yaml.")
    if request.is_downgrade and request.champion is not None:
        lines.append(
            f"⚠️ A downgrade: v{request.version} is older than v{request.champion.version}, which "
            "it would replace."
        )
    if request.quarantined and request.is_open:
        lines.append(
            f"⚠️ v{request.version} is quarantined: {ended(request.quarantined)} Going to "
            "Production lifts that."
        )
    if request.snapshot.profile_problem:
        lines.append(f"⚠️ {request.snapshot.profile_problem}")
    return lines


_VERBS = {
    Verdict.APPROVE: "approved",
    Verdict.REJECT: "rejected",
    Verdict.ASK_FOR_CHANGES: "asks for changes",
}


def timeline(what: str, facts: Mapping[str, Json], roster: Roster) -> str:
    """One line in a request's thread."""
    if what == "vote":
        who = roster.name_of(PersonId(str(facts["person"])))
        comment = f": {facts['comment']}" if facts.get("comment") else "."
        return f"{who} {_VERBS[Verdict(str(facts['verdict']))]}{comment}"
    if what == "vote_withdrawn":
        return f"{roster.name_of(PersonId(str(facts['person'])))} withdrew their vote."
    if what == "answered":
        return f"{roster.name_of(PersonId(str(facts['person'])))} answers: {facts['answer']}"
    if what == "escalated":
        after = duration(timedelta(milliseconds=int(str(facts["after_ms"]))))
        return (
            f"The seat of {facts['role']} was still empty after {after}: {facts['to']} may fill "
            "it too, and is asked."
        )
    return f"Now {facts.get('state')}. {facts.get('why')}"


def told(what: str, facts: Mapping[str, Json], request: Request | None, roster: Roster) -> str:
    """A direct message about a request."""
    title = request_title(request) if request else ""
    if what == "vote_voided":
        return (
            f"{title}: your vote no longer counts: {ended(facts['why'])} Look at the request again."
        )
    if what == "voice_ended":
        who = roster.name_of(PersonId(str(facts["absent"])))
        return (
            f"{title}: {who} decided themselves, so what you decided for them no longer counts. "
            "The rest of your decision stands."
        )
    if what == "changes_asked":
        who = roster.name_of(PersonId(str(facts["by"])))
        return (
            f"{title}: {who} asks for changes: {ended(facts['comment'])} Answer with what is "
            "new, or with a newer version; until then nothing is carried out."
        )
    if what in ("changes_answered", "changes_followed"):
        who = roster.name_of(PersonId(str(facts["by"])))
        way = f"answers with this version, after v{facts['before']}"
        said = "answers you" if what == "changes_answered" else way
        return (
            f"{title}: {who} {said}: {ended(facts['answer'])} You asked: "
            f"{ended(facts['asked'])} Please look at it again and decide."
        )
    return f"{title}: {facts.get('state')}. {facts.get('why')}"


def asked(request: Request, roster: Roster) -> str:
    """To somebody whose approval would fill a seat."""
    return f"{roster.name_of(request.requester)} asks for your decision: {request_title(request)}."


def reminded(request: Request, quorum: Quorum, roster: Roster) -> str:
    """To somebody who was asked and has not decided; when it expires is said beside it."""
    missing = seats_needed(missing_roles(quorum))
    return (
        f"A reminder: {roster.name_of(request.requester)} still waits for your decision on "
        f"{request_title(request)}. Missing: {missing}."
    )


def reminded_of_something_else(request: Request) -> str:
    """In place of a reminder of a request that is not what it was."""
    return (
        f"{request_title(request)} has changed since you were reminded, and still waits for your "
        "decision. Decide on the request itself, which shows what it is now."
    )


def reminded_before(request: Request) -> str:
    """In place of an older reminder."""
    return f"{request_title(request)}: you were reminded again below."
