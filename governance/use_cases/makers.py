"""Who made a version, from what MLflow and its tags claim; whoever was named once stays a maker of
an open request, by the record. Decides nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from governance.domain.errors import Refused
from governance.domain.evidence import AuthorClaim, Snapshot
from governance.domain.identity import Actor, PersonId, Roster
from governance.domain.ledger import EventKind
from governance.domain.policy import ModelPolicy, UnknownAuthor
from governance.domain.promotion import Request
from governance.ports import Transaction
from governance.use_cases.recording import record_of


@dataclass(frozen=True, kw_only=True)
class Authors:
    """The persons behind a version's author names, and the names that nobody owns."""

    persons: frozenset[PersonId]
    unmapped: tuple[str, ...]
    unknown: bool
    """Nobody is known to have made it."""


def authors_of(snapshots: Sequence[Snapshot], policy: ModelPolicy, roster: Roster) -> Authors:
    """Map every author name of a version, as first and as last seen, to persons.

    Raises:
        Refused: `unknown_author` when no name is a person's, unless the policy allows it.
    """
    authors = named_authors(snapshots, policy, roster)
    if authors.unknown and policy.unknown_author is UnknownAuthor.REFUSE:
        tag = policy.author_tags[0] if policy.author_tags else "mlflow.user"
        names = ", ".join(sorted({c.name for c in _claims(snapshots, policy)})) or "nobody"
        raise Refused(
            "unknown_author",
            f"Nobody is known to have made this version: MLflow names {names}, and none of these "
            "is a person in people.yaml. Let the training pipeline record its author: "
            f'mlflow.set_tag("{tag}", "<git e-mail of the author>").',
        )
    return authors


def named_authors(snapshots: Sequence[Snapshot], policy: ModelPolicy, roster: Roster) -> Authors:
    """As `authors_of`, when nobody is an answer too."""
    persons: set[PersonId] = set()
    unmapped: set[str] = set()
    for claim in _claims(snapshots, policy):
        person = roster.by_claim(claim.name)
        if person is not None:
            persons.add(person.id)
        elif not roster.is_service(claim.name):
            unmapped.add(claim.name)
    return Authors(
        persons=frozenset(persons), unmapped=tuple(sorted(unmapped)), unknown=not persons
    )


def keep_makers(
    tx: Transaction, request: Request, authors: frozenset[PersonId], actor: Actor
) -> Request:
    """Once named as an author, for good: the request and the record both know the new ones."""
    added = authors - request.makers
    if not added:
        return request
    record_of(tx, request, EventKind.MAKERS_GREW, actor, facts={"added": sorted(added)})
    return tx.save_request(replace(request, makers=request.makers | added))


def _claims(snapshots: Sequence[Snapshot], policy: ModelPolicy) -> list[AuthorClaim]:
    claims: list[AuthorClaim] = []
    for snapshot in snapshots:
        claims.extend(snapshot.author_claims)
        claims.extend(
            AuthorClaim(name=snapshot.tags[tag], where=f"tag {tag}")
            for tag in policy.author_tags
            if snapshot.tags.get(tag)
        )
    return claims
