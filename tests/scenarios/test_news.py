"""Officers work, and the citizen is told, asked and heard."""

from datetime import timedelta

import pytest

from tests.scenarios.harness import Citizen, Officer, Stage, a_picture

RUBBISH = "Rác đổ đầy ở chợ Cốc Lếu mấy ngày không ai dọn"
QUESTION = "Rác nằm ở cổng chính hay cổng phụ của chợ?"
FINISHED = "đã có kết quả từ Công ty … đã khắc phục … Bạn thấy kết quả này thế nào?"


async def test_a_report_from_the_street_to_the_desk_and_back(stage: Stage, citizen: Citizen, officer: Officer) -> None:
    code = await citizen.reports(RUBBISH, photo=a_picture("brown"))
    await officer.assigns(code)
    citizen.hears(f"{code} đã được chuyển tới Công ty … Hạn trả lời")
    await officer.accepts(code)
    citizen.hears_nothing()
    await officer.notes_progress(code, "Đã bố trí xe thu gom chiều nay", is_public=True)
    citizen.hears("Tin mới … Đã bố trí xe thu gom")
    await officer.finishes(code, photo=a_picture("white"))
    (heard,) = citizen.hears(FINISHED)
    assert heard.photos == 1
    citizen.sees("Hài lòng", "Chấp nhận", "Không hài lòng")
    await citizen.presses("Hài lòng")
    citizen.hears("Cảm ơn bạn đã đánh giá")

    report = stage.report(code)
    assert (report.status.value, report.rating) == ("closed", "good")


async def test_a_question_is_answered_and_the_work_goes_on(stage: Stage, citizen: Citizen, officer: Officer) -> None:
    code = await citizen.reports(RUBBISH)
    await officer.assigns(code)
    await officer.accepts(code)
    await officer.asks(code, QUESTION)
    citizen.hears("được chuyển tới", f"Về phản ánh {code} … {QUESTION} … trong 5 ngày")
    await citizen.says("cổng phụ ấy")
    citizen.hears(f"đã nhận bổ sung cho {code}")

    assert stage.report(code).status.value == "in_progress"
    assert stage.history(code)[-2].text == "cổng phụ ấy"


async def test_intake_asks_and_gets_a_photo_and_a_place(stage: Stage, citizen: Citizen, officer: Officer) -> None:
    code = await citizen.reports("có ổ gà to lắm, mình không biết phường nào")
    await officer.asks(code, "Bạn gửi giúp vị trí và ảnh chỗ ổ gà nhé")
    citizen.hears("Tổ tiếp nhận … cần hỏi thêm")
    await citizen.sends_location(22.3364, 103.8438)
    citizen.hears("đã nhận bổ sung")

    report = stage.report(code)
    assert (report.status.value, report.commune_name) == ("received", "Phường Sa Pa")


async def test_a_yes_answers_the_question_and_not_the_draft(stage: Stage, citizen: Citizen, officer: Officer) -> None:
    code = await citizen.reports(RUBBISH)
    await citizen.says("mất nước ở phường Kim Tân từ hôm qua")
    citizen.hears("Cấp nước")
    await officer.asks(code, "Rác nằm ở cổng chính của chợ phải không?")
    citizen.hears("cần hỏi thêm")
    await citizen.says("dạ đúng rồi")
    citizen.hears(f"đã nhận bổ sung cho {code}")
    await citizen.says("gửi")
    citizen.hears("Đã ghi nhận")

    assert [report.status.value for report in stage.reports()] == ["received", "received"]
    assert stage.history(code)[-2].text == "dạ đúng rồi"


async def test_a_question_nobody_answers_is_dropped_after_five_days(
    stage: Stage, citizen: Citizen, officer: Officer
) -> None:
    code = await citizen.reports(RUBBISH)
    await officer.assigns(code)
    await officer.asks(code, QUESTION)
    citizen.forgets()
    await stage.passes(timedelta(days=4))
    citizen.hears_nothing()
    await stage.passes(timedelta(days=1, minutes=1))
    citizen.hears(f"{code} được tiếp tục xử lý với thông tin hiện có")
    await citizen.says("rác nằm ở cổng phụ nhé")
    citizen.hears(f"đã thêm vào phản ánh {code}")

    assert stage.report(code).status.value == "assigned"


@pytest.mark.parametrize(("words", "rating"), [("hài lòng", "good"), ("1", "good"), ("cung duoc", "acceptable")])
async def test_a_result_is_rated_in_words(
    stage: Stage, citizen: Citizen, officer: Officer, words: str, rating: str
) -> None:
    code = await citizen.reports(RUBBISH)
    await officer.works_through(code)
    citizen.hears("được chuyển tới", FINISHED)
    await citizen.says(words)
    citizen.hears("Cảm ơn bạn đã đánh giá")

    assert stage.report(code).rating == rating


async def test_an_unhappy_citizen_says_why_and_it_is_opened_again(
    stage: Stage, citizen: Citizen, officer: Officer
) -> None:
    code = await citizen.reports(RUBBISH)
    await officer.works_through(code)
    citizen.forgets()
    await citizen.presses("Không hài lòng")
    citizen.hears("Mình rất tiếc … điểm nào")
    await citizen.presses("Làm chưa xong")
    citizen.hears(f"{code} được mở lại … Hạn mới")

    assert stage.report(code).status.value == "assigned"
    assert stage.history(code)[-1].text == "Làm chưa xong"

    await officer.accepts(code)
    await officer.finishes(code)
    citizen.hears(FINISHED)
    await citizen.says("chưa hài lòng")
    await citizen.says("vẫn còn rác ở cổng phụ")
    citizen.hears("điểm nào", f"ghi lại ý kiến của bạn về {code}")
    assert stage.report(code).status.value == "resolved"


async def test_saying_that_nothing_was_done_asks_to_open_it_again(
    stage: Stage, citizen: Citizen, officer: Officer
) -> None:
    code = await citizen.reports(RUBBISH)
    await officer.works_through(code)
    citizen.forgets()
    await citizen.says("rác vẫn còn nguyên, chưa dọn gì cả")
    citizen.hears(f"kết quả của {code} chưa ổn")
    await citizen.says("đúng")
    citizen.hears(f"{code} được mở lại")

    assert stage.history(code)[-1].text == "rác vẫn còn nguyên, chưa dọn gì cả"


async def test_a_result_nobody_rates_is_closed_after_ten_days(stage: Stage, citizen: Citizen, officer: Officer) -> None:
    code = await citizen.reports(RUBBISH)
    await officer.works_through(code)
    citizen.forgets()
    await stage.passes(timedelta(days=9))
    citizen.hears_nothing()
    await stage.passes(timedelta(days=1, minutes=1))
    citizen.hears(f"{code} đã khép lại sau 10 ngày")

    assert stage.report(code).status.value == "closed"


@pytest.mark.platforms("telegram")  # a console has no old buttons
async def test_an_old_rating_button_is_answered_politely(stage: Stage, citizen: Citizen, officer: Officer) -> None:
    code = await citizen.reports(RUBBISH)
    await officer.works_through(code)
    result = citizen.forgets()[-1]
    await citizen.presses("Hài lòng", on=result)
    citizen.hears("Cảm ơn bạn")
    await citizen.presses("Không hài lòng", on=result)
    citizen.hears(f"{code} hiện đã đóng")

    assert stage.report(code).rating == "good"


async def test_a_refusal_says_why_and_may_be_contested_once(stage: Stage, citizen: Citizen, officer: Officer) -> None:
    code = await citizen.reports(RUBBISH)
    await officer.rejects(code, "TC03", "Không xác định được nơi đổ rác theo mô tả")
    citizen.hears(f"{code} chưa được tiếp nhận … Không xác định được nơi đổ rác … trong 10 ngày")
    await citizen.says("tôi thấy chưa đúng, rác đổ ngay cổng chợ Cốc Lếu mà")
    citizen.hears(f"{code} được tiếp nhận lại")
    assert stage.report(code).status.value == "received"

    await officer.rejects(code, "TC03", "Đã kiểm tra thực tế, không thấy rác ở đó")
    citizen.hears("chưa được tiếp nhận")
    await citizen.says(f"{code} vô lý quá, đề nghị xem lại")
    citizen.hears(f"đã ghi thêm vào phản ánh {code}")
    assert stage.report(code).status.value == "rejected"


async def test_a_refusal_can_no_longer_be_contested_after_ten_days(
    stage: Stage, citizen: Citizen, officer: Officer
) -> None:
    code = await citizen.reports(RUBBISH)
    await officer.rejects(code, "TC03", "Không xác định được nơi đổ rác theo mô tả")
    await stage.passes(timedelta(days=11))
    citizen.forgets()
    await citizen.says(f"{code} tôi không đồng ý, đề nghị xem lại")
    citizen.hears(f"đã ghi thêm vào phản ánh {code}")

    assert stage.report(code).status.value == "rejected"


@pytest.mark.platforms("telegram")  # a console can't be blocked
async def test_who_blocked_the_bot_gets_what_waited_when_they_write_again(
    stage: Stage, citizen: Citizen, officer: Officer
) -> None:
    code = await citizen.reports(RUBBISH)
    await citizen.blocks()
    await officer.assigns(code)
    await officer.accepts(code)
    await officer.finishes(code)
    citizen.hears_nothing()
    await citizen.says("chào bạn")
    citizen.hears(FINISHED, "Chào bạn!")


@pytest.mark.platforms("telegram")
async def test_who_unblocks_the_bot_gets_what_waited(stage: Stage, citizen: Citizen, officer: Officer) -> None:
    code = await citizen.reports(RUBBISH)
    await citizen.blocks()
    await officer.assigns(code)
    citizen.hears_nothing()
    await citizen.unblocks()
    citizen.hears(f"{code} đã được chuyển tới")


async def test_an_urgent_report_is_told_when_it_is_taken_up(stage: Stage, newcomer: Citizen, officer: Officer) -> None:
    await newcomer.says("cháy nhà ở tổ 3 phường Kim Tân")
    newcomer.hears("Gọi ngay 114")
    await officer.assigns(newcomer.code())
    await officer.accepts(newcomer.code())
    newcomer.hears("được chuyển tới", "đã nhận xử lý")
