"""Two small valid files, and edits of them whose line is known."""

from __future__ import annotations

from governance.adapters.policy_files import Finding, PolicyProblems, load_texts

PEOPLE = """\
roles: [data_scientist, validator, risk, on_call]
people:
  dana:
    name: Dana Feld
    slack: [U0DANA]
    mlflow_users: [dana]
    git_emails: [dana@bank.example]
    roles: [data_scientist]
  ana:
    name: Ana Ruiz
    slack: [U0ANA]
    mlflow_users: [ana]
    roles: [validator]
  raj:
    name: Raj Patel
    slack: [U0RAJ]
    roles: [risk]
  otto:
    name: Otto Lind
    slack: [U0OTTO]
    os_logins: [otto]
    roles: [on_call]
service_accounts: [ci-pipeline]
"""
POLICY = """\
model: credit_scoring
channel: "#credit-models"
owners: [dana]
on_call: [otto]
rollback: [on_call]
headline: [auc_validation]
stages:
  Staging:
    from: [None]
    checks:
      - signature_recorded: true
    approvals: none
    expires_after: 2d
  Production:
    from: [Staging]
    soak: 1d
    checks:
      - metric_at_least: {metric: auc_validation, value: 0.7}
    approvals:
      - {role: validator, count: 1}
      - {role: risk, count: 1}
    expires_after: 2d
    rejections_to_end: 1
"""
FILES = {"people.yaml": PEOPLE, "credit.yaml": POLICY}


def problems_of(texts: dict[str, str]) -> tuple[Finding, ...]:
    """Everything that a load of these files is refused for; nothing if it is not."""
    try:
        load_texts(texts)
    except PolicyProblems as refused:
        return refused.problems
    return ()


def edited(file: str, old: str, new: str) -> tuple[dict[str, str], int]:
    """The files with one place changed, and the line of that place."""
    text = FILES[file]
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {file}"
    return {**FILES, file: text.replace(old, new)}, text[: text.index(old)].count("\n") + 1
