"""What stands in forms and modals, and what a form says when it cannot be taken."""

from __future__ import annotations

from governance.domain.approval import Verdict
from governance.domain.evidence import Stage, Version
from governance.domain.promotion import Request

COMMENT_HINTS = {
    Verdict.REJECT: "The requester reads this, and it ends the request.",
    Verdict.ASK_FOR_CHANGES: "The request stays open.",
}
ANSWER_HINT = "What is new: evidence, a link, or what the newer version changes."
VERSION_HINT = "A request for it follows, and this one ends."
ELSEWHERE = "Newer, and not to be chosen yet"
NO_NEWER_VERSION = "None: words answer it"
LOADING = "Asking MLflow for models and versions…"
NO_VERSIONS = "MLflow has no version of this model."
NEXT_STAGE = "Next stage that policy allows"
CLAIMS = "Where its numbers come from (claims)"

NO_REASON = "Say why this version."
NO_COMMENT = "Say what is wrong: the requester cannot act on silence."
NO_ANSWER = "Say what is new: approvers cannot act on silence."


def newer_elsewhere(request: Request, version: Version, stage: Stage, first: Stage | None) -> str:
    """A newer version that cannot follow a request yet."""
    if first is None:
        return (
            f"v{version} is in stage {stage.value}, which does not lead to {request.target.value}."
        )
    command = f"/promote {request.model} {version} {first.value.casefold()}"
    return f"v{version} is in stage {stage.value}: {command} first."


def all_of_the_record(model: str) -> str:
    """Under the newest records."""
    return f"All of it: foureyes audit show --all {model}"


def no_newer_version_yet(version: int) -> str:
    """In the place of the menu that would hold them."""
    return (
        f"There is no version newer than v{version} yet. One that you register can be chosen here "
        "a minute later."
    )
