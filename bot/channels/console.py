"""A chat in the terminal: the same conversation as on the platforms, for trying out and for scripts."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

import orjson

from bot.channels.base import Accept, Capabilities, RetryLater, Sent, TooLarge, Undeliverable, Update
from bot.rendering import render
from handlers.messages import (
    Content,
    Incoming,
    LocationContent,
    Photo,
    PhotoContent,
    Point,
    Reply,
    TextContent,
    UnsupportedContent,
    UnsupportedKind,
)

CHANNEL, ACCOUNT = "console", "local"
FIRST_CITIZEN = "bạn"
MAX_FILE = 20 * 1024 * 1024  # bytes, as on the platforms
HELP = """\
console> Gõ lời nhắn rồi Enter. Các lệnh của cửa sổ này:
console>   :photo TỆP [chú thích]   :location VĨ_ĐỘ,KINH_ĐỘ   :voice TỆP   :as TÊN   :wait GIÂY   :quit"""


class BadLine(Exception):
    """A console command that can't be obeyed; the message says why and what to type."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the console: a payload to accept, a change of citizen, or a pause."""

    payload: dict[str, Any] | None = None
    citizen: str | None = None
    wait_seconds: float = 0.0
    is_help: bool = False
    is_quit: bool = False


class ConsoleChannel:
    """Reads lines, prints replies. ``quiet`` waits until nothing is left to say."""

    name = CHANNEL
    account = ACCOUNT
    capabilities = Capabilities(max_text=100_000, max_caption=100_000)

    def __init__(
        self,
        *,
        hint: str,
        clock: Callable[[], datetime],
        quiet: Callable[[Collection[str]], Awaitable[None]],
        show_photo: Callable[[str], str],
        out: TextIO | None = None,
        lines: AsyncIterator[str] | None = None,
    ) -> None:
        """``quiet`` waits until these updates are worked on and everything is said. ``show_photo`` gives a path for a
        hash. ``lines`` None = from standard input.
        """
        self._hint, self._clock, self._quiet, self._show_photo = hint, clock, quiet, show_photo
        self._out = out
        self._lines = lines
        self._citizen = FIRST_CITIZEN
        self._several = False
        self._count = 0
        self._accepted: set[str] = set()  # since the chat was last quiet
        self._started = f"{clock():%Y%m%d%H%M%S%f}"

    def parse(self, body: str) -> Incoming | None:
        """The stored payload as a message. Raises ValueError."""
        data = orjson.loads(body)
        return Incoming(
            channel=CHANNEL,
            account=ACCOUNT,
            chat=data["chat"],
            external_id=data["id"],
            sent_at=datetime.fromisoformat(data["at"]),
            content=_content(data),
            message_id=data["id"],
        )

    async def send(self, chat: str, reply: Reply, photos: Sequence[bytes]) -> Sent:
        """Print it, every line marked as the bot's."""
        rendered = render(reply, self.capabilities, hint=self._hint)
        mark = f"bot→{chat}> " if self._several or chat != self._citizen else "bot> "
        lines = [line for text in (rendered.caption, *rendered.texts) if text for line in text.splitlines()]
        lines += [f"[ảnh] {self._show_photo(photo)}" for photo in reply.photos]
        self._count += 1
        try:
            self._print("\n".join(f"{mark}{line}" for line in lines))
        except (BrokenPipeError, ValueError) as error:
            raise RetryLater("the terminal is gone") from error
        return Sent(f"out-{self._started}-{self._count}")

    async def fetch(self, photo: Photo) -> bytes:
        """The bytes of a local file."""
        path = Path(photo.ref)
        try:
            return await asyncio.to_thread(_read_file, path)
        except OSError as error:
            raise Undeliverable(f"cannot read {path.name}: {error.strerror}") from error

    async def run(self, accept: Accept) -> None:
        """Take lines until the end of input."""
        is_terminal = self._lines is None and sys.stdin.isatty()
        if is_terminal:
            self._print(HELP)
        async for text in self._lines or (_typed_lines() if is_terminal else _piped_lines()):
            if not text.strip():
                continue
            if not is_terminal:
                self._print(f"{self._citizen}> {text}")
            try:
                line = parse_line(text)
            except BadLine as error:
                self._print(f"console> {error}")
                continue
            if line.is_quit:
                break
            await self._obey(line, accept)
            if not is_terminal:
                await self._settle()
        await self._settle()

    async def close(self) -> None:
        """Nothing to let go of."""

    async def _obey(self, line: Line, accept: Accept) -> None:
        if line.is_help:
            self._print(HELP)
        elif line.citizen is not None:
            self._several = self._several or line.citizen != self._citizen
            self._citizen = line.citizen
        elif line.payload is not None:
            await accept([self._update(line.payload)])
        else:
            await self._settle()
            await asyncio.sleep(line.wait_seconds)

    async def _settle(self) -> None:
        await self._quiet(self._accepted)
        self._accepted.clear()

    def _update(self, payload: dict[str, Any]) -> Update:
        self._count += 1
        now = self._clock()
        id = f"{self._started}-{self._count}"
        self._accepted.add(id)
        body = orjson.dumps({**payload, "id": id, "chat": self._citizen, "at": now.isoformat()}).decode()
        return Update(CHANNEL, ACCOUNT, id, self._citizen, body, now)

    def _print(self, text: str) -> None:
        # looked up now: while somebody types, standard output is one that prints above the prompt
        print(text, file=self._out or sys.stdout, flush=True)


def parse_line(text: str) -> Line:
    """What a typed line means. Raises BadLine."""
    head, _, rest = text.strip().partition(" ")
    rest = rest.strip()
    match head:
        case ":photo":
            path, caption = _file_and_caption(rest)
            return Line({"kind": "photo", "path": str(path), "caption": caption})
        case ":voice":
            _file_and_caption(rest)
            return Line({"kind": "voice"})
        case ":location":
            lat, lon = _coordinates(rest)
            return Line({"kind": "location", "lat": lat, "lon": lon})
        case ":as":
            if not rest or ":" in rest:
                raise BadLine("gõ tên sau :as, ví dụ  :as An")
            return Line(citizen=rest)
        case ":wait":
            try:
                return Line(wait_seconds=min(max(float(rest.replace(",", ".")), 0.0), 3600.0))
            except ValueError:
                raise BadLine("gõ số giây sau :wait, ví dụ  :wait 2") from None
        case ":help":
            return Line(is_help=True)
        case ":quit":
            return Line(is_quit=True)
        case _ if head.startswith(":") and head[1:].isalpha():
            raise BadLine(f"không có lệnh {head}; gõ :help để xem các lệnh")
        case _:
            return Line({"kind": "text", "text": text.strip()})


def _content(data: dict[str, Any]) -> Content:
    match data["kind"]:
        case "text":
            return TextContent(data["text"])
        case "photo":
            return PhotoContent(Photo(data["path"], is_original=True), data["caption"])
        case "location":
            return LocationContent(Point(data["lat"], data["lon"]))
        case "voice":
            return UnsupportedContent(UnsupportedKind.VOICE)
        case kind:
            raise ValueError(f"unknown console payload {kind!r}")


def _read_file(path: Path) -> bytes:
    if path.stat().st_size > MAX_FILE:
        raise TooLarge(str(path))
    return path.read_bytes()


def _file_and_caption(rest: str) -> tuple[Path, str]:
    if rest.startswith('"') and '"' in rest[1:]:
        name, _, caption = rest[1:].partition('"')
    else:
        name, _, caption = rest.partition(" ")
    path = Path(name).expanduser().absolute()
    if not name or not path.is_file():
        raise BadLine(f"không thấy tệp {name or '(trống)'}; gõ đường dẫn tới tệp, có dấu cách thì để trong ngoặc kép")
    return path, caption.strip()


def _coordinates(rest: str) -> tuple[float, float]:
    parts = rest.replace(";", ",").split(",")
    try:
        lat, lon = (float(part) for part in parts)
    except ValueError:
        raise BadLine("gõ vĩ độ, kinh độ, ví dụ  :location 22.3364,103.8438") from None
    if not (-90 <= lat <= 90 and -180 <= lon <= 180):
        raise BadLine("vĩ độ từ -90 đến 90, kinh độ từ -180 đến 180")
    return lat, lon


async def _typed_lines() -> AsyncIterator[str]:
    from prompt_toolkit import PromptSession  # only where somebody types: a script starts faster without
    from prompt_toolkit.patch_stdout import patch_stdout

    session: PromptSession[str] = PromptSession()
    with patch_stdout():
        while True:
            try:
                yield await session.prompt_async("bạn> ")
            except (EOFError, KeyboardInterrupt):
                return


async def _piped_lines() -> AsyncIterator[str]:
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        yield line.rstrip("\n")
