"""Greetings, thanks, questions, commands and what can't be read."""

import pytest

from handlers.messages import UnsupportedKind
from tests.scenarios.harness import Citizen, Officer, Stage, a_picture

RUBBISH = "Rác đổ đầy ở chợ Cốc Lếu mấy ngày không ai dọn"


async def test_first_contact_says_who_we_are_once(stage: Stage, newcomer: Citizen) -> None:
    await newcomer.says("chào bạn")
    newcomer.hears(
        "trợ lý tự động … được lưu lại … không thấy tên … «xoá dữ liệu»",
        "Bạn cứ kể chuyện gì",
    )
    await newcomer.says("chào bạn")
    newcomer.hears("Chào bạn!")

    assert stage.reports() == []


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("cảm ơn nhé", "Cảm ơn bạn"),
        ("làm sao để gửi phản ánh", "Kênh này nhận phản ánh"),
        ("bạn là ai vậy", "Mình là trợ lý tự động"),
        ("🙏🙏", "chưa đọc được chữ nào"),
    ],
)
async def test_talk_opens_no_case(stage: Stage, citizen: Citizen, text: str, answer: str) -> None:
    await citizen.says(text)
    citizen.hears(answer)
    await citizen.says(RUBBISH)
    citizen.hears("Rác")

    assert stage.reports() == []


@pytest.mark.parametrize(
    ("lines", "answers"),
    [
        (("/start", "bắt đầu", "bat dau"), ("trợ lý tự động", "Bạn cứ kể")),
        (("/phananhmoi", "Phản ánh mới", "phan anh moi"), ("mở bản mới",)),
        (("/cuatoi", "của tôi", "cua toi"), ("chưa có phản ánh nào",)),
        (("/tracuu", "tra cứu", "tra cuu"), ("«tra cứu» kèm mã",)),
        (("/huy", "Huỷ", "hủy", "huy"), ("không có bản nháp nào",)),
        (("/trogiup", "trợ giúp", "tro giup"), ("Các lệnh … phản ánh mới",)),
        (("/linhvuc", "lĩnh vực", "linh vuc"), ("• Vận tải … • Trật tự xã hội",)),
        (("/diaban", "địa bàn", "dia ban"), ("• Phường Lào Cai … • Phường Sa Pa",)),
        (("/xoadulieu", "xoá dữ liệu", "xóa dữ liệu", "xoa du lieu"), ("Bạn có chắc không?",)),
    ],
    ids=["start", "new", "mine", "lookup", "cancel", "help", "fields", "area", "erase"],
)
async def test_commands_with_and_without_slash_and_accents(
    citizen: Citizen, lines: tuple[str, ...], answers: tuple[str, ...]
) -> None:
    for line in lines:
        await citizen.says(line)
        citizen.hears(*answers)


async def test_commands_leave_the_draft_alone(stage: Stage, citizen: Citizen) -> None:
    await citizen.says(RUBBISH)
    for command in ("trợ giúp", "của tôi", "địa bàn"):
        await citizen.says(command)
    citizen.forgets()
    await citizen.presses("Gửi")
    citizen.hears("Đã ghi nhận")

    assert stage.report(citizen.code()).text == RUBBISH


async def test_voice_messages_lose_nothing(stage: Stage, citizen: Citizen) -> None:
    await citizen.says(RUBBISH)
    await citizen.sends_unreadable(UnsupportedKind.VOICE)
    citizen.hears("Rác", "chưa nghe được tin thoại")
    await citizen.says("ok")
    citizen.hears("Đã ghi nhận")

    assert stage.report(citizen.code()).text == RUBBISH


@pytest.mark.platforms("telegram")  # the console can't send these
@pytest.mark.parametrize(
    ("kind", "answer"),
    [
        (UnsupportedKind.STICKER, "nhãn dán"),
        (UnsupportedKind.VIDEO, "chưa xem được video"),
        (UnsupportedKind.CONTACT, "không cần số liên hệ"),
        (UnsupportedKind.FILE, "Tệp này mình chưa mở được"),
    ],
)
async def test_what_cannot_be_read_gets_a_friendly_answer(
    stage: Stage, citizen: Citizen, kind: UnsupportedKind, answer: str
) -> None:
    await citizen.says(RUBBISH)
    await citizen.sends_unreadable(kind)
    citizen.hears("Rác", answer)
    await citizen.presses("Gửi")

    assert stage.reports()[0].text == RUBBISH


async def test_a_broken_photo_is_said_so_and_the_report_goes_on(stage: Stage, citizen: Citizen) -> None:
    await citizen.sends_photo(a_picture()[:200], caption=RUBBISH)
    citizen.hears("Ảnh này bị hỏng … giữ đủ", "Rác … Ảnh: chưa có")
    await citizen.sends_photo(a_picture())
    citizen.hears("Rác … Ảnh: 1")
    await citizen.presses("Gửi")

    assert len(stage.photos(stage.reports()[0].code)) == 1


async def test_a_file_that_is_no_image_is_said_so(citizen: Citizen) -> None:
    await citizen.says(RUBBISH)
    await citizen.sends_file(b"GPX track, not a picture", "anh.png", "image/png")
    citizen.hears("Rác", "không phải ảnh … giữ đủ")
    await citizen.presses("Gửi")
    citizen.hears("Đã ghi nhận")


async def test_own_reports_are_listed_and_looked_up(stage: Stage, citizen: Citizen, officer: Officer) -> None:
    code = await citizen.reports(RUBBISH)
    await citizen.says("của tôi")
    citizen.hears(f"{code} · mới tiếp nhận")
    await citizen.says(f"tra cứu {code.lower()}")
    citizen.hears(f"{code}: mới tiếp nhận … tên cũ: Phường Cốc Lếu … tổ tiếp nhận đang xem … Trả lời trước: 17:00")
    await officer.assigns(code)
    await citizen.says(code.replace("-", " ").lower())
    citizen.hears("được chuyển tới", f"{code}: đã chuyển xử lý … Đơn vị xử lý: Công ty")


async def test_how_it_stands_is_asked_in_free_words(stage: Stage, citizen: Citizen) -> None:
    code = await citizen.reports(RUBBISH)
    await citizen.says("bao giờ thì xong ạ?")
    citizen.hears(f"{code}: mới tiếp nhận … Trả lời trước")
    await citizen.says(f"{code} xử lý đến đâu rồi")
    citizen.hears(f"{code}: mới tiếp nhận")

    assert [row.act for row in stage.history(code)] == ["submit"]


async def test_foreign_unknown_and_restricted_reports(stage: Stage, citizen: Citizen) -> None:
    other = await stage.neighbour("Chi")
    code = await other.reports(RUBBISH)
    secret = await other.reports("sới bạc hoạt động hằng đêm ở tổ 7 phường Bắc Cường, cá độ, đánh bạc")
    assert stage.report(secret).is_restricted

    await citizen.says(f"tra cứu {code}")
    (public,) = citizen.hears(f"{code}: mới tiếp nhận … Rác")
    assert "Đơn vị" not in public.text
    await citizen.says(f"tra cứu {secret}")
    (restricted,) = citizen.hears(f"{secret}: mới tiếp nhận")
    assert restricted.text.strip() == f"{secret}: mới tiếp nhận"
    await citizen.says("tra cứu PA-222222")
    citizen.hears("không thấy mã PA-222222")
    await citizen.says("tra cứu abc")
    citizen.hears("«tra cứu» kèm mã")


async def test_my_data_are_erased(stage: Stage, citizen: Citizen, officer: Officer) -> None:
    assigned = await citizen.reports(RUBBISH)
    await officer.assigns(assigned)
    waiting = await citizen.reports("mất nước ở phường Kim Tân từ hôm qua")
    citizen.forgets()
    await citizen.says("xoá dữ liệu")
    await citizen.says("không")
    citizen.hears("Bạn có chắc không?", "giữ nguyên")
    await citizen.says("xoa du lieu")
    await citizen.presses("Đồng ý xoá")
    citizen.hears("Bạn có chắc không?", "đã xoá dữ liệu")

    assert stage.report(waiting).status.value == "rejected"
    assert stage.report(assigned).status.value == "assigned"
    await officer.accepts(assigned)
    await officer.finishes(assigned)
    citizen.hears_nothing()
    await citizen.says("của tôi")
    citizen.hears("chưa có phản ánh nào")
