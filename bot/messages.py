"""Every sentence that a person reads in Slack, in the reader's terms, with the next step.

Returns plain text; whoever shows it as mrkdwn escapes it. Refusals bring their own sentence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from governance.domain.absence import Absence
from governance.domain.approval import Decision, FilledSeat, Quorum, Verdict
from governance.domain.canonical import Json
from governance.domain.checks import CheckResult, Outcome
from governance.domain.identity import PersonId, Roster
from governance.domain.monitoring.words import duration
from governance.domain.promotion import Request, State
from governance.domain.tenure import RollbackOptions
from governance.use_cases.restore import Restored
from governance.use_cases.roll_back import Offer

CLICK_AGAIN = "The bot was restarted before it could open this. Please click again."
NOT_STORED = (
    "Foureyes could not store what you did, so nothing was done. The platform team has to look at "
    "its database; then try again."
)
RESTARTING = "Foureyes is being restarted. Close this and try again in a minute."
NAMES_TOO_LONG = (
    "The name of every model is too long for a menu of Slack (150 characters). Type it after the "
    "command: /promote MODEL VERSION STAGE REASON."
)
ANSWERED = "Your answer is recorded, and whoever asked for changes is told."
NOT_SERVED = "What is served was not checked."


def not_done(why: str) -> str:
    """A question, or a wish that was not stored: nothing of it is tried again."""
    return f"{why} Nothing was done; try again in a moment."


STILL_WORKING = "Working on it: MLflow or its files take longer than usual. The answer follows."


def trying_again(why: str) -> str:
    """What somebody decided is kept until it could be counted."""
    return f"{why} What you did is stored and is tried again; you do not have to do it again."


def given_up(why: str) -> str:
    """After half an hour."""
    return f"{why} It was tried again for half an hour, so nothing was done. Please do it again."


def rollback_stands(why: str) -> str:
    """The order is recorded: the reconciler finishes it."""
    return (
        f"{why} The rollback is ordered and recorded, and is finished as soon as MLflow answers; "
        "the channel is told then."
    )


def broke(reference: str) -> str:
    """A defect of ours."""
    return (
        "Something in Foureyes broke; what you did may not have been done. The platform team "
        f"finds it in the log under {reference}."
    )


def reading(done_bytes: int, total_bytes: int) -> str:
    """While the files of a large version are read."""
    percent = done_bytes * 100 // total_bytes
    return f"Reading {total_bytes // 1_000_000} MB of files: {percent} %. The answer follows."


def request_title(request: Request) -> str:
    """What a request is about."""
    return f"{request.model} v{request.version} → {request.target.value}"


def request_state(request: Request, quorum: Quorum) -> str:
    """Where it stands, in one line."""
    filled = f"{quorum.filled} of {len(quorum.seats)} approvals"
    match request.state:
        case State.PENDING:
            needs = " and ".join(dict.fromkeys(missing_roles(quorum)))
            lacks = [f"Needs one from {needs}."] if needs else []
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


def away_line(absence: Absence, roster: Roster) -> str:
    """Who is away, and who stands in; for everybody to see."""
    who = f"{roster.name_of(absence.person)} is away until {day(absence.last_day)}"
    if absence.stand_in is None:
        return f"{who}, without a stand-in"
    return f"{who}; {roster.name_of(absence.stand_in)} stands in"


def gone(absence: Absence, roster: Roster) -> str:
    """To the person who is away now."""
    line = away_line(absence, roster).replace(f"{roster.name_of(absence.person)} is", "You are", 1)
    seats = (
        " They may fill the seats that your roles could fill, one in all; what you decide yourself "
        "takes the place of what they decided for you."
        if absence.stand_in
        else " Nobody decides for you meanwhile."
    )
    return f"{line}. {day(absence.last_day)} is the last day.{seats} /foureyes back ends it sooner."


BACK = "Welcome back: nobody stands in for you any more. What was decided for you stays decided."


def told_of_absence(what: str, facts: Mapping[str, Json], roster: Roster) -> str:
    """A direct message to a stand-in, or to whoever lost theirs."""
    if what == "stand_in_gone":
        name = roster.name_of(PersonId(str(facts["stand_in"])))
        return (
            f"{name}, who stands in for you, is away too now, so nobody decides for you. You can "
            "name somebody else: /foureyes away until DAY NAME."
        )
    name = roster.name_of(PersonId(str(facts["person"])))
    if what == "stands_in_back":
        return f"{name} is back: you no longer stand in for them. What you decided stays decided."
    last = day(date.fromisoformat(str(facts["last_day"])))
    return (
        f"You stand in for {name} until {last}: you may fill the seats that their roles could "
        "fill, one in all with your own. Where either of you made or asked for a version, or is "
        "barred as its owner, you are barred."
    )


def round_lines(request: Request, asked: Sequence[Decision], roster: Roster) -> list[str]:
    """What approvers ask for, what was answered, and which request this one follows."""
    requester = roster.name_of(request.requester)
    lines = []
    if request.follows:
        lines.append(f"↪️ Answers what was asked on request {request.follows}.")
    if request.followed_by:
        lines.append(f"↪️ Followed by request {request.followed_by}.")
    lines += [f"💬 {requester} answered: {answer.text}" for answer in reversed(request.answers)]
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
    if request.quarantined:
        lines.append(
            f"⚠️ v{request.version} is quarantined: {request.quarantined} Going to Production "
            "lifts that."
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
        return f"{title}: your vote no longer counts: {facts['why']}. Look at the request again."
    if what == "changes_asked":
        who = roster.name_of(PersonId(str(facts["by"])))
        return (
            f"{title}: {who} asks for changes: {facts['comment']} Answer with what is new, or with "
            "a newer version; until then nothing is carried out."
        )
    if what in ("changes_answered", "changes_followed"):
        who = roster.name_of(PersonId(str(facts["by"])))
        way = f"answers with this version, after v{facts['before']}"
        said = "answers you" if what == "changes_answered" else way
        return (
            f"{title}: {who} {said}: {facts['answer']} You asked: {facts['asked']} Please look at "
            "it again and decide."
        )
    return f"{title}: {facts.get('state')}. {facts.get('why')}"


def told_of_model(what: str, model: str, facts: Mapping[str, Json]) -> str:
    """A direct message to an owner about what watches their model."""
    monitor = facts.get("monitor")
    if what == "monitor_blind":
        return (
            f"{model}: the monitor {monitor} cannot see. {facts.get('why')} You are told once, "
            "whichever other monitors cannot see for the same reason; all of them go on trying."
        )
    if what == "monitor_sees_again":
        return f"{model}: everything that watches it sees again."
    return f"{model}: {what}"


def asked(request: Request, roster: Roster) -> str:
    """To somebody whose approval would fill a seat."""
    return f"{roster.name_of(request.requester)} asks for your decision: {request_title(request)}."


def reminded(request: Request, quorum: Quorum, roster: Roster) -> str:
    """To somebody who was asked and has not decided; when it expires is said beside it."""
    missing = " and ".join(dict.fromkeys(missing_roles(quorum)))
    return (
        f"A reminder: {roster.name_of(request.requester)} still waits for your decision on "
        f"{request_title(request)}. Missing: {missing}."
    )


def reminded_before(request: Request) -> str:
    """In place of an older reminder."""
    return f"{request_title(request)}: you were reminded again below."


def channel(what: str, model: str, facts: Mapping[str, Json], roster: Roster) -> str:
    """A message in a model's channel."""
    if what in ("away", "back"):
        who = roster.name_of(PersonId(str(facts["person"])))
        stand_in = roster.name_of(PersonId(str(facts["stand_in"])))
        if what == "back":
            return f"{who} is back; {stand_in} no longer stands in."
        last = day(date.fromisoformat(str(facts["last_day"])))
        return f"{who} is away until {last}; {stand_in} stands in and may fill their seats."
    if what == "rolled_back":
        by = facts.get("by")
        who = roster.name_of(PersonId(str(by))) if by else "Foureyes"
        doubt = (
            " The record contradicts its kept heads, so this rollback is marked as in doubt."
            if facts.get("record_in_doubt")
            else ""
        )
        return (
            f"Rolled back: MLflow Production is v{facts['to']} (was v{facts['from']}) of {model}, "
            f"by {who}, in {facts['seconds']} s. Reason: {facts['why'] or 'none given'}. "
            f"v{facts['from']} is quarantined until it is approved again. {NOT_SERVED}{doubt}"
            f"{_traffic(facts)}"
        )
    if what == "rollback_failed":
        return (
            f"A rollback of {model} to v{facts['to']} failed: {facts['why']} Somebody has to look "
            f"at MLflow now; /rollback {model} shows what is possible."
        )
    if what == "break_glass_failed":
        who = roster.name_of(PersonId(str(facts["by"])))
        return (
            f"{who} broke glass to put v{facts['version']} of {model} into Production, and it "
            f"failed: {facts['why']} Somebody has to look at MLflow now."
        )
    if what == "served":
        return f"{model}: {facts['served']}"
    if what == "drill_failed":
        return (
            f"A rollback of {model} would not work now: {facts['why']} Somebody has to put this "
            "right before it is needed."
        )
    if what == "drill_holds_again":
        return f"A rollback of {model} would work again: every part of the drill holds."
    if what == "restored_differs":
        return f"{model}: {facts['difference']} An owner has to look before it is relied on."
    if what == "changed_elsewhere":
        several = " More than one version is in Production now." if facts.get("several") else ""
        return (
            f"{model} was changed in MLflow, outside Foureyes: {facts['difference']}.{several} It "
            f"is recorded. An owner has to say why, or /rollback {model}."
        )
    if what == "record_broken":
        return f"Promotions of {model} stopped. {facts['why']}"
    if what == "policy_loaded":
        lines = facts.get("lines")
        listed = [str(line) for line in lines] if isinstance(lines, Sequence) else []
        more = f"\n… and {facts['more']} more" if facts.get("more") else ""
        by = roster.name_of(PersonId(str(facts.get("by"))))
        return f"The rules of {model} changed, loaded by {by}:\n" + "\n".join(listed) + more
    return f"{model}: {what}"


def _traffic(facts: Mapping[str, Json]) -> str:
    problem = facts.get("traffic_problem")
    return f" Traffic could not be told: {problem} It is tried again." if problem else ""


def unreachable(model: str, facts: Mapping[str, Json]) -> str:
    """To the owners of a model whose channel cannot be reached."""
    return (
        f"Foureyes cannot post about {model} in {facts['channel']} ({facts['why']}). Unarchive the "
        "channel, or invite the bot again with /invite, or name another channel in the policy."
    )


def offer_text(offer: Offer) -> str:
    """What `/rollback` would do, or why it can do nothing."""
    if offer.target is not None:
        return f"{offer.model}: Production is v{offer.current}. {_target_text(offer)}"
    return (
        f"{offer.model}: Production is v{offer.current}, and there is no version to go back to. "
        f"{_options_text(offer.options)}"
    )


def _target_text(offer: Offer) -> str:
    good = offer.options.target
    if offer.target == good:
        return f"The last known good version is v{good}."
    known = f"v{good} is" if good is not None else "there is none that is"
    return f"v{offer.target} was good before; {known} the last known good one."


def _options_text(options: RollbackOptions) -> str:
    known = "; ".join(f"v{v} is {why}" for v, why in options.reasons)
    return f"{known}. " if known else "Nothing else was in Production by our record. "


def restored_text(restored: Restored) -> str:
    """What a rollback verified, for the person who clicked."""
    staged = " and ".join(f"v{v}" for v in restored.production.versions) or "nothing"
    was = f"v{restored.from_version}" if restored.from_version is not None else "nothing"
    return (
        f"MLflow Production is {staged} (was {was}), in {restored.seconds:.2f} s. {NOT_SERVED} "
        "The restored files are being compared with those that were approved."
    )
