"""Policies, people, and what the workspace says of an account."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from governance.domain.identity import Roster, Standing, UserGroup
from governance.domain.policy import PolicySet

NOT_ASKED = "workspace_not_asked"
"""Code of `Unavailable`: this process asks no workspace, whether or not one would answer."""


class Accounts(Protocol):
    """What the workspace says of an account now."""

    def standing(self, account: str) -> Standing:
        """Raises Unavailable `workspace_unavailable`; an account that is not there any more is
        answered as deleted."""

    def time_zone(self, account: str) -> str:
        """The time zone that the workspace knows of an account, such as `Europe/Amsterdam`; `UTC`
        when it knows none. Raises Unavailable `workspace_unavailable`."""

    def members(self, group: UserGroup) -> frozenset[str]:
        """The accounts in a user group now, asked each time. One that is not there or is disabled
        has none. Raises Unavailable `workspace_unavailable`."""

    def members_shown(self, group: UserGroup) -> frozenset[str] | None:
        """The same as known within the last minute, for what people are shown and never for what
        counts; None when Slack does not say."""

    def verify_channel(self, channel: str) -> None:
        """That the bot is in a channel, named by its id or by # and its name.
        Raises Refused `no_such_channel` or `not_in_channel`, Unavailable."""


@dataclass(frozen=True, kw_only=True)
class Rules:
    """One load of policies and people, together: a policy is never read with other people."""

    policies: PolicySet
    roster: Roster


class RuleSource(Protocol):
    """Where policies and people come from. `current` never touches the disk or the network."""

    def current(self) -> Rules:
        """The rules in force in this process."""
