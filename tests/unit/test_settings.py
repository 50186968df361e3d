"""Settings come from the environment and .env, and a wrong one says so."""

from datetime import timedelta
from pathlib import Path

import pytest

from handlers.settings import PROJECT, SECRETS, BadSetting, Settings, load_settings

NOWHERE = Path("/nonexistent/.env")


def test_nothing_set_is_an_embedded_start() -> None:
    settings = load_settings({}, env_file=NOWHERE)

    assert settings == Settings()
    assert settings.database == f"sqlite:///{PROJECT / 'var' / 'paht.db'}"
    assert settings.media_dir == PROJECT / "var" / "media"
    assert settings.gazetteer_path == PROJECT / "var" / "gazetteer.bin"


@pytest.mark.parametrize(
    ("name", "raw", "attribute", "value"),
    [
        ("WEB_PORT", "9000", "web_port", 9000),
        ("SEND_RATE", "2.5", "send_rate", 2.5),
        ("USE_EMBED", "Yes", "use_embed", True),
        ("USE_EMBED", "0", "use_embed", False),
        ("DRAFT_REMINDER", "90", "draft_reminder", timedelta(seconds=90)),
        ("PUBLIC_URL", " https://x.example ", "public_url", "https://x.example"),
        ("DATA_DIR", "/tmp/data", "data_dir", Path("/tmp/data")),
        ("DATABASE_URL", "postgresql://h/d", "database", "postgresql://h/d"),
    ],
)
def test_each_kind_of_value_is_read(name: str, raw: str, attribute: str, value: object) -> None:
    assert getattr(load_settings({name: raw}, env_file=NOWHERE), attribute) == value


@pytest.mark.parametrize(
    ("name", "raw", "expected"),
    [
        ("WEB_PORT", "many", "a whole number"),
        ("SEND_RATE", "fast", "a number"),
        ("USE_EMBED", "maybe", "true or false"),
        ("DRAFT_LIFE", "a day", "seconds"),
    ],
)
def test_a_value_that_cannot_be_used_says_what_it_takes(name: str, raw: str, expected: str) -> None:
    with pytest.raises(BadSetting) as caught:
        load_settings({name: raw}, env_file=NOWHERE)

    assert (caught.value.name, caught.value.value, caught.value.expected) == (name, raw, expected)
    assert f"{name}={raw!r}" in str(caught.value)


def test_an_empty_value_is_as_good_as_none() -> None:
    assert load_settings({"WEB_PORT": "  ", "TELEGRAM_TOKEN": ""}, env_file=NOWHERE) == Settings()


def test_the_environment_stands_above_the_file(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text('WEB_PORT=9000\nMAX_PHOTOS=3\nTELEGRAM_TOKEN="1:a"\n', encoding="utf-8")

    settings = load_settings({"WEB_PORT": "9001"}, env_file=file)

    assert (settings.web_port, settings.max_photos, settings.telegram_token) == (9001, 3, "1:a")


def test_every_secret_is_a_setting() -> None:
    assert {name for name in SECRETS if not hasattr(Settings(), name)} == set()
