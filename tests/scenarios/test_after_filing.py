"""What comes after filing finds its report: by reply, by code, as the only open one; else it is asked about."""

from datetime import timedelta

import pytest

from tests.scenarios.harness import Citizen, Officer, Stage, a_picture

RUBBISH = "Rác đổ đầy ở chợ Cốc Lếu mấy ngày không ai dọn"
WATER = "mất nước ở phường Kim Tân từ hôm qua"


async def test_more_words_go_to_the_only_open_report(stage: Stage, citizen: Citizen) -> None:
    code = await citizen.reports(RUBBISH)
    await citizen.says("hôm nay càng nhiều hơn, bốc mùi lắm")
    citizen.hears(f"đã thêm vào phản ánh {code}")
    citizen.sees("Đây là việc khác")
    await citizen.sends_photo(a_picture("brown"))
    citizen.hears(f"đã thêm ảnh vào phản ánh {code}")

    assert [row.text for row in stage.history(code)][1:] == ["hôm nay càng nhiều hơn, bốc mùi lắm", ""]
    assert len(stage.photos(code)) == 1


async def test_there_is_a_way_back(stage: Stage, citizen: Citizen) -> None:
    code = await citizen.reports(RUBBISH)
    await citizen.says("chỗ này có cái ổ gà to")
    citizen.hears(f"đã thêm vào phản ánh {code}")
    await citizen.says("đây là việc khác")
    citizen.hears("mở phản ánh mới … phường, xã nào")
    await citizen.presses("Phường Lào Cai (như lần trước)")
    citizen.hears("Mặt đường … Phường Lào Cai")
    await citizen.presses("Gửi")
    citizen.hears("Đã ghi nhận")

    assert stage.report(citizen.code()).text == "chỗ này có cái ổ gà to"
    assert [row.act for row in stage.history(code)] == ["submit", "addition", "detached"]


async def test_a_new_trouble_is_a_new_report_without_asking(stage: Stage, citizen: Citizen) -> None:
    await citizen.reports(RUBBISH)
    await citizen.says(WATER)
    citizen.hears("Cấp nước … Kim Tân … bấm Gửi")


async def test_with_two_open_reports_it_is_asked_which(stage: Stage, citizen: Citizen) -> None:
    rubbish = await citizen.reports(RUBBISH)
    water = await citizen.reports(WATER)
    await citizen.says("hôm nay vẫn chưa thấy ai tới")
    citizen.hears("về phản ánh nào")
    citizen.sees(f"{water} · Cấp nước", f"{rubbish} · Rác", "Việc khác, phản ánh mới")
    await citizen.says("rác")
    citizen.hears(f"đã thêm vào phản ánh {rubbish}")

    assert stage.history(rubbish)[-1].text == "hôm nay vẫn chưa thấy ai tới"
    assert [row.act for row in stage.history(water)] == ["submit"]


async def test_a_code_in_the_text_decides(stage: Stage, citizen: Citizen) -> None:
    rubbish = await citizen.reports(RUBBISH)
    await citizen.reports(WATER)
    await citizen.says(f"{rubbish} có thêm cả đống xà bần nữa nhé")
    citizen.hears(f"đã thêm vào phản ánh {rubbish}")

    assert stage.history(rubbish)[-1].act == "addition"


@pytest.mark.platforms("telegram")  # the console has no replies
async def test_a_reply_decides(stage: Stage, citizen: Citizen) -> None:
    own = await citizen.says(RUBBISH)
    await citizen.presses("Gửi")
    receipt = citizen.forgets()[-1]
    rubbish = stage.reports()[0].code
    await citizen.reports(WATER)
    await citizen.replies(receipt, "có thêm cả xà bần")
    citizen.hears(f"đã thêm vào phản ánh {rubbish}")
    await citizen.replies_to_own(own, "và một con chuột chết")
    citizen.hears(f"đã thêm vào phản ánh {rubbish}")

    assert [row.text for row in stage.history(rubbish)][1:] == ["có thêm cả xà bần", "và một con chuột chết"]


@pytest.mark.platforms("telegram")
async def test_a_reply_goes_past_an_open_draft(stage: Stage, citizen: Citizen) -> None:
    await citizen.says(RUBBISH)
    await citizen.presses("Gửi")
    receipt = citizen.forgets()[-1]
    await citizen.says(WATER)
    await citizen.replies(receipt, "có thêm cả xà bần")
    citizen.hears("Cấp nước", "đã thêm vào phản ánh")
    await citizen.presses("Gửi")

    rubbish, water = stage.reports()
    assert water.text == WATER
    assert stage.history(rubbish.code)[-1].text == "có thêm cả xà bần"


@pytest.mark.platforms("telegram")
async def test_an_edit_after_filing_is_added_as_a_note(stage: Stage, citizen: Citizen) -> None:
    message = await citizen.says(RUBBISH)
    await citizen.presses("Gửi")
    citizen.forgets()
    await citizen.edits(message, f"{RUBBISH}, có cả xà bần")
    citizen.hears("đã ghi thêm nội dung bạn sửa")

    (report,) = stage.reports()
    assert report.text == RUBBISH
    assert [(row.act, row.text) for row in stage.history(report.code)][1:] == [("edit", f"{RUBBISH}, có cả xà bần")]


async def test_a_location_after_filing_is_kept(stage: Stage, citizen: Citizen) -> None:
    code = await citizen.reports("có ổ gà to lắm ở phường Sa Pa")
    await citizen.sends_location(22.3364, 103.8438)
    citizen.hears(f"đã thêm vị trí vào phản ánh {code}")
    await citizen.sends_location(22.3365, 103.8439)
    citizen.hears(f"đã thêm vị trí vào phản ánh {code}")

    report = stage.report(code)
    assert (report.lat, report.lon) == (22.3364, 103.8438)
    assert stage.history(code)[-1].text == "Vị trí bổ sung: 22.336500, 103.843900"


async def test_what_is_said_of_a_closed_report_becomes_a_new_one(
    stage: Stage, citizen: Citizen, officer: Officer
) -> None:
    code = await citizen.reports(RUBBISH)
    await officer.works_through(code)
    await citizen.presses("Hài lòng")
    citizen.forgets()
    await citizen.says(f"{code} rác lại đổ đầy ở chợ Cốc Lếu rồi")
    citizen.hears("đã đóng nên mình mở phản ánh mới … Rác … Phường Lào Cai")


async def test_a_yes_after_filing_is_taken_for_what_it_is(stage: Stage, citizen: Citizen) -> None:
    await citizen.reports(RUBBISH)
    await citizen.says("ok")
    citizen.hears("cần gì bạn cứ nhắn")
    await citizen.says("cảm ơn ạ")
    citizen.hears("Cảm ơn bạn")

    (report,) = stage.reports()
    assert [row.act for row in stage.history(report.code)] == ["submit"]


async def test_a_chat_goes_on_after_old_messages_were_forgotten(stage: Stage, citizen: Citizen) -> None:
    # the only rows of the inbox were deleted after a week, and their numbers given out again
    await citizen.says("chào bạn")
    citizen.hears("Chào bạn!")
    await stage.passes(timedelta(days=15))
    await citizen.says("cảm ơn bạn")
    await citizen.says(RUBBISH)
    citizen.hears("Cảm ơn bạn", "Rác")
