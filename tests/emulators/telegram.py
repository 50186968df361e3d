"""A Telegram of our own: serves the Bot API on the loopback, plays the citizen, fails on demand."""

import asyncio
import contextlib
import itertools
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import lo_bot_api_emulator as lo
from aiohttp import web

TOKEN = "123456789:AAtest-secret-of-the-bot"

lo.updates.KINDS |= {"edited_message", "my_chat_member"}  # otherwise refused when a test enqueues them


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the bot that changed something."""

    method: str
    fields: dict[str, Any]
    files: tuple[str, ...]
    message_id: str = ""

    @property
    def chat(self) -> str:
        return str(self.fields.get("chat_id", ""))

    @property
    def text(self) -> str:
        return str(self.fields.get("text", self.fields.get("caption", "")))

    @property
    def buttons(self) -> list[tuple[str, str]]:
        """Label and token of each inline button."""
        rows = self.fields.get("reply_markup", {}).get("inline_keyboard", [])
        return [(button["text"], button["callback_data"]) for row in rows for button in row]

    @property
    def keyboard(self) -> list[dict[str, Any]]:
        """The buttons of a reply keyboard."""
        return [button for row in self.fields.get("reply_markup", {}).get("keyboard", []) for button in row]

    @property
    def removes_keyboard(self) -> bool:
        return bool(self.fields.get("reply_markup", {}).get("remove_keyboard", False))


@dataclass(frozen=True, slots=True)
class Fault:
    """The next call of ``method`` is refused."""

    method: str
    status: int
    description: str
    parameters: Mapping[str, Any] | None = None


@dataclass
class Troubles:
    """What goes wrong next; each entry is used once."""

    faults: list[Fault] = field(default_factory=list)
    stalls: dict[str, float] = field(default_factory=dict)  # method → seconds: done, but the answer comes late
    cuts: set[str] = field(default_factory=set)  # methods: done, but the connection breaks before the answer
    pages: dict[str, int] = field(default_factory=dict)  # method → status: a gateway's page instead of JSON


class TelegramEmulator(lo.LoBotApiEmulator):  # type: ignore[misc]  # untyped
    """The Bot API of one bot, and the citizens who write to it."""

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_insecure_loopback_webhooks=True, **options)
        self.calls: list[Call] = []
        self.troubles = Troubles()
        self.base = ""
        self.forgets_files = False  # links from getFile lead nowhere
        self._ids = itertools.count(1000)

    # what the bot did

    @property
    def sent(self) -> list[Call]:
        """Messages sent or edited, in order."""
        return [call for call in self.calls if call.method.startswith(("send", "edit"))]

    def sent_to(self, chat: int | str) -> list[Call]:
        return [call for call in self.sent if call.chat == str(chat)]

    def calls_of(self, method: str) -> list[Call]:
        return [call for call in self.calls if call.method == method]

    # what the citizen does

    async def user_sends(self, chat: int = 777, *, kind: str = "message", **content: Any) -> int:
        """Enqueue a message with these fields; returns its message_id."""
        message = a_message(next(self._ids), chat, **content)
        await self.enqueue_update({kind: message}, token=TOKEN)
        return int(message["message_id"])

    async def user_sends_text(self, text: str, chat: int = 777) -> int:
        return await self.user_sends(chat, text=text)

    async def user_sends_location(self, lat: float, lon: float, chat: int = 777) -> int:
        return await self.user_sends(chat, location={"latitude": lat, "longitude": lon})

    async def user_sends_photo(
        self, data: bytes, chat: int = 777, *, caption: str | None = None, group: str | None = None
    ) -> int:
        """A compressed photo in two sizes; the larger one holds ``data``."""
        small, large = self.keep(b"small"), self.keep(data)
        sizes = [
            {"file_id": small, "file_unique_id": f"{small}-u", "width": 90, "height": 67, "file_size": 5},
            {"file_id": large, "file_unique_id": f"{large}-u", "width": 1280, "height": 960, "file_size": len(data)},
        ]
        extra = {"caption": caption, "media_group_id": group}
        return await self.user_sends(chat, photo=sizes, **{key: value for key, value in extra.items() if value})

    async def user_sends_album(self, pictures: list[bytes], chat: int = 777, *, caption: str = "") -> list[int]:
        group = f"album-{next(self._ids)}"
        return [
            await self.user_sends_photo(data, chat, caption=None if number else caption, group=group)
            for number, data in enumerate(pictures)
        ]

    async def user_sends_file(self, data: bytes, name: str, mime: str, chat: int = 777) -> int:
        ref = self.keep(data)
        document = {"file_id": ref, "file_unique_id": f"{ref}-u", "file_name": name, "mime_type": mime}
        return await self.user_sends(chat, document=document | {"file_size": len(data)})

    async def user_presses(self, token: str, on: Call | str, chat: int = 777) -> str:
        """Press the button with this token under a message of ours; returns the id of the press."""
        message_id = on if isinstance(on, str) else on.message_id
        press = {
            "id": str(next(self._ids)),
            "from": a_person(chat),
            "message": a_message(int(message_id), chat, text="?"),
            "chat_instance": "1",
            "data": token,
        }
        await self.enqueue_update({"callback_query": press}, token=TOKEN)
        return str(press["id"])

    async def user_blocks_bot(self, chat: int = 777, *, unblocks: bool = False) -> None:
        bot = {"id": 7, "is_bot": True, "first_name": "Fixture"}
        inside = {"status": "member", "user": bot}
        outside = {"status": "kicked", "user": bot, "until_date": 0}
        was, now = (outside, inside) if unblocks else (inside, outside)
        frame = a_message(1, chat)
        del frame["message_id"]
        await self.enqueue_update(
            {"my_chat_member": frame | {"old_chat_member": was, "new_chat_member": now}}, token=TOKEN
        )

    def keep(self, data: bytes) -> str:
        """A file on the server; returns its file_id."""
        ref = f"file-{next(self._ids)}"
        self.assets[ref] = {"data": data, "size": len(data)}
        return ref

    # the server

    def validate(self, method: str, fields: dict[str, Any], uploads: dict[str, Any]) -> Any:
        fault = next((fault for fault in self.troubles.faults if fault.method == method), None)
        if fault:
            self.troubles.faults.remove(fault)
            raise lo.ApiRefusal(fault.description, fault.status, fault.parameters)
        given = {name: _decoded(value) for name, value in fields.items()}
        for name in ("link_preview_options", "protect_content"):  # fine at Telegram, refused here
            fields.pop(name, None)
        result = super().validate(method, fields, uploads)
        if method == "getMe":
            return {**result, "username": "fieldreport_bot"}  # left out here
        if method not in ("getUpdates", "getFile"):
            last = result[-1] if isinstance(result, list) and result else result
            message_id = str(last["message_id"]) if isinstance(last, dict) and "message_id" in last else ""
            self.calls.append(Call(method, given, tuple(sorted(uploads)), message_id))
        return result

    async def download(self, request: web.Request) -> web.StreamResponse:
        if self.forgets_files:
            raise web.HTTPNotFound
        response: web.StreamResponse = await super().download(request)
        return response

    async def handle(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        status = self.troubles.pages.pop(method, None)
        if status:
            return web.Response(status=status, text="<html>Bad Gateway</html>", content_type="text/html")
        response: web.StreamResponse = await super().handle(request)
        await asyncio.sleep(self.troubles.stalls.pop(method, 0))
        if method in self.troubles.cuts and request.transport is not None:
            self.troubles.cuts.discard(method)
            request.transport.close()
        return response


@contextlib.asynccontextmanager
async def telegram_emulator() -> AsyncIterator[TelegramEmulator]:
    """A running emulator; leaving it fails when the bot called something the emulator does not know."""
    emulator = TelegramEmulator()
    runner = web.AppRunner(emulator.app(), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    emulator.base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield emulator
    finally:
        await runner.cleanup()
    unknown = [request["method"] for request in emulator.requests if request["status"] == 501]
    assert not unknown, f"the emulator does not know {unknown}; the bot took that for a passing trouble"


def a_person(chat: int) -> dict[str, Any]:
    return {"id": chat, "is_bot": False, "first_name": "An", "language_code": "vi"}


def a_message(message_id: int, chat: int, **content: Any) -> dict[str, Any]:
    """A message in a private chat."""
    frame = {"message_id": message_id, "from": a_person(chat), "chat": {"id": chat, "type": "private"}}
    return {**frame, "date": 1_790_000_000, **content}


def _decoded(value: Any) -> Any:
    if isinstance(value, str) and value[:1] in ("{", "["):
        with contextlib.suppress(ValueError):
            return json.loads(value)
    return value
