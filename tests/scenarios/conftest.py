"""Stages for the scenarios: every test that asks for ``stage`` runs on the console and on Telegram."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from handlers.bootstrap import build_office
from handlers.reading import Reader
from handlers.settings import PROJECT, Settings
from tests.conftest import ScriptedClock
from tests.scenarios.harness import Citizen, Officer, Stage, on_stage
from tests.scenarios.platforms import ConsolePlatform, TelegramPlatform, telegram_emulator


@pytest.fixture(scope="session")
def reader() -> Reader:
    """The real language part, loaded once."""
    from bot.app import load_reader

    settings = Settings(data_dir=PROJECT / "var")
    return load_reader(settings, build_office(settings))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Scenarios run on both platforms, or on those that their mark names."""
    if "platform_name" in metafunc.fixturenames:
        mark = metafunc.definition.get_closest_marker("platforms")
        metafunc.parametrize("platform_name", mark.args if mark else ("console", "telegram"))


@pytest.fixture
async def stage(
    platform_name: str, tmp_path: Path, migrated_file: Path, reader: Reader, clock: ScriptedClock, request: Any
) -> AsyncIterator[Stage]:
    """A running bot with an empty database."""
    shutil.copyfile(migrated_file, tmp_path / "paht.db")
    mark = request.node.get_closest_marker("bot_settings")
    facts = dict(mark.kwargs) if mark else {}
    texts = build_office(Settings(data_dir=tmp_path), clock=clock).texts
    if platform_name == "console":
        async with on_stage(tmp_path, ConsolePlatform(tmp_path, clock, texts), reader, clock, **facts) as stage:
            yield stage
        return
    async with telegram_emulator() as emulator:
        platform = TelegramPlatform(emulator, texts, by_webhook=platform_name == "webhook")
        async with on_stage(tmp_path, platform, reader, clock, **facts) as stage:
            yield stage


@pytest.fixture
def officer(stage: Stage) -> Officer:
    """The desk."""
    return stage.officer


@pytest.fixture
async def newcomer(stage: Stage) -> Citizen:
    """Somebody who never wrote before."""
    return stage.citizen("Bình")


@pytest.fixture
async def citizen(stage: Stage) -> Citizen:
    """Somebody who was greeted before."""
    return await stage.neighbour("An")


def pytest_configure(config: pytest.Config) -> None:
    """The marks of this folder."""
    config.addinivalue_line("markers", "platforms(*names): run only on these: console, telegram, webhook")
    config.addinivalue_line("markers", "bot_settings(**values): settings of the bot for this scenario")
