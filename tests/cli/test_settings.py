"""Settings: all problems at once, no secret shown, nothing guessed."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from bot.doctor import examine
from bot.settings import FOR_RUN, SETTINGS, read_settings, settings_table
from governance.domain.errors import Refused

COMPLETE = {
    "SLACK_BOT_TOKEN": "xoxb-1-very-secret",
    "SLACK_APP_TOKEN": "xapp-1-very-secret",
    "MLFLOW_TRACKING_URI": "http://127.0.0.1:5000",
    "FOUREYES_POLICIES": "policies",
}


def test_complete_settings_are_read_with_their_defaults() -> None:
    """Four variables are enough; everything else has a default that works."""
    settings = read_settings(COMPLETE, needed=FOR_RUN)
    assert settings.policies == Path("policies")
    assert settings.sqlite_path == Path("foureyes-state/foureyes.db")
    assert settings.slack_api_url == "https://slack.com/api/"
    assert (settings.write_stage, settings.write_alias, settings.alias) == (True, True, "champion")
    assert settings.slack_grace == timedelta(minutes=5)


def test_every_problem_is_told_at_once() -> None:
    """Missing and malformed ones come in one refusal, each by its name."""
    with pytest.raises(Refused) as refused:
        read_settings(
            {
                "SLACK_BOT_TOKEN": "xapp-exchanged",
                "FOUREYES_WRITE_STAGE": "perhaps",
                "FOUREYES_MAX_BYTES": "-1",
                "FOUREYES_HEALTH_PORT": "70000",
                "FOUREYES_LOOK_SECONDS": "nan",
                "FOUREYES_ALIAS": "latest",
                "FOUREYES_DATABASE_URL": "mysql://host/name",
                "SLACK_API_URL": "http://slack.example/api/",
            },
            needed=FOR_RUN,
        )
    lines = refused.value.sentence.splitlines()[1:]
    assert sorted(line.split()[0] for line in lines) == [
        "FOUREYES_ALIAS",
        "FOUREYES_DATABASE_URL",
        "FOUREYES_HEALTH_PORT",
        "FOUREYES_LOOK_SECONDS",
        "FOUREYES_MAX_BYTES",
        "FOUREYES_POLICIES",
        "FOUREYES_WRITE_STAGE",
        "MLFLOW_TRACKING_URI",
        "SLACK_API_URL",
        "SLACK_APP_TOKEN",
        "SLACK_BOT_TOKEN",
    ]


def test_no_secret_is_shown() -> None:
    """Neither the value's own repr nor a refusal repeats a token or a password."""
    url = "postgresql://bot:hunter2@db/foureyes"
    settings = read_settings({**COMPLETE, "FOUREYES_DATABASE_URL": url})
    assert "very-secret" not in repr(settings)
    assert "hunter2" not in repr(settings)
    assert set(settings.secrets()) == {"xoxb-1-very-secret", "xapp-1-very-secret", "hunter2"}
    with pytest.raises(Refused) as refused:
        read_settings(
            {
                "SLACK_APP_TOKEN": "xoxb-very-secret",
                "MLFLOW_TRACKING_URI": "http://bot:hunter2@127.0.0.1",
                "FOUREYES_DATABASE_URL": "mysql://bot:hunter2@db/name",
            }
        )
    assert "very-secret" not in refused.value.sentence
    assert "hunter2" not in refused.value.sentence


def test_a_misspelt_setting_is_refused() -> None:
    """FOUREYES_POLICY instead of FOUREYES_POLICIES must not be ignored in silence."""
    with pytest.raises(Refused, match="FOUREYES_POLICY is no setting"):
        read_settings({**COMPLETE, "FOUREYES_POLICY": "elsewhere"})


def test_writing_neither_stage_nor_alias_is_refused() -> None:
    """A promotion that changes nothing would be told as done."""
    with pytest.raises(Refused, match="both off"):
        read_settings({"FOUREYES_WRITE_STAGE": "no", "FOUREYES_WRITE_ALIAS": "off"})


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "sqlite:///"])
def test_a_database_in_memory_is_refused(url: str) -> None:
    """It would forget the record at every start."""
    with pytest.raises(Refused, match="FOUREYES_DATABASE_URL"):
        read_settings({"FOUREYES_DATABASE_URL": url})


def test_the_word_store_is_no_folder() -> None:
    """`store` means the set that was recorded last."""
    settings = read_settings({"FOUREYES_POLICIES": "store"})
    assert settings.policies_from_store
    assert settings.policies is None


def test_every_setting_is_listed_once_and_explained() -> None:
    """The table that the README is drawn from has no doubles and no empty meanings."""
    names = [s.name for s in SETTINGS]
    assert len(names) == len(set(names))
    assert all(s.meaning.endswith(".") or s.meaning.endswith(").") for s in SETTINGS)


def test_every_default_is_one_that_would_be_accepted() -> None:
    """Writing each default out by hand changes nothing."""
    written = {s.name: s.default for s in SETTINGS if s.default}
    assert repr(read_settings(written)) == repr(read_settings({}))


def test_the_table_for_the_documentation_has_a_row_for_each() -> None:
    """No meaning breaks out of its cell."""
    rows = settings_table().splitlines()[2:]
    assert len(rows) == len(SETTINGS)
    assert all(row.count("|") == 4 for row in rows)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("", ""),
        ("https://mlflow.bank.example/", "https://mlflow.bank.example"),
        ("https://bank.example/mlflow/#/models", "https://bank.example/mlflow"),
    ],
)
def test_the_address_of_mlflows_pages_is_cut_to_where_they_begin(written: str, read: str) -> None:
    """However it was copied out of a browser."""
    assert read_settings({"MLFLOW_UI_URL": written}).mlflow_ui_url == read


@pytest.mark.parametrize(
    "written",
    ["mlflow.example", "javascript:alert(1)", "https://a.example/|x>", "https://a.example/?q=1"],
)
def test_what_would_be_no_link_is_refused(written: str) -> None:
    """Nothing that could break out of a link, or is none."""
    with pytest.raises(Refused, match="MLFLOW_UI_URL"):
        read_settings({"MLFLOW_UI_URL": written})


def test_a_login_in_the_address_of_mlflows_pages_is_refused_and_not_repeated() -> None:
    """The channel would read it."""
    with pytest.raises(Refused, match="login") as refused:
        read_settings({"MLFLOW_UI_URL": "https://dana:hunter2@mlflow.example"})
    assert "hunter2" not in refused.value.sentence


def test_the_doctor_says_how_to_get_each_setting_that_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a token comes from stands in no table of settings."""
    monkeypatch.chdir(tmp_path)
    findings = {f.found: f.remedy for f in examine({}) if f.about == "settings"}
    assert list(findings) == [f"{name} is not set" for name in FOR_RUN]
    for part, remedy in zip(
        (
            "foureyes manifest",
            "connections:write",
            "Set it to the address",
            "Set it to your folder",
        ),
        findings.values(),
        strict=True,
    ):
        assert part in remedy
