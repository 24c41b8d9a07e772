"""Which monitors there are to look at, and what makes one of them begin anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from governance.domain.canonical import Digest, digest_of
from governance.domain.evidence import ModelName
from governance.domain.monitoring.spec import MonitorSpec, TableSource
from governance.domain.monitoring.state import MonitorKey
from governance.domain.policy import ModelPolicy, policy_for
from governance.domain.tenure import Tenure
from governance.ports import Rules, WantedLook

_MLFLOW = "mlflow"


@dataclass(frozen=True, kw_only=True)
class Due:
    """One monitor to look at now."""

    key: MonitorKey
    stay: Tenure
    """The version's stay in Production that is watched."""
    policy: ModelPolicy
    spec: MonitorSpec
    source: TableSource | None

    @property
    def address(self) -> str:
        """Where it looks; looks of one address share a lane."""
        return _MLFLOW if self.source is None else self.source.url

    @property
    def digest(self) -> Digest:
        """Of everything that the verdict depends on beside the data: a change in the policy, and
        each stay in Production, begins anew."""
        return digest_of(
            {
                "monitor": repr(self.spec),
                "source": repr(self.source),
                "threshold": self.policy.decision_threshold,
                "since": self.stay.started_at.isoformat(),
            }
        )

    @property
    def wanted(self) -> WantedLook:
        """As the store is asked for it."""
        return WantedLook(spec=self.digest, every=self.spec.every)


def due_monitors(rules: Rules, production: Mapping[ModelName, Tenure]) -> tuple[Due, ...]:
    """Every monitor of every version in Production, due or not."""
    found: list[Due] = []
    for model, stay in production.items():
        policy = policy_for(rules.policies, model)
        if policy is None:
            continue
        for spec in policy.watching.monitors:
            found.append(
                Due(
                    key=MonitorKey(model, stay.version, spec.name),
                    stay=stay,
                    policy=policy,
                    spec=spec,
                    source=None if spec.source is None else policy.watching.source(spec.source),
                )
            )
    return tuple(found)
