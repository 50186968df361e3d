"""The inbox: everything stored once, worked once, in order, whatever happens to the workers."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from redis.asyncio import Redis

from bot.accept import Acceptor, NotStored
from bot.ingress import connect
from bot.lanes import LaneSettings
from bot.scheduler import forgetting
from storage import queue
from storage.database import Database
from storage.models import Lane
from tests.conftest import ScriptedClock
from tests.fakes import SENT_AT, FakeChannel, an_update
from tests.integration.engine import Engine, until, utc_now

LANE = "fake:main:777"


@pytest.fixture(params=["straight", "behind Redis"])
async def redis(request: pytest.FixtureRequest) -> AsyncIterator[Redis | None]:
    """What stands in front of the inbox: nothing, or a stream of Redis."""
    if request.param == "straight":
        yield None
        return
    client = connect(request.getfixturevalue("valkey_url"))
    await client.flushall()
    yield client
    await client.aclose()


def a_message(number: int, chat: str = "777") -> queue.NewMessage:
    return queue.NewMessage("fake", "main", f"{chat}-{number}", f"fake:main:{chat}", chat, f"body {number}")


def accept(database: Database, *messages: queue.NewMessage, clock: ScriptedClock) -> int:
    return database.write_now(lambda s: queue.accept(s, messages, now=clock()))


def claim(database: Database, token: str, *, clock: ScriptedClock, per_lane: int = 20) -> list[queue.ClaimedLane]:
    lease = timedelta(seconds=30)
    return database.write_now(
        lambda s: queue.claim(s, token, ["fake:main"], now=clock(), lease=lease, per_lane=per_lane)
    )


def finish(database: Database, token: str, claimed: queue.ClaimedLane, *, clock: ScriptedClock) -> bool:
    def work(session):  # type: ignore[no-untyped-def]
        held = queue.hold(session, token, [claimed.key])
        for lane in held.values():
            queue.finish(session, [message.id for message in claimed.messages], now=clock())
            queue.release(lane, claimed, now=clock())
        return bool(held)

    return bool(database.write_now(work))


async def test_a_message_is_worked_once_however_often_it_is_delivered(database: Database, redis: Redis | None) -> None:
    engine = Engine(database, redis=redis)

    async with engine.running():
        await engine.acceptor([an_update(id="1"), an_update(id="1")])
        await engine.acceptor([an_update(id="1")])
        await engine.acceptor([an_update(id="2")])
        await until(lambda: len(engine.heard()) == 2)
        await engine.acceptor([an_update(id="1")])
        await asyncio.sleep(0.1)

    assert engine.heard() == ["message 1", "message 2"]
    assert [row.key for row in engine.outbox()] == [f"turn:{row.id}:0" for row in engine.inbox()]


async def test_messages_of_a_conversation_are_worked_in_order_while_many_come_at_once(
    database: Database, redis: Redis | None
) -> None:
    engine = Engine(database, redis=redis)
    chats = [str(number) for number in range(20)]

    async with engine.running():
        for number in range(1, 31):
            await asyncio.gather(*(engine.acceptor([an_update(chat, f"{chat}-{number}")]) for chat in chats))
        await until(lambda: len(rows := engine.inbox()) == 600 and all(row.done_at for row in rows))

    for chat in chats:
        assert engine.heard(chat) == [f"message {chat}-{number}" for number in range(1, 31)]


async def test_a_batch_from_a_poller_keeps_its_order(database: Database, redis: Redis | None) -> None:
    engine = Engine(database, redis=redis)

    async with engine.running():
        await engine.acceptor([an_update(id=str(number)) for number in range(300)])
        await until(lambda: len(engine.heard()) == 300)

    assert engine.heard() == [f"message {number}" for number in range(300)]


async def test_a_channel_without_order_is_sorted_by_the_platforms_time_within_a_batch(database: Database) -> None:
    engine = Engine(database, channel=FakeChannel(orders_by_sent_at=True))
    late = an_update(id="late")
    early = replace(an_update(id="early"), sent_at=SENT_AT - timedelta(seconds=5))

    async with engine.running(lanes=False):
        await engine.acceptor([late, early])
    async with engine.running():
        await until(lambda: len(engine.heard()) == 2)

    assert engine.heard() == ["message early", "message late"]


async def test_no_wakeup_is_lost_when_a_message_comes_while_the_lane_is_worked(
    database: Database, clock: ScriptedClock
) -> None:
    accept(database, a_message(1), clock=clock)
    (first,) = claim(database, "a#1", clock=clock)
    accept(database, a_message(2), clock=clock)
    assert claim(database, "b#1", clock=clock) == []

    assert finish(database, "a#1", first, clock=clock)

    (second,) = claim(database, "b#2", clock=clock)
    assert [message.body for message in second.messages] == ["body 2"]


async def test_a_worker_that_lost_its_lease_changes_nothing(database: Database, clock: ScriptedClock) -> None:
    accept(database, a_message(1), clock=clock)
    (stopped,) = claim(database, "a#1", clock=clock)
    clock.advance(timedelta(seconds=31))
    (taken_over,) = claim(database, "b#1", clock=clock)

    assert not finish(database, "a#1", stopped, clock=clock)
    assert finish(database, "b#1", taken_over, clock=clock)
    assert not finish(database, "a#1", stopped, clock=clock)


async def test_the_same_worker_claiming_again_after_its_lease_ran_out_is_fenced_from_its_own_past(
    database: Database, clock: ScriptedClock
) -> None:
    accept(database, a_message(1), clock=clock)
    (before,) = claim(database, "a#1", clock=clock)
    clock.advance(timedelta(seconds=31))
    claim(database, "a#2", clock=clock)

    assert not finish(database, "a#1", before, clock=clock)


async def test_a_heartbeat_keeps_a_lease(database: Database, clock: ScriptedClock) -> None:
    accept(database, a_message(1), clock=clock)
    (kept,) = claim(database, "a#1", clock=clock)
    clock.advance(timedelta(seconds=20))
    database.write_now(lambda s: queue.heartbeat(s, ["a#1"], clock() + timedelta(seconds=30)))
    clock.advance(timedelta(seconds=20))

    assert claim(database, "b#1", clock=clock) == []
    assert finish(database, "a#1", kept, clock=clock)


async def test_a_message_that_always_fails_becomes_a_dead_letter_and_the_lane_goes_on(
    database: Database, clock: ScriptedClock
) -> None:
    engine = Engine(database, clock=clock)
    engine.handler.poison = {"message 2"}

    async with engine.running():
        await engine.acceptor([an_update(id=str(number)) for number in (1, 2, 3)])
        for _ in range(queue.MAX_TRIES):
            await until(lambda tries=_ + 1: engine.inbox()[1].tries == tries)  # type: ignore[misc]
            assert engine.heard() == ["message 1"]
            clock.advance(timedelta(minutes=1))
            engine.wake()
        await until(lambda: len(engine.heard()) == 2)

    assert engine.heard() == ["message 1", "message 3"]
    (dead,) = database.read_now(queue.dead_letters)
    assert (dead.external_id, dead.tries) == ("2", queue.MAX_TRIES + 1)
    assert dead.error is not None and "poisoned" in dead.error


async def test_a_dead_letter_can_be_tried_again(database: Database) -> None:
    engine = Engine(database)
    engine.handler.poison = {"message 1"}
    message = an_update(id="1")

    async with engine.running(lanes=False):
        await engine.acceptor([message])
    row = engine.inbox()[0]
    assert row.id is not None
    stored = queue.StoredMessage(row.id, "fake", "1", LANE, None, row.received_at, row.body, queue.MAX_TRIES)
    database.write_now(lambda s: queue.note_failure(s, stored, "poisoned", now=utc_now()))
    engine.handler.poison = set()
    assert database.write_now(lambda s: queue.revive(s, stored.id, now=utc_now()))
    async with engine.running():
        await until(lambda: len(engine.heard()) == 1)

    assert not database.read_now(queue.dead_letters)


async def test_a_message_that_cannot_be_understood_at_all_is_tried_alone(database: Database) -> None:
    engine = Engine(database)
    engine.handler.indigestible = {"message 2"}

    async with engine.running():
        await engine.acceptor([an_update(id=str(number)) for number in (1, 2, 3)])
        await engine.acceptor([an_update("888", "9")])
        await until(lambda: engine.inbox()[1].tries == 1 and bool(engine.heard("888")))
        assert engine.heard() == ["message 1"]
        engine.handler.indigestible = set()
        await until(lambda: len(engine.heard()) == 3)

    assert engine.heard() == ["message 1", "message 2", "message 3"]


async def test_an_unreadable_payload_is_a_dead_letter_at_once(database: Database, redis: Redis | None) -> None:
    engine = Engine(database, redis=redis)
    odd = replace(an_update(id="1"), body="<html>\0\ud800")

    async with engine.running():
        await engine.acceptor([odd, an_update(id="2", nothing="here"), an_update(id="3")])
        await until(lambda: engine.heard() == ["message 3"])

    assert [(row.is_dead, row.done_at is not None) for row in engine.inbox()] == [
        (True, True),
        (False, True),
        (False, True),
    ]


async def test_one_failing_lane_does_not_hold_up_the_others_of_its_transaction(database: Database) -> None:
    engine = Engine(database)
    engine.handler.poison = {"message bad"}

    async with engine.running(lanes=False):
        await engine.acceptor([an_update(str(chat), f"{chat}") for chat in range(10)] + [an_update("bad", "bad")])
    async with engine.running():
        await until(lambda: all(engine.heard(str(chat)) for chat in range(10)))

    assert engine.heard("bad") == []
    assert not any(row.chat == "bad" for row in engine.outbox())


async def test_a_message_whose_worker_dies_every_time_takes_no_other_along_and_is_given_up(
    database: Database, clock: ScriptedClock
) -> None:
    accept(database, a_message(1, "deadly"), a_message(1, "a"), a_message(1, "b"), clock=clock)
    claim(database, "first#0", clock=clock)

    for attempt in range(30):
        clock.advance(timedelta(seconds=31))
        claimed = claim(database, f"worker{attempt}#0", clock=clock)
        assert len(claimed) <= 1
        for lane in claimed:
            if lane.chat != "deadly":
                finish(database, f"worker{attempt}#0", lane, clock=clock)

    (dead,) = database.read_now(queue.dead_letters)
    assert dead.lane == "fake:main:deadly"
    assert database.read_now(queue.count_pending) == 0


async def test_a_spammer_does_not_hold_up_others(database: Database, clock: ScriptedClock) -> None:
    spam = [a_message(number, "spammer") for number in range(5000)]
    accept(database, *spam, clock=clock)
    clock.advance(timedelta(seconds=1))
    accept(database, *(a_message(1, f"citizen{number}") for number in range(10)), clock=clock)

    (first, *others) = claim(database, "a#1", clock=clock)

    assert (first.chat, len(first.messages), first.has_more) == ("spammer", 20, True)
    assert len(others) == 10
    assert finish(database, "a#1", first, clock=clock)
    clock.advance(timedelta(seconds=1))
    accept(database, a_message(1, "latecomer"), clock=clock)
    assert {lane.chat for lane in claim(database, "a#2", clock=clock)} == {"spammer", "latecomer"}


async def test_lanes_of_accounts_that_this_process_does_not_serve_are_left_alone(
    database: Database, clock: ScriptedClock
) -> None:
    accept(database, a_message(1), clock=clock)
    lease = timedelta(seconds=30)

    assert database.write_now(lambda s: queue.claim(s, "a#1", ["other:main"], now=clock(), lease=lease)) == []
    assert len(claim(database, "a#2", clock=clock)) == 1


async def test_two_workers_on_one_database_share_the_lanes_and_keep_the_order(
    database_url: str, redis: Redis | None
) -> None:
    databases = Database(database_url), Database(database_url)
    engines = [Engine(database, owner=f"worker{number}", redis=redis) for number, database in enumerate(databases)]
    chats = [str(number) for number in range(12)]

    async with engines[0].running(), engines[1].running():
        for number in range(20):
            engine = engines[number % 2]
            await asyncio.gather(*(engine.acceptor([an_update(chat, f"{chat}-{number}")]) for chat in chats))
        await until(lambda: len(rows := engines[0].inbox()) == 240 and all(row.done_at for row in rows))

    for chat in chats:
        assert engines[0].heard(chat) == [f"message {chat}-{number}" for number in range(20)]
    for database in databases:
        database.close()


async def test_photos_are_fetched_beside_the_other_conversations(database: Database) -> None:
    engine = Engine(database, channel=FakeChannel(fetch_delay=1.0))

    async with engine.running():
        await engine.acceptor([an_update("photographer", "1", photo="p1"), an_update("photographer", "2")])
        await engine.acceptor([an_update("writer", "3")])
        await until(lambda: bool(engine.heard("writer")), seconds=0.8)
        assert engine.heard("photographer") == []
        await until(lambda: len(engine.heard("photographer")) == 2)

    assert engine.heard("photographer") == ["p1", "message 2"]


async def test_a_stopped_worker_gives_its_lanes_back(database: Database) -> None:
    engine = Engine(database, channel=FakeChannel(fetch_delay=30.0))

    async with engine.running():
        await engine.acceptor([an_update(photo="p1")])
        await until(lambda: (lane := engine.lane()) is not None and lane.owner is not None)

    lane = engine.lane()
    assert lane is not None and (lane.owner, lane.lease_until) == (None, None) and lane.ready_at is not None


async def test_what_arrives_during_a_commit_is_written_together_in_the_next(database: Database) -> None:
    engine = Engine(database)
    batches = []
    store = engine.acceptor._store

    class CountingStore:
        async def store(self, updates):  # type: ignore[no-untyped-def]
            batches.append(len(updates))
            await store.store(updates)

    async with Acceptor(CountingStore()) as acceptor:
        await asyncio.gather(*(acceptor([an_update(id=str(number))]) for number in range(100)))

    assert sum(batches) == 100
    assert len(batches) < 10
    assert len(engine.inbox()) == 100


async def test_accepting_says_so_when_the_database_cannot_store(database: Database) -> None:
    engine = Engine(database)
    database.close()

    async with engine.acceptor:
        with pytest.raises(NotStored):
            await engine.acceptor([an_update()])


async def test_a_due_reminder_is_a_message_in_its_own_lane_and_comes_once(
    database: Database, clock: ScriptedClock
) -> None:
    engine = Engine(database, clock=clock, settings=LaneSettings(parallel=1))
    async with engine.running():
        await engine.acceptor([an_update(id="1")])
        await until(lambda: bool(engine.heard()))
    at = clock() + timedelta(hours=2)

    def remind(session):  # type: ignore[no-untyped-def]
        session.get(Lane, LANE).remind_at = at

    database.write_now(remind)
    assert database.write_now(lambda s: queue.insert_ticks(s, now=clock())) == 0
    clock.advance(timedelta(hours=2))
    assert [database.write_now(lambda s: queue.insert_ticks(s, now=clock())) for _ in range(3)] == [1, 0, 0]
    async with engine.running():
        await until(lambda: len(engine.heard()) == 2)

    assert engine.heard()[1] == f"tick {at.isoformat()}"
    lane = engine.lane()
    assert lane is not None and lane.remind_at is None


async def test_what_is_done_is_forgotten_after_a_while_and_dead_letters_are_kept(
    database: Database, clock: ScriptedClock
) -> None:
    engine = Engine(database, clock=clock)
    async with engine.running():
        await engine.acceptor([an_update("a", "1"), replace(an_update("b", "2"), body="?"), an_update("c", "3")])
        await until(lambda: database.read_now(queue.count_pending) == 0)
    clock.advance(timedelta(days=6))
    accept(database, a_message(1), clock=clock)
    clock.advance(timedelta(days=2))

    await forgetting(database, clock=clock).run()

    assert [row.external_id for row in engine.inbox()] == ["2", "777-1"]
