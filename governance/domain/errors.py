"""Every refusal names who must act and what to do next. Pure: no clock, no IO, no vendor."""

from __future__ import annotations


class FoureyesError(Exception):
    """What went wrong, for the person who reads it.

    `code` is stable and goes into records and metrics; `sentence` states the facts and, where
    one exists, the next step. Neither holds a secret, and neither is markup: whoever shows the
    sentence escapes it for the place where it is shown.
    """

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence


class Refused(FoureyesError):
    """The person who asked must do something else first; asking again changes nothing."""


class Conflict(FoureyesError):
    """Somebody else got there first; looking again and then trying again is right."""


class Unavailable(FoureyesError):
    """Something that Foureyes needs does not answer; the operator must act, or wait.

    The sentence says what, and not whether it is tried again: whoever tries again says so.
    `retry_after_seconds` is how long it asks to be left alone, where it says so.
    """

    def __init__(
        self, code: str, sentence: str, *, retry_after_seconds: float | None = None
    ) -> None:
        super().__init__(code, sentence)
        self.retry_after_seconds = retry_after_seconds


class IntegrityViolation(FoureyesError):
    """The record does not match what left the database; stop, and look before going on."""
