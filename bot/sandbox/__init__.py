"""A Slack workspace on this machine that speaks the real wire, at least as strictly as Slack.

`Workspace` is the state and its rules, `serve` puts it on 127.0.0.1, `Workspace.as_person` drives
it. It imports nothing of the bot, of governance or of Slack's own libraries.
"""

from bot.sandbox.actor import Actor, Submission
from bot.sandbox.app_identity import DEFAULT_COMMANDS, DEFAULT_SCOPES, AppIdentity
from bot.sandbox.clock import Clock, HandClock, SystemClock
from bot.sandbox.form import NoSuchInput
from bot.sandbox.limits import Limits
from bot.sandbox.messages import Message
from bot.sandbox.modals import View
from bot.sandbox.page import CommandHint, Guide, Link, NoGuide, Page, Step, StepButton
from bot.sandbox.reader import ShownError
from bot.sandbox.rendering import Pings, message_pings, pings, render_mrkdwn, unescape
from bot.sandbox.server import RunningServer, serve
from bot.sandbox.socket_mode import Violation
from bot.sandbox.state import ApiCall
from bot.sandbox.workspace import Workspace

__all__ = [
    "DEFAULT_COMMANDS",
    "DEFAULT_SCOPES",
    "Actor",
    "ApiCall",
    "AppIdentity",
    "Clock",
    "CommandHint",
    "Guide",
    "HandClock",
    "Limits",
    "Link",
    "Message",
    "NoGuide",
    "NoSuchInput",
    "Page",
    "Pings",
    "RunningServer",
    "ShownError",
    "Step",
    "StepButton",
    "Submission",
    "SystemClock",
    "View",
    "Violation",
    "Workspace",
    "message_pings",
    "pings",
    "render_mrkdwn",
    "serve",
    "unescape",
]
