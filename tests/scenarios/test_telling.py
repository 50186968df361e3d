"""A citizen tells what is wrong and where, in any order, and it is sent."""

from datetime import timedelta

import pytest

from tests.scenarios.harness import Citizen, Stage, a_picture, pictures

POTHOLE = "Ổ gà to trước số 12 đường Hoàng Liên, phường Cốc Lếu, xe máy ngã suốt"
SA_PA = (22.3364, 103.8438)
BUTTONS = ("Gửi", "Sửa lĩnh vực", "Sửa địa điểm", "Thêm", "Huỷ")


async def test_a_complete_first_message_needs_one_tap(stage: Stage, newcomer: Citizen) -> None:
    await newcomer.says(POTHOLE)
    newcomer.hears(
        "trợ lý tự động của kênh phản ánh hiện trường … được lưu lại … «xoá dữ liệu»",
        "Mặt đường … Phường Lào Cai (tên cũ: Phường Cốc Lếu) … đường Hoàng Liên",
    )
    newcomer.sees(*BUTTONS)

    await newcomer.presses("Gửi")
    newcomer.hears("Đã ghi nhận phản ánh PA- … trả lời trước … tra cứu")

    report = stage.report(newcomer.code())
    assert (report.subfield, report.commune_name, report.former_name) == (
        "ha_tang.mat_duong",
        "Phường Lào Cai",
        "Phường Cốc Lếu",
    )
    assert report.text == POTHOLE


@pytest.mark.platforms("webhook")
async def test_the_same_by_webhook(stage: Stage, newcomer: Citizen) -> None:
    await newcomer.says(POTHOLE)
    newcomer.hears("trợ lý tự động", "Mặt đường")
    await newcomer.presses("Gửi")
    newcomer.hears("Đã ghi nhận")
    assert stage.report(newcomer.code()).text == POTHOLE


async def test_a_photo_first_then_the_words(stage: Stage, citizen: Citizen) -> None:
    await citizen.sends_photo()
    citizen.hears("nhận được ảnh … chuyện gì")
    await citizen.says("đường thủng một lỗ to ở phường Cốc Lếu")
    citizen.hears("Mặt đường … Ảnh: 1")
    await citizen.presses("Gửi")
    citizen.hears("Đã ghi nhận")

    assert len(stage.photos(citizen.code())) == 1


async def test_a_location_first_then_the_words(stage: Stage, citizen: Citizen) -> None:
    await citizen.sends_location(*SA_PA)
    citizen.hears("nhận được vị trí … chuyện gì")
    await citizen.says("rác đổ đầy đường, bốc mùi")
    citizen.hears("Rác … Phường Sa Pa … Vị trí: đã có")
    await citizen.presses("Gửi")
    citizen.hears("Đã ghi nhận")

    report = stage.report(citizen.code())
    assert (report.commune_code, report.lat, report.lon) == ("03006", *SA_PA)


@pytest.mark.platforms("telegram")  # the console has no venues
async def test_a_venue_says_the_place_by_its_name(stage: Stage, citizen: Citizen) -> None:
    await citizen.says("rác đổ đầy đường, bốc mùi")
    citizen.hears("phường, xã nào")
    await citizen.shares_venue(*SA_PA, "Nhà thờ đá Sa Pa")
    citizen.hears("Rác … Phường Sa Pa … Nhà thờ đá Sa Pa")
    await citizen.presses("Gửi")

    assert stage.reports()[0].point_source == "venue"


async def test_an_album_of_four_with_a_caption_is_answered_once(stage: Stage, citizen: Citizen) -> None:
    await citizen.sends_photo(*pictures(4), caption="rác đổ đầy chợ Cốc Lếu, phường Cốc Lếu")
    if stage.platform.name == "telegram":
        citizen.hears("Rác … Phường Lào Cai … Ảnh: 4")
    else:  # the console sends one after another
        assert citizen.forgets()[-1].text.count("Ảnh: 4") == 1
    await citizen.presses("Gửi")
    citizen.hears("Đã ghi nhận")

    assert len(stage.photos(citizen.code())) == 4


async def test_a_typed_place_comes_after_one_question(stage: Stage, citizen: Citizen) -> None:
    await citizen.says("den duong hong may hom nay toi om")
    citizen.hears("phường, xã nào")
    await citizen.says("phuong kim tan")
    citizen.hears("Chiếu sáng … Phường Lào Cai (tên cũ: Phường Kim Tân)")
    await citizen.says("dung roi")
    citizen.hears("Đã ghi nhận")

    assert stage.report(citizen.code()).text == "den duong hong may hom nay toi om\nphuong kim tan"


async def test_one_thing_is_asked_at_a_time_and_nothing_twice(citizen: Citizen) -> None:
    await citizen.says("có ổ gà to lắm")
    citizen.hears("phường, xã nào")
    await citizen.says("ổ gà sâu lắm, to bằng cái mâm")
    citizen.hears("Mặt đường … Địa bàn: chưa rõ")
    citizen.sees(*BUTTONS)


async def test_a_first_photo_is_invited_once(citizen: Citizen) -> None:
    await citizen.says(POTHOLE)
    citizen.hears("Ảnh: chưa có … không có cũng được")
    await citizen.says("à, trước cửa hàng tạp hoá nhé")
    (heard,) = citizen.hears("Mặt đường")
    assert "Ảnh" not in heard.text


async def test_who_does_not_know_the_commune_is_not_held_up(stage: Stage, citizen: Citizen) -> None:
    await citizen.says("có ổ gà to lắm")
    citizen.hears("phường, xã nào")
    await citizen.says("gần cây xăng")
    citizen.hears("Địa bàn: chưa rõ … Chỗ xảy ra: gần cây xăng")
    await citizen.presses("Gửi")
    citizen.hears("Đã ghi nhận")

    report = stage.report(citizen.code())
    assert (report.commune_code, report.address_text) == (None, "gần cây xăng")


async def test_not_knowing_can_be_said_or_tapped(citizen: Citizen) -> None:
    await citizen.says("có ổ gà to lắm")
    citizen.hears("phường, xã nào")
    await citizen.presses("Không rõ phường, xã")
    citizen.hears("Địa bàn: chưa rõ")
    await citizen.presses("Huỷ")
    citizen.hears("đã huỷ")
    await citizen.says("có ổ gà to lắm")
    citizen.hears("phường, xã nào")
    await citizen.says("chịu, không biết")
    citizen.hears("Địa bàn: chưa rõ")


@pytest.mark.bot_settings(reply_debounce=timedelta(milliseconds=50))
async def test_several_bubbles_at_once_get_one_answer(stage: Stage, citizen: Citizen) -> None:
    await citizen.says_at_once("mặt đường thủng", "có ổ gà to lắm", "ở phường Cốc Lếu", "trước cổng chợ Cốc Lếu")
    citizen.hears("Mặt đường … Phường Lào Cai (tên cũ: Phường Cốc Lếu) … Ảnh: chưa có")
    await citizen.presses("Gửi")
    citizen.hears("Đã ghi nhận")

    assert stage.reports()[0].text == "mặt đường thủng\ncó ổ gà to lắm\nở phường Cốc Lếu\ntrước cổng chợ Cốc Lếu"


async def test_twelve_photos_are_too_many_and_it_is_said_once(stage: Stage, citizen: Citizen) -> None:
    await citizen.says(POTHOLE)
    citizen.forgets()
    await citizen.sends_photo(*pictures(12))
    heard = [message.text for message in citizen.forgets()]
    assert sum("tối đa 10 ảnh" in text for text in heard) == 1
    assert "Ảnh: 10" in heard[-1]
    await citizen.presses("Gửi")
    citizen.hears("Đã ghi nhận")

    assert len(stage.photos(citizen.code())) == 10


async def test_a_very_long_text_is_kept_whole(stage: Stage, citizen: Citizen) -> None:
    story = "Đường trước cổng chợ Cốc Lếu, phường Cốc Lếu có ổ gà to. "
    story += "Mặt đường thủng nhiều chỗ, ổ gà sâu. " * 100
    await citizen.says(story.strip())
    citizen.hears("Mặt đường … Phường Lào Cai")
    await citizen.presses("Gửi")
    citizen.hears("Đã ghi nhận")

    assert stage.report(citizen.code()).text == story.strip()


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("o ga to truoc cho coc leu, phuong coc leu, xe may nga suot", "Mặt đường"),
        ("rac do day cho coc leu may ngay k ai don, hoi qa tr", "Rác"),
        ("quan karaoke hat to den 2h sang k ngu dc, to 7 p bac cuong", "Ồn sinh hoạt"),
    ],
)
async def test_text_without_accents_and_in_chat_spelling(citizen: Citizen, text: str, field: str) -> None:
    await citizen.says(text)
    citizen.hears(f"{field} … tên cũ: Phường")


async def test_a_place_outside_the_area_is_said_so_and_still_taken(stage: Stage, citizen: Citizen) -> None:
    await citizen.says("mất điện cả tuần ở thị trấn Bắc Hà")
    citizen.hears("Điện lực … Xã Bắc Hà (tên cũ: Thị trấn Bắc Hà) … ngoài địa bàn … 1022")
    await citizen.presses("Gửi")
    citizen.hears("Đã ghi nhận")

    assert stage.report(citizen.code()).in_area is False


async def test_another_province_is_not_asked_about(stage: Stage, citizen: Citizen) -> None:
    await citizen.says("đường Lê Duẩn Hà Nội nhiều ổ gà quá")
    citizen.hears("Thành phố Hà Nội … ngoài địa bàn")
    await citizen.says("ok gửi đi")
    citizen.hears("Đã ghi nhận")

    assert stage.report(citizen.code()).in_area is False


async def test_complaints_learn_their_own_way(citizen: Citizen) -> None:
    await citizen.says("tố cáo ông chủ tịch xã nhận hối lộ ở xã Tả Van")
    citizen.hears("khiếu nại, tố cáo có trình tự riêng … tiếp công dân")


async def test_a_pin_far_from_the_words_is_asked_about(stage: Stage, citizen: Citizen) -> None:
    await citizen.says("rác đổ đầy chợ Cốc Lếu, phường Cốc Lếu")
    citizen.hears("Phường Lào Cai")
    await citizen.sends_location(*SA_PA)
    citizen.hears("Vị trí bạn gửi ở Phường Sa Pa … lời kể nhắc tới Phường Lào Cai")
    await citizen.says("phường lào cai")
    citizen.hears("Phường Lào Cai … Vị trí")
    await citizen.presses("Gửi")
    citizen.hears("Đã ghi nhận")

    assert stage.report(citizen.code()).commune_name == "Phường Lào Cai"


async def test_two_citizens_at_once_do_not_mix(stage: Stage, citizen: Citizen) -> None:
    other = await stage.neighbour("Chi")
    await citizen.says("có ổ gà to lắm")
    await other.says("mất nước từ hôm qua")
    await citizen.says("phường Kim Tân")
    await other.says("xã Tả Van")
    citizen.hears("phường, xã nào", "Mặt đường … Kim Tân")
    other.hears("phường, xã nào", "Cấp nước … Tả Van")
    await other.presses("Gửi")
    await citizen.presses("Gửi")
    citizen.hears("Đã ghi nhận")
    other.hears("Đã ghi nhận")

    assert stage.report(citizen.code()).subfield == "ha_tang.mat_duong"
    assert stage.report(other.code()).subfield == "ha_tang.cap_nuoc"


async def test_the_same_picture_twice_is_kept_once(stage: Stage, citizen: Citizen) -> None:
    await citizen.sends_photo(a_picture("green"), caption=POTHOLE)
    await citizen.sends_photo(a_picture("green"))
    await citizen.presses("Gửi")

    assert len(stage.photos(stage.reports()[0].code)) == 1
