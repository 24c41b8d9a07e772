"""`foureyes monitor`: what is watched, what to expect of a rule, and what it would have done."""

from __future__ import annotations

import argparse
import os
import random
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from bot.command_tree import Commands
from bot.commands.rollback import version_number
from bot.settings import FOR_REGISTRY, Settings, read_settings

if TYPE_CHECKING:
    from governance.domain.evidence import ModelName
    from governance.domain.monitoring.plan import Expected
    from governance.domain.monitoring.spec import MonitorSpec
    from governance.domain.monitoring.verdict import Estimate
    from governance.domain.policy import ModelPolicy
    from governance.ports import Rules, Transaction


def register(commands: Commands) -> None:
    """Add the commands."""
    group = commands.group("monitor", summary="what is watched, and what a rule would do")
    listed = group.add("list", summary="each monitor's last verdict and next look", run=_list)
    listed.add_argument("model", nargs="?", metavar="MODEL", help="this model alone")
    planned = group.add(
        "plan", summary="how long a drop takes to be seen, and how often a rule is wrong", run=_plan
    )
    planned.add_argument("model", metavar="MODEL", help="the model whose policy is meant")
    planned.add_argument(
        "--per-day", type=_count, required=True, metavar="N", help="outcomes that mature in a day"
    )
    planned.add_argument(
        "--auc", type=_share, metavar="A", help="in place of what the baseline says"
    )
    planned.add_argument(
        "--bads", type=_share, metavar="P", help="the share of bads, in place of the baseline's"
    )
    planned.add_argument(
        "--baseline-rows",
        type=_count,
        metavar="N",
        help="rows that the baseline was measured on, in place of what it says itself",
    )
    planned.epilog = (
        "By simulation with a fixed seed, for rules on AUC; takes some seconds. The baseline is "
        "read from the version in Production where MLFLOW_TRACKING_URI is set; what is not known "
        "is taken as AUC 0.78 with 8 % bads on 10,000 rows, and said."
    )
    tested = group.add(
        "backtest", summary="replay a history against the policy's rules", run=_backtest
    )
    tested.add_argument("model", metavar="MODEL", help="the model whose policy is meant")
    tested.add_argument("--since", type=_moment, metavar="DATE", help="2026-03-01, or with a time")
    tested.add_argument(
        "--version", type=version_number, metavar="N", help="the one in Production if left out"
    )
    tested.add_argument("--picture", type=Path, metavar="FILE", help="write a PNG there")
    tested.epilog = "Reads the source and changes nothing."


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 10**9:
        raise argparse.ArgumentTypeError(f"{text} is no number of rows")
    return int(text)


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 1")
    return value


def _moment(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is no date; write 2026-03-01") from None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def _list(options: argparse.Namespace) -> int:
    from bot.assembly import database, load_rules
    from governance.domain.evidence import ModelName
    from governance.use_cases.naming import policy_named

    settings = read_settings(os.environ, needed=("FOUREYES_POLICIES",))
    with database(settings) as store:
        rules = load_rules(settings, store).rules
        with store.read() as tx:
            production = tx.in_production()
            wanted = sorted(production)
            if options.model:
                wanted = [ModelName(options.model)]
                policy_named(rules, wanted[0], known=tuple(production))
            lines = [line for model in wanted for line in _watched(tx, rules, model)]
    print("\n".join(lines) or "Nothing is in Production, so nothing is watched.")
    return 0


def _watched(tx: Transaction, rules: Rules, model: ModelName) -> Iterator[str]:
    """What watches a model, or why nothing does."""
    from bot.messages.monitor_words import monitor_lines

    lines = list(monitor_lines(tx, rules, model))
    if lines:
        yield from lines
    elif model not in tx.in_production():
        yield f"No version of {model} is in Production, so nothing is watched."
    else:
        yield f"No monitor of a policy watches {model}."


def _plan(options: argparse.Namespace) -> int:
    from governance.domain.evidence import ModelName
    from governance.domain.monitoring.plan import RUNS, plan
    from governance.domain.monitoring.spec import Metric, PsiSpec
    from governance.domain.monitoring.words import describe_monitor
    from governance.use_cases.naming import policy_named

    settings = read_settings(os.environ, needed=("FOUREYES_POLICIES",))
    policy = policy_named(_rules(settings), ModelName(options.model))
    least = 3 * 100 / RUNS
    for spec in policy.watching.monitors:
        print(f"\nmonitor {spec.name}: {describe_monitor(spec)['rule']}")
        if spec.metric is not Metric.AUC or isinstance(spec.rule, PsiSpec):
            print("  judges no AUC, and is not simulated")
            continue
        expected, told = _expected(settings, policy, spec, options)
        print(f"  {told}, {options.per_day:,} outcomes a day")
        dice = random.Random(1)  # noqa: S311  # a simulation, no secret
        found = plan(spec.rule, expected, drops=(0.05, 0.10, 0.15), dice=dice)
        wrong = found.false_alarm_percent
        often = f"{wrong:.0f} %" if wrong else f"less than {least:.0f} %"
        print(f"  wrong within {found.days:.0f} days: {often} of runs")
        for seen in found.drops:
            if seen.rows is None:
                print(f"  a drop of {seen.drop:.2f} is not seen within {found.days:.0f} days")
            else:
                print(
                    f"  a drop of {seen.drop:.2f} is seen in {seen.found_percent:.0f} % of runs, "
                    f"after {seen.rows:,.0f} outcomes ({seen.bads:,.0f} bads, {seen.days:.1f} days)"
                )
    return 0


def _rules(settings: Settings) -> Rules:
    """Of the folder, or of the store; a folder needs no database."""
    from bot.assembly import database, load_rules
    from bot.settings import required
    from governance.adapters.policy_files import load_folder

    if settings.policies_from_store:
        with database(settings) as store:
            return load_rules(settings, store).rules
    return load_folder(required(settings.policies, "FOUREYES_POLICIES")).rules


def _expected(
    settings: Settings, policy: ModelPolicy, spec: MonitorSpec, options: argparse.Namespace
) -> tuple[Expected, str]:
    """The model as its baseline shows it, as the options say, or as is taken for want of both."""
    from governance.domain.monitoring.plan import Expected

    known, whence = _known_baseline(settings, policy, spec)
    rows = options.baseline_rows or (known.rows if known and known.bads else 10_000)
    share = options.bads or (known.bads / known.rows if known and known.bads else 0.08)
    auc = options.auc or (known.value if known and 0.5 < known.value < 1 else 0.78)
    bads = max(1, round(rows * share))
    expected = Expected(
        auc=auc,
        baseline_goods=max(1, rows - bads),
        baseline_bads=bads,
        bad_share=share,
        rows_a_day=options.per_day,
    )
    given = any((options.auc, options.bads, options.baseline_rows))
    source = "as you said" if given else whence
    return expected, f"AUC {auc:.3g}, {share:.0%} bads, baseline on {rows:,} rows ({source})"


def _known_baseline(
    settings: Settings, policy: ModelPolicy, spec: MonitorSpec
) -> tuple[Estimate | None, str]:
    """What the monitor will be held against, where that can be read now, and where it was read."""
    from governance.domain.errors import FoureyesError
    from governance.domain.monitoring.spec import FirstOutcomes, FixedBaseline
    from governance.domain.monitoring.verdict import Estimate
    from governance.use_cases.baselines import resolve_number

    if isinstance(spec.baseline, FirstOutcomes):
        count, share = spec.baseline.count, 0.08
        bads = max(1, round(count * share))
        return (
            Estimate(value=0.78, variance=None, goods=count - bads, bads=bads),
            f"its own first {count:,}; AUC and bads are taken",
        )
    if isinstance(spec.baseline, FixedBaseline):
        fixed = spec.baseline
        return (
            Estimate(
                value=fixed.value, variance=None, goods=fixed.goods or 0, bads=fixed.bads or 0
            ),
            "as the policy says",
        )
    if settings.mlflow_tracking_uri is None:
        return None, "taken: MLFLOW_TRACKING_URI is not set"
    from bot.assembly import open_registry

    registry = open_registry(settings)
    try:
        production = registry.production(policy.model)
        current = production.current
        if current is None:
            return None, "taken: nothing is in Production"
        return resolve_number(registry, policy.model, current, spec), f"of v{current}"
    except FoureyesError as problem:
        return None, f"taken: {problem.sentence}"


def _backtest(options: argparse.Namespace) -> int:
    from bot.assembly import open_sources, world_without_slack
    from governance.domain.evidence import ModelName, Version
    from governance.use_cases.backtest import backtest, history_of

    settings = read_settings(os.environ, needed=FOR_REGISTRY)
    version = None if options.version is None else Version(options.version)
    with world_without_slack(settings) as world:
        history = history_of(world, ModelName(options.model), version, options.since)

        def progress(name: str, done: int, total: int) -> None:
            if sys.stderr.isatty():
                print(f"\r{name}: {done} of {total} looks", end="", file=sys.stderr, flush=True)

        found = backtest(world, open_sources(), history, progress=progress)
    if sys.stderr.isatty():
        print(file=sys.stderr)
    print(
        f"{history.model} v{history.version}, {history.since:%Y-%m-%d %H:%M} to "
        f"{history.until:%Y-%m-%d %H:%M} UTC"
    )
    for replayed in found:
        fired = "never fires"
        if replayed.fired_at is not None:
            fired = f"fires at {replayed.fired_at:%Y-%m-%d %H:%M:%S} UTC"
        blind = f", blind at {replayed.blind}" if replayed.blind else ""
        print(f"\nmonitor {replayed.monitor.name}: {fired} ({replayed.looks} looks{blind})")
        print(f"  {replayed.sentence}")
    if options.picture is not None:
        from bot.pictures import history_picture

        options.picture.write_bytes(history_picture(history, found))
        print(f"\nThe picture is in {options.picture}.")
    return 0
