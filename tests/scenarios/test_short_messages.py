"""Short but complete messages, and a place that is told apart from the alarm."""

import pytest

from tests.scenarios.harness import Citizen, Stage


@pytest.mark.parametrize(
    ("text", "field", "place"),
    [
        ("rác ở chợ Cốc Lếu", "Rác", "chợ Cốc Lếu"),
        ("ổ gà ở chợ Cốc Lếu", "Mặt đường", "chợ Cốc Lếu"),
        ("đèn đường hỏng ở cầu Kim Tân", "Chiếu sáng", "cầu Kim Tân"),
    ],
)
@pytest.mark.platforms("console")
async def test_a_short_message_is_complete(citizen: Citizen, text: str, field: str, place: str) -> None:
    await citizen.says(text)
    citizen.hears(f"{field} … Phường Lào Cai … {place}")


@pytest.mark.parametrize("text", ["đèn hỏng ở cầu Kim Tân", "chợ Sa Pa bẩn quá"])
@pytest.mark.platforms("console")
async def test_a_short_trouble_is_never_taken_for_a_place_alone(citizen: Citizen, text: str) -> None:
    await citizen.says(text)
    (heard,) = citizen.forgets()
    assert "chuyện gì đang xảy ra" not in heard.text
    assert "Mình nghe đây" not in heard.text


@pytest.mark.platforms("console")
async def test_a_short_alarm_names_its_own_number(citizen: Citizen) -> None:
    await citizen.says("ngập ở chợ Cốc Lếu")
    citizen.hears("Gọi ngay 112 … chuyển gấp")


@pytest.mark.platforms("console")
async def test_the_place_told_after_an_alarm_is_the_alarms(stage: Stage, citizen: Citizen) -> None:
    await citizen.says("cháy nhà rồi, cứu với")
    await citizen.says("ở đường Điện Biên Phủ phường Sa Pa")
    citizen.hears("nhắn thêm chỗ xảy ra", "chuyển thêm cho người trực")

    (report,) = stage.reports()
    assert (report.commune_name, report.address_text) == ("Phường Sa Pa", "đường Điện Biên Phủ")


@pytest.mark.platforms("console")
async def test_an_alarm_without_a_place_comes_from_where_the_last_report_was(stage: Stage, citizen: Citizen) -> None:
    await citizen.reports("rác đổ đầy ở chợ Cốc Lếu mấy ngày không ai dọn")
    await citizen.says("cháy rồi, cứu với")
    citizen.forgets()

    urgent = stage.reports()[-1]
    assert (urgent.urgency.value, urgent.commune_name, urgent.address_text) == ("K", "Phường Lào Cai", "chợ Cốc Lếu")


@pytest.mark.platforms("console")
async def test_a_yes_takes_the_only_place_on_offer(citizen: Citizen) -> None:
    await citizen.reports("rác đổ đầy ở chợ Cốc Lếu mấy ngày không ai dọn")
    await citizen.says("phản ánh mới")
    await citizen.says("có ổ gà to lắm")
    citizen.forgets()
    await citizen.says("đúng rồi")
    citizen.hears("Mặt đường … Phường Lào Cai")


@pytest.mark.platforms("console")
async def test_a_place_that_was_denied_does_not_come_back(stage: Stage, citizen: Citizen) -> None:
    await citizen.says("ổ gà to lắm ở phường Cốc Lếu")
    await citizen.presses("Sửa địa điểm")
    citizen.forgets()
    await citizen.says("gần cây xăng")
    citizen.hears("Mặt đường … Địa bàn: chưa rõ … gần cây xăng")
