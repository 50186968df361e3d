"""What people say in their own words after the summary, after filing, and when they want something else."""

from datetime import timedelta

import pytest

from tests.scenarios.harness import Citizen, Officer, Stage, a_picture

pytestmark = pytest.mark.platforms("console")
RUBBISH = "Rác đổ đầy ở chợ Cốc Lếu mấy ngày không ai dọn"


async def test_a_bare_no_never_enters_the_story(stage: Stage, citizen: Citizen) -> None:
    await citizen.says(RUBBISH)
    await citizen.says("sai rồi")
    citizen.hears("Rác", "Chỗ nào chưa đúng")
    await citizen.says("gửi")

    (report,) = stage.reports()
    assert (report.text, report.subfield) == (RUBBISH, "thien_tai_moi_truong.rac")


@pytest.mark.parametrize("line", ["thôi là đèn đường", "à là đèn đường", "nhầm, là đèn đường hỏng"])
async def test_what_was_meant_corrects_the_field(citizen: Citizen, line: str) -> None:
    await citizen.says(RUBBISH)
    citizen.forgets()
    await citizen.says(line)
    citizen.hears("Chiếu sáng … Phường Lào Cai")


async def test_another_commune_in_a_short_line_replaces_the_first(citizen: Citizen) -> None:
    await citizen.says(RUBBISH)
    citizen.forgets()
    await citizen.says("rác ở chợ Sa Pa nhé")
    citizen.hears("Rác … Phường Sa Pa … chợ Sa Pa")


async def test_an_open_question_about_the_place_outlives_the_field(citizen: Citizen) -> None:
    await citizen.says("có ổ gà to lắm")
    await citizen.says("sửa lĩnh vực")
    citizen.forgets()
    await citizen.says("vận tải")
    await citizen.says("2")
    citizen.hears("Cụ thể là chuyện gì", "phường, xã nào")


async def test_an_objection_reaches_the_refused_report(stage: Stage, citizen: Citizen, officer: Officer) -> None:
    refused = await citizen.reports(RUBBISH)
    await citizen.reports("mất nước ở phường Kim Tân từ hôm qua")
    await officer.rejects(refused, "TC10", "Việc này do đơn vị khác đang giải quyết")
    citizen.forgets()
    await citizen.says("tôi thấy không đúng, đây là việc của phường")
    citizen.hears(f"{refused} được tiếp nhận lại")


async def test_thanks_with_news_are_kept_with_the_report(stage: Stage, citizen: Citizen) -> None:
    code = await citizen.reports("mất điện ở phường Kim Tân từ hôm qua")
    await citizen.says("có điện lại rồi nhé, cảm ơn")
    citizen.hears(f"đã thêm vào phản ánh {code}")


@pytest.mark.parametrize("line", ["đồng ý", "ok", "dạ"])
async def test_a_yes_to_nothing_opens_no_draft(citizen: Citizen, line: str) -> None:
    await citizen.says(line)
    citizen.hears("cần gì bạn cứ nhắn")


@pytest.mark.parametrize("line", ["cho tôi gặp nhân viên", "bot ngu quá", "đường dây nóng số mấy"])
async def test_who_wants_people_is_told_where_they_are(citizen: Citizen, line: str) -> None:
    await citizen.says(line)
    citizen.hears("Tổ tiếp nhận … 1022 … 113")


@pytest.mark.parametrize("line", ["tôi muốn huỷ phản ánh", "rút lại phản ánh {code}", "xoá phản ánh {code}"])
async def test_a_report_is_taken_back(stage: Stage, citizen: Citizen, line: str) -> None:
    code = await citizen.reports(RUBBISH)
    await citizen.says(line.format(code=code))
    citizen.hears(f"rút phản ánh {code} phải không")
    await citizen.says("đồng ý")
    citizen.hears(f"đã rút phản ánh {code}")

    assert stage.report(code).reject_code == "TC13"


async def test_a_report_with_an_agency_stays(stage: Stage, citizen: Citizen, officer: Officer) -> None:
    code = await citizen.reports(RUBBISH)
    await officer.assigns(code)
    citizen.forgets()
    await citizen.says(f"rút lại phản ánh {code}")
    citizen.hears("không rút được nữa")


@pytest.mark.parametrize(
    "line", ["22.3364,103.8438", "https://www.google.com/maps/@22.3364,103.8438,17z", "https://maps.google.com/?q=22.3364,103.8438"]
)  # fmt: skip
async def test_a_typed_point_is_a_point(stage: Stage, citizen: Citizen, line: str) -> None:
    await citizen.says("rác đổ đầy đường, bốc mùi")
    citizen.forgets()
    await citizen.says(line)
    citizen.hears("Rác … Phường Sa Pa … Vị trí: đã có")


async def test_photo_and_point_are_answered_once(citizen: Citizen) -> None:
    await citizen.sends_photo()
    await citizen.sends_location(22.3364, 103.8438)
    citizen.hears("nhận được ảnh", "Mình có ảnh và vị trí rồi")
    await citizen.sends_photo(a_picture("blue"))
    citizen.hears_nothing()


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("/khongco", "chưa có lệnh này"),
        ("PA-7K3M9X", "Mã này chưa đúng"),
        ("/dia_ban", "• Phường Lào Cai"),
        ("/linh_vuc", "• Vận tải"),
        ("12345", "vài chữ: chuyện gì, ở đâu? Gấp thì gọi 113"),
    ],
)
async def test_small_things_have_their_answer(citizen: Citizen, line: str, answer: str) -> None:
    await citizen.says(line)
    citizen.hears(answer)


async def test_a_number_out_of_range_is_said_so(stage: Stage, citizen: Citizen) -> None:
    await citizen.says(RUBBISH)
    citizen.forgets()
    await citizen.says("7")
    citizen.hears("Chỉ có từ 1 đến 5 thôi bạn ạ. … Rác")
    await stage.passes(timedelta(minutes=1))
