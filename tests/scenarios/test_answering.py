"""Buttons and typed answers are equal, and corrections are understood in free words."""

from tests.scenarios.harness import Citizen, Stage

RUBBISH = "Rác đổ đầy ở chợ Cốc Lếu mấy ngày không ai dọn"


async def test_every_way_of_saying_yes_sends(stage: Stage, citizen: Citizen) -> None:
    for yes in ("1", "gui", "OK ạ", "Dạ, đúng rồi!", "gui di", "ừ gửi luôn đi em", "👍"):
        await citizen.says("phản ánh mới")
        await citizen.says(RUBBISH)
        await citizen.says(yes)
        citizen.hears("mở bản mới", "Rác", "Đã ghi nhận")

    assert [report.text for report in stage.reports()] == [RUBBISH] * 7


async def test_every_way_of_saying_no_puts_the_draft_away(stage: Stage, citizen: Citizen) -> None:
    for no in ("không gửi nữa", "huỷ", "5", "thôi", "đừng gửi"):
        await citizen.says(RUBBISH)
        await citizen.says(no)
        citizen.hears("Rác", "đã huỷ bản nháp")

    assert stage.reports() == []


async def test_another_commune_in_free_words(stage: Stage, citizen: Citizen) -> None:
    await citizen.says(RUBBISH)
    citizen.hears("Phường Lào Cai (tên cũ: Phường Cốc Lếu) … chợ Cốc Lếu")
    await citizen.says("không phải, ở phường Sa Pa cơ")
    (heard,) = citizen.hears("Rác … Phường Sa Pa")
    assert "Cốc Lếu" not in heard.text
    await citizen.says("đúng rồi")
    citizen.hears("Đã ghi nhận")

    report = stage.report(citizen.code())
    assert (report.commune_name, report.subfield) == ("Phường Sa Pa", "thien_tai_moi_truong.rac")
    assert report.text == f"{RUBBISH}\nkhông phải, ở phường Sa Pa cơ"


async def test_another_field_in_free_words(stage: Stage, citizen: Citizen) -> None:
    await citizen.says(RUBBISH)
    citizen.hears("Rác")
    await citizen.says("sai rồi, đèn đường ở đó bị hỏng cơ")
    citizen.hears("Chiếu sáng … Phường Lào Cai")
    await citizen.presses("Gửi")
    citizen.hears("Đã ghi nhận")

    assert stage.report(citizen.code()).subfield == "ha_tang.chieu_sang"


async def test_a_bare_no_is_asked_what_is_wrong(citizen: Citizen) -> None:
    await citizen.says(RUBBISH)
    citizen.hears("Rác")
    await citizen.says("không đúng")
    citizen.hears("Chỗ nào chưa đúng")
    await citizen.says("tổ 5 phường Kim Tân")
    citizen.hears("Rác … tên cũ: Phường Kim Tân … tổ 5")


async def test_the_place_is_mended_by_its_button(stage: Stage, citizen: Citizen) -> None:
    await citizen.says(RUBBISH)
    await citizen.presses("Sửa địa điểm")
    await citizen.says("tổ 5 phường Kim Tân")
    citizen.hears("Rác", "phường, xã nào", "Rác … tên cũ: Phường Kim Tân … tổ 5")


async def test_the_field_is_mended_by_its_button_and_by_a_typed_label(stage: Stage, citizen: Citizen) -> None:
    await citizen.says(RUBBISH)
    await citizen.presses("Sửa lĩnh vực")
    await citizen.says("vận tải")
    citizen.hears("Rác", "Bạn chọn lĩnh vực", "Cụ thể là chuyện gì")
    await citizen.says("2")
    citizen.hears("Vận tải – Taxi, xe ôm")


async def test_a_number_that_is_not_on_offer_is_no_answer(stage: Stage, citizen: Citizen) -> None:
    await citizen.says(RUBBISH)
    await citizen.says("7")
    citizen.hears("Rác", "Rác")
    await citizen.presses("Gửi")

    assert stage.reports()[0].text == RUBBISH


async def test_send_said_before_the_summary_shows_it_first(stage: Stage, citizen: Citizen) -> None:
    await citizen.says("có ổ gà to lắm")
    await citizen.says("gửi luôn đi")
    citizen.hears("phường, xã nào", "Mặt đường … chưa rõ … bấm Gửi")
    assert stage.reports() == []


async def test_more_is_added_before_sending(stage: Stage, citizen: Citizen) -> None:
    await citizen.says(RUBBISH)
    await citizen.presses("Thêm")
    await citizen.sends_photo()
    citizen.hears("Rác", "gửi thêm ảnh", "Rác … Ảnh: 1")
    await citizen.says("có cả chuột chết nữa")
    citizen.hears("Rác … Ảnh: 1")
    await citizen.presses("Gửi")

    report = stage.reports()[0]
    assert report.text == f"{RUBBISH}\ncó cả chuột chết nữa"
    assert len(stage.photos(report.code)) == 1


async def test_thanks_before_sending_does_not_pass_for_sending(stage: Stage, citizen: Citizen) -> None:
    await citizen.says(RUBBISH)
    await citizen.says("cảm ơn bạn")
    citizen.hears("Rác", "chưa được gửi đi … Rác")
    await citizen.presses("Gửi")

    assert stage.reports()[0].text == RUBBISH


async def test_which_commune_is_asked_with_the_old_name(citizen: Citizen) -> None:
    await citizen.says("đèn đường hỏng ở Sa Pa")
    citizen.hears("thuộc nơi nào")
    await citizen.says("phuong sa pa")
    citizen.hears("Chiếu sáng … Phường Sa Pa")


async def test_a_button_of_an_earlier_question_repeats_the_present_one(stage: Stage, citizen: Citizen) -> None:
    await citizen.says(RUBBISH)
    (summary,) = citizen.hears("Rác")
    await citizen.presses("Sửa địa điểm")
    citizen.hears("phường, xã nào")
    if stage.platform.name == "telegram":
        await citizen.presses("Gửi", on=summary)
        citizen.hears("phường, xã nào")
    assert stage.reports() == []


async def test_sent_twice_is_filed_once(stage: Stage, citizen: Citizen) -> None:
    await citizen.says(RUBBISH)
    (summary,) = citizen.hears("Rác")
    await citizen.presses("Gửi", on=summary)
    citizen.hears("Đã ghi nhận")
    if stage.platform.name == "telegram":
        await citizen.presses("Gửi", on=summary)
    else:
        await citizen.says("gửi")
    citizen.hears("đã gửi rồi")

    assert len(stage.reports()) == 1
