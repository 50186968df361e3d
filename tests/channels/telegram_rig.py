"""What the tests of the Telegram channel share: a channel, an inbox, waiting."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from io import BytesIO
from typing import Any

from PIL import Image

from bot.accept import NotStored
from bot.channels.base import (
    Accept,
    Update,
)
from bot.channels.telegram import TelegramChannel, Wording
from bot.channels.telegram_intake import Telegram
from handlers.messages import (
    Option,
)
from tests.emulators.telegram import TOKEN

WORDING = Wording(choice_hint="Trả lời bằng số 1–{count}.", share_location="📍 Gửi vị trí")
CHAT = "777"
SECRET = "webhook-secret_1"
YES, NO = Option("c:n:0", "Gửi"), Option("c:n:1", "Sửa")


def a_jpeg() -> bytes:
    buffer = BytesIO()
    Image.new("RGB", (8, 8), "red").save(buffer, "JPEG")
    return buffer.getvalue()


PICTURE = a_jpeg()


async def always() -> bool:
    return True


@contextlib.asynccontextmanager
async def a_channel(base: str, may_poll: Callable[[], Any] = always, **facts: Any) -> AsyncIterator[TelegramChannel]:
    quick = {"read_timeout": timedelta(seconds=0.5), "first_pause": timedelta(milliseconds=20)}
    settings = Telegram(**{"token": TOKEN, "api": base, "poll_timeout": timedelta(seconds=1), **quick, **facts})
    channel = TelegramChannel(settings, WORDING, may_poll)
    try:
        yield channel
    finally:
        await channel.close()


@dataclass
class Inbox:
    """Stores updates once each; the next ``failures`` times it can't."""

    failures: int = 0
    stored: dict[str, Update] = field(default_factory=dict)
    offered: list[str] = field(default_factory=list)

    async def __call__(self, updates: Sequence[Update]) -> None:
        self.offered += [update.external_id for update in updates]
        if self.failures:
            self.failures -= 1
            raise NotStored("database away")
        for update in updates:
            self.stored.setdefault(update.external_id, update)


async def until(claim: Callable[[], object], seconds: float = 5) -> None:
    async with asyncio.timeout(seconds):
        while not claim():  # noqa: ASYNC110 - what is waited for happens in a server and has no event
            await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def running(channel: TelegramChannel, accept: Accept) -> AsyncIterator[None]:
    task = asyncio.create_task(channel.run(accept))
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
