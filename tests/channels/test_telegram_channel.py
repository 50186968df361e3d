"""The channel against a Bot API server: what it sends, what it takes in, and what it makes of failures."""

import asyncio
import contextlib
import logging
import socket
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from io import BytesIO
from typing import Any

import aiohttp
import orjson
import pytest
from PIL import Image

from bot.accept import NotStored
from bot.channels.base import (
    Accept,
    Blocked,
    ChannelError,
    Hold,
    RetryLater,
    Sent,
    TooLarge,
    Uncertain,
    Undeliverable,
    Update,
)
from bot.channels.telegram import TelegramChannel, Wording
from bot.channels.telegram_intake import SECRET_HEADER, Telegram
from bot.web.server import create_app, serving
from handlers.messages import (
    Ask,
    ChoiceContent,
    LifecycleContent,
    LocationContent,
    Option,
    Photo,
    PhotoContent,
    Reply,
    TextContent,
)
from tests.emulators.telegram import TOKEN, Fault, TelegramEmulator, a_message, telegram_emulator

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


@pytest.fixture
async def server() -> AsyncIterator[TelegramEmulator]:
    async with telegram_emulator() as emulator:
        yield emulator


@contextlib.asynccontextmanager
async def a_channel(base: str, may_poll: Callable[[], Any] = always, **facts: Any) -> AsyncIterator[TelegramChannel]:
    quick = {"read_timeout": timedelta(seconds=0.5), "first_pause": timedelta(milliseconds=20)}
    settings = Telegram(**{"token": TOKEN, "api": base, "poll_timeout": timedelta(seconds=1), **quick, **facts})
    channel = TelegramChannel(settings, WORDING, may_poll)
    try:
        yield channel
    finally:
        await channel.close()


@pytest.fixture
async def channel(server: TelegramEmulator) -> AsyncIterator[TelegramChannel]:
    async with a_channel(server.base) as channel:
        yield channel


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


class TestSending:
    async def test_a_text_is_sent_without_preview(self, server: TelegramEmulator, channel: TelegramChannel) -> None:
        sent = await channel.send(CHAT, Reply("Chào bạn. https://example.vn"), [])

        [call] = server.sent
        assert (call.method, call.chat, call.text) == ("sendMessage", CHAT, "Chào bạn. https://example.vn")
        assert call.fields["link_preview_options"] == {"is_disabled": True}
        assert sent == Sent(call.message_id)

    async def test_options_become_buttons(self, server: TelegramEmulator, channel: TelegramChannel) -> None:
        await channel.send(CHAT, Reply("Gửi phản ánh này?", options=(YES, NO)), [])

        assert server.sent[0].buttons == [("Gửi", "c:n:0"), ("Sửa", "c:n:1")]

    async def test_more_options_than_fit_become_numbers(
        self, server: TelegramEmulator, channel: TelegramChannel
    ) -> None:
        options = tuple(Option(f"c:n:{number}", f"Phường {number}") for number in range(13))

        await channel.send(CHAT, Reply("Ở đâu?", options=options), [])

        assert server.sent[0].buttons == []
        assert server.sent[0].text.endswith("13. Phường 12\nTrả lời bằng số 1–13.")

    async def test_a_long_text_comes_in_parts_with_the_buttons_under_the_last(
        self, server: TelegramEmulator, channel: TelegramChannel
    ) -> None:
        sent = await channel.send(CHAT, Reply("dòng chữ\n" * 1000, options=(YES,)), [])

        assert [call.buttons for call in server.sent] == [[], [], [("Gửi", "c:n:0")]]
        assert all(len(call.text) <= 4096 for call in server.sent)
        assert sent.external_id == server.sent[-1].message_id

    async def test_asking_for_the_place_shows_a_keyboard_that_the_next_text_removes(
        self, server: TelegramEmulator, channel: TelegramChannel
    ) -> None:
        await channel.send(CHAT, Reply("Ở đâu?", ask=Ask.LOCATION, options=(NO,)), [])
        await channel.send(CHAT, Reply("Cảm ơn."), [])

        asked, thanked = server.sent
        assert asked.keyboard == [{"text": "📍 Gửi vị trí", "request_location": True}, {"text": "Sửa"}]
        assert thanked.removes_keyboard

    async def test_before_buttons_the_first_paragraph_removes_the_keyboard(
        self, server: TelegramEmulator, channel: TelegramChannel
    ) -> None:
        await channel.send(CHAT, Reply("Ở đâu?", ask=Ask.LOCATION), [])
        await channel.send(CHAT, Reply("Đã rõ vị trí.\n\nGửi phản ánh này?", options=(YES,)), [])
        await channel.send(CHAT, Reply("Thật không?\n\nGửi?", options=(YES,)), [])

        _, first, second, third = server.sent
        assert (first.text, first.removes_keyboard) == ("Đã rõ vị trí.", True)
        assert (second.text, second.buttons) == ("Gửi phản ánh này?", [("Gửi", "c:n:0")])
        assert third.text == "Thật không?\n\nGửi?"

    async def test_one_photo_carries_text_and_buttons(self, server: TelegramEmulator, channel: TelegramChannel) -> None:
        sent = await channel.send(CHAT, Reply("Đã vá xong.", photos=("a",), options=(YES,)), [PICTURE])

        [call] = server.sent
        assert (call.method, call.text, call.buttons) == ("sendPhoto", "Đã vá xong.", [("Gửi", "c:n:0")])
        assert sent.external_id == call.message_id

    async def test_several_photos_are_an_album(self, server: TelegramEmulator, channel: TelegramChannel) -> None:
        await channel.send(CHAT, Reply("Kết quả", photos=("a", "b", "c")), [PICTURE] * 3)

        [call] = server.sent
        assert (call.method, len(call.files)) == ("sendMediaGroup", 3)
        assert [item.get("caption") for item in call.fields["media"]] == ["Kết quả", None, None]

    async def test_an_album_with_buttons_is_followed_by_the_text(
        self, server: TelegramEmulator, channel: TelegramChannel
    ) -> None:
        sent = await channel.send(CHAT, Reply("Đạt chưa?", photos=tuple("abcdefghijk"), options=(YES,)), [PICTURE] * 11)

        assert [call.method for call in server.sent] == ["sendMediaGroup", "sendPhoto", "sendMessage"]
        assert server.sent[-1].buttons == [("Gửi", "c:n:0")]
        assert sent.external_id == server.sent[-1].message_id

    async def test_photos_that_are_gone_leave_the_text(
        self, server: TelegramEmulator, channel: TelegramChannel
    ) -> None:
        await channel.send(CHAT, Reply("Kết quả", photos=("a",)), [])

        assert [(call.method, call.text) for call in server.sent] == [("sendMessage", "Kết quả")]

    async def test_nothing_to_say_is_never_sent(self, server: TelegramEmulator, channel: TelegramChannel) -> None:
        with pytest.raises(Undeliverable):
            await channel.send(CHAT, Reply(" "), [])

        assert server.sent == []


class TestEditing:
    async def test_a_card_is_edited_in_place(self, server: TelegramEmulator, channel: TelegramChannel) -> None:
        card = await channel.send(CHAT, Reply("Đã tiếp nhận", is_card=True), [])

        sent = await channel.send(CHAT, Reply("Đang xử lý", edit_of=card.external_id, options=(YES,)), [])

        assert sent == card
        assert server.sent[-1].method == "editMessageText"
        assert (server.sent[-1].text, server.sent[-1].buttons) == ("Đang xử lý", [("Gửi", "c:n:0")])

    async def test_an_unchanged_card_is_a_success(self, server: TelegramEmulator, channel: TelegramChannel) -> None:
        text = "Bad Request: message is not modified: specified new message content and reply markup are the same"
        server.troubles.faults.append(Fault("editMessageText", 400, text))

        sent = await channel.send(CHAT, Reply("Đang xử lý", edit_of="5"), [])

        assert sent == Sent("5")
        assert server.sent == []

    @pytest.mark.parametrize(
        "text",
        [
            "Bad Request: message to edit not found",
            "Bad Request: message can't be edited",
            "Bad Request: MESSAGE_ID_INVALID",
            "Bad Request: there is no text in the message to edit",
        ],
    )
    async def test_a_card_that_cannot_be_edited_is_sent_anew(
        self, server: TelegramEmulator, channel: TelegramChannel, text: str
    ) -> None:
        server.troubles.faults.append(Fault("editMessageText", 400, text))

        sent = await channel.send(CHAT, Reply("Đang xử lý", edit_of="5"), [])

        [call] = server.sent
        assert (call.method, call.text, sent) == ("sendMessage", "Đang xử lý", Sent(call.message_id))

    async def test_a_lost_answer_to_an_edit_is_simply_repeated(
        self, server: TelegramEmulator, channel: TelegramChannel
    ) -> None:
        server.troubles.stalls["editMessageText"] = 1

        with pytest.raises(RetryLater):
            await channel.send(CHAT, Reply("Đang xử lý", edit_of="5"), [])


FAILURES = [
    (Fault("sendMessage", 429, "Too Many Requests: retry after 7", {"retry_after": 7}), RetryLater),
    (Fault("sendMessage", 429, "Too Many Requests"), RetryLater),
    (Fault("sendMessage", 500, "Internal Server Error"), RetryLater),
    (Fault("sendMessage", 502, "Bad Gateway"), RetryLater),
    (Fault("sendMessage", 504, "Gateway Timeout"), Uncertain),
    (Fault("sendMessage", 403, "Forbidden: bot was blocked by the user"), Blocked),
    (Fault("sendMessage", 403, "Forbidden: user is deactivated"), Blocked),
    (Fault("sendMessage", 403, "Forbidden: bot can't initiate conversation with a user"), Blocked),
    (Fault("sendMessage", 400, "Bad Request: chat not found"), Undeliverable),
    (Fault("sendMessage", 400, "Bad Request: message is too long"), Undeliverable),
    (Fault("sendMessage", 400, "Bad Request: group upgraded", {"migrate_to_chat_id": -100}), Undeliverable),
    (Fault("sendMessage", 413, "Request Entity Too Large"), Undeliverable),
    (Fault("sendMessage", 401, "Unauthorized"), Hold),
    (Fault("sendMessage", 404, "Not Found"), Hold),
    (Fault("sendMessage", 409, "Conflict: terminated by other getUpdates request"), Hold),
]


class TestFailures:
    @pytest.mark.parametrize(("fault", "error"), FAILURES, ids=lambda value: getattr(value, "description", None))
    async def test_every_refusal_has_its_class(
        self, server: TelegramEmulator, channel: TelegramChannel, fault: Fault, error: type[ChannelError]
    ) -> None:
        server.troubles.faults.append(fault)

        with pytest.raises(error) as failure:
            await channel.send(CHAT, Reply("Chào"), [])

        assert type(failure.value) is error
        assert server.sent == []

    async def test_the_time_to_wait_is_told(self, server: TelegramEmulator, channel: TelegramChannel) -> None:
        server.troubles.faults.append(FAILURES[0][0])

        with pytest.raises(RetryLater) as failure:
            await channel.send(CHAT, Reply("Chào"), [])

        assert (failure.value.after, failure.value.whole_channel) == (timedelta(seconds=7), False)

    async def test_no_connection_means_surely_not_delivered(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        async with a_channel(f"http://127.0.0.1:{port}") as channel:
            with pytest.raises(RetryLater):
                await channel.send(CHAT, Reply("Chào"), [])

    async def test_an_answer_that_never_came_is_uncertain(
        self, server: TelegramEmulator, channel: TelegramChannel
    ) -> None:
        server.troubles.stalls["sendMessage"] = 1

        with pytest.raises(Uncertain):
            await channel.send(CHAT, Reply("Chào"), [])

        assert [call.text for call in server.sent] == ["Chào"]

    async def test_a_connection_cut_before_the_answer_is_uncertain(
        self, server: TelegramEmulator, channel: TelegramChannel
    ) -> None:
        server.troubles.cuts.add("sendMessage")

        with pytest.raises(Uncertain):
            await channel.send(CHAT, Reply("Chào"), [])

        assert [call.text for call in server.sent] == ["Chào"]

    @pytest.mark.parametrize(("status", "error"), [(502, RetryLater), (200, Uncertain)])
    async def test_a_page_instead_of_json(
        self, server: TelegramEmulator, channel: TelegramChannel, status: int, error: type[ChannelError]
    ) -> None:
        server.troubles.pages["sendMessage"] = status

        with pytest.raises(error):
            await channel.send(CHAT, Reply("Chào"), [])

    async def test_a_reply_goes_on_where_it_failed(self, server: TelegramEmulator, channel: TelegramChannel) -> None:
        reply = Reply("Xong chưa?", photos=("a", "b"), options=(YES,))
        server.troubles.faults.append(Fault("sendMessage", 502, "Bad Gateway"))
        with pytest.raises(RetryLater):
            await channel.send(CHAT, reply, [PICTURE] * 2)

        await channel.send(CHAT, reply, [PICTURE] * 2)
        await channel.send(CHAT, reply, [PICTURE] * 2)

        methods = [call.method for call in server.sent]
        assert methods == ["sendMediaGroup", "sendMessage", "sendMediaGroup", "sendMessage"]

    async def test_the_token_stays_out_of_errors_and_logs(
        self, server: TelegramEmulator, channel: TelegramChannel, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO)
        secret = TOKEN.partition(":")[2]
        server.troubles.faults += [
            Fault("sendMessage", 400, f"Bad Request: {TOKEN}"),
            Fault("sendMessage", 400, f"/bot{secret}/"),
        ]
        server.troubles.pages["sendMessage"] = 502

        for _ in range(3):
            with pytest.raises(ChannelError) as failure:
                await channel.send(CHAT, Reply("Chào"), [])
            assert secret not in str(failure.value)
            assert failure.value.__cause__ is None and failure.value.__suppress_context__
        assert secret not in caplog.text
        assert secret not in repr(channel._settings)


class TestFetching:
    async def test_bytes_come_as_they_were_sent(self, server: TelegramEmulator, channel: TelegramChannel) -> None:
        ref = server.keep(PICTURE)

        assert await channel.fetch(Photo(ref)) == PICTURE

    async def test_a_picture_known_to_be_too_large_is_not_asked_for(
        self, server: TelegramEmulator, channel: TelegramChannel
    ) -> None:
        with pytest.raises(TooLarge):
            await channel.fetch(Photo("any", size=20 * 1024 * 1024 + 1))

        assert server.requests == []

    async def test_a_picture_that_turns_out_too_large(self, server: TelegramEmulator, channel: TelegramChannel) -> None:
        with pytest.raises(TooLarge):
            await channel.fetch(Photo(server.keep(bytes(20 * 1024 * 1024 + 1))))

    @pytest.mark.parametrize(
        ("fault", "error"),
        [
            (Fault("getFile", 400, "Bad Request: file is too big"), TooLarge),
            (Fault("getFile", 400, "Bad Request: wrong file_id or the file is temporarily unavailable"), Undeliverable),
            (Fault("getFile", 502, "Bad Gateway"), RetryLater),
        ],
    )
    async def test_refusals(
        self, server: TelegramEmulator, channel: TelegramChannel, fault: Fault, error: type[ChannelError]
    ) -> None:
        server.troubles.faults.append(fault)

        with pytest.raises(error):
            await channel.fetch(Photo(server.keep(PICTURE)))

    async def test_a_lost_answer_is_simply_repeated(self, server: TelegramEmulator, channel: TelegramChannel) -> None:
        server.troubles.stalls["getFile"] = 1

        with pytest.raises(RetryLater):
            await channel.fetch(Photo(server.keep(PICTURE)))

    async def test_a_stale_link_is_asked_for_again(self, server: TelegramEmulator, channel: TelegramChannel) -> None:
        ref = server.keep(PICTURE)
        server.forgets_files = True

        with pytest.raises(RetryLater):
            await channel.fetch(Photo(ref))


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
