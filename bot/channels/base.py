"""What every channel is: a codec, a transport and one classification of errors. No state, no wording."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from handlers.messages import Incoming, Photo, Reply


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What the platform can show; only rendering looks at it."""

    max_text: int = 4096  # UTF-16 units where the platform counts those
    max_caption: int = 1024
    has_buttons: bool = False
    max_buttons: int = 0
    max_label: int = 0
    has_location_request: bool = False
    has_edit: bool = False
    sends_photos: bool = True


@dataclass(frozen=True, slots=True)
class Update:
    """An update as it came, with just what is needed to store it: dedupe key and conversation."""

    channel: str
    account: str
    external_id: str
    chat: str
    body: str
    sent_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """What the platform said: its id of the (last) message."""

    external_id: str


Accept = Callable[[Sequence[Update]], Awaitable[None]]
"""Stores updates durably; returns after the commit, raises NotStored when it could not."""


class ChannelError(Exception):
    """Root of what sending may raise, classed by what the sender must do next."""


class RetryLater(ChannelError):
    """Surely not delivered; again after ``after`` (None = the usual backoff). ``whole_channel`` pauses all chats."""

    def __init__(self, reason: str, after: timedelta | None = None, *, whole_channel: bool = False) -> None:
        self.reason, self.after, self.whole_channel = reason, after, whole_channel
        super().__init__(reason)


class Uncertain(ChannelError):
    """The request left, the answer did not come: it may have been delivered. Never repeat it blindly."""


class Blocked(ChannelError):
    """The citizen cannot be reached on this channel until they write again."""


class Undeliverable(ChannelError):
    """This message can never be delivered; say why and keep it for a person to look at."""


class Hold(ChannelError):
    """The channel itself is broken (token, conflict): keep everything queued and raise an alarm."""


class TooLarge(ChannelError):
    """A file is larger than the platform hands out."""


class Channel(Protocol):
    """One account on one platform."""

    name: str
    account: str
    capabilities: Capabilities

    def parse(self, body: str) -> Incoming | None:
        """The stored payload as a message; None when nothing in it is for us. Pure; odd payloads raise ValueError."""
        ...

    async def send(self, chat: str, reply: Reply, photos: Sequence[bytes]) -> Sent:
        """Deliver once. ``photos`` are the bytes behind ``reply.photos``. Raises ChannelError."""
        ...

    async def fetch(self, photo: Photo) -> bytes:
        """The bytes of a picture. Raises ChannelError."""
        ...

    async def run(self, accept: Accept) -> None:
        """Take updates until cancelled (polling), or return at once when they come by webhook."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...
