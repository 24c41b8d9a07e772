"""The whole story on this machine: a real MLflow server, a real bot, a Slack workspace that speaks
Slack's wire, and people who only type, click and read.

Every step checks what it tells: against MLflow itself, against what the people see, and against
the record. The first that does not end as told ends the demo with exit code 1.
"""

from __future__ import annotations

import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bot.demo.cast import CHANNEL, MODEL
from bot.demo.processes import DemoBroken
from bot.demo.scene import NAMES, Scene, scene_in
from bot.demo.training import register_version
from bot.sandbox import Message, NoSuchInput, ShownError

HEALTHY = 40
"""Applicants who arrive before the feed breaks."""
_BATCH = 5
_PAUSE_SECONDS = 0.12


def main() -> int:
    """Tell the story; 0 when every step ended as told."""
    began = time.monotonic()
    try:
        with (
            tempfile.TemporaryDirectory(prefix="foureyes-demo-") as folder,
            scene_in(Path(folder), healthy=HEALTHY) as scene,
        ):
            for tell in STORY:
                tell(scene)
    except (DemoBroken, ShownError, NoSuchInput) as broken:
        print(f"\nThe demo stopped: {broken}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped; everything it had started is gone.", file=sys.stderr)
        return 130
    print(f"\nThat was the whole story, in {time.monotonic() - began:.0f} seconds.")
    print("Everything it had started is stopped, and its folder is gone.")
    return 0


# --- the story ------------------------------------------------------------------------------


def first_version_to_production(scene: Scene) -> None:
    """v1: Staging, the soak time shown as held, then Production by two approvals."""
    scene.step("Dana trains v1 on the German credit data, and asks for Staging.")
    train(scene, 1)
    to_staging(scene, 1, "first version")
    scene.note("Policy asks for checks there, and for nobody's approval.")
    scene.step(
        "She asks for Production at once: votes may be cast, and it waits for its soak time."
    )
    scene.type("dana", f"/promote {MODEL} 1 production first version, on the credit data")
    request = scene.request(1, target="Production")
    scene.note("Policy asks for two approvals, and for 5 s in Staging.")
    scene.step("Dana tries to approve what she made and asked for herself.")
    before = scene.seen("dana")
    scene.does("dana", "clicks Approve")
    scene.person("dana").click(request, "Approve")
    refusal = scene.answer("dana", before, "Not counted")
    scene.reads("dana", scene.person("dana").sees(refusal))
    scene.step("Ana (validator) and Raj (risk) approve.")
    approve(scene, request, "ana", "raj")
    scene.reads("raj", held(scene, request))
    scene.stage_is(1, "Production")


def second_version_refused(scene: Scene) -> None:
    """v2 uses columns that must not be used: nobody is asked."""
    scene.step("v2 uses personal_status_and_sex and foreign_worker. Policy refuses it.")
    train(scene, 2)
    before = scene.seen("dana")
    scene.type("dana", f"/promote {MODEL} 2 staging better AUC")
    answer = scene.answer("dana", before, "foreign_worker")
    scene.reads("dana", scene.person("dana").sees(answer))
    if scene.registry.stage(MODEL, 2) != "None":
        raise DemoBroken("v2 moved although a check refused it")
    scene.note("Nobody was asked, and MLflow still shows v2 in None.")


def third_version_rejected(scene: Scene) -> None:
    """v3 passes the checks, and the risk officer rejects it with a comment."""
    scene.step("v3 approves more than v1. The risk officer rejects it, and says why.")
    train(scene, 3)
    to_staging(scene, 3, "more approvals")
    scene.type("dana", f"/promote {MODEL} 3 production threshold 0.6 instead of 0.45")
    request = scene.request(3, target="Production")
    raj = scene.person("raj")
    scene.does("raj", "clicks Reject")
    raj.click(request, "Reject")
    modal = scene.wait("a modal asks Raj for a comment", raj.modal)
    comment = "This threshold approves far more. Show me the bads first."
    scene.does("raj", comment)
    submission = raj.fill_and_submit(modal, {"comment": comment})
    if not submission.is_accepted:
        raise DemoBroken(f"the comment was refused: {submission.errors}")
    told = scene.wait(
        "Dana is told",
        lambda: next(
            (
                text
                for m in reversed(scene.person("dana").direct_messages())
                if "Show me the bads" in (text := scene.person("dana").sees(m))
            ),
            None,
        ),
    )
    scene.reads("dana", told)
    if scene.registry.stage(MODEL, 3) == "Production":
        raise DemoBroken("v3 is in Production although it was rejected")


def fourth_version_promoted(scene: Scene) -> None:
    """v4 is announced; the bot is killed between decision and transition."""
    scene.step("Dana trains v4. The bot notices it, and says what it would change.")
    train(scene, 4)
    scene.reads("ana", scene.channel_says(f"New: {MODEL} v4"))
    scene.step("v4 is promoted, and the bot is killed (SIGKILL) right after the last vote.")
    to_staging(scene, 4, "logistic regression")
    scene.type("dana", f"/promote {MODEL} 4 production simpler than the forest, easier to explain")
    request = scene.request(4, target="Production")
    approve(scene, request, "ana")
    scene.does("raj", "clicks Approve")
    scene.person("raj").click(request, "Approve")
    scene.bot.kill()
    scene.note("The bot is dead. Slack had its answer, so the vote is in the inbox.")
    scene.around.start_bot()
    scene.note("It was started again, and goes on from its own record.")
    done(scene, 4, "Production")
    scene.stage_is(4, "Production")
    if scene.registry.production(MODEL) != [4]:
        raise DemoBroken(f"MLflow shows {scene.registry.production(MODEL)} in Production")
    scene.note("Exactly one version is in Production.")


def gone_bad(scene: Scene) -> None:
    """2 a.m.: the feed breaks, the approval rate alerts, AUC puts the version before back."""
    applicants = scene.applicants
    scene.step(f"Applicants arrive; v4 decides. {HEALTHY} of them as they should be.")
    _serve(scene, until=HEALTHY)
    scene.step("2 a.m.: a system upstream changes its unit. credit_amount arrives times 100.")
    dana = scene.person("dana")

    def alert(part: str) -> Message | None:
        found = [m for m in dana.messages(CHANNEL) if part in dana.sees(m)]
        return found[-1] if found else None

    heard_at = 0
    while scene.registry.stage(MODEL, 1) != "Production":
        if not applicants.arrive(_BATCH):
            break
        time.sleep(_PAUSE_SECONDS)
        if not heard_at and alert("approval rate") is not None:
            heard_at = applicants.arrived
            made = heard_at - HEALTHY
            scene.note(
                f"The approval rate alerts: {made} decisions on broken inputs when it is read."
            )
            scene.reads("otto", dana.sees(scene.wait("the alert", lambda: alert("approval rate"))))
    message = scene.wait("the alert of AUC", lambda: alert(f"Rolled back: {MODEL} v4 → v1"))
    if not heard_at:
        raise DemoBroken("AUC acted before the approval rate had alerted")
    scene.note("Nobody clicked anything. AUC acted:")
    scene.reads("otto", dana.sees(message))
    scene.stage_is(1, "Production")
    while applicants.served() != 1:
        time.sleep(_PAUSE_SECONDS)
    wrong = applicants.decided_by(4, since=HEALTHY)
    bad_auc = applicants.auc(4, since=HEALTHY)
    scene.note(f"v4 made {wrong} decisions on broken inputs; its AUC there was {bad_auc:.3f}.")
    scene.step("Otto acknowledges. The feed is still broken, and the forest hardly minds.")
    scene.does("otto", "clicks Acknowledge")
    scene.person("otto").click(message, "Acknowledge")
    scene.wait(
        "the thread says who acknowledged",
        lambda: next((m for m in dana.thread(message) if "acknowledged" in dana.sees(m)), None),
    )
    first = applicants.arrived
    _serve(scene, until=500)
    good_auc = applicants.auc(1, since=HEALTHY)
    count = applicants.decided_by(1, since=HEALTHY)
    scene.note(
        f"v1 decided on {count} later applicants, broken as they were; its AUC is {good_auc:.3f}."
    )
    if good_auc < bad_auc + 0.1 or first >= 500:
        raise DemoBroken("the rollback did not help")


def _serve(scene: Scene, *, until: int) -> None:
    while scene.applicants.arrived < until:
        wanted = min(_BATCH, until - scene.applicants.arrived)
        if not scene.applicants.arrive(wanted):
            return
        time.sleep(_PAUSE_SECONDS / 2)


def changed_elsewhere(scene: Scene) -> None:
    """Somebody moves a stage in MLflow, past the bot; who is on call takes it back."""
    scene.step("Somebody promotes v3 directly in MLflow. It is recorded, and the channel hears it.")
    scene.registry.set_stage(MODEL, 3, "Production")
    text = scene.channel_says("outside Foureyes")
    scene.reads("otto", text)
    scene.step("Otto puts the last good version back: one command, one button.")
    before = scene.seen("otto")
    scene.type("otto", f"/rollback {MODEL} nobody approved v3")
    offer = scene.answer("otto", before, "v3 → v1")
    scene.reads("otto", scene.person("otto").sees(offer))
    scene.does("otto", "clicks Roll back v3 → v1")
    scene.person("otto").click(offer, "Roll back v3 → v1")
    text = scene.channel_says("was v3")
    scene.reads("otto", text)
    scene.stage_is(1, "Production")


def record_shown(scene: Scene) -> None:
    """The trail, the verification, and a copy that was tampered with."""
    scene.step("The trail, for the auditor (UTC); `audit show --all` has every refusal too.")
    code, trail = scene.around.foureyes("audit", "show", MODEL)
    print("\n".join(f"      {line}" for line in trail.splitlines()))
    if code != 0 or "Rolled back" not in trail:
        raise DemoBroken("the trail does not show the rollback")
    scene.step("The record verifies against the heads that were kept outside the database.")
    code, told = scene.around.foureyes("audit", "verify")
    print("\n".join(f"      {line}" for line in told.splitlines()))
    if code != 0:
        raise DemoBroken("the record does not verify")
    scene.step("A copy in which “reject” was changed to “accept” does not.")
    copy = scene.around.folder / "tampered.db"
    tamper(scene.around.folder / "foureyes.db", copy)
    code, told = scene.around.foureyes(
        "audit", "verify", env={"FOUREYES_DATABASE_URL": f"sqlite:///{copy}"}
    )
    print("\n".join(f"      {line}" for line in told.splitlines()))
    if code == 0:
        raise DemoBroken("a tampered copy verified")


STORY: tuple[Callable[[Scene], None], ...] = (
    first_version_to_production,
    second_version_refused,
    third_version_rejected,
    fourth_version_promoted,
    gone_bad,
    changed_elsewhere,
    record_shown,
)


def train(scene: Scene, version: int) -> None:
    """Train and register one version."""
    scene.does("dana", f"trains v{version}")
    register_version(scene.registry.tracking_uri, version)


def to_staging(scene: Scene, version: int, reason: str) -> None:
    """Ask for Staging, which needs no approval, and wait until the channel says that it is done."""
    scene.type("dana", f"/promote {MODEL} {version} staging {reason}")
    done(scene, version, "Staging")
    scene.stage_is(version, "Staging")


def done(scene: Scene, version: int, stage: str) -> None:
    """Wait until the channel says that a request is done: MLflow moved, and it is recorded."""
    dana = scene.person("dana")
    scene.wait(
        f"{CHANNEL} shows v{version} in {stage}",
        lambda: any(
            f"v{version} → {stage}" in (text := dana.sees(m)) and "Done." in text
            for m in dana.messages(CHANNEL)
        ),
    )


def approve(scene: Scene, request: Message, *names: str) -> None:
    """People click Approve, nobody waiting for the others, and the request's thread says so."""
    for name in names:
        scene.does(name, "clicks Approve")
        scene.person(name).click(request, "Approve")
    for name in names:
        scene.reads(name, thread_says(scene, request, f"{NAMES[name]} ", ending=" approved."))


def held(scene: Scene, request: Message) -> str:
    """Wait until the request's thread says that it is approved and held for its soak time."""
    found = thread_says(scene, request, "Now held", "Now executing", "Now completed")
    if not found.startswith("Now held"):
        raise DemoBroken(
            "nothing was held, because the votes came after the soak time was over; this machine "
            "has too much to do beside. Try again when it has less"
        )
    return found


def thread_says(scene: Scene, request: Message, *beginnings: str, ending: str = "") -> str:
    """Wait for the first line of a request's thread that begins and ends so."""
    raj = scene.person("raj")

    def look() -> str | None:
        lines = (raj.sees(message) for message in raj.thread(request))
        return next((x for x in lines if x.startswith(beginnings) and x.endswith(ending)), None)

    return scene.wait(f"the thread says “{' or '.join(beginnings)}{ending}”", look)


def tamper(database: Path, copy: Path) -> None:
    """Copy the record and change one word in it, as somebody who owns the database can."""
    source = sqlite3.connect(database)
    target = sqlite3.connect(copy)
    with target:
        source.backup(target)
    source.close()
    triggers = target.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for (name,) in triggers:
        target.execute(f'DROP TRIGGER "{name}"')
    with target:
        target.execute(
            "UPDATE ledger SET body = CAST(replace(CAST(body AS TEXT), 'reject', 'accept') AS BLOB)"
        )
    target.close()
