"""Slack's Block Kit rules as data: what is accepted, and what each refusal says.

Stricter than Slack by intent: a structure that the workspace does not draw is refused.
"""

from bot.sandbox.block_kit.ids import with_ids
from bot.sandbox.block_kit.surface import message_problems, text_length
from bot.sandbox.block_kit.views import home_problems, modal_problems

__all__ = ["home_problems", "message_problems", "modal_problems", "text_length", "with_ids"]
