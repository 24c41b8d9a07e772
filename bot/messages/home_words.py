"""The sentences of Home, in mrkdwn: whatever a person or MLflow supplied is escaped here."""

from __future__ import annotations

from collections.abc import Sequence

from bot.messages import glass_words, request_words
from bot.messages.alert_words import alert_title, what_was_done
from bot.messages.request_words import seats_needed
from bot.mrkdwn import escaped, folded, moment, one_line, visible
from governance.domain.approval import Verdict
from governance.domain.identity import PersonId, Roster
from governance.domain.ledger import EventKind
from governance.domain.monitoring.alert import Alert
from governance.domain.monitoring.spec import Action
from governance.domain.monitoring.verdict import Verdict as Health
from governance.domain.review import Answer, ReviewState
from governance.ports import Drill
from governance.use_cases.home import Asked, DueReview, Lately, OwnedModel, Waiting, Watched

WAITING = "Waiting for you"
REVIEWS = "Reviews of break-glass"
ALERTS = "Open alerts"
ASKED = "You asked for"
MODELS = "Your models"
LATELY = "Lately"
NOTHING_WAITS = "Nothing waits for you. You get a direct message when something does."
FOLDED = {
    WAITING: "They are in their channels too; those that expire first are here.",
    REVIEWS: "They are in their channels too; those that are due first are here.",
    ALERTS: "They are in their channels too.",
    ASKED: "/model NAME shows the requests of a model.",
    MODELS: "/model NAME shows each.",
}
"""Where the rest of a part is to be found."""
FOOTER = "/foureyes says what you can do here. This page changes by itself."

_LINE = 300
_NAME = 200
_SHORT = 120
_MONITORS = 5
_CHANGES = 3
_VERBS = {
    Verdict.APPROVE: "approved",
    Verdict.REJECT: "rejected",
    Verdict.ASK_FOR_CHANGES: "asked for changes to",
}
_MARKS = {
    Health.REGRESSED: "❌",
    Health.ERROR: "⚠️",
    Health.INCONCLUSIVE: "⏳",
    Health.HEALTHY: "✅",
}
_WORST_FIRST = (Health.REGRESSED, Health.ERROR, None, Health.INCONCLUSIVE, Health.HEALTHY)


def nobody(account: str) -> str:
    """To an account that people.yaml does not know."""
    return (
        f"The account {account} belongs to nobody in people.yaml, so nothing can wait for you "
        "here. A platform engineer can add you there; until then /model NAME shows you what runs."
    )


def barred(reason: str) -> str:
    """To an account that may not act."""
    return f"There is nothing here for you to do: {reason}. A platform engineer can tell you more."


def and_more(count: int, what: str) -> str:
    """Where a list was folded."""
    return f"… and {count} more. {what}"


def waiting_text(waiting: Waiting, roster: Roster) -> str:
    """One request that waits for this person."""
    request = waiting.request
    who = _within(roster.name_of(request.requester), _SHORT)
    lines = [
        f"*{_title(request_words.request_title(request))}*",
        f"{who}: {_line(request.reason)}",
        _line(request_words.request_state(request, waiting.quorum)),
        f"Expires {moment(request.expires_at)}",
    ]
    if waiting.said is not None:
        lines.append(f"You {_VERBS[waiting.said].removesuffix(' to')}; you can still decide.")
    return "\n".join(lines)


def asked_text(asked: Asked, roster: Roster) -> str:
    """One request of this person's own."""
    request = asked.request
    lines = [
        f"*{_title(request_words.request_title(request))}*",
        _line(request_words.request_state(request, asked.quorum)),
    ]
    lines += [
        f"✏️ {_within(roster.name_of(person), _SHORT)} asks for changes: {_line(comment)}"
        for person, comment in asked.changes[:_CHANGES]
    ]
    if len(asked.changes) > _CHANGES:
        lines.append(f"… and {len(asked.changes) - _CHANGES} more")
    if request.is_open:
        lines.append(f"Expires {moment(request.expires_at)}")
    if asked.replaced is not None:
        since = moment(asked.replaced.started_at)
        lines.append(f"v{asked.replaced.version} is in Production instead since {since}")
    return "\n".join(lines)


def model_text(owned: OwnedModel) -> str:
    """One model of this person's: what runs, how it fares, whether it could be rolled back."""
    name = f"*{_title(owned.model)}*"
    if owned.production is None:
        return f"{name}: nothing in Production by our record"
    since = f" since {moment(owned.since)}" if owned.since else ""
    lines = [f"{name}: v{owned.production} in Production{since}", *_health(owned.monitors)]
    if owned.open_alerts:
        lines.append(f"🔔 {owned.open_alerts} open, see above")
    lines.append(_drill(owned.drill))
    return "\n".join(line for line in lines if line)


def _health(monitors: Sequence[Watched]) -> list[str]:
    if not monitors:
        return ["No monitor watches it."]
    ordered = sorted(monitors, key=lambda m: _WORST_FIRST.index(m.verdict))
    well = [m for m in ordered if m.verdict is Health.HEALTHY]
    others = [m for m in ordered if m.verdict is not Health.HEALTHY]
    lines = [
        f"{_MARKS[m.verdict] if m.verdict else '⏳'} {_within(m.name, _SHORT // 2)}"
        f"{' (rolls back)' if m.acts is Action.ROLL_BACK else ''}: {_within(m.sentence, _SHORT)}"
        for m in others[:_MONITORS]
    ]
    if len(others) > _MONITORS:
        lines.append(f"… and {len(others) - _MONITORS} more that are not healthy")
    if well:
        lines.append(f"✅ {len(well)} of {len(monitors)} monitors healthy")
    return lines


def _drill(drill: Drill | None) -> str:
    if drill is None:
        return ""
    if drill.passed:
        return f"✅ A rollback would work: drilled {moment(drill.drilled_at)}"
    failed = "; ".join(f"{what}: {seen}" for what, held, seen in drill.findings if not held)
    return f"❌ A rollback would NOT work: {_line(failed)}"


def review_text(due: DueReview, roster: Roster) -> str:
    """One review of a break-glass, to make or of one's own."""
    review = due.review
    missing = tuple(str(role) for role in due.quorum.missing)
    needs = _line(seats_needed(missing))
    who = "You" if due.is_own else _within(roster.name_of(review.glass.person), _SHORT)
    when = "Overdue since" if review.state is ReviewState.OVERDUE else "Due"
    lines = [
        f"*{_title(glass_words.title(review))}*",
        f"{who}: {_line(review.glass.reason)} (incident {_within(review.glass.incident, _SHORT)})",
        f"{when} {moment(review.due_at)}. Needs {needs}.",
    ]
    if due.is_own:
        lines.append(_line(glass_words.overdue_then()))
    return "\n".join(lines)


def alert_text(alert: Alert) -> str:
    """One alert that is not over."""
    return (
        f"*{_title(alert_title(alert))}*\n{_line(alert.sentence)}\n{_line(what_was_done(alert))}\n"
        f"Since {moment(alert.raised_at)}"
    )


def lately_line(happened: Lately, roster: Roster) -> str:
    """One decision or transition."""
    facts = happened.facts
    version = f" v{happened.version}" if happened.version is not None else ""
    what = f"{_title(happened.model)}{version}"
    who = _who(happened.person, roster)
    why = f": {_line(str(facts['why']))}" if facts.get("why") else ""
    match happened.kind:
        case EventKind.DECISION_MADE:
            said = f"{who} {_VERBS[Verdict(str(facts['verdict']))]} {what}{why}"
        case EventKind.DECISION_WITHDRAWN:
            said = f"{who} withdrew their vote on {what}"
        case EventKind.TRANSITION_DONE:
            said = f"{what} went to {escaped(str(facts.get('target')))}"
        case EventKind.TRANSITION_FAILED:
            said = f"{what} could not be moved{why}"
        case EventKind.GLASS_BROKEN:
            said = f"{who} broke glass for {what}{why}"
        case EventKind.REVIEW_GIVEN:
            verb = "accepted" if facts.get("answer") == Answer.ACCEPT else "wants back"
            said = f"{who} {verb} the break-glass of {what}{why}"
        case _:
            said = f"{who} rolled {_title(happened.model)} back to v{happened.version}{why}"
    return f"{moment(happened.at)}  {said}"


def _who(person: PersonId | None, roster: Roster) -> str:
    return _within(roster.name_of(person), _SHORT) if person is not None else "Foureyes"


def _title(text: str) -> str:
    """A name inside bold marks."""
    return _within(text, _NAME)


def _line(text: str) -> str:
    return _within(text, _LINE)


def _within(text: str, limit: int) -> str:
    """One line, escaped, that is at most twice as long as `limit` once it is: escaping makes some
    characters five."""
    room = limit
    while len(shown := escaped(folded(one_line(visible(text)), room))) > 2 * limit:
        room = room * 3 // 4
    return shown
