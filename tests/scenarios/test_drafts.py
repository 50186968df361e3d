"""A draft waits, is reminded of, is put away and taken back; a second trouble waits its turn."""

from datetime import timedelta

import pytest

from tests.scenarios.harness import Citizen, Stage, a_picture

RUBBISH = "Rác đổ đầy ở chợ Cốc Lếu mấy ngày không ai dọn"
LIGHTS = "à còn nữa đèn đường ở tổ 5 phường Kim Tân hỏng cả tuần nay"


async def test_a_draft_survives_a_restart(stage: Stage, citizen: Citizen) -> None:
    await citizen.says("có ổ gà to lắm")
    citizen.hears("phường, xã nào")
    await stage.restarts()
    citizen.hears_nothing()
    await citizen.says("phường Kim Tân")
    citizen.hears("Mặt đường … Kim Tân")
    await stage.restarts()
    await citizen.presses("Gửi")
    citizen.hears("Đã ghi nhận")


async def test_a_draft_is_reminded_of_once(stage: Stage, citizen: Citizen) -> None:
    await citizen.says(RUBBISH)
    citizen.hears("Rác")
    await stage.passes(timedelta(minutes=29))
    citizen.hears_nothing()
    await stage.passes(timedelta(minutes=2))
    citizen.hears("vẫn chưa gửi đi … Rác … bấm Gửi")
    await stage.passes(timedelta(hours=5))
    citizen.hears_nothing()
    await citizen.presses("Gửi")
    citizen.hears("Đã ghi nhận")
    await stage.passes(timedelta(hours=1))
    citizen.hears_nothing()


async def test_a_draft_expires_after_a_day_and_can_be_taken_back(stage: Stage, citizen: Citizen) -> None:
    await citizen.sends_photo(caption=RUBBISH)
    citizen.hears("Rác … Ảnh: 1")
    await stage.passes(timedelta(minutes=31))
    citizen.hears("vẫn chưa gửi đi")
    await stage.passes(timedelta(hours=24))
    citizen.hears("để lâu chưa gửi")
    await citizen.says("lấy lại bản nháp")
    citizen.hears("Bản nháp của bạn đây rồi … Rác … Ảnh: 1")
    await citizen.presses("Gửi")
    citizen.hears("Đã ghi nhận")

    report = stage.report(citizen.code())
    assert (report.text, len(stage.photos(report.code))) == (RUBBISH, 1)


async def test_an_expired_draft_is_not_kept_for_ever(stage: Stage, citizen: Citizen) -> None:
    await citizen.says(RUBBISH)
    await stage.passes(timedelta(hours=25))
    await stage.passes(timedelta(hours=24))
    citizen.forgets()
    await citizen.presses("Lấy lại bản nháp")
    citizen.hears("không còn bản nháp nào")


async def test_a_cancelled_draft_can_be_taken_back(stage: Stage, citizen: Citizen) -> None:
    await citizen.says(RUBBISH)
    await citizen.presses("Huỷ")
    citizen.hears("Rác", "đã huỷ bản nháp")
    await citizen.presses("Lấy lại bản nháp")
    citizen.hears("Bản nháp của bạn đây rồi … Rác")
    await citizen.presses("Gửi")
    citizen.hears("Đã ghi nhận")

    assert stage.report(citizen.code()).text == RUBBISH


async def test_a_new_report_while_one_is_being_written_asks_first(stage: Stage, citizen: Citizen) -> None:
    await citizen.says(RUBBISH)
    await citizen.says("/phananhmoi")
    citizen.hears("Rác", "còn một bản nháp chưa gửi")
    await citizen.presses("Viết tiếp bản nháp")
    citizen.hears("Rác … bấm Gửi")
    await citizen.says("phản ánh mới")
    citizen.hears("còn một bản nháp chưa gửi")
    await citizen.says("đèn đường ở tổ 5 phường Kim Tân hỏng")
    citizen.hears("cất bản nháp cũ … Chiếu sáng")
    await citizen.presses("Gửi")
    citizen.hears("Đã ghi nhận")
    await citizen.says("lấy lại bản nháp")
    citizen.hears("Bản nháp của bạn đây rồi … Rác")


async def test_a_second_trouble_becomes_its_own_report(stage: Stage, citizen: Citizen) -> None:
    await citizen.says(RUBBISH)
    await citizen.says(LIGHTS)
    citizen.hears("Rác", "việc khác, hay vẫn là việc đang viết")
    await citizen.presses("Việc khác, phản ánh mới")
    citizen.hears("mình giữ lại … Rác … bấm Gửi")
    await citizen.presses("Gửi")
    citizen.hears("Đã ghi nhận", "việc còn lại … Chiếu sáng … Kim Tân")
    await citizen.presses("Gửi")
    citizen.hears("Đã ghi nhận")

    assert [report.subfield for report in stage.reports()] == ["thien_tai_moi_truong.rac", "ha_tang.chieu_sang"]
    assert [report.text for report in stage.reports()] == [RUBBISH, LIGHTS]


async def test_a_second_trouble_comes_up_when_the_first_is_cancelled(stage: Stage, citizen: Citizen) -> None:
    await citizen.says(RUBBISH)
    await citizen.sends_photo(a_picture("blue"), caption=LIGHTS)
    citizen.hears("Rác", "việc khác, hay vẫn là việc đang viết")
    await citizen.presses("Việc khác, phản ánh mới")
    await citizen.presses("Huỷ")
    citizen.hears("mình giữ lại … Rác", "đã huỷ … Chiếu sáng … Ảnh: 1")
    await citizen.presses("Gửi")
    citizen.hears("Đã ghi nhận")

    (report,) = stage.reports()
    assert (report.subfield, len(stage.photos(report.code))) == ("ha_tang.chieu_sang", 1)


async def test_more_words_while_asked_about_a_second_trouble_go_along(stage: Stage, citizen: Citizen) -> None:
    await citizen.says(RUBBISH)
    await citizen.says(LIGHTS)
    await citizen.says("tối om, đi lại sợ lắm")
    citizen.hears("Rác", "việc khác, hay", "việc khác, hay")
    await citizen.says("việc khác")
    await citizen.presses("Gửi")
    await citizen.presses("Gửi")

    assert [report.text for report in stage.reports()] == [RUBBISH, f"{LIGHTS}\ntối om, đi lại sợ lắm"]


async def test_a_second_trouble_may_belong_to_the_first(stage: Stage, citizen: Citizen) -> None:
    await citizen.says(RUBBISH)
    await citizen.says(LIGHTS)
    citizen.hears("Rác", "việc khác, hay vẫn là việc đang viết")
    await citizen.says("cùng việc này")
    await citizen.presses("Gửi")

    (report,) = stage.reports()
    assert report.text == f"{RUBBISH}\n{LIGHTS}"


@pytest.mark.platforms("telegram")  # the console has no edits
async def test_an_edited_message_changes_the_draft(stage: Stage, citizen: Citizen) -> None:
    message = await citizen.says(RUBBISH)
    citizen.hears("Rác")
    await citizen.edits(message, "Đèn đường ở chợ Cốc Lếu hỏng mấy ngày nay")
    citizen.hears("đã sửa theo … Chiếu sáng")
    await citizen.presses("Gửi")

    assert stage.reports()[0].text == "Đèn đường ở chợ Cốc Lếu hỏng mấy ngày nay"


@pytest.mark.platforms("telegram")
async def test_an_edited_place_changes_the_place(stage: Stage, citizen: Citizen) -> None:
    await citizen.says("có ổ gà to lắm")
    place = await citizen.says("phường Kim Tân")
    citizen.hears("phường, xã nào", "Kim Tân")
    await citizen.edits(place, "phường Bắc Cường")
    citizen.hears("đã sửa theo … Mặt đường … tên cũ: Phường Bắc Cường")
    await citizen.presses("Gửi")

    report = stage.reports()[0]
    assert (report.former_name, report.text) == ("Phường Bắc Cường", "có ổ gà to lắm\nphường Bắc Cường")


@pytest.mark.platforms("telegram")
async def test_an_edit_that_speaks_of_danger_is_danger(stage: Stage, citizen: Citizen) -> None:
    message = await citizen.says("khói ở tổ 3 phường Kim Tân")
    citizen.forgets()
    await citizen.edits(message, "cháy nhà ở tổ 3 phường Kim Tân, cứu với")
    citizen.hears("Gọi ngay 114 … chuyển gấp")
