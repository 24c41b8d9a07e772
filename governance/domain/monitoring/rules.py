"""The rules: numbers in, a verdict with its sentence out. Pure: no clock, no IO, no vendor.

A sentence begins with what happened, so that the trail can print it up to its first colon or
bracket: "AUC fell 0.061 below baseline".
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite, sqrt

from governance.domain.monitoring.baseline import Baseline
from governance.domain.monitoring.measures import psi, psi_limit
from governance.domain.monitoring.score_counts import ScoreCounts
from governance.domain.monitoring.spec import Bad
from governance.domain.monitoring.verdict import Estimate, Finding, Verdict


@dataclass(frozen=True, kw_only=True)
class Threshold:
    """Worse than the baseline by more than `drop`, in one window: |value − baseline| > drop.

    Familiar, and right for big windows: with 1,000 outcomes it is wrong in almost every month,
    with 5,000 in one of 500 (AUC 0.78, 8 % bads; see `foureyes monitor plan`).
    """

    metric: str
    drop: float
    bad: Bad
    minimum_goods: int
    minimum_bads: int

    def judge(self, baseline: Baseline, measured: Estimate | None) -> Finding:
        """Inconclusive while there are too few outcomes."""
        few = _too_few(measured, self.minimum_goods, self.minimum_bads)
        if few is not None or measured is None:
            return few or _nothing()
        worse = _worse_by(self.bad, baseline.estimate.value, measured.value)
        bound = _limit(self.bad, baseline.estimate.value, self.drop)
        numbers = _numbers(baseline, measured, bound=bound, worse_by=worse)
        if not _all_finite(numbers):
            return _no_number()
        if worse > self.drop:
            return Finding(
                verdict=Verdict.REGRESSED,
                numbers=numbers,
                sentence=f"{_moved(self.metric, baseline, measured)}: "
                f"{_against(baseline, measured)}, allowed is {self.drop:.3g}.",
            )
        return _healthy(self.metric, baseline, measured, numbers)


@dataclass(frozen=True, kw_only=True)
class DelongBound:
    """Worse by more than `drop`, and surely so, in two windows that do not overlap:
    z = |value − baseline| / √(Var + Var₀) > z₀ in both.

    Source: DeLong, DeLong & Clarke-Pearson, Biometrics 44 (1988). A baseline without a known
    variance counts as exact.
    """

    metric: str
    drop: float
    z: float
    bad: Bad
    minimum_goods: int
    minimum_bads: int

    def judge(
        self, baseline: Baseline, measured: Estimate | None, previous: Estimate | None
    ) -> Finding:
        """Inconclusive while either window has too few outcomes."""
        for window in (measured, previous):
            few = _too_few(window, self.minimum_goods, self.minimum_bads)
            if few is not None:
                return few
        if measured is None or previous is None:
            return _nothing()
        worse = _worse_by(self.bad, baseline.estimate.value, measured.value)
        z = self._z(baseline, measured)
        bound = _limit(self.bad, baseline.estimate.value, self.drop)
        numbers = _numbers(baseline, measured, bound=bound, worse_by=worse, z=z)
        if not _all_finite(numbers):
            return _no_number()
        if self._is_worse(baseline, measured) and self._is_worse(baseline, previous):
            return Finding(
                verdict=Verdict.REGRESSED,
                numbers=numbers,
                sentence=f"{_moved(self.metric, baseline, measured)}: "
                f"{_against(baseline, measured)}, z = {z:.2f}, and so it was in the window before.",
            )
        return _healthy(self.metric, baseline, measured, numbers)

    def _is_worse(self, baseline: Baseline, measured: Estimate) -> bool:
        worse = _worse_by(self.bad, baseline.estimate.value, measured.value)
        return worse > self.drop and self._z(baseline, measured) > self.z

    def _z(self, baseline: Baseline, measured: Estimate) -> float:
        worse = _worse_by(self.bad, baseline.estimate.value, measured.value)
        variance = (measured.variance or 0.0) + (baseline.estimate.variance or 0.0)
        if variance <= 0.0:
            return 0.0 if worse <= 0 else 1e6
        return worse / sqrt(variance)


ENOUGH_GOODS, ENOUGH_BADS, ENOUGH_DECISIONS = 20, 10, 50
"""So much has to be known before no evidence of a change is called healthy."""


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What a betting process says: regressed at evidence ≥ limit (see `betting`)."""

    metric: str
    tolerance: float
    alpha: float
    limit: float
    is_steady: bool
    needs_outcomes: bool = True
    """False: it counts decisions, which are there at once."""

    def judge(
        self,
        baseline: Baseline,
        measured: Estimate | None,
        *,
        bound: float,
        evidence: float,
        bets: int,
    ) -> Finding:
        """Evidence decides; `measured` and `bound`, what is bet against, are only shown.
        Inconclusive before the first bet, and while so little is known that a change could not
        show."""
        if bets == 0 or measured is None:
            return Finding(
                verdict=Verdict.INCONCLUSIVE,
                sentence="Nothing was compared yet: "
                + ("no outcome is mature." if self.needs_outcomes else "no decision is there yet."),
                numbers={"evidence": 0.0, "limit": self.limit},
            )
        numbers = _numbers(
            baseline, measured, bound=bound, evidence=evidence, limit=self.limit, bets=bets
        )
        if not _all_finite(numbers):
            return _no_number()
        if evidence >= self.limit:
            return Finding(
                verdict=Verdict.REGRESSED,
                numbers=numbers,
                sentence=f"{_moved(self.metric, baseline, measured)} "
                f"({_against(baseline, measured)}). {self._assurance(baseline)}",
            )
        return Finding(
            verdict=Verdict.HEALTHY if _is_enough(measured) else Verdict.INCONCLUSIVE,
            numbers=numbers,
            sentence=f"{_capital(self.metric)} is {_shown(measured.value)}: "
            f"{_against(baseline, measured)}. "
            f"Evidence of a change is {evidence:.3g}, and {self.limit:.3g} would act.",
        )

    def _assurance(self, baseline: Baseline) -> str:
        once = f"{1 / self.alpha:.0f}"
        within = f"more than {self.tolerance:.3g}"
        if baseline.estimate.variance is not None:
            within += " (and the doubt about the baseline itself)"
        if self.is_steady:
            return (
                f"If it had not moved by {within}, evidence this strong would occur in about one "
                f"of {once} months, however often we look."
            )
        return (
            f"If it had not moved by {within}, evidence this strong would occur at most once in "
            f"{once} deployments, however often we look."
        )


@dataclass(frozen=True, kw_only=True)
class PsiLimit:
    """The scores are distributed otherwise than before: PSI above `measures.psi_limit`."""

    limit: float
    minimum_rows: int

    def judge(self, expected: ScoreCounts, observed: ScoreCounts) -> Finding:
        """Inconclusive while there are too few predictions."""
        rows = observed.n_rows
        value = psi(expected, observed)
        if rows < self.minimum_rows or value is None:
            return Finding(
                verdict=Verdict.INCONCLUSIVE,
                sentence=f"Too few predictions: {rows} of {self.minimum_rows}.",
                numbers={"rows": float(rows)},
            )
        bound = psi_limit(self.limit, expected.n_rows, rows)
        numbers = {"value": value, "bound": bound, "rows": float(rows), "baseline": 0.0}
        if not _all_finite(numbers):
            return _no_number()
        if value > bound:
            return Finding(
                verdict=Verdict.REGRESSED,
                numbers=numbers,
                sentence=f"PSI of the score rose to {value:.3f}: above {bound:.3f}, over "
                f"{rows:,} predictions; the applicants or their data are not those of before.",
            )
        return Finding(
            verdict=Verdict.HEALTHY,
            numbers=numbers,
            sentence=f"PSI of the score is {value:.3f}: up to {bound:.3f} is allowed, over "
            f"{rows:,} predictions.",
        )


# --- words ----------------------------------------------------------------------------------------


def _moved(metric: str, baseline: Baseline, measured: Estimate) -> str:
    difference = measured.value - baseline.estimate.value
    way = "fell" if difference < 0 else "rose"
    side = "below" if difference < 0 else "above"
    return f"{_capital(metric)} {way} {_shown(abs(difference))} {side} baseline"


def _capital(metric: str) -> str:
    return metric[:1].upper() + metric[1:]


def _against(baseline: Baseline, measured: Estimate) -> str:
    interval = ""
    if measured.has_interval:
        low, high = max(measured.lower(0.975), 0.0), min(measured.upper(0.975), 1.0)
        interval = f" [95 % interval {_shown(low)} to {_shown(high)}]"
    rows = f"{measured.rows:,} outcomes with {measured.bads:,} bads"
    if not measured.bads:
        rows = f"{measured.rows:,} decisions"
    return f"{_shown(measured.value)}{interval} against {_shown(baseline.estimate.value)}, {rows}"


def _healthy(
    metric: str, baseline: Baseline, measured: Estimate, numbers: dict[str, float]
) -> Finding:
    return Finding(
        verdict=Verdict.HEALTHY,
        numbers=numbers,
        sentence=f"{_capital(metric)} is {_shown(measured.value)}: {_against(baseline, measured)}.",
    )


def _too_few(measured: Estimate | None, goods: int, bads: int) -> Finding | None:
    has_goods, has_bads = (measured.goods, measured.bads) if measured else (0, 0)
    if measured is not None and has_goods >= goods and has_bads >= bads:
        return None
    return Finding(
        verdict=Verdict.INCONCLUSIVE,
        sentence=f"Too few outcomes: {has_goods} of {goods} goods, {has_bads} of {bads} bads.",
        numbers={"goods": float(has_goods), "bads": float(has_bads)},
    )


def _is_enough(measured: Estimate) -> bool:
    if not measured.bads:
        return measured.goods >= ENOUGH_DECISIONS
    return measured.goods >= ENOUGH_GOODS and measured.bads >= ENOUGH_BADS


def is_well(finding: Finding, bad: Bad) -> bool:
    """Healthy, and the measured value itself is on the good side of its bound, or within one
    standard error of it: what ends an alert. A rule that has not fired yet says less."""
    numbers = finding.numbers
    value, bound = numbers.get("value"), numbers.get("bound")
    if finding.verdict is not Verdict.HEALTHY or value is None or bound is None:
        return False
    noise = (numbers.get("upper", value) - numbers.get("lower", value)) / (2 * 1.96)
    match bad:
        case Bad.FALLS:
            return value >= bound - noise
        case Bad.RISES:
            return value <= bound + noise
        case Bad.MOVES:
            baseline = numbers.get("baseline", bound)
            return abs(value - baseline) <= abs(bound - baseline) + noise


def _nothing() -> Finding:
    return Finding(verdict=Verdict.INCONCLUSIVE, sentence="There are no outcomes yet.")


def _no_number() -> Finding:
    return Finding(
        verdict=Verdict.ERROR, sentence="What was measured is no finite number.", numbers={}
    )


def _worse_by(bad: Bad, baseline: float, value: float) -> float:
    match bad:
        case Bad.FALLS:
            return baseline - value
        case Bad.RISES:
            return value - baseline
        case Bad.MOVES:
            return abs(value - baseline)


def _limit(bad: Bad, baseline: float, drop: float) -> float:
    """Where a drop becomes too large; for a number that may move neither way, the lower side."""
    return baseline + drop if bad is Bad.RISES else baseline - drop


def _numbers(baseline: Baseline, measured: Estimate, **more: float) -> dict[str, float]:
    return {
        "baseline": baseline.estimate.value,
        "value": measured.value,
        "lower": measured.lower(0.975),
        "upper": measured.upper(0.975),
        "goods": float(measured.goods),
        "bads": float(measured.bads),
        **{name: float(value) for name, value in more.items()},
    }


def _all_finite(numbers: dict[str, float]) -> bool:
    return all(isfinite(value) for value in numbers.values())


def _shown(value: float) -> str:
    return f"{value:.3f}"
