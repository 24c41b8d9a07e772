"""What the use cases need of the world, written as guarantees.

Knows the domain and nothing of any vendor. Every implementation translates its vendor's errors:
`Unavailable` when something does not answer, `Conflict` when somebody else got there first,
`Refused` when asking again changes nothing.
"""

from governance.ports.kept import (
    HEADS_UNREADABLE,
    HEADS_UNWRITABLE,
    DoneRollback,
    Drill,
    InboxId,
    InboxItem,
    Intent,
    IntentId,
    IntentKind,
    Look,
    Notice,
    NoticeId,
    NoticeKind,
    PastDecision,
    PolicyLoad,
    QueuedNotice,
    SentMessage,
    WantedLook,
)
from governance.ports.registry import ProductionState, Registry, VersionSummary
from governance.ports.rules import Accounts, Rules, RuleSource
from governance.ports.store import KeptHeads, Store, Transaction
from governance.ports.watching import (
    Cursor,
    DayCounts,
    Decided,
    Mark,
    Matured,
    MaturedPage,
    MetricPoint,
    MetricSources,
    ServingProbe,
    Traffic,
    Webhook,
)

__all__ = [
    "HEADS_UNREADABLE",
    "HEADS_UNWRITABLE",
    "Accounts",
    "Cursor",
    "DayCounts",
    "Decided",
    "DoneRollback",
    "Drill",
    "InboxId",
    "InboxItem",
    "Intent",
    "IntentId",
    "IntentKind",
    "KeptHeads",
    "Look",
    "Mark",
    "Matured",
    "MaturedPage",
    "MetricPoint",
    "MetricSources",
    "Notice",
    "NoticeId",
    "NoticeKind",
    "PastDecision",
    "PolicyLoad",
    "ProductionState",
    "QueuedNotice",
    "Registry",
    "Rules",
    "RuleSource",
    "SentMessage",
    "WantedLook",
    "ServingProbe",
    "Store",
    "Traffic",
    "Transaction",
    "VersionSummary",
    "Webhook",
]
