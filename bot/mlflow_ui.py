"""Links to MLflow's own pages, pure. Without the address of its UI there are none.

Knows nothing of requests or alerts: whoever draws a message says which versions it names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from bot.block_kit import Block
from bot.mrkdwn import escaped, folded
from bot.views import Drawn
from governance.domain.evidence import ModelName, Version

_MOST = 6
"""Versions linked in one message: more are a list, and MLflow has that page."""
_NAME = 80
_LINE = 1000
"""Characters of the line of links: a model's name of many scripts makes long addresses."""
_MESSAGE = 13_000
"""Characters of all blocks together that Slack still takes, with some to spare."""
_FACTS = ("to", "from", "version")
"""Which facts of a notice name a version."""


@dataclass(frozen=True)
class MlflowUi:
    """Where people look at MLflow in their browser; `base` without a slash at its end."""

    base: str = ""

    def address(self, model: ModelName, version: Version) -> str:
        """The page of one version."""
        return f"{self.base}/#/models/{quote(model, safe='')}/versions/{version}"

    def link(self, model: ModelName, version: Version) -> str:
        """One link as mrkdwn; empty where there is none, or where it would be too long."""
        made = f"<{self.address(model, version)}|v{version} in MLflow>"
        return made if self.base and len(made) <= _LINE else ""

    def linked(self, drawn: Drawn, model: ModelName, versions: Iterable[Version | None]) -> Drawn:
        """The message with a line that leads to the versions that it names, in that order; the
        line stands before the message's last buttons. A message that would become too long for
        Slack stays as it is."""
        named = [v for v in dict.fromkeys(versions) if v is not None][:_MOST]
        links = " · ".join(f"<{self.address(model, v)}|v{v}>" for v in named)
        text = f"In MLflow: {escaped(folded(model, _NAME))} {links}"
        fits = len(text) <= _LINE and _letters(drawn.blocks) + len(text) <= _MESSAGE
        if not self.base or not named or not fits:
            return drawn
        line: Block = {
            "type": "context",
            "elements": [{"type": "mrkdwn", "verbatim": True, "text": text}],
        }
        at = len(drawn.blocks)
        if drawn.blocks and drawn.blocks[-1].get("type") == "actions":
            at -= 1
        blocks = [*drawn.blocks[:at], line, *drawn.blocks[at:]]
        return Drawn(text=drawn.text, blocks=blocks)

    def of_facts(self, drawn: Drawn, model: ModelName, facts: Mapping[str, object]) -> Drawn:
        """The message of a notice, with the versions among its facts."""
        found = (facts.get(name) for name in _FACTS)
        return self.linked(drawn, model, [Version(v) for v in found if type(v) is int])


def _letters(value: object) -> int:
    """Characters of every text in blocks."""
    if isinstance(value, list):
        return sum(_letters(part) for part in value)
    if not isinstance(value, dict):
        return 0
    text = value.get("text")
    own = len(text) if isinstance(text, str) else 0
    return own + sum(_letters(part) for part in value.values())
