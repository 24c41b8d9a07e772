"""`foureyes doctor`: what is wrong, and what to do. Changes nothing."""

from __future__ import annotations

import argparse
import os

from bot.command_tree import Commands


def register(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add(
        "doctor", summary="check settings, Slack, MLflow, database and policies", run=_examine
    )
    parser.epilog = "Ends with 1 when something must be done; a warning alone ends with 0."


def _examine(_options: argparse.Namespace) -> int:
    from bot.doctor import examine
    from bot.finding import Level

    findings = []
    for finding in examine(os.environ):
        findings.append(finding)
        print(finding.text(), flush=True)
    wrong = sum(f.level is Level.WRONG for f in findings)
    warned = sum(f.level is Level.WARNING for f in findings)
    print(f"{wrong} to repair, {warned} to consider.")
    return 1 if wrong else 0
