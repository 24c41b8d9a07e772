"""`foureyes policy load`: what changes is said, recorded, and used by whoever follows the store."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from governance.domain.ledger import EventKind
from tests.cli.deployment import MODEL, Deployment
from tests.cli.program import POLICIES


def a_copy(deployment: Deployment) -> Path:
    """The shipped policies, to be changed."""
    folder = deployment.folder / "mine"
    shutil.copytree(POLICIES, folder)
    return folder


def test_a_load_is_recorded_with_its_difference_in_words(deployment: Deployment) -> None:
    """Who, which commit, what changes; the channel is told."""
    folder = a_copy(deployment)
    deployment.foureyes("db", "upgrade")
    first = deployment.foureyes("policy", "load", str(folder))
    assert first.code == 0, first.err
    assert "credit_scoring: is governed now\n" in first.out
    policy = folder / "credit_scoring.yaml"
    policy.write_text(policy.read_text().replace("soak: 5s", "soak: 2h"))
    for arguments in (["init", "-q"], ["add", "."]):
        subprocess.run(["git", "-C", str(folder), *arguments], check=True)
    identity = ["-c", "user.name=Ana", "-c", "user.email=ana@example.org"]
    subprocess.run(
        ["git", "-C", str(folder), *identity, "commit", "-q", "-m", "Soak longer"], check=True
    )
    second = deployment.foureyes("policy", "load", str(folder), "--reason", "Validators asked.")
    assert second.code == 0, second.err
    assert "Production needs 2 h in Staging instead of 5 s\n" in second.out
    with deployment.store() as store, store.read() as tx:
        loads = [e for e in tx.events() if e["kind"] == EventKind.POLICY_LOADED.value]
        told = [n.notice for n in tx.due_notices(10)]
    assert len(loads) == 2
    facts = loads[-1]["facts"]
    assert isinstance(facts, dict)
    assert len(str(facts["git_commit"])) == 40
    assert loads[-1]["why"] == "Validators asked."
    assert loads[-1]["via"] == "command line"
    assert {n.what for n in told} == {"policy_loaded"}


def test_a_policy_that_moves_or_goes_is_told_of_where_its_people_were(
    deployment: Deployment,
) -> None:
    """Else a weaker rule would be announced only where nobody of before is."""
    folder = a_copy(deployment)
    deployment.foureyes("db", "upgrade")
    deployment.foureyes("policy", "load", str(folder))
    policy = folder / "credit_scoring.yaml"
    before = policy.read_text()
    told_in(deployment)
    policy.write_text(before.replace('channel: "#credit-models"', 'channel: "#quiet"'))
    assert deployment.foureyes("policy", "load", str(folder)).code == 0
    assert told_in(deployment) == ["#credit-models", "#quiet"]
    policy.write_text(before.replace("model: credit_scoring", "model: credit_limit"))
    assert deployment.foureyes("policy", "load", str(folder)).code == 0
    assert told_in(deployment) == ["#credit-models", "#quiet"]


def told_in(deployment: Deployment) -> list[str]:
    """The channels of what waits to be told, which is then told."""
    found: list[str] = []
    with deployment.store() as store:
        while True:
            with store.transaction() as tx:
                due = tx.due_notices(10)
                for queued in due:
                    tx.notice_sent(queued.id)
            if not due:
                return sorted(found)
            found += [str(q.notice.facts["channel"]) for q in due]


def test_the_same_files_are_not_recorded_again(deployment: Deployment) -> None:
    """A restart or a doubled call adds nothing."""
    deployment.foureyes("db", "upgrade")
    deployment.foureyes("policy", "load")
    again = deployment.foureyes("policy", "load")
    assert again.out.endswith("These files were loaded last; nothing was recorded.\n")
    with deployment.store() as store, store.read() as tx:
        assert tx.head().size == 1


def test_wrong_files_are_not_loaded(deployment: Deployment) -> None:
    """Whole or not at all: nothing is recorded."""
    folder = a_copy(deployment)
    (folder / "credit_scoring.yaml").write_text("model: credit_scoring\n")
    deployment.foureyes("db", "upgrade")
    ended = deployment.foureyes("policy", "load", str(folder))
    assert ended.code == 1
    assert "credit_scoring.yaml:1:1:" in ended.err
    with deployment.store() as store, store.read() as tx:
        assert tx.policy_load() is None


def test_a_deployment_that_follows_the_store_shows_what_was_loaded(tmp_path: Path) -> None:
    """`store` before any load is refused, with the command that ends it."""
    deployment = Deployment(folder=tmp_path, more={"FOUREYES_POLICIES": "store"})
    deployment.foureyes("db", "upgrade")
    early = deployment.foureyes("policy", "show", MODEL)
    assert early.code == 1
    assert "foureyes policy load FOLDER" in early.err
    unnamed = deployment.foureyes("policy", "load")
    assert unnamed.code == 1
    assert "name the folder" in unnamed.err
    assert deployment.foureyes("policy", "load", str(POLICIES)).code == 0
    assert deployment.foureyes("policy", "show", MODEL).out.startswith("credit_scoring (policy")
