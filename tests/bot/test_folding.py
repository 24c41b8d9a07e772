"""What is too long to be shown is cut where a reader can see it, and says where the rest is."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.mrkdwn import folded


def test_a_long_sentence_is_cut_between_two_words() -> None:
    """Half a number is another number."""
    text = "AUC of 0.7123 is below 0.7456 in all " + "of the 1000 rows " * 10
    for limit in range(80, 110):
        shown = folded(text, limit).split(" … (")[0]
        assert text.startswith(shown + " ")


def test_one_long_word_is_cut_all_the_same() -> None:
    """Nothing else could be shown of it."""
    assert folded("x" * 300, 100).startswith("x" * 40)


@given(st.text(max_size=400), st.integers(min_value=80, max_value=300))
def test_no_more_is_shown_than_there_is_room_for(text: str, limit: int) -> None:
    """And what is shown is the beginning."""
    shown = folded(text, limit)
    assert len(shown) <= limit
    assert text.startswith(shown.split(" … (")[0])
