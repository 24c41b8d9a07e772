"""What a model's channel and its owners hear."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from bot.messages.answer_words import NOT_SERVED
from bot.messages.endings import ended
from bot.messages.request_words import day
from governance.domain.canonical import Json
from governance.domain.identity import PersonId, Roster


def told_of_model(what: str, model: str, facts: Mapping[str, Json]) -> str:
    """A direct message to an owner about what watches their model."""
    monitor = facts.get("monitor")
    if what == "monitor_blind":
        return (
            f"{model}: the monitor {monitor} cannot see. {ended(facts.get('why'))} You are told "
            "once, whichever other monitors cannot see for the same reason; all of them go on "
            "trying."
        )
    if what == "monitor_comes_and_goes":
        return (
            f"{model}: the monitor {monitor} cannot see again. {ended(facts.get('why'))} This "
            "trouble comes and goes, so you hear nothing more of it for a day, neither of its end; "
            f"foureyes monitor list and /model {model} say how it stands."
        )
    if what == "monitor_sees_again":
        return f"{model}: everything that watches it sees again."
    return f"{model}: {what}"


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
            f"by {who}, in {facts['seconds']} s. Reason: {ended(facts['why'] or 'none given')} "
            f"v{facts['from']} is quarantined until it is approved again. {NOT_SERVED}{doubt}"
            f"{_traffic(facts)}"
        )
    if what == "rollback_failed":
        return (
            f"A rollback of {model} to v{facts['to']} failed: {ended(facts['why'])} Somebody "
            f"has to look at MLflow now; /rollback {model} shows what is possible."
        )
    if what == "break_glass_failed":
        who = roster.name_of(PersonId(str(facts["by"])))
        return (
            f"{who} broke glass to put v{facts['version']} of {model} into Production, and it "
            f"failed: {ended(facts['why'])} Somebody has to look at MLflow now."
        )
    if what == "served":
        return f"{model}: {facts['served']}"
    if what == "drill_failed":
        return (
            f"A rollback of {model} would not work now: {ended(facts['why'])} Somebody has to "
            "put this right before it is needed."
        )
    if what == "drill_holds_again":
        return f"A rollback of {model} would work again: every part of the drill holds."
    if what == "restored_differs":
        return f"{model}: {ended(facts['difference'])} An owner has to look before it is relied on."
    if what == "changed_elsewhere":
        difference = ended(facts["difference"])
        several = " More than one version is in Production now." if facts.get("several") else ""
        return (
            f"{model} was changed in MLflow, outside Foureyes: {difference}{several} It is "
            "recorded. An owner has to say why, in a reply in this thread (there is no command for "
            f"it), or whoever is on call rolls back: /rollback {model}."
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
    return f" Traffic could not be told: {ended(problem)} It is tried again." if problem else ""


def unreachable(model: str, facts: Mapping[str, Json]) -> str:
    """To the owners of a model whose channel cannot be reached."""
    return (
        f"Foureyes cannot post about {model} in {facts['channel']} ({facts['why']}). Unarchive the "
        "channel, or invite the bot again with /invite, or name another channel in the policy."
    )
