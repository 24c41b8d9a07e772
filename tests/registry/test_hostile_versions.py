"""Whoever registers a version writes its MLmodel, its source and its times: none of them may end
the process, lead it to another host, or hold up other models."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from governance.adapters.mlflow_registry.files import VersionFiles
from governance.adapters.mlflow_registry.metrics import moment_of
from governance.adapters.mlflow_registry.mlmodel import signature_in
from governance.domain.errors import Refused

COLUMN = '[{"type": "double", "name": "age", "required": true}]'


@pytest.mark.parametrize(
    "text",
    [
        b"x: " + b"[" * 100_000,
        b"- " * 100_000 + b"x",
        b"a: &a [1]\nb: *a\n",
        b"<<: [&a {x: 1}, *a]",
        b"\xff\xfe\x00",
        b"[1, 2]",
        b"just words",
        b"signature: [1]",
        b"signature: {inputs: [1]}",
        b"signature: {inputs: 'no json'}",
    ],
)
def test_a_file_that_is_no_mlmodel_is_refused(text: bytes) -> None:
    """Deep nesting would overflow the stack of a reader in C, and end the process."""
    with pytest.raises(Refused) as refusal:
        signature_in(text)
    assert refusal.value.code == "unreadable_mlmodel"


@pytest.mark.parametrize("nothing", [b"x: 1", b"signature: null", b"signature: {inputs: null}"])
def test_a_file_without_a_signature_names_none(nothing: bytes) -> None:
    """None is not empty."""
    assert signature_in(nothing) == (None, None)


def test_words_that_other_readers_take_for_tags_or_dates_do_no_harm() -> None:
    """Nothing of the file is made into anything but text."""
    text = f"x: !!bool abc\ny: !!timestamp abc\nsignature: {{inputs: '{COLUMN}'}}\n"
    inputs, _outputs = signature_in(text.encode())
    assert [c.name for c in inputs or ()] == ["age"]


@pytest.mark.parametrize("milliseconds", [10**18, -(10**18), 0, 1_700_000_000_000])
def test_any_time_that_a_client_gave_is_a_moment(milliseconds: int) -> None:
    """Nanoseconds for milliseconds is a common slip."""
    assert moment_of(milliseconds).tzinfo is UTC
    assert moment_of(0) == datetime(1970, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "location",
    [
        "http://evil.example/model",
        "https://evil.example/model",
        "mlflow-artifacts://evil.example:5000/x",
        "http://mlflow.bank.example.evil.example/model",
        "http://mlflow.bank.example@evil.example/model",
        "ftp://mlflow.bank.example/model",
        "sftp://mlflow.bank.example/model",
    ],
)
def test_credentials_go_to_no_host_that_a_version_names(location: str) -> None:
    """Refused before anything is asked."""
    with pytest.raises(Refused) as refusal:
        VersionFiles([location], tracking_uri="http://mlflow.bank.example")
    assert refusal.value.code == "source_not_readable"
