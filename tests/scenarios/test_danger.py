"""Danger now: the number in the first line, filed without a question."""

import pytest

from tests.scenarios.harness import Citizen, Stage, a_picture

FIRE = "cháy nhà ở tổ 3 phường Kim Tân"
RUBBISH = "Rác đổ đầy ở chợ Cốc Lếu mấy ngày không ai dọn"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        (FIRE, "114"),
        ("chay nha o to 3 phuong kim tan, cuu voi", "114"),
        ("có người bị đuối nước ở suối Mường Hoa", "114"),
        ("tai nan co nguoi bi thuong nang o duong hoang lien sa pa", "115"),
        ("lũ quét đang về thôn Tả Van Giáy, xã Tả Van", "112"),
    ],
)
async def test_danger_is_filed_at_once_with_the_number_first(
    stage: Stage, newcomer: Citizen, text: str, number: str
) -> None:
    await newcomer.says(text)
    (heard,) = newcomer.hears("chuyển gấp phản ánh PA- … cho người trực")
    assert heard.text.startswith("Gọi ngay 11")
    assert number in heard.text.splitlines()[0]

    report = stage.report(newcomer.code())
    assert (report.urgency.value, report.text) == ("K", text)


async def test_excited_bubbles_go_to_the_same_report(stage: Stage, newcomer: Citizen) -> None:
    await newcomer.says(FIRE)
    await newcomer.says("cháy to lắm rồi")
    await newcomer.says("nhà ông hàng xóm còn hai đứa nhỏ")
    newcomer.hears("Gọi ngay 114", "Gọi ngay 114 … chuyển thêm", "chuyển thêm cho người trực")
    await newcomer.sends_photo(a_picture("orange"))
    newcomer.hears("chuyển thêm cho người trực")

    (report,) = stage.reports()
    assert [row.text for row in stage.history(report.code) if row.act == "addition"] == [
        "cháy to lắm rồi",
        "nhà ông hàng xóm còn hai đứa nhỏ",
        "",
    ]
    assert len(stage.photos(report.code)) == 1


async def test_the_place_sent_afterwards_reaches_the_urgent_report(stage: Stage, newcomer: Citizen) -> None:
    await newcomer.says("cháy nhà rồi, cứu với")
    newcomer.hears("Gọi ngay 114 … nhắn thêm chỗ xảy ra hoặc gửi vị trí")
    assert stage.report(newcomer.code()).commune_code is None
    await newcomer.sends_location(22.3364, 103.8438)
    newcomer.hears("chuyển thêm cho người trực")

    report = stage.report(newcomer.code())
    assert (report.lat, report.commune_name) == (22.3364, "Phường Sa Pa")


async def test_a_draft_about_something_else_waits(stage: Stage, citizen: Citizen) -> None:
    await citizen.says(RUBBISH)
    citizen.hears("Rác")
    await citizen.says("co nguoi duoi nuoc o suoi muong hoa")
    citizen.hears("Gọi ngay 114 … chuyển gấp")
    await citizen.says("mau lên, nước chảy xiết lắm")
    citizen.hears("chuyển thêm cho người trực")
    await citizen.says("gửi")
    citizen.hears("Rác … bấm Gửi")
    await citizen.says("gửi")
    citizen.hears("Đã ghi nhận")

    urgent, rubbish = stage.reports()
    assert (urgent.urgency.value, rubbish.urgency.value, rubbish.text) == ("K", "N", RUBBISH)


async def test_a_draft_about_the_same_danger_goes_along(stage: Stage, citizen: Citizen) -> None:
    await citizen.sends_photo(a_picture("orange"))
    citizen.hears("nhận được ảnh")
    await citizen.says(FIRE)
    citizen.hears("Gọi ngay 114 … chuyển gấp")

    (report,) = stage.reports()
    assert len(stage.photos(report.code)) == 1


async def test_danger_in_a_caption(stage: Stage, newcomer: Citizen) -> None:
    await newcomer.sends_photo(a_picture("orange"), caption=FIRE)
    newcomer.hears("Gọi ngay 114 … chuyển gấp")

    (report,) = stage.reports()
    assert (report.text, len(stage.photos(report.code))) == (FIRE, 1)


@pytest.mark.parametrize("text", ["tuần trước cháy một quán ăn ở phường Cốc Lếu", "nóng như cháy"])
async def test_past_and_figurative_danger_is_not_filed_by_itself(stage: Stage, citizen: Citizen, text: str) -> None:
    await citizen.says(text)
    assert stage.reports() == []
    assert all("Gọi ngay" not in heard.text for heard in citizen.forgets())


async def test_the_notice_comes_at_the_next_quiet_moment(stage: Stage, newcomer: Citizen) -> None:
    await newcomer.says(FIRE)
    newcomer.hears("Gọi ngay 114")
    await newcomer.says("rác đổ đầy ở chợ Sa Pa, phường Sa Pa, mấy hôm chưa dọn")
    heard = newcomer.forgets()
    assert "Rác" in heard[-1].text
