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
_FACTS = ("to", "from", "version")
"""Which facts of a notice name a version."""


@dataclass(frozen=True)
class MlflowUi:
    """Where people look at MLflow in their browser; `base` without a slash at its end."""

    base: str = ""

    def address(self, model: ModelName, version: Version) -> str:
        """The page of one version."""
        return f"{self.base}/#/models/{quote(model, safe='')}/versions/{version}"

    def linked(self, drawn: Drawn, model: ModelName, versions: Iterable[Version | None]) -> Drawn:
        """The message with a line that leads to the versions that it names, in that order; the
        line stands before the message's last buttons."""
        named = [v for v in dict.fromkeys(versions) if v is not None][:_MOST]
        if not self.base or not named:
            return drawn
        links = " · ".join(f"<{self.address(model, v)}|v{v}>" for v in named)
        text = f"In MLflow: {escaped(folded(model, _NAME))} {links}"
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
