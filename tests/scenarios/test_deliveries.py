"""Telegram may deliver an update twice, late or out of order."""

from typing import Any

import pytest

from tests.emulators.telegram import a_message
from tests.scenarios.harness import Citizen, Stage
from tests.scenarios.platforms import TelegramPlatform

RUBBISH = "Rác đổ đầy ở chợ Cốc Lếu mấy ngày không ai dọn"
pytestmark = pytest.mark.platforms("webhook")


async def delivers(stage: Stage, *updates: dict[str, Any]) -> None:
    platform = stage.platform
    assert isinstance(platform, TelegramPlatform)
    for update in updates:
        assert await platform.redeliver(update) == 200
    await stage.settle()


def an_update(stage: Stage, number: int, text: str) -> dict[str, Any]:
    platform = stage.platform
    assert isinstance(platform, TelegramPlatform)
    return {"update_id": number, "message": a_message(number, platform.chat("An"), text=text)}


async def test_an_update_that_comes_twice_is_answered_once(stage: Stage, citizen: Citizen) -> None:
    told, sent = an_update(stage, 9001, RUBBISH), an_update(stage, 9002, "gửi")

    await delivers(stage, told, told)
    await delivers(stage, sent)
    await delivers(stage, sent, told)

    citizen.hears("Rác", "Đã ghi nhận")
    assert len(stage.reports()) == 1


async def test_updates_out_of_order_lose_nothing(stage: Stage, citizen: Citizen) -> None:
    await delivers(stage, an_update(stage, 9003, "ở phường Kim Tân"))
    await delivers(stage, an_update(stage, 9002, "có ổ gà to lắm"))
    citizen.forgets()
    await citizen.presses("Gửi")
    citizen.hears("Đã ghi nhận")

    (report,) = stage.reports()
    assert sorted(report.text.split("\n")) == ["có ổ gà to lắm", "ở phường Kim Tân"]
    assert (report.subfield, report.former_name) == ("ha_tang.mat_duong", "Phường Kim Tân")
