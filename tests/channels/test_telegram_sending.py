"""What the channel sends and fetches, and what it makes of failures."""

import logging
import socket
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bot.channels.base import (
    Blocked,
    ChannelError,
    Hold,
    RetryLater,
    Sent,
    TooLarge,
    Uncertain,
    Undeliverable,
)
from bot.channels.telegram import TelegramChannel
from handlers.messages import (
    Ask,
    Option,
    Photo,
    Reply,
)
from tests.channels.telegram_rig import CHAT, NO, PICTURE, YES, a_channel
from tests.emulators.telegram import TOKEN, Fault, TelegramEmulator, telegram_emulator


@pytest.fixture
async def server() -> AsyncIterator[TelegramEmulator]:
    async with telegram_emulator() as emulator:
        yield emulator


@pytest.fixture
async def channel(server: TelegramEmulator) -> AsyncIterator[TelegramChannel]:
    async with a_channel(server.base) as channel:
        yield channel


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
