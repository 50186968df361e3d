"""Polling and webhook against a Bot API server: stored first, answered afterwards."""

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator

import aiohttp
import orjson
import pytest

from bot.channels.base import (
    Accept,
)
from bot.channels.telegram import TelegramChannel
from bot.channels.telegram_intake import SECRET_HEADER, Telegram
from bot.web.server import create_app, serving
from handlers.messages import (
    ChoiceContent,
    LifecycleContent,
    LocationContent,
    PhotoContent,
    TextContent,
)
from tests.channels.telegram_rig import (
    PICTURE,
    SECRET,
    Inbox,
    a_channel,
    running,
    until,
)
from tests.emulators.telegram import TOKEN, Fault, TelegramEmulator, a_message, telegram_emulator


@pytest.fixture
async def server() -> AsyncIterator[TelegramEmulator]:
    async with telegram_emulator() as emulator:
        yield emulator


@pytest.fixture
async def channel(server: TelegramEmulator) -> AsyncIterator[TelegramChannel]:
    async with a_channel(server.base) as channel:
        yield channel


class TestPolling:
    async def test_what_citizens_send_arrives_in_order(
        self, server: TelegramEmulator, channel: TelegramChannel
    ) -> None:
        inbox = Inbox()
        async with running(channel, inbox):
            await server.user_sends_text("Ổ gà trước 12 Lê Lợi")
            await server.user_sends_location(10.77, 106.7)
            await server.user_sends_album([PICTURE, PICTURE], caption="hai tấm")
            await server.user_sends_file(PICTURE, "IMG.jpg", "image/jpeg")
            await server.user_presses("c:n:0", "41")
            await server.user_blocks_bot()
            await until(lambda: len(inbox.stored) == 7)

        contents = [
            incoming.content for update in inbox.stored.values() if (incoming := channel.parse(update.body)) is not None
        ]
        kinds = [TextContent, LocationContent, *[PhotoContent] * 3, ChoiceContent, LifecycleContent]
        assert [type(content) for content in contents] == kinds
        first, second, original = contents[2:5]
        assert first.photo.group == second.photo.group and original.photo.is_original  # type: ignore[union-attr]
        assert await channel.fetch(second.photo) == PICTURE  # type: ignore[union-attr]

    async def test_updates_are_confirmed_only_after_they_are_stored(
        self, server: TelegramEmulator, channel: TelegramChannel
    ) -> None:
        inbox = Inbox(failures=2)
        await server.user_sends_text("một")
        async with running(channel, inbox):
            await until(lambda: inbox.stored)

        assert inbox.offered == ["1", "1", "1"]

    async def test_after_a_restart_what_was_not_stored_comes_again(self, server: TelegramEmulator) -> None:
        lost, inbox = Inbox(failures=1000), Inbox()
        await server.user_sends_text("một")
        async with a_channel(server.base) as first, running(first, lost):
            await until(lambda: lost.offered)
        await asyncio.sleep(0.15)  # the server notices that the poll is gone

        async with a_channel(server.base) as second, running(second, inbox):
            await until(lambda: inbox.stored)

        assert (lost.stored, set(inbox.stored)) == ({}, {"1"})

    async def test_one_odd_update_does_not_hold_up_the_others(
        self, server: TelegramEmulator, channel: TelegramChannel
    ) -> None:
        inbox = Inbox()
        await server.enqueue_update({"message": {"text": "no chat"}}, token=TOKEN)
        await server.enqueue_update({"callback_query": {"id": "1", "from": {"id": 777}}}, token=TOKEN)
        await server.user_sends_text("một")
        async with running(channel, inbox):
            await until(lambda: "3" in inbox.stored)

        dead = [update for update in inbox.stored.values() if update.chat == ""]
        assert [orjson.loads(update.body)["update_id"] for update in dead] == [1]

    async def test_groups_are_passed_over(self, server: TelegramEmulator, channel: TelegramChannel) -> None:
        inbox = Inbox()
        group = {"id": -100, "type": "supergroup", "title": "Tổ 5"}
        await server.enqueue_update({"message": a_message(1, 777, text="ơi") | {"chat": group}}, token=TOKEN)
        await server.user_sends_text("một")
        async with running(channel, inbox):
            await until(lambda: inbox.stored)

        assert list(inbox.stored) == ["2"]

    async def test_every_press_is_answered_even_when_that_fails_once(
        self, server: TelegramEmulator, channel: TelegramChannel
    ) -> None:
        inbox = Inbox()
        server.troubles.faults.append(Fault("answerCallbackQuery", 400, "Bad Request: query is too old"))
        async with running(channel, inbox):
            await server.user_presses("c:n:0", "41")
            second = await server.user_presses("c:n:1", "41")
            await until(lambda: server.calls_of("answerCallbackQuery"))

        assert [call.fields["callback_query_id"] for call in server.calls_of("answerCallbackQuery")] == [second]

    async def test_a_press_that_was_not_stored_is_not_answered(
        self, server: TelegramEmulator, channel: TelegramChannel
    ) -> None:
        inbox = Inbox(failures=1000)
        async with running(channel, inbox):
            await server.user_presses("c:n:0", "41")
            await until(lambda: len(inbox.offered) >= 2)

        assert server.calls_of("answerCallbackQuery") == []

    async def test_who_has_no_lease_does_not_poll(self, server: TelegramEmulator) -> None:
        turns = iter([False, False, False])
        inbox = Inbox()
        asked: list[int] = []

        async def may_poll() -> bool:
            asked.append(len(server.requests))
            return next(turns, True)

        await server.user_sends_text("một")
        async with a_channel(server.base, may_poll) as channel, running(channel, inbox):
            await until(lambda: inbox.stored)

        assert asked[:4] == [0, 0, 0, 0]

    @pytest.mark.parametrize("status", [409, 401, 429, 500])
    async def test_polling_goes_on_after_trouble(
        self, server: TelegramEmulator, channel: TelegramChannel, status: int
    ) -> None:
        inbox = Inbox()
        parameters = {"retry_after": 1} if status == 429 else None
        server.troubles.faults += [Fault("getUpdates", status, "trouble", parameters)]
        await server.user_sends_text("một")
        async with running(channel, inbox):
            await until(lambda: inbox.stored)

    async def test_troubles_are_logged_without_the_token(
        self, server: TelegramEmulator, channel: TelegramChannel, capsys: pytest.CaptureFixture[str]
    ) -> None:
        inbox = Inbox()
        server.troubles.faults += [Fault("getUpdates", 401, f"Unauthorized: {TOKEN}")]
        await server.user_sends_text("một")
        async with running(channel, inbox):
            await until(lambda: inbox.stored)

        logged = "".join(capsys.readouterr())
        assert "token_refused" in logged
        assert TOKEN.partition(":")[2] not in logged

    async def test_a_broken_lease_does_not_end_polling(self, server: TelegramEmulator) -> None:
        inbox, turns = Inbox(), iter([OSError("database away")])

        async def may_poll() -> bool:
            trouble = next(turns, None)
            if trouble:
                raise trouble
            return True

        await server.user_sends_text("một")
        async with a_channel(server.base, may_poll) as channel, running(channel, inbox):
            await until(lambda: inbox.stored)

    async def test_a_webhook_left_behind_is_taken_down(
        self, server: TelegramEmulator, channel: TelegramChannel
    ) -> None:
        inbox = Inbox()
        await server._update_queues.set_webhook(TOKEN, {"url": "http://127.0.0.1:9/gone"})
        async with running(channel, inbox):
            await server.user_sends_text("một")
            await until(lambda: inbox.stored)


@contextlib.asynccontextmanager
async def a_webhook(server: TelegramEmulator, accept: Accept) -> AsyncIterator[tuple[TelegramChannel, str]]:
    """A channel behind its web server; gives the address, which Telegram knows after ``run``."""

    async def health() -> dict[str, bool]:
        return {}

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}/hooks/telegram"
    async with a_channel(server.base, webhook_url=url, webhook_secret=SECRET) as channel:
        app = create_app(health=health, webhooks={"/hooks/telegram": channel.webhook(accept)})
        async with serving(app, "127.0.0.1", port):
            yield channel, url


async def post(url: str, body: bytes, secret: str | None = SECRET) -> int:
    headers = {} if secret is None else {SECRET_HEADER: secret}
    async with aiohttp.ClientSession() as client, client.post(url, data=body, headers=headers) as response:
        return response.status


def an_update(update_id: int = 1, text: str = "một") -> bytes:
    return orjson.dumps({"update_id": update_id, "message": a_message(1, 777, text=text)})


class TestWebhook:
    async def test_updates_come_by_webhook_and_presses_are_answered(self, server: TelegramEmulator) -> None:
        inbox = Inbox()
        async with a_webhook(server, inbox) as (channel, _):
            await channel.run(inbox)
            await server.user_sends_text("một")
            await server.user_presses("c:n:0", "41")
            await until(lambda: server.calls_of("answerCallbackQuery"))

        assert [update.chat for update in inbox.stored.values()] == ["777", "777"]
        [call] = server.calls_of("setWebhook")
        assert call.fields["allowed_updates"] == ["message", "edited_message", "callback_query", "my_chat_member"]
        assert call.fields["secret_token"] == SECRET

    async def test_setting_the_webhook_is_tried_again(self, server: TelegramEmulator) -> None:
        inbox = Inbox()
        server.troubles.faults += [Fault("setWebhook", 502, "Bad Gateway"), Fault("setWebhook", 401, "Unauthorized")]
        async with a_webhook(server, inbox) as (channel, _):
            await channel.run(inbox)

        assert len(server.calls_of("setWebhook")) == 1

    async def test_what_could_not_be_stored_is_delivered_again(self, server: TelegramEmulator) -> None:
        inbox = Inbox(failures=1)
        async with a_webhook(server, inbox) as (channel, _):
            await channel.run(inbox)
            await server.user_sends_text("một")
            assert inbox.stored == {}
            await server.deliver_updates(token=TOKEN)

        assert inbox.offered == ["1", "1"]
        assert set(inbox.stored) == {"1"}

    @pytest.mark.parametrize("secret", [None, "", "wrong", SECRET + "x", SECRET.upper(), "bí-mật"])
    async def test_strangers_are_turned_away_unread(self, server: TelegramEmulator, secret: str | None) -> None:
        inbox = Inbox()
        async with a_webhook(server, inbox) as (_, url):
            assert await post(url, an_update(), secret) == 401

        assert inbox.offered == []

    async def test_a_duplicate_is_offered_under_the_same_key(self, server: TelegramEmulator) -> None:
        inbox = Inbox()
        async with a_webhook(server, inbox) as (_, url):
            assert [await post(url, an_update(update_id)) for update_id in (8, 7, 8)] == [200] * 3

        assert inbox.offered == ["8", "7", "8"]
        assert inbox.stored["8"].body == an_update(8).decode()

    @pytest.mark.parametrize("body", [b"", b"{", b"[1]", b"null", b"\xff\xfe", b'{"update_id": "x"}', b"\x00" * 9])
    async def test_an_unreadable_body_is_kept_and_never_sent_again(self, server: TelegramEmulator, body: bytes) -> None:
        inbox = Inbox()
        async with a_webhook(server, inbox) as (_, url):
            assert await post(url, body) == 200

        [letter] = inbox.stored.values()
        assert (letter.chat, len(letter.external_id)) == ("", 64)

    async def test_an_unreadable_body_that_could_not_be_kept_comes_again(self, server: TelegramEmulator) -> None:
        async with a_webhook(server, Inbox(failures=1)) as (_, url):
            assert [await post(url, b"{") for _ in range(2)] == [503, 200]

    async def test_a_body_over_the_cap_is_refused(self, server: TelegramEmulator) -> None:
        inbox = Inbox()

        async def in_chunks() -> AsyncIterator[bytes]:
            for _ in range(300):
                yield bytes(1024)

        async with a_webhook(server, inbox) as (_, url):
            assert await post(url, bytes(256 * 1024 + 1)) == 413
            async with (
                aiohttp.ClientSession(headers={SECRET_HEADER: SECRET}) as client,
                client.post(url, data=in_chunks()) as response,
            ):
                assert response.status == 413

        assert inbox.offered == []

    async def test_updates_for_nobody_are_answered_and_forgotten(self, server: TelegramEmulator) -> None:
        inbox = Inbox()
        async with a_webhook(server, inbox) as (_, url):
            assert await post(url, b'{"update_id": 5, "poll_answer": {}}') == 200

        assert inbox.offered == []

    async def test_the_answer_to_a_press_does_not_hold_up_the_next_update(self, server: TelegramEmulator) -> None:
        inbox = Inbox()
        server.troubles.stalls["answerCallbackQuery"] = 0.4
        press = {"id": "1", "from": {"id": 777}, "message": a_message(2, 777), "data": "x", "chat_instance": "1"}
        async with a_webhook(server, inbox) as (_, url):
            started = time.monotonic()
            assert await post(url, orjson.dumps({"update_id": 1, "callback_query": press})) == 200
            took = time.monotonic() - started

        assert took < 0.4
        assert len(server.calls_of("answerCallbackQuery")) == 1  # closing waits for it

    def test_a_webhook_without_secret_is_refused(self) -> None:
        with pytest.raises(ValueError, match="secret"):
            Telegram(token=TOKEN, webhook_url="https://example.vn/hook")
