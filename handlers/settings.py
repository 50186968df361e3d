"""Every setting, read once from the environment and `.env`; `.env.example` mirrors this list."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import timedelta
from pathlib import Path
from typing import Any, get_type_hints

PROJECT = Path(__file__).resolve().parent.parent


class BadSetting(Exception):
    """A setting has a value that can't be used; the message names it and says what it takes."""

    def __init__(self, name: str, value: str, expected: str) -> None:
        self.name, self.value, self.expected = name, value, expected
        super().__init__(f"{name}={value!r} in the environment or .env: expected {expected}")


@dataclass(frozen=True, slots=True)
class Settings:
    """Values with the defaults of an embedded start: no token, no server, no root."""

    data_dir: Path = PROJECT / "var"
    database_url: str = ""  # empty = SQLite file in data_dir
    redis_url: str = ""  # empty = everything in one process
    province_pack: str = "lao_cai"  # name of a shipped pack, or a folder
    telegram_token: str = ""
    telegram_api_base: str = "https://api.telegram.org"
    telegram_webhook_secret: str = ""  # empty = made once and kept in data_dir
    public_url: str = ""  # https://… of this server; empty = Telegram by polling
    web_host: str = "127.0.0.1"
    web_port: int = 8080
    use_embed: bool = False  # the optional sentence-embedding cascade
    draft_life: timedelta = timedelta(hours=24)
    draft_reminder: timedelta = timedelta(minutes=30)
    album_debounce: timedelta = timedelta(seconds=1.5)
    reply_debounce: timedelta = timedelta(0)  # wait this long for further bubbles before asking
    send_rate: float = 30.0  # messages a second, whole bot
    send_rate_chat: float = 1.0  # messages a second, one chat
    max_photos: int = 10  # of one report
    log_level: str = ""  # empty = INFO, WARNING with the console chat
    log_format: str = "console"  # console | json

    @property
    def database(self) -> str:
        return self.database_url or f"sqlite:///{self.data_dir / 'paht.db'}"

    @property
    def media_dir(self) -> Path:
        return self.data_dir / "media"

    @property
    def gazetteer_path(self) -> Path:
        return self.data_dir / "gazetteer.bin"

    @property
    def borders_path(self) -> Path:
        """Borders of communes that the operator imported; the file need not exist."""
        return self.data_dir / "borders.bin"


SECRETS = frozenset({"telegram_token", "telegram_webhook_secret", "database_url", "redis_url"})  # never printed


def load_settings(environment: Mapping[str, str] | None = None, *, env_file: Path | None = None) -> Settings:
    """Defaults, then `.env` beside the project, then the environment. Raises BadSetting."""
    values = dict(_read_env_file(env_file or PROJECT / ".env"))
    values.update(os.environ if environment is None else environment)
    hints = get_type_hints(Settings)
    given: dict[str, Any] = {}
    for item in fields(Settings):
        raw = values.get(item.name.upper())
        if raw is not None and raw.strip() != "":
            given[item.name] = _convert(item.name.upper(), raw.strip(), hints[item.name])
    for name, known in _ONE_OF.items():
        if given.get(name, known[0]) not in known:
            raise BadSetting(name.upper(), given[name], " or ".join(known))
    return Settings(**given)


_ONE_OF = {
    "log_level": ("DEBUG", "INFO", "WARNING", "ERROR"),
    "log_format": ("console", "json"),
}


def _read_env_file(path: Path) -> Mapping[str, str]:
    if not path.is_file():
        return {}
    from dotenv import dotenv_values  # only where there is a file: the command line starts faster without

    return {key: value for key, value in dotenv_values(path).items() if value is not None}


def _convert(name: str, raw: str, kind: type) -> Any:
    try:
        if kind is bool:
            return {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}[raw.lower()]
        if kind is int:
            return int(raw)
        if kind is float:
            return float(raw)
        if kind is timedelta:
            return timedelta(seconds=float(raw))
        if kind is Path:
            return (PROJECT / Path(raw).expanduser()).resolve()
    except (ValueError, KeyError):
        expected = {bool: "true or false", int: "a whole number", float: "a number", timedelta: "seconds"}
        raise BadSetting(name, raw, expected.get(kind, "a path")) from None
    return raw
