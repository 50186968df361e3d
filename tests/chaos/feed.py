"""A platform that delivers updates at a steady pace, repeats some, and repeats what was refused."""

import asyncio
import contextlib
import random
from collections import defaultdict
from collections.abc import Callable

import orjson

from bot.accept import NotStored
from bot.channels.base import Accept, Update


class Feed:
    """Numbers the updates of each chat; ``accepted`` is what the other side confirmed."""

    def __init__(self, accept: Accept, *, chats: int, seed: int) -> None:
        self._accept, self._chance = accept, random.Random(seed)
        self._chats = [str(1000 + number) for number in range(chats)]
        self._numbers = dict.fromkeys(self._chats, 0)
        self._waiting: dict[str, asyncio.Task[None]] = {}
        self.accepted: dict[str, list[int]] = defaultdict(list)
        self.refusals = 0

    @property
    def total(self) -> int:
        """How many were accepted."""
        return sum(len(numbers) for numbers in self.accepted.values())

    async def run(self, *, per_second: float, seconds: float, is_over: Callable[[], bool] = lambda: False) -> None:
        """Deliver for a while. A chat's next update leaves only when its last one was confirmed, as platforms do."""
        loop = asyncio.get_running_loop()
        begun, sent = loop.time(), 0
        async with asyncio.TaskGroup() as tasks:
            while (now := loop.time()) - begun < seconds and not is_over():
                while sent < (now - begun) * per_second:
                    sent += 1
                    chat = self._chance.choice(self._chats)
                    before = self._waiting.get(chat)
                    self._waiting[chat] = tasks.create_task(self._deliver(chat, before))
                await asyncio.sleep(0.005)

    async def _deliver(self, chat: str, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await asyncio.wait([before])
        self._numbers[chat] += 1
        number = self._numbers[chat]
        while True:
            try:
                await self._accept([_update(chat, number)])
                break
            except NotStored:
                self.refusals += 1
                await asyncio.sleep(0.2)
        self.accepted[f"fake:main:{chat}"].append(number)
        if self._chance.random() < 0.1:
            with contextlib.suppress(NotStored):
                await self._accept([_update(chat, self._chance.randint(1, number))])


def _update(chat: str, number: int) -> Update:
    body = {"chat": chat, "id": f"{chat}-{number}", "text": str(number)}
    return Update("fake", "main", body["id"], chat, orjson.dumps(body).decode())
