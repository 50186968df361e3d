"""Every kind of update against what it means; the payloads have the shapes of the Bot API's documentation."""

from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.telegram_payloads import ALLOWED_UPDATES, dead_letter, envelope, parse
from handlers.messages import (
    ChoiceContent,
    Content,
    EditedContent,
    LifecycleContent,
    LifecycleKind,
    LocationContent,
    Photo,
    PhotoContent,
    Point,
    PointSource,
    TextContent,
    UnsupportedContent,
    UnsupportedKind,
)

PAYLOADS = Path(__file__).parent / "payloads" / "telegram"
SENT = datetime.fromtimestamp(1_790_000_000, UTC)
ALBUM = "13812345678901234"


def a_file(ref: str = "BQACAgUAAx1", **facts: object) -> Photo:
    return Photo(**{"ref": ref, "is_original": True, "size": 4211876, **facts})  # type: ignore[arg-type]


def unsupported(kind: str, caption: str = "") -> UnsupportedContent:
    return UnsupportedContent(UnsupportedKind(kind), caption)


LARGEST = Photo("AgACAgUAAx3", size=150233)
MEANINGS: dict[str, Content | None] = {
    "text": TextContent("Ổ gà to trước số 12 Lê Lợi, phường Bến Thành"),
    "text_reply": TextContent("đúng rồi"),
    "text_with_entities": TextContent("gọi 0912345678 giúp"),
    "start": LifecycleContent(LifecycleKind.STARTED),
    "start_payload": LifecycleContent(LifecycleKind.STARTED, "phuong-27_a1"),
    "start_with_words": TextContent("/start có ổ gà ở Lê Lợi"),
    "command": TextContent("/huy"),
    "forwarded_text": TextContent("Mất điện cả xóm"),
    "location": LocationContent(Point(10.776889, 106.700806, PointSource.GPS, 18.5)),
    "live_location": LocationContent(Point(10.776889, 106.700806, PointSource.GPS, 12.0)),
    "live_location_update": LocationContent(Point(10.777, 106.701, PointSource.GPS, 9.0), is_live_update=True),
    "live_location_end": LocationContent(Point(10.7771, 106.7012, PointSource.GPS), is_live_update=True),
    "venue": LocationContent(Point(10.772, 106.698, PointSource.VENUE, label="Chợ Bến Thành, Lê Lợi, Quận 1")),
    "photo": PhotoContent(LARGEST, "nước ngập tới gối"),
    "photo_no_caption": PhotoContent(LARGEST),
    "album_first": PhotoContent(Photo("AgACAgUAAx2", ALBUM, size=78110), "ba tấm"),
    "album_second": PhotoContent(Photo("AgACAgUAAx3", ALBUM, size=150233)),
    "document_jpeg": PhotoContent(a_file(), "ảnh gốc"),
    "document_heic": PhotoContent(a_file()),
    "document_heic_untyped": PhotoContent(a_file()),
    "document_heic_no_type": PhotoContent(a_file()),
    "document_album": PhotoContent(a_file(group="999")),
    "document_svg": unsupported("file"),
    "document_pdf": unsupported("file", "đơn của tổ dân phố"),
    "document_nameless": unsupported("file"),
    "voice": unsupported("voice"),
    "audio": unsupported("voice", "tiếng ồn lúc 2 giờ sáng"),
    "video": unsupported("video", "xe đổ rác"),
    "video_note": unsupported("video"),
    "animation": unsupported("video"),
    "sticker": unsupported("sticker"),
    "contact": unsupported("contact"),
    "poll": unsupported("other"),
    "dice": unsupported("other"),
    "unknown_kind": unsupported("other"),
    "web_app_data": LocationContent(Point(10.77, 106.7, PointSource.WEB)),
    "web_app_data_odd": unsupported("other"),
    "pinned": None,
    "edited_text": EditedContent("42", "Ổ gà trước số 14 Lê Lợi"),
    "edited_caption": EditedContent("42", "ngập tới hông"),
    "edited_caption_gone": None,
    "callback": ChoiceContent("c:9f2k:0"),
    "callback_old_message": ChoiceContent("c:9f2k:1"),
    "callback_game": None,
    "callback_inline_mode": None,
    "blocked": LifecycleContent(LifecycleKind.BLOCKED),
    "unblocked": LifecycleContent(LifecycleKind.UNBLOCKED),
    "group_text": None,
    "group_joined": None,
    "channel_post": None,
    "other_update": None,
}
ODD = sorted(path.stem for path in (PAYLOADS / "odd").glob("*.json"))


def payload(name: str) -> str:
    return (PAYLOADS / f"{name}.json").read_text(encoding="utf-8")


def test_every_payload_stands_in_the_table() -> None:
    assert {path.stem for path in PAYLOADS.glob("*.json")} == set(MEANINGS)


@pytest.mark.parametrize("name", sorted(MEANINGS))
def test_what_an_update_means(name: str) -> None:
    body = payload(name)

    incoming = parse("main", body)

    assert (incoming.content if incoming else None) == MEANINGS[name]
    if incoming:
        data = orjson.loads(body)
        assert (incoming.channel, incoming.account, incoming.chat) == ("telegram", "main", "777000111")
        assert incoming.external_id == str(data["update_id"])


@pytest.mark.parametrize("name", sorted(MEANINGS))
def test_what_is_stored_of_an_update(name: str) -> None:
    body = payload(name)

    update = envelope("main", orjson.loads(body), body)

    if name in {"group_text", "group_joined", "channel_post", "other_update", "callback_inline_mode"}:
        assert update is None
    else:
        assert update is not None
        assert (update.chat, update.body) == ("777000111", body)


@pytest.mark.parametrize("name", ODD)
def test_odd_updates_raise_value_error(name: str) -> None:
    with pytest.raises(ValueError):
        parse("main", payload(f"odd/{name}"))


@pytest.mark.parametrize("body", ["", "null", "{", '"text"', '{"update_id": 1e999}', "\x00"])
def test_what_is_no_update_raises_value_error(body: str) -> None:
    with pytest.raises(ValueError):
        parse("main", body)


def test_times_and_ids_of_a_message() -> None:
    incoming = parse("main", payload("text_reply"))

    assert incoming is not None
    assert (incoming.sent_at, incoming.message_id, incoming.reply_to) == (SENT, "42", "40")


def test_an_edit_has_the_time_of_the_edit() -> None:
    incoming = parse("main", payload("edited_text"))

    assert incoming is not None
    assert (incoming.sent_at, incoming.message_id) == (datetime.fromtimestamp(1_790_000_030, UTC), "42")


def test_a_press_answers_the_message_with_the_buttons_and_has_no_time_of_its_own() -> None:
    body = payload("callback")

    incoming, update = parse("main", body), envelope("main", orjson.loads(body), body)

    assert incoming is not None and update is not None
    assert (incoming.message_id, incoming.reply_to, update.sent_at) == ("", "41", None)


def test_the_same_unreadable_body_is_the_same_letter() -> None:
    first, again, other = (dead_letter("main", body) for body in (b"\xff\x00{", b"\xff\x00{", b"x"))

    assert first == again
    assert first.external_id != other.external_id
    assert (first.chat, "\x00" in first.body) == ("", False)


def test_every_asked_for_kind_has_a_payload() -> None:
    kinds = {key for name in MEANINGS for key in orjson.loads(payload(name))}

    assert set(ALLOWED_UPDATES) <= kinds


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
FIELDS = ["text", "caption", "location", "venue", "photo", "document", "voice", "sticker", "reply_to_message", "from"]


@given(st.sampled_from(["message", "edited_message"]), st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=3))
def test_whatever_comes_is_read_or_raises_value_error(kind: str, fields: dict[str, object]) -> None:
    message = {"message_id": 1, "date": 1_790_000_000, "chat": {"id": 7, "type": "private"}, **fields}
    try:
        parse("main", orjson.dumps({"update_id": 1, kind: message}).decode())
    except ValueError:
        return
