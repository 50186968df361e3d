"""The conversation as a pure function: what a message changes, what is said and done."""

from datetime import timedelta

import pytest

from handlers.conversation import Attach, Rate
from handlers.drafts import (
    DRAFT_STEPS,
    Draft,
    Session,
    Step,
    TextPart,
    take_back_question,
)
from handlers.messages import (
    ChoiceContent,
    LocationContent,
    Point,
    TickContent,
)
from storage.workflow import Status
from tests.unit.conversing import (
    NOW,
    Chat,
    a_brief,
    a_world,
    filed,
    said,
)


def test_a_whole_story_is_shown_and_sent() -> None:
    chat = Chat()

    shown = chat.says("ổ gà ở chợ Cốc Lếu")
    sent = chat.says("gửi")

    assert "Phường Lào Cai (tên cũ: Phường Cốc Lếu)" in said(shown)[0]
    filing = filed(sent).filing
    assert (filing.subfield, filing.text, filing.address_text) == ("ha_tang.mat_duong", "ổ gà ở chợ Cốc Lếu", "chợ")
    assert filing.commune is not None
    assert (filing.commune.code, filing.commune.former) == ("02647", "Phường Cốc Lếu")
    assert chat.session.draft is None


def test_what_the_citizen_chose_stands_above_what_was_read() -> None:
    chat = Chat()
    chat.says("ổ gà ở Cốc Lếu")
    chat.says("sửa lĩnh vực")
    chat.says("Du lịch")
    chat.says("1")
    chat.says("không phải, ở Sa Pa cơ")

    filing = filed(chat.says("ok")).filing

    assert (filing.subfield, filing.is_field_by_citizen) == ("du_lich.gia_ung_xu", True)
    assert filing.commune is not None
    assert (filing.commune.code, filing.is_place_by_citizen) == ("03006", True)


def test_a_pin_far_from_the_place_told_is_asked_about() -> None:
    chat = Chat()
    chat.says("ổ gà to")
    chat.says("Bắc Hà")

    asked = chat.gets(LocationContent(Point(22.33, 103.84)))
    shown = chat.says("Sa Pa")

    assert "lời kể nhắc tới Xã Bắc Hà" in said(asked)[0]
    assert "Địa bàn: Phường Sa Pa" in said(shown)[0]


def test_a_question_that_was_never_said_counts_as_not_asked() -> None:
    chat = Chat()
    chat.says("ổ gà to")
    assert chat.session.step is Step.PLACE

    chat.session = take_back_question(chat.session)
    chat.says("sâu lắm")

    assert chat.session.step is Step.PLACE
    assert "phường, xã nào" in chat.heard()[0]
    assert chat.session.draft is not None
    assert chat.session.draft.text == "ổ gà to\nsâu lắm"


def test_a_question_that_was_never_said_comes_after_whatever_came_instead() -> None:
    chat = Chat()
    chat.says("ổ gà to")
    chat.session = take_back_question(chat.session)

    chat.says("trợ giúp")

    assert [text[:12] for text in chat.heard()] == ["Bạn chỉ cần ", "Việc này ở p"]


def test_danger_is_filed_and_everything_else_waits() -> None:
    chat = Chat()
    chat.says("ổ gà ở Sa Pa")
    chat.says("rác đổ đầy ở chợ Cốc Lếu")
    assert chat.session.step is Step.SECOND

    turn = chat.says("cháy nhà ở Cốc Lếu")

    step = filed(turn)
    assert (step.is_danger, step.filing.is_urgent, step.filing.text) == (True, True, "cháy nhà ở Cốc Lếu")
    assert chat.session.draft is not None
    assert chat.session.draft.text == "ổ gà ở Sa Pa"
    assert [held.texts[0].text for held in chat.session.later] == ["rác đổ đầy ở chợ Cốc Lếu"]


def test_another_danger_elsewhere_is_another_report() -> None:
    urgent = a_brief(is_urgent=True, commune="02647")
    chat = Chat(a_world(urgent))

    more = chat.says("cháy nhà to lắm ở Cốc Lếu")
    elsewhere = chat.says("cháy nhà ở Sa Pa")

    assert [type(step) for step in more.steps] == [Attach]
    assert filed(elsewhere).filing.text == "cháy nhà ở Sa Pa"


def test_an_urgent_report_of_an_hour_ago_takes_no_more_bubbles() -> None:
    old = a_brief(is_urgent=True, created_at=NOW - timedelta(hours=1))
    chat = Chat(a_world(old))

    assert filed(chat.says("cháy nhà ở Cốc Lếu")).is_danger


def test_a_number_after_a_result_rates_only_while_nothing_else_was_asked_since() -> None:
    resolved = a_brief(status=Status.RESOLVED, resolved_at=NOW - timedelta(minutes=5))
    chat = Chat(a_world(resolved))
    chat.says("phản ánh mới")
    chat.says("ổ gà ở Sa Pa")

    sent = chat.says("1")

    assert filed(sent).filing.text == "ổ gà ở Sa Pa"
    assert chat.says("hài lòng").steps == (Rate("PA-22222M", "good"),)


@pytest.mark.parametrize("status", [Status.CLOSED, Status.REJECTED, Status.ASSIGNED])
def test_an_old_rating_button_never_opens_a_question(status: Status) -> None:
    chat = Chat(a_world(a_brief(status=status)))

    chat.gets(ChoiceContent("r:PA-22222M:bad"))

    assert chat.session.held is None
    assert "không cần đánh giá nữa" in chat.heard()[0]


def test_time_reminds_once_then_puts_away_then_forgets() -> None:
    chat = Chat()
    chat.says("ổ gà ở Sa Pa")
    tick = TickContent("1")

    assert said(chat.gets(tick, now=NOW + timedelta(minutes=29))) == []
    assert "vẫn chưa gửi đi" in said(chat.gets(tick, now=NOW + timedelta(minutes=31)))[0]
    assert said(chat.gets(tick, now=NOW + timedelta(hours=2))) == []
    assert "để lâu chưa gửi" in said(chat.gets(tick, now=NOW + timedelta(hours=24)))[0]
    assert chat.session.kept_draft is not None
    chat.gets(tick, now=NOW + timedelta(hours=48))
    assert chat.session.kept_draft is None


def test_a_message_has_at_most_two_paragraphs() -> None:
    chat = Chat()
    lines = ("ổ gà ở Cốc Lếu", "huỷ", "lấy lại", "đèn ở Sa Pa hỏng cả tuần", "1", "rác ở Hà Nội", "2", "gửi", "tố cáo")

    for line in lines:
        for text in said(chat.says(line)):
            assert text.count("\n\n") <= 1, text


def test_a_question_can_only_be_taken_back_where_one_was_put() -> None:
    for step in Step:
        session = Session(step=step, draft=Draft("1", NOW, NOW, (TextPart("m1", "ổ gà"),)))
        assert take_back_question(session) == session
    assert Step.ATTACH not in DRAFT_STEPS
