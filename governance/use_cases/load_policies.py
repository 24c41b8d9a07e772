"""Record a load of policies and people: who, which commit, and what it changes, in words; then
tell the channels concerned. A load that changes nothing is not recorded again."""

from __future__ import annotations

from collections.abc import Mapping

from governance.domain.canonical import Json, digest_of
from governance.domain.evidence import ModelName
from governance.domain.identity import Actor
from governance.domain.ledger import Event, EventKind
from governance.domain.policy_difference import PolicyChange, policy_changes
from governance.ports import Notice, NoticeKind, PolicyLoad, Rules, Store

LINES_SHOWN = 20


def load_policies(
    store: Store,
    *,
    previous: Rules | None,
    new: Rules,
    texts: Mapping[str, str],
    actor: Actor,
    git_commit: str,
    why: str,
) -> tuple[PolicyChange, ...]:
    """Record and announce; returns what changed.

    `previous` are the rules of the newest recorded load; `texts` the files of the new one.

    Raises:
        Unavailable: the store; then nothing was recorded, and the new rules must not be used.
    """
    changes = policy_changes(
        old=previous.policies if previous else None,
        old_people=previous.roster if previous else None,
        new=new.policies,
        new_people=new.roster,
    )
    with store.transaction() as tx:
        last = tx.policy_load()
        if last is not None and last.digest == new.policies.digest:
            return ()
        tx.save_policy_load(
            PolicyLoad(digest=new.policies.digest, loaded_at=tx.now, texts=dict(texts))
        )
        tx.record(
            Event(
                kind=EventKind.POLICY_LOADED,
                at=tx.now,
                actor=actor,
                why=why,
                facts={
                    "digest": new.policies.digest,
                    "replaces": last.digest if last else None,
                    "git_commit": git_commit,
                    "files": [[name, digest_of(text)] for name, text in sorted(texts.items())],
                    "changes": [change.words for change in changes],
                },
            )
        )
        for pattern in sorted({p for change in changes for p in change.models}):
            lines = [change.words for change in changes if pattern in change.models]
            facts: dict[str, Json] = {
                "lines": lines[:LINES_SHOWN],
                "more": max(0, len(lines) - LINES_SHOWN),
                "by": actor.person or actor.account,
                "git_commit": git_commit,
            }
            for channel in _channels(pattern, previous, new):
                tx.notify(
                    Notice(
                        kind=NoticeKind.CHANNEL,
                        what="policy_loaded",
                        model=ModelName(pattern),
                        facts={**facts, "channel": channel},
                    )
                )
    return changes


def _channels(pattern: str, previous: Rules | None, new: Rules) -> tuple[str, ...]:
    """Where a policy's people are, and where they were: a policy that goes, or moves to another
    channel, is told of in the old one too."""
    both = (previous, new)
    found = (rules.policies.policies.get(pattern) for rules in both if rules is not None)
    return tuple(sorted({policy.channel for policy in found if policy is not None}))
