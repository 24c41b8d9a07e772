"""What stands in forms and modals, and what a form says when it cannot be taken."""

from __future__ import annotations

from governance.domain.approval import Verdict

COMMENT_HINTS = {
    Verdict.REJECT: "The requester reads this, and it ends the request.",
    Verdict.ASK_FOR_CHANGES: "The request stays open.",
}
ANSWER_HINT = "What is new: evidence, a link, or what the newer version changes."
VERSION_HINT = "Its number. A request for it follows, and this one ends."
LOADING = "Asking MLflow for models and versions…"
NO_VERSIONS = "MLflow has no version of this model."
NEXT_STAGE = "Next stage that policy allows"
CLAIMS = "Where its numbers come from (claims)"

NO_REASON = "Say why this version."
NO_COMMENT = "Say what is wrong: the requester cannot act on silence."
NO_ANSWER = "Say what is new: approvers cannot act on silence."
NO_NUMBER = "Write the number of the version, such as 5, or leave this empty."


def all_of_the_record(model: str) -> str:
    """Under the newest records."""
    return f"All of it: foureyes audit show {model}"
