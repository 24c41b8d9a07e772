"""Evidence by betting: tests that may be looked at after every outcome, for ever.

Pure: no clock, no IO, no vendor. By Ville's inequality the wealth of a bettor against a true
hypothesis reaches 1/α with probability at most α, however often one looks.

Source: Waudby-Smith & Ramdas, "Estimating means of bounded random variables by betting" (2024);
Shin, Ramdas & Rinaldo, "E-detectors" (2024).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import exp, floor, inf, isfinite, log, log1p

from governance.domain.canonical import Json
from governance.domain.monitoring.spec import Bad

LAMBDAS = (0.15, 0.3, 0.6, 1.0, 1.6, 2.4)
"""Stakes; each is a bettor of its own, and their wealth is averaged."""
LONGEST_QUEUE = 2000
"""Goods, and bads, that wait for partners. Where one kind is rarer than thought the oldest of the
other go unused: that depends on labels alone and on no score, so E Z stays the AUC."""


@dataclass(frozen=True, kw_only=True)
class BettingState:
    """All that a test remembers: a few logarithms and who still waits for a partner."""

    logs: tuple[float, ...]
    """Log-wealth of each bettor, or log of each detector; −inf before the first bet."""
    goods_waiting: tuple[float, ...] = ()
    bads_waiting: tuple[float, ...] = ()
    goods: int = 0
    bads: int = 0
    bets: int = 0
    highest: float = field(default=-inf)
    """The largest log-evidence so far: once it has fired, it has fired, until it begins anew."""

    def to_json(self) -> Mapping[str, Json]:
        """Plain values; numbers in hexadecimal, so that they come back exactly."""
        return {
            "logs": [x.hex() for x in self.logs],
            "goods_waiting": [x.hex() for x in self.goods_waiting],
            "bads_waiting": [x.hex() for x in self.bads_waiting],
            "goods": self.goods,
            "bads": self.bads,
            "bets": self.bets,
            "highest": self.highest.hex(),
        }

    @staticmethod
    def from_json(value: Mapping[str, Json]) -> BettingState:
        """The same again."""
        return BettingState(
            logs=_floats(value["logs"]),
            goods_waiting=_floats(value["goods_waiting"]),
            bads_waiting=_floats(value["bads_waiting"]),
            goods=int(str(value["goods"])),
            bads=int(str(value["bads"])),
            bets=int(str(value["bets"])),
            highest=float.fromhex(str(value["highest"])),
        )


@dataclass(frozen=True, kw_only=True)
class _Pairs:
    """Turns outcomes in order into independent values Z in 0..1 whose mean is the AUC: each bad
    meets m = ⌊(1 − π)/π⌋ goods in the order of arrival, and each good is used once."""

    goods_each: int

    def add(
        self, state: BettingState, scored: Iterable[tuple[float, bool]]
    ) -> tuple[BettingState, list[float]]:
        goods = deque(state.goods_waiting, maxlen=LONGEST_QUEUE)
        bads = deque(state.bads_waiting, maxlen=LONGEST_QUEUE)
        seen_goods = seen_bads = 0
        found: list[float] = []
        for given, is_bad in scored:
            score = float(given)
            if not isfinite(score):
                raise ValueError("a score is no finite number")
            if is_bad:
                bads.append(score)
                seen_bads += 1
            else:
                goods.append(score)
                seen_goods += 1
            while bads and len(goods) >= self.goods_each:
                partners = [goods.popleft() for _ in range(self.goods_each)]
                found.append(_mean_wins(bads.popleft(), partners))
        return (
            replace(
                state,
                goods_waiting=tuple(goods),
                bads_waiting=tuple(bads),
                goods=state.goods + seen_goods,
                bads=state.bads + seen_bads,
            ),
            found,
        )


@dataclass(frozen=True, kw_only=True)
class EProcess:
    """Against "AUC is at least mu0", since release.

    Wealth K = mean over λ of Π (1 − λ(Zᵢ − μ0)), with λ < 1/(1 − μ0); fires at K ≥ 1/α. Assumes
    that outcomes arrive exchangeably at equal maturity.
    """

    mu0: float
    base_rate: float
    alpha: float

    @property
    def limit(self) -> float:
        """The evidence at which it fires."""
        return 1 / self.alpha

    def begin(self) -> BettingState:
        """Every bettor has one unit."""
        return BettingState(logs=(0.0,) * len(_stakes(self.mu0)))

    def advance(self, state: BettingState, scored: Iterable[tuple[float, bool]]) -> BettingState:
        """Take outcomes (score, is bad) in the order of arrival. Raises ValueError for a score
        that is no finite number."""
        paired, values = _Pairs(goods_each=goods_each(self.base_rate)).add(state, scored)
        return self.bet(paired, values)

    def bet(self, state: BettingState, values: Sequence[float]) -> BettingState:
        """Take values Z that were paired already, each in 0..1 with the AUC for its mean."""
        logs, highest = list(state.logs), state.highest
        stakes = _stakes(self.mu0)
        for z in values:
            for i, stake in enumerate(stakes):
                logs[i] += log1p(-stake * (z - self.mu0))
            highest = max(highest, _log_mean(logs))
        return replace(state, logs=tuple(logs), highest=highest, bets=state.bets + len(values))

    def evidence(self, state: BettingState) -> float:
        """The largest wealth so far; 0 before the first bet, never infinite."""
        return _bounded_exp(state.highest)

    def fires(self, state: BettingState) -> bool:
        """Whether it has reached 1/α."""
        return state.highest >= log(self.limit)


@dataclass(frozen=True, kw_only=True)
class SteadyEProcess:
    """Against "AUC is at least mu0", for a change in mid-life (e-SR detector).

    For each λ, M ← (M + 1)·(1 − λ(Z − μ0)); averaged; fires at M ≥ H/α, with H the bads expected
    in 30 days: then at most α false alarms are expected in 30 days.
    """

    mu0: float
    base_rate: float
    alpha: float
    horizon: int

    @property
    def limit(self) -> float:
        """The evidence at which it fires."""
        return self.horizon / self.alpha

    def begin(self) -> BettingState:
        """Nothing bet yet."""
        return BettingState(logs=(-inf,) * len(_stakes(self.mu0)))

    def advance(self, state: BettingState, scored: Iterable[tuple[float, bool]]) -> BettingState:
        """As `EProcess.advance`."""
        paired, values = _Pairs(goods_each=goods_each(self.base_rate)).add(state, scored)
        return self.bet(paired, values)

    def bet(self, state: BettingState, values: Sequence[float]) -> BettingState:
        """As `EProcess.bet`."""
        stakes = _stakes(self.mu0)
        factors = [[log1p(-s * (z - self.mu0)) for s in stakes] for z in values]
        return _detect(state, factors)

    def evidence(self, state: BettingState) -> float:
        """The largest value so far."""
        return _bounded_exp(state.highest)

    def fires(self, state: BettingState) -> bool:
        """Whether it has reached H/α."""
        return state.highest >= log(self.limit)


@dataclass(frozen=True, kw_only=True)
class RateProcess:
    """Against "the rate is within base ± tolerance", for a change in mid-life (e-SR detector).

    One detector for each way that counts as bad; α is divided between them. For a rise,
    L = 1 + λ(x − μ0) with μ0 = high; for a fall, L = 1 − λ(x − μ0) with μ0 = low.
    """

    low: float
    """The lowest rate that is still tolerated: the baseline's lower bound less the tolerance."""
    high: float
    """The highest one."""
    alpha: float
    horizon: int
    bad: Bad

    @property
    def limit(self) -> float:
        """The evidence at which it fires."""
        return self.horizon * len(self._ways()) / self.alpha

    def begin(self) -> BettingState:
        """Nothing bet yet."""
        return BettingState(logs=(-inf,) * sum(len(stakes) for _s, _m, stakes in self._ways()))

    def advance(self, state: BettingState, values: Iterable[bool]) -> BettingState:
        """Take decisions in the order of arrival: True for approved."""
        ways = self._ways()
        factors = [
            [log1p(sign * stake * (x - mean)) for sign, mean, stakes in ways for stake in stakes]
            for x in values
        ]
        counted = replace(state, goods=state.goods + len(factors))
        return _detect(counted, factors, ways=[len(stakes) for _s, _m, stakes in ways])

    def evidence(self, state: BettingState) -> float:
        """The largest value so far, of the stronger way."""
        return _bounded_exp(state.highest)

    def fires(self, state: BettingState) -> bool:
        """Whether it has reached the limit."""
        return state.highest >= log(self.limit)

    def _ways(self) -> list[tuple[int, float, tuple[float, ...]]]:
        found: list[tuple[int, float, tuple[float, ...]]] = []
        if self.bad in (Bad.RISES, Bad.MOVES) and self.high < 1:
            found.append((1, self.high, tuple(x for x in LAMBDAS if x * self.high < 1)))
        if self.bad in (Bad.FALLS, Bad.MOVES) and self.low > 0:
            found.append((-1, self.low, tuple(x for x in LAMBDAS if x * (1 - self.low) < 1)))
        if not found:
            raise ValueError("the rate cannot leave its tolerance, so nothing could be noticed")
        return found


def _detect(
    state: BettingState, factors: Sequence[Sequence[float]], *, ways: Sequence[int] | None = None
) -> BettingState:
    logs, highest = list(state.logs), state.highest
    sizes = ways or [len(logs)]
    for row in factors:
        # log((M + 1)·L) = log1p(M) + log L, and log1p(M) = m + log1p(exp(−m)) for large M
        logs = [_log_plus_one(m) + factor for m, factor in zip(logs, row, strict=True)]
        start = 0
        for size in sizes:
            highest = max(highest, _log_mean(logs[start : start + size]))
            start += size
    return replace(state, logs=tuple(logs), highest=highest, bets=state.bets + len(factors))


def goods_each(base_rate: float) -> int:
    """How many goods each bad meets: m = ⌊(1 − π)/π⌋, at least one. Raises ValueError for a share
    of bads outside 0..1."""
    if not 0.0 < base_rate < 1.0:
        raise ValueError("the share of bads lies between 0 and 1")
    return max(1, floor((1 - base_rate) / base_rate + 1e-9))


def _stakes(mean: float) -> tuple[float, ...]:
    if not 0.0 < mean < 1.0:
        raise ValueError(
            "the AUC to bet against is not between 0 and 1, so nothing could be noticed: the "
            "baseline rests on too few rows, or the tolerance is too large"
        )
    return tuple(x for x in LAMBDAS if x < 1 / (1 - mean))


def _mean_wins(bad: float, goods: Sequence[float]) -> float:
    wins = sum(1.0 if bad > good else 0.5 if bad == good else 0.0 for good in goods)
    return wins / len(goods)


def _log_mean(logs: Sequence[float]) -> float:
    top = max(logs)
    if top == -inf:
        return -inf
    return top + log(sum(exp(x - top) for x in logs) / len(logs))


def _log_plus_one(m: float) -> float:
    return m + log1p(exp(-m)) if m > 0 else log1p(exp(m))


def _bounded_exp(x: float) -> float:
    return 0.0 if x == -inf else exp(min(x, 700.0))


def _floats(values: Json) -> tuple[float, ...]:
    if not isinstance(values, Sequence) or isinstance(values, str):
        raise ValueError("numbers are a list")
    return tuple(float.fromhex(str(x)) for x in values)
