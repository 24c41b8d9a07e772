"""What a person reads right after a click, where two sentences could contradict each other."""

from __future__ import annotations

from bot.messages import answer_words
from governance.domain.checks import CheckResult, Outcome
from governance.domain.evidence import Version
from governance.ports import ProductionState
from governance.use_cases.restore import Restored
from governance.use_cases.settle import what_failed
from tests.builders import MODEL


def test_a_failed_check_is_said_to_have_failed_before_what_it_asks_for() -> None:
    """Its name alone reads as if it were so."""
    passed = CheckResult(check="has a signature", outcome=Outcome.PASSED, finding="2 columns")
    failed = CheckResult(
        check="does not use foreign_worker", outcome=Outcome.FAILED, finding="uses foreign_worker"
    )
    assert what_failed((passed, failed)) == (
        "Failed: does not use foreign_worker (uses foreign_worker)."
    )


def test_no_comparison_is_promised_of_files_that_were_never_approved() -> None:
    """The next sentence would say that there was none."""
    restored = Restored(
        model=MODEL,
        from_version=Version(4),
        to_version=Version(3),
        production=ProductionState(staged=(Version(3),), alias=Version(3)),
        seconds=0.42,
        record_in_doubt=False,
    )
    assert "being compared" in answer_words.restored_text(restored, is_compared=True)
    assert "compared" not in answer_words.restored_text(restored, is_compared=False)
