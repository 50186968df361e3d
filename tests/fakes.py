"""What stands in for a chat platform."""

import asyncio
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import orjson

from bot.channels.base import Accept, Capabilities, ChannelError, Sent, Update
from handlers.messages import Incoming, Photo, PhotoContent, Reply, TextContent

SENT_AT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


@dataclass
class FakeChannel:
    """A platform in memory: records what is sent and fails as told.

    A text message's body is ``{"chat", "id", "text"}``; ``"photo"`` makes it a photo, ``"nothing"`` one to ignore, and
    anything else than JSON can't be parsed.
    """

    name: str = "fake"
    account: str = "main"
    capabilities: Capabilities = field(default_factory=lambda: Capabilities(has_edit=True))
    orders_by_sent_at: bool = False
    sent: list[tuple[str, Reply]] = field(default_factory=list)
    faults: list[ChannelError | Callable[[], None]] = field(default_factory=list)  # taken one a call
    delay: float = 0.0
    fetch_delay: float = 0.0
    _ids: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    @property
    def key(self) -> str:
        """As the engine knows it."""
        return f"{self.name}:{self.account}"

    def parse(self, body: str) -> Incoming | None:
        """A stored payload as a message."""
        data = orjson.loads(body)
        if "nothing" in data:
            return None
        content = PhotoContent(Photo(data["photo"])) if "photo" in data else TextContent(data["text"])
        return Incoming(self.name, self.account, data["chat"], data["id"], SENT_AT, content)

    async def send(self, chat: str, reply: Reply, photos: Sequence[bytes]) -> Sent:
        """Record it, unless a fault is due."""
        await asyncio.sleep(self.delay)
        if self.faults:
            fault = self.faults.pop(0)
            if isinstance(fault, ChannelError):
                raise fault
            fault()
        self.sent.append((chat, reply))
        return Sent(f"m{next(self._ids)}")

    async def fetch(self, photo: Photo) -> bytes:
        """The bytes of a picture."""
        await asyncio.sleep(self.fetch_delay)
        return photo.ref.encode()

    async def run(self, accept: Accept) -> None:
        """Nothing to poll."""

    async def close(self) -> None:
        """Nothing to close."""

    def texts(self, chat: str) -> list[str]:
        """What a chat was told."""
        return [reply.text for to, reply in self.sent if to == chat]


def an_update(chat: str = "777", id: str = "1", *, channel: FakeChannel | None = None, **body: str) -> Update:
    """An update of the fake platform."""
    channel = channel or FakeChannel()
    payload = {"chat": chat, "id": id, **(body or {"text": f"message {id}"})}
    return Update(channel.name, channel.account, id, chat, orjson.dumps(payload).decode(), SENT_AT)
