"""What a person reads right after a click or a command: what became of it, and the next step."""

from __future__ import annotations

from collections.abc import Sequence

from bot.messages.endings import ended
from governance.domain.evidence import Version
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


FROM_ELSEWHERE = (
    "Only people of this workspace can open that. Ask somebody there for what you need to see."
)
YOU_WROTE = "What you wrote, for you to copy:"
ANSWERED = "Your answer is recorded, and whoever asked for changes is told."


VOTE_WITHDRAWN = "Your vote is withdrawn."
REQUEST_WITHDRAWN = "Your request is withdrawn."
COMPARING = " The restored files are being compared with those that were approved."
RESTORED_AS_APPROVED = "The restored files are those that were approved."
NOT_SERVED = "What is served was not checked."


def not_done(why: str) -> str:
    """A question, or a wish that was not stored: nothing of it is tried again."""
    return f"{ended(why)} Nothing was done; try again in a moment."


STILL_WORKING = "Working on it: MLflow or its files take longer than usual. The answer follows."


def trying_again(why: str) -> str:
    """What somebody decided is kept until it could be counted."""
    return (
        f"{ended(why)} What you did is stored and is tried again; you do not have to do it again."
    )


def given_up(why: str) -> str:
    """After half an hour."""
    return (
        f"{ended(why)} It was tried again for half an hour, so nothing was done. Please do it "
        "again."
    )


def rollback_stands(why: str) -> str:
    """The order is recorded: the reconciler finishes it."""
    return (
        f"{ended(why)} The rollback is ordered and recorded, and is finished as soon as MLflow "
        "answers; the channel is told then."
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


def offer_text(offer: Offer) -> str:
    """What `/rollback` would do, or why it can do nothing."""
    if offer.target is not None:
        return f"{offer.model}: Production is v{offer.current}. {_target_text(offer)}"
    return (
        f"{offer.model}: Production is v{offer.current}, and there is no version to go back to. "
        f"{_options_text(offer.options)}"
    )


def others_to_promote(model: str, versions: Sequence[Version]) -> str:
    """Where a rollback has no target."""
    return "To promote one of them: " + ", ".join(f"/promote {model} {v}" for v in versions)


def owners_decide(owners: Sequence[str]) -> str:
    """The step that is left where there is nothing to go back to."""
    asked = " or ".join(owners) or "an owner of it"
    return f"Ask {asked} what is to run instead: whatever that is has to be promoted."


def _target_text(offer: Offer) -> str:
    good = offer.options.target
    if offer.target == good:
        return f"The last known good version is v{good}."
    known = f"v{good} is" if good is not None else "there is none that is"
    return f"v{offer.target} was good before; {known} the last known good one."


def _options_text(options: RollbackOptions) -> str:
    known = "; ".join(f"v{v} is {why}" for v, why in options.reasons)
    return f"{known}. " if known else "Nothing else was in Production by our record. "


def restored_text(restored: Restored, *, is_compared: bool) -> str:
    """What a rollback verified, for the person who clicked; `is_compared` where the record knows
    files that were approved."""
    staged = " and ".join(f"v{v}" for v in restored.production.versions) or "nothing"
    was = f"v{restored.from_version}" if restored.from_version is not None else "nothing"
    return (
        f"MLflow Production is {staged} (was {was}), in {restored.seconds:.2f} s. {NOT_SERVED}"
        f"{COMPARING if is_compared else ''}"
    )
