"""A citizen tells what is wrong and where, in any order, and it is sent."""

from tests.scenarios.harness import Citizen, Stage

POTHOLE = "Ổ gà to trước số 12 đường Hoàng Liên, phường Cốc Lếu, xe máy ngã suốt"


async def test_a_complete_first_message_needs_one_tap(stage: Stage, newcomer: Citizen) -> None:
    await newcomer.says(POTHOLE)
    newcomer.hears(
        "kênh phản ánh hiện trường … «xoá dữ liệu»",
        "Mặt đường … Phường Lào Cai (tên cũ: Phường Cốc Lếu)",
    )
    newcomer.sees("Gửi", "Sửa lĩnh vực", "Sửa địa điểm", "Thêm", "Huỷ")

    await newcomer.presses("Gửi")
    newcomer.hears("Đã ghi nhận phản ánh PA- … trả lời trước … tra cứu")

    report = stage.report(newcomer.code())
    assert (report.subfield, report.commune_name, report.former_name) == (
        "ha_tang.mat_duong",
        "Phường Lào Cai",
        "Phường Cốc Lếu",
    )
    assert report.text == POTHOLE


async def test_a_photo_first_then_the_words(stage: Stage, citizen: Citizen) -> None:
    await citizen.sends_photo()
    citizen.hears("nhận được ảnh … chuyện gì")
    await citizen.says("đường thủng một lỗ to ở phường Cốc Lếu")
    citizen.hears("Mặt đường … Ảnh: 1")
    await citizen.presses("Gửi")
    citizen.hears("Đã ghi nhận")
    assert len(stage.photos(citizen.code())) == 1
