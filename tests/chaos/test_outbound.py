"""A platform that refuses, drops and hangs, senders that are killed: nobody is told twice, everybody can see."""

import asyncio
import random
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from handlers.messages import Reply
from storage import outbox
from storage.database import Database
from storage.models import Citizen, Lane, Report, StatusCard
from storage.outbox import Purpose, State
from tests.chaos.platform import Platform
from tests.chaos.processes import Victim, seconds, torment

STATUSES = 5


def utc_now() -> datetime:
    return datetime.now(UTC)


@pytest.mark.slow
@pytest.mark.xdist_group("chaos")  # one after the other: they need the processors for themselves
async def test_nobody_is_told_twice_and_a_status_that_got_lost_stands_on_the_card(
    database_url: str, tmp_path: Path
) -> None:
    chats = int(seconds("CHATS", 40))
    database = Database(database_url)
    platform = Platform(random.Random(5))
    reports = database.write_now(lambda session: _add_reports(session, chats))
    for chat in reports:
        platform.messages[f"card-{chat}"] = (chat, "received")

    async with platform.running():
        victims = [
            Victim("tests.chaos.sender_process", database_url, str(platform.port), log=tmp_path / "senders.log")
            for _ in range(2)
        ]
        with torment(victims, every=seconds("KILL_EVERY", 1.5), stop_for=0, seed=13):
            for number in range(1, STATUSES + 1):
                for chat, report_id in reports.items():
                    await database.write(lambda s, c=chat, r=report_id, n=number: _queue(s, c, r, f"status {n}"))  # type: ignore[misc]
                    await asyncio.sleep(0.02)
                await asyncio.sleep(0.5)
        await _sent_all(database, within=30)
        for victim in victims:
            victim.close()
    states = database.read_now(outbox.count_by_state)
    twice = [told for told, times in platform.delivered.items() if times > 1]
    newest = f"status {STATUSES}"
    unseen = [
        chat
        for chat in reports
        if newest not in {shown for where, shown in platform.messages.values() if where == chat}
    ]
    missing = sum(platform.delivered[chat, newest] == 0 for chat in reports)
    kills = sum(victim.kills for victim in victims)
    counts = f"{chats * STATUSES} messages, {kills} kills, faults {dict(platform.faults)}, states {states}"
    print(f"{database_url.split(':')[0]}: {counts}, twice {len(twice)}, only on the card {missing}")
    database.close()

    assert twice == []
    assert unseen == []
    assert set(states) <= {State.SENT, State.UNCERTAIN, State.EXPIRED}
    assert kills and platform.faults["dropped"]


def _add_reports(session, chats: int) -> dict[str, int]:  # type: ignore[no-untyped-def]
    reports: dict[str, int] = {}
    for number in range(chats):
        chat, lane = str(number), f"fake:main:{number}"
        session.add(Lane(key=lane, channel="fake", account="main", chat=chat))
        citizen = Citizen(created_at=utc_now())
        session.add(citizen)
        session.flush()
        assert citizen.id is not None
        report = Report(
            code=f"PA-{number}",
            citizen_id=citizen.id,
            lane=lane,
            pack="test",
            text="",
            folded="",
            field="",
            subfield="",
            created_at=utc_now(),
        )
        session.add(report)
        session.flush()
        assert report.id is not None
        card = StatusCard(
            lane=lane, report_id=report.id, external_id=f"card-{chat}", shown_at=utc_now(), shown_status="received"
        )
        session.add(card)
        reports[chat] = report.id
    return reports


def _queue(session, chat: str, report_id: int, status: str) -> None:  # type: ignore[no-untyped-def]
    outbox.enqueue(
        session,
        session.get(Lane, f"fake:main:{chat}"),
        Reply(status, card_status=status).to_json(),
        key=f"status:{status}:{chat}",
        now=utc_now(),
        purpose=Purpose.STATUS_UPDATE,
        report_id=report_id,
    )


async def _sent_all(database: Database, *, within: float) -> None:
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        states = Counter(database.read_now(outbox.count_by_state))
        if not any(states[state] for state in outbox.UNSENT):
            return
        await asyncio.sleep(0.2)
