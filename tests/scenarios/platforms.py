"""The two platforms that a scenario runs on: what a citizen can do there, and what stands in the chat."""

import asyncio
import contextlib
import itertools
import re
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import aiohttp

from bot.accept import Acceptor
from bot.channels.base import Channel
from bot.channels.console import FIRST_CITIZEN, ConsoleChannel
from bot.channels.telegram import TelegramChannel, Wording
from bot.channels.telegram_intake import SECRET_HEADER, Telegram
from bot.web.server import create_app, serving
from handlers.messages import UnsupportedKind
from handlers.texts import Texts
from tests.emulators.telegram import TOKEN, Call, TelegramEmulator, a_message, telegram_emulator

SECRET = "webhook-secret_1"
PATIENCE = 10.0  # seconds until a test gives up waiting
_NUMBERED = re.compile(r"^(\d+)\. (.+)$", re.MULTILINE)


class Missing(Exception):
    """The platform has nothing of the kind; the scenario says for which platforms it is."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One message of the bot as it stands in the chat."""

    id: str
    text: str
    buttons: tuple[tuple[str, str], ...] = ()  # label and token, or label and what to type
    photos: int = 0
    edits: bool = False  # it replaced an earlier message
    asks_location: bool = False


class Platform(ABC):
    """What a citizen can do. Every act returns once the platform has taken it, with the id of the message."""

    name: str
    has_message_ids = True  # replies and edits name a message
    is_busy: Callable[[], bool]

    @abstractmethod
    def open(self) -> "contextlib.AbstractAsyncContextManager[Channel]":
        """The channel for one life of the process."""

    @abstractmethod
    def work(self, accept: Acceptor) -> "contextlib.AbstractAsyncContextManager[None]":
        """Updates flow while this lasts."""

    @abstractmethod
    async def text(self, chat: str, text: str, *, reply_to: str | None = None) -> str: ...
    @abstractmethod
    async def photos(self, chat: str, pictures: Sequence[bytes], caption: str = "") -> list[str]: ...
    @abstractmethod
    async def picture_file(self, chat: str, data: bytes, name: str, mime: str) -> str: ...
    @abstractmethod
    async def location(self, chat: str, lat: float, lon: float) -> str: ...
    @abstractmethod
    async def venue(self, chat: str, lat: float, lon: float, title: str) -> str: ...
    @abstractmethod
    async def unsupported(self, chat: str, kind: UnsupportedKind) -> str: ...
    @abstractmethod
    async def edit(self, chat: str, message_id: str, text: str) -> None: ...
    @abstractmethod
    async def press(self, chat: str, message: Heard, token: str) -> None: ...
    @abstractmethod
    async def block(self, chat: str, *, unblocks: bool = False) -> None: ...
    @abstractmethod
    def heard(self, chat: str, sent_ids: frozenset[str]) -> list[Heard]: ...


class ConsolePlatform(Platform):
    """The chat in the terminal, fed with lines and listened to."""

    name = "console"
    has_message_ids = False

    def __init__(self, folder: Path, clock: Callable[[], datetime], texts: Texts) -> None:
        self._folder, self._clock, self._texts = folder, clock, texts
        self._lines: asyncio.Queue[str] = asyncio.Queue()
        self._speaker = FIRST_CITIZEN
        self._numbers = itertools.count(1)
        self.screen = _Screen()
        self._told = 0
        self._heard: defaultdict[str, list[Heard]] = defaultdict(list)
        self._channel: ConsoleChannel | None = None

    def is_busy(self) -> bool:  # type: ignore[override]
        return False  # a line is taken before ``text`` returns

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[Channel]:
        self._channel = ConsoleChannel(
            hint=self._texts.say("choice.hint"),
            clock=self._clock,
            quiet=_at_once,
            show_photo=lambda media_hash: f"{media_hash[:8]}.jpg",
            out=self.screen,
            lines=self._typed(),
        )
        self._speaker = FIRST_CITIZEN
        yield self._channel
        await self._channel.close()

    @contextlib.asynccontextmanager
    async def work(self, accept: Acceptor) -> AsyncIterator[None]:
        assert self._channel is not None
        async with _task(self._channel.run(accept)):
            yield

    async def text(self, chat: str, text: str, *, reply_to: str | None = None) -> str:
        if reply_to is not None:
            raise Missing("a console has no replies")
        await self._type(chat, text)
        return ""

    async def photos(self, chat: str, pictures: Sequence[bytes], caption: str = "") -> list[str]:
        for number, data in enumerate(pictures):
            path = self._folder / f"photo-{next(self._numbers)}.jpg"
            path.write_bytes(data)
            await self._type(chat, f':photo "{path}" {"" if number else caption}')
        return ["" for _ in pictures]

    async def picture_file(self, chat: str, data: bytes, name: str, mime: str) -> str:
        path = self._folder / name
        path.write_bytes(data)
        await self._type(chat, f':photo "{path}"')
        return ""

    async def location(self, chat: str, lat: float, lon: float) -> str:
        await self._type(chat, f":location {lat},{lon}")
        return ""

    async def venue(self, chat: str, lat: float, lon: float, title: str) -> str:
        raise Missing("a console has no venues")

    async def unsupported(self, chat: str, kind: UnsupportedKind) -> str:
        if kind is not UnsupportedKind.VOICE:
            raise Missing(f"a console has no {kind.value}")
        path = self._folder / "voice.ogg"
        path.write_bytes(b"OggS")
        await self._type(chat, f':voice "{path}"')
        return ""

    async def edit(self, chat: str, message_id: str, text: str) -> None:
        raise Missing("a console has no edits")

    async def press(self, chat: str, message: Heard, token: str) -> None:
        await self._type(chat, token)

    async def block(self, chat: str, *, unblocks: bool = False) -> None:
        raise Missing("a console can't be blocked")

    def heard(self, chat: str, sent_ids: frozenset[str]) -> list[Heard]:
        for number, entry in enumerate(self.screen.entries[self._told :], self._told):
            listener, text = _unmarked(entry)
            if listener is not None:
                self._heard[listener or self._speaker].append(_as_heard(str(number), text))
        self._told = len(self.screen.entries)
        return self._heard[chat]

    async def _type(self, chat: str, line: str) -> None:
        self.heard(chat, frozenset())  # what was said so far was said to the one who spoke last
        if chat != self._speaker:
            self._lines.put_nowait(f":as {chat}")
            self._speaker = chat
        self._lines.put_nowait(line)
        async with asyncio.timeout(PATIENCE):
            await self._lines.join()

    async def _typed(self) -> AsyncIterator[str]:
        while True:
            line = await self._lines.get()
            try:
                yield line
            finally:
                self._lines.task_done()  # the channel asks for the next line once it has taken this one


class TelegramPlatform(Platform):
    """Telegram's Bot API on the loopback, by polling or by webhook."""

    name = "telegram"

    def __init__(self, emulator: TelegramEmulator, texts: Texts, *, by_webhook: bool) -> None:
        self.emulator, self._texts, self._by_webhook = emulator, texts, by_webhook
        self._chats: dict[str, int] = {}
        self._albums = itertools.count(1)
        self._channel: TelegramChannel | None = None
        self._port = 0

    def is_busy(self) -> bool:  # type: ignore[override]
        # an update leaves the queue once it was confirmed, which is after it was stored
        return bool(self.emulator._update_queues.info(TOKEN)["pending_update_count"])

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[Channel]:
        if self._by_webhook and not self._port:
            self._port = await _free_port()
        url = f"http://127.0.0.1:{self._port}/telegram" if self._by_webhook else ""
        settings = Telegram(
            TOKEN,
            api=self.emulator.base,
            webhook_url=url,
            webhook_secret=SECRET if url else "",
            poll_timeout=timedelta(seconds=5),
            first_pause=timedelta(milliseconds=20),
        )
        say = self._texts.say
        self._channel = TelegramChannel(settings, Wording(say("choice.hint"), say("choice.share_location")), _always)
        try:
            yield self._channel
        finally:
            await self._channel.close()

    @contextlib.asynccontextmanager
    async def work(self, accept: Acceptor) -> AsyncIterator[None]:
        channel = self._channel
        assert channel is not None
        if not self._by_webhook:
            async with _task(channel.run(accept)):
                yield
            return
        app = create_app(health=_healthy, webhooks={"/telegram": channel.webhook(accept)})
        async with serving(app, "127.0.0.1", self._port):
            await channel.run(accept)
            yield

    def chat(self, name: str) -> int:
        return self._chats.setdefault(name, 700 + len(self._chats))

    async def text(self, chat: str, text: str, *, reply_to: str | None = None) -> str:
        extra: dict[str, Any] = {}
        if reply_to is not None:
            extra["reply_to_message"] = a_message(int(reply_to), self.chat(chat), text="…")
        return str(await self.emulator.user_sends(self.chat(chat), text=text, **extra))

    async def photos(self, chat: str, pictures: Sequence[bytes], caption: str = "") -> list[str]:
        if len(pictures) == 1:
            return [str(await self.emulator.user_sends_photo(pictures[0], self.chat(chat), caption=caption or None))]
        ids = []
        for start in range(0, len(pictures), 10):  # the app makes albums of ten
            part = list(pictures[start : start + 10])
            ids += await self.emulator.user_sends_album(part, self.chat(chat), caption="" if start else caption)
        return [str(item) for item in ids]

    async def picture_file(self, chat: str, data: bytes, name: str, mime: str) -> str:
        return str(await self.emulator.user_sends_file(data, name, mime, self.chat(chat)))

    async def location(self, chat: str, lat: float, lon: float) -> str:
        return str(await self.emulator.user_sends_location(lat, lon, self.chat(chat)))

    async def venue(self, chat: str, lat: float, lon: float, title: str) -> str:
        spot = {"latitude": lat, "longitude": lon}
        venue = {"location": spot, "title": title, "address": ""}
        return str(await self.emulator.user_sends(self.chat(chat), venue=venue, location=spot))

    async def unsupported(self, chat: str, kind: UnsupportedKind) -> str:
        return str(await self.emulator.user_sends(self.chat(chat), **_UNSUPPORTED[kind]))

    async def edit(self, chat: str, message_id: str, text: str) -> None:
        message = a_message(int(message_id), self.chat(chat), text=text)
        await self.emulator.enqueue_update({"edited_message": message}, token=TOKEN)

    async def press(self, chat: str, message: Heard, token: str) -> None:
        if any(label == token for label, _ in message.buttons):  # a reply keyboard types its label
            await self.text(chat, token)
        else:
            await self.emulator.user_presses(token, message.id, self.chat(chat))

    async def block(self, chat: str, *, unblocks: bool = False) -> None:
        await self.emulator.user_blocks_bot(self.chat(chat), unblocks=unblocks)

    async def redeliver(self, update: dict[str, Any]) -> int:
        """Post an update to the webhook once more, as Telegram does when an answer got lost; returns the status."""
        url = f"http://127.0.0.1:{self._port}/telegram"
        async with (
            aiohttp.ClientSession() as client,
            client.post(url, json=update, headers={SECRET_HEADER: SECRET}) as response,
        ):
            return response.status

    def heard(self, chat: str, sent_ids: frozenset[str]) -> list[Heard]:
        """Calls that make up one reply are put together: ``sent_ids`` are the last calls of replies."""
        heard: list[Heard] = []
        parts: list[Call] = []
        for call in self.emulator.sent_to(self.chat(chat)):
            if call.method.startswith("edit"):
                heard.append(_joined([call], edits=True))
                continue
            parts.append(call)
            if call.message_id in sent_ids:
                heard.append(_joined(parts))
                parts = []
        return heard + ([_joined(parts)] if parts else [])


class _Screen(StringIO):
    """Remembers what was printed, a call a time."""

    def __init__(self) -> None:
        super().__init__()
        self.entries: list[str] = []

    def write(self, text: str) -> int:
        if text != "\n":
            self.entries.append(text)
        return super().write(text)


def _unmarked(entry: str) -> tuple[str | None, str]:
    """Who is spoken to ("" = the one who spoke last, None = nobody) and the text without the marks."""
    mark = re.match(r"bot(?:→(.+?))?> ", entry)
    if mark is None:
        return None, entry
    return mark[1] or "", "\n".join(line.removeprefix(mark[0]) for line in entry.splitlines())


def _as_heard(id: str, text: str) -> Heard:
    buttons = tuple((label, number) for number, label in _NUMBERED.findall(text))
    return Heard(id, text, buttons, photos=text.count("[ảnh] "))


def _joined(calls: Sequence[Call], *, edits: bool = False) -> Heard:
    text = "\n\n".join(call.text for call in calls if call.text)
    buttons = [pair for call in calls for pair in call.buttons]
    keys = [key for call in calls for key in call.keyboard]
    typed = [(key["text"], key["text"]) for key in keys if not key.get("request_location")]
    asks_location = any(key.get("request_location") for key in keys)
    photos = sum(len(call.fields.get("media", "x")) for call in calls if call.method in ("sendPhoto", "sendMediaGroup"))
    last = calls[-1]
    id = str(last.fields.get("message_id", "")) if edits else last.message_id
    return Heard(id, text, tuple(buttons + typed), photos, edits, asks_location)


@contextlib.asynccontextmanager
async def _task(work: Any) -> AsyncIterator[None]:
    task = asyncio.ensure_future(work)
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _free_port() -> int:
    server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    async with server:
        return int(server.sockets[0].getsockname()[1])


async def _at_once(accepted: Collection[str]) -> None:
    return


async def _always() -> bool:
    return True


async def _healthy() -> dict[str, bool]:
    return {}


def _file(**more: Any) -> dict[str, Any]:
    return {"file_id": "f", "file_unique_id": "u", **more}


_UNSUPPORTED: dict[UnsupportedKind, dict[str, Any]] = {
    UnsupportedKind.STICKER: {
        "sticker": _file(width=512, height=512, is_animated=False, is_video=False, type="regular", emoji="😀")
    },
    UnsupportedKind.VOICE: {"voice": _file(duration=3)},
    UnsupportedKind.VIDEO: {"video": _file(width=640, height=480, duration=5)},
    UnsupportedKind.CONTACT: {"contact": {"phone_number": "0900000000", "first_name": "Bình"}},
    UnsupportedKind.FILE: {"document": _file(file_name="don.pdf", mime_type="application/pdf", file_size=10)},
    UnsupportedKind.OTHER: {
        "poll": {
            "id": "1",
            "question": "?",
            "options": [],
            "total_voter_count": 0,
            "is_closed": False,
            "is_anonymous": True,
            "type": "regular",
            "allows_multiple_answers": False,
        }
    },
}

__all__ = ["ConsolePlatform", "Heard", "Missing", "Platform", "TelegramPlatform", "telegram_emulator"]
