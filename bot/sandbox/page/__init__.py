"""The workspace in a browser on this machine: what one person's Slack client shows, drawn live.

`routes` puts it behind a token in the address; what people are shown beside the workspace itself
(a guided tour, say) is a `Guide` of whoever serves it.
"""

from bot.sandbox.page.guide import Guide, Link, NoGuide, Step, StepButton
from bot.sandbox.page.routes import Page, page_routes
from bot.sandbox.page.screen import CommandHint

__all__ = ["CommandHint", "Guide", "Link", "NoGuide", "Page", "Step", "StepButton", "page_routes"]
