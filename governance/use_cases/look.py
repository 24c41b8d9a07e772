"""One look of one monitor: read what is new, hold it against the baseline, say a verdict.

Reads the store never and writes nothing: what has to be remembered goes in and comes out, so that
a history can be replayed the same way (`backtest`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from math import isfinite

from governance.domain.canonical import Json
from governance.domain.errors import FoureyesError, Refused, Unavailable
from governance.domain.monitoring.baseline import Baseline
from governance.domain.monitoring.spec import Action, MonitorSpec, TableSource
from governance.domain.monitoring.state import MonitorState, SeriesPoint, thinned
from governance.domain.monitoring.verdict import Estimate, Finding, Verdict
from governance.ports import Mark
from governance.use_cases.baselines import NotYet, Resolving, resolve
from governance.use_cases.judge import cursor_json, judge, just_after
from governance.use_cases.measure import At, Eyes, Watched, kept, needs_outcomes, threshold

_STRANGE_AFTER = timedelta(hours=1)
"""So long after a release only other versions' predictions may arrive."""
_AGES_IN = 48
"""A window of a day is measured anew every half hour at least."""


def look(
    eyes: Eyes,
    watched: Watched,
    spec: MonitorSpec,
    source: TableSource | None,
    state: MonitorState,
    *,
    now: datetime,
    mark: Mark | None = None,
) -> MonitorState:
    """The state after this look. Trouble with the source is a verdict of its own, never raised.
    With a mark, nothing is measured again while nothing has arrived, matured or aged, and what
    should have arrived and did not is an error."""
    progress = dict(state.progress)
    try:
        if mark is not None and source is not None:
            _refuse_silence(eyes, watched, spec, source, mark, now=now)
            _refuse_what_vanished(watched, spec, source, state, mark)
            if _is_unchanged(spec, source, state, mark, now=now):
                return replace(state, looked_at=now)
        progress["mark"] = None if mark is None else _mark_json(mark, now)
        baseline = _baseline(eyes, watched, spec, source, progress, now=now)
        if isinstance(baseline, NotYet):
            finding = Finding(verdict=Verdict.INCONCLUSIVE, sentence=baseline.sentence)
            return _after(state, finding, None, progress, now=now)
        if spec.then is Action.ROLL_BACK and not baseline.may_act:
            raise Refused(
                "baseline_unsure",
                f"The baseline of {spec.name} has no counts of goods and bads, so no rollback may "
                "rest on it. Log them beside the metric, or let the monitor only alert.",
            )
        finding, measured = judge(
            At(
                eyes=eyes,
                watched=watched,
                spec=spec,
                source=source,
                baseline=baseline,
                now=now,
                progress=progress,
            )
        )
    except (FoureyesError, ValueError, ArithmeticError) as trouble:
        return _trouble(state, spec, trouble, now=now)
    return _after(state, finding, measured, progress, now=now)


# --- what arrives, and what does not --------------------------------------------------------------


def _refuse_silence(
    eyes: Eyes,
    watched: Watched,
    spec: MonitorSpec,
    source: TableSource,
    mark: Mark,
    *,
    now: datetime,
) -> None:
    """Missing data never passes. Each sentence stays the same while it is so, because the owners
    are told of each sentence once."""
    released = watched.released_at
    newest = mark.newest if mark.newest is not None and mark.newest >= released else None
    name = f"v{watched.version} of {watched.model}"
    if newest is None and now - released > _STRANGE_AFTER:
        others = eyes.sources.strangers(source, watched.model, watched.version, since=released)
        if others:
            raise Refused(
                "source_silent",
                f"Source {source.name}: since {name} was released, only predictions of other "
                "versions have arrived. The platform team has to look at what is served, and at "
                f"the column {source.predictions.version}, which should say {watched.version} or "
                f"v{watched.version}.",
            )
    since = newest or released
    if now - since > source.fresh_within:
        raise Refused(
            "source_silent",
            f"Source {source.name}: no prediction of {name} has arrived since "
            f"{since:%Y-%m-%d %H:%M} UTC. The owner of the data has to look at it; nothing is "
            "judged meanwhile.",
        )
    if not needs_outcomes(spec):
        return
    labelled = mark.newest_with_outcome
    last = labelled if labelled is not None and labelled >= released else released
    late = source.matured_after + source.outcomes_within + source.fresh_within
    if newest is not None and newest > last and now - last > late:
        raise Refused(
            "source_silent",
            f"Source {source.name}: no outcome has arrived for what {name} scored after "
            f"{last:%Y-%m-%d %H:%M} UTC. The owner of the data has to look at it; nothing is "
            "judged meanwhile.",
        )


def _refuse_what_vanished(
    watched: Watched, spec: MonitorSpec, source: TableSource, state: MonitorState, mark: Mark
) -> None:
    """What was there at the last look, and is all gone."""
    before = kept(state.progress, "mark") or {}
    needed = {"predictions": mark.predictions}
    if needs_outcomes(spec):
        needed["outcomes"] = mark.outcomes
    for what, there in needed.items():
        if not there and before.get(what):
            raise Refused(
                "source_silent",
                f"Source {source.name}: the {what} of v{watched.version} of {watched.model} were "
                "there, and now there are none. The owner of the data has to look at it; nothing "
                "is judged meanwhile.",
            )


def _is_unchanged(
    spec: MonitorSpec,
    source: TableSource,
    state: MonitorState,
    mark: Mark,
    *,
    now: datetime,
) -> bool:
    """Whether a look would find what the one before found."""
    before = kept(state.progress, "mark")
    if state.verdict is Verdict.ERROR or before is None or state.progress.get("waits") is True:
        return False
    measured_at = datetime.fromisoformat(str(before["measured_at"]))
    if before != _mark_json(mark, measured_at):
        return False
    if mark.newest is not None and mark.newest + source.matured_after >= measured_at:
        return False  # something may have matured since
    window = getattr(spec.rule, "window", None)
    # A window that moves lets go of old rows although none has come.
    return not isinstance(window, timedelta) or now - measured_at < window / _AGES_IN


def _mark_json(mark: Mark, at: datetime) -> Mapping[str, Json]:
    return {
        "predictions": mark.predictions,
        "newest": None if mark.newest is None else mark.newest.isoformat(),
        "outcomes": mark.outcomes,
        "checksum": mark.checksum,
        "measured_at": at.isoformat(),
    }


def _baseline(
    eyes: Eyes,
    watched: Watched,
    spec: MonitorSpec,
    source: TableSource | None,
    progress: dict[str, Json],
    *,
    now: datetime,
) -> Baseline | NotYet:
    """Read once and kept: what a version is held against does not move while it is watched."""
    remembered = kept(progress, "baseline")
    if remembered is not None:
        return Baseline.from_json(remembered)
    found = resolve(
        Resolving(
            registry=eyes.registry,
            sources=eyes.sources,
            model=watched.model,
            version=watched.version,
            released_at=watched.released_at,
            threshold=lambda: threshold(eyes, watched),
            now=now,
        ),
        spec,
        source,
    )
    if isinstance(found, NotYet):
        return found
    progress["baseline"] = found.baseline.to_json()
    if found.read_up_to is not None:
        progress["cursor"] = cursor_json(found.read_up_to)
        progress["counted_from"] = just_after(found.read_up_to).isoformat()
    return found.baseline


# --- what is remembered ---------------------------------------------------------------------------


def _after(
    state: MonitorState,
    finding: Finding,
    measured: Estimate | None,
    progress: Mapping[str, Json],
    *,
    now: datetime,
) -> MonitorState:
    series = state.series
    if measured is not None and isfinite(measured.value):
        point = SeriesPoint(
            at=now,
            value=measured.value,
            lower=measured.lower(0.975) if measured.has_interval else None,
            upper=measured.upper(0.975) if measured.has_interval else None,
        )
        if not series or (series[-1].value, series[-1].lower) != (point.value, point.lower):
            series = thinned((*series, point))
    return replace(
        state,
        verdict=finding.verdict,
        sentence=finding.sentence,
        numbers=finding.numbers,
        since=state.since if state.verdict is finding.verdict and state.since else now,
        looked_at=now,
        progress=progress,
        series=series,
        problem=finding.sentence if finding.verdict is Verdict.ERROR else "",
    )


def _trouble(
    state: MonitorState, spec: MonitorSpec, trouble: Exception, *, now: datetime
) -> MonitorState:
    """Nothing is remembered of a look that went wrong: the next one begins where it began."""
    if isinstance(trouble, FoureyesError):
        sentence = trouble.sentence
    else:
        sentence = f"What was read cannot be used: {trouble}."
    problem = sentence
    if isinstance(trouble, Unavailable):
        # What does not answer says so in other words from look to look, and is one trouble.
        problem = f"{trouble.code} {spec.source or 'mlflow'}"
    return replace(
        state,
        verdict=Verdict.ERROR,
        sentence=sentence,
        numbers={},
        since=state.since if state.verdict is Verdict.ERROR and state.since else now,
        looked_at=now,
        problem=problem,
    )
