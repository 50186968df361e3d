"""A chat platform across a socket that refuses, drops and hangs; and the channel that speaks to it."""

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import orjson

from bot.channels.base import Accept, Capabilities, RetryLater, Sent, Uncertain
from handlers.messages import Incoming, Photo, Reply


@dataclass
class Platform:
    """What citizens see: the messages that stand in their chats, and every delivery ever made."""

    chance: random.Random
    messages: dict[str, tuple[str, str]] = field(default_factory=dict)  # id → chat, text shown
    delivered: Counter[tuple[str, str]] = field(default_factory=Counter)  # new messages by chat and text
    faults: Counter[str] = field(default_factory=Counter)
    port: int = 0
    _serving: "set[asyncio.Task[None]]" = field(default_factory=set)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["Platform"]:
        """Listening on a free port."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for serving in self._serving:
                serving.cancel()
            await asyncio.gather(*self._serving, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        try:
            with contextlib.suppress(OSError, ValueError):
                answer = await self._answer(orjson.loads(await reader.readline()))
                if answer is not None:
                    writer.write(orjson.dumps(answer) + b"\n")
                    await writer.drain()
        finally:
            self._serving.discard(task)
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _answer(self, call: dict[str, str]) -> dict[str, object] | None:
        dice = self.chance.random()
        if dice < 0.05:
            self.faults["429"] += 1
            return {"error": 429, "after": 0.5}
        if dice < 0.08:
            self.faults["502"] += 1
            return {"error": 502}
        id_ = self._deliver(call)
        if dice < 0.11:
            self.faults["dropped"] += 1
            return None
        if dice < 0.12:
            self.faults["hung"] += 1
            await asyncio.sleep(5)
            return None
        await asyncio.sleep(0.02)
        return {"id": id_}

    def _deliver(self, call: dict[str, str]) -> str:
        id_ = call["edit_of"]
        if not id_:
            id_ = f"m{len(self.messages)}"
            self.delivered[call["chat"], call["text"]] += 1
        self.messages[id_] = (call["chat"], call["text"])
        return id_


@dataclass
class SocketChannel:
    """Speaks to a ``Platform``, with the classes of error that a channel must raise."""

    port: int
    name: str = "fake"
    account: str = "main"
    capabilities: Capabilities = field(default_factory=lambda: Capabilities(has_edit=True))

    async def send(self, chat: str, reply: Reply, photos: Sequence[bytes]) -> Sent:
        """Deliver once."""
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError as error:
            raise RetryLater("not connected") from error
        try:
            async with asyncio.timeout(1):
                call = {"chat": chat, "text": reply.text, "edit_of": reply.edit_of or ""}
                writer.write(orjson.dumps(call) + b"\n")
                answer = orjson.loads(await reader.readline())
        except (TimeoutError, OSError, ValueError) as error:
            raise Uncertain("no answer") from error
        finally:
            writer.close()
        match answer.get("error"):
            case None:
                return Sent(answer["id"])
            case 429:
                raise RetryLater("429", timedelta(seconds=answer["after"]))
            case other:
                raise RetryLater(str(other))

    def parse(self, body: str) -> Incoming | None:
        """Nothing comes in."""
        return None

    async def fetch(self, photo: Photo) -> bytes:
        """Nothing to fetch."""
        return b""

    async def run(self, accept: Accept) -> None:
        """Nothing comes in."""

    async def close(self) -> None:
        """Nothing is open."""
