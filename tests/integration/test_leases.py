"""Rights that one process holds at a time, and jobs that run once."""

import asyncio
import os
from datetime import timedelta

import pytest

from bot.leadership import lead
from bot.scheduler import Job, Scheduler, reminders
from bot.wakeups import Topic, Wakeups
from storage import leases, queue
from storage.database import Database
from storage.models import Lane, Lease
from tests.conftest import ScriptedClock
from tests.integration.engine import Engine, until, utc_now

TTL = timedelta(seconds=15)


def acquire(database: Database, owner: str, *, clock: ScriptedClock, name: str = "sender") -> bool:
    return database.write_now(lambda session: leases.acquire(session, name, owner, now=clock(), ttl=TTL))


def test_a_right_belongs_to_one_until_it_is_given_back_or_its_time_runs_out(
    database: Database, clock: ScriptedClock
) -> None:
    assert acquire(database, "a", clock=clock)
    assert acquire(database, "a", clock=clock)
    assert not acquire(database, "b", clock=clock)

    database.write_now(lambda session: leases.release(session, "sender", "a", now=clock()))
    assert acquire(database, "b", clock=clock)
    assert not acquire(database, "a", clock=clock)
    clock.advance(TTL)
    assert acquire(database, "a", clock=clock)


def test_nobody_gives_back_what_is_not_theirs(database: Database, clock: ScriptedClock) -> None:
    acquire(database, "a", clock=clock)

    database.write_now(lambda session: leases.release(session, "sender", "b", now=clock()))

    assert not acquire(database, "b", clock=clock)
    assert database.read_now(lambda session: leases.holder(session, "sender", now=clock())) == "a"


def test_a_restarted_process_takes_the_rights_of_its_dead_predecessor_at_once(
    database: Database, clock: ScriptedClock
) -> None:
    me = leases.owner_of_this_process()
    host, _, machine, _ = me.split(":")
    gone = f"{host}:{_a_free_pid()}:{machine}:aaaa"
    predecessor_with_our_pid = f"{host}:{os.getpid()}:{machine}:bbbb"

    for dead in (gone, predecessor_with_our_pid):
        assert leases.is_dead(f"{dead}#7", me=me)
        database.write_now(lambda s, dead=dead: s.merge(Lease(name="sender", owner=dead, until=clock() + TTL)))  # type: ignore[misc]
        assert acquire(database, me, clock=clock)


@pytest.mark.parametrize("owner", ["someone", "other-host:1:another-machine:cccc"])
def test_nobody_elsewhere_is_taken_for_dead(owner: str) -> None:
    assert not leases.is_dead(owner, me=leases.owner_of_this_process())


def test_a_living_neighbour_is_not_taken_for_dead() -> None:
    me = leases.owner_of_this_process()
    host, _, machine, _ = me.split(":")

    assert not leases.is_dead(f"{host}:{os.getppid()}:{machine}:dddd", me=me)
    assert not leases.is_dead(f"{me}#3", me=me)


def test_lanes_of_a_dead_neighbour_are_free_at_once(database: Database, clock: ScriptedClock) -> None:
    me = leases.owner_of_this_process()
    host, _, machine, _ = me.split(":")
    message = queue.NewMessage("fake", "main", "1", "fake:main:777", "777", "body")
    database.write_now(lambda s: queue.accept(s, [message], now=clock()))
    dead = f"{host}:{_a_free_pid()}:{machine}:aaaa#1"

    def claim(session, token: str) -> int:  # type: ignore[no-untyped-def]
        return len(queue.claim(session, token, ["fake:main"], now=clock(), lease=timedelta(seconds=30)))

    assert database.write_now(lambda s: claim(s, dead)) == 1
    assert database.write_now(lambda s: claim(s, f"{me}#1")) == 0

    assert database.write_now(lambda s: leases.end_leases_of_the_dead(s, me=me, now=clock())) == 1
    assert database.write_now(lambda s: claim(s, f"{me}#2")) == 1


async def test_only_one_leads_and_another_takes_over(database: Database) -> None:
    leading: list[str] = []

    async def work(name: str) -> None:
        leading.append(name)
        await asyncio.Event().wait()

    ttl = timedelta(seconds=0.9)
    tasks = {
        name: asyncio.create_task(lead(database, "right", name, lambda name=name: work(name), clock=utc_now, ttl=ttl))  # type: ignore[misc]
        for name in ("a", "b")
    }
    await until(lambda: len(leading) == 1)
    await asyncio.sleep(1.2)
    assert len(leading) == 1
    tasks[leading[0]].cancel()
    await until(lambda: len(leading) == 2)
    for task in tasks.values():
        task.cancel()
    await asyncio.gather(*tasks.values(), return_exceptions=True)

    assert set(leading) == {"a", "b"}


async def test_work_stops_when_its_right_is_lost(database: Database) -> None:
    stopped = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    ttl = timedelta(seconds=0.6)
    task = asyncio.create_task(lead(database, "right", "a", work, clock=utc_now, ttl=ttl))
    await until(lambda: database.read_now(lambda s: leases.holder(s, "right", now=utc_now())) == "a")
    database.write_now(lambda s: s.merge(Lease(name="right", owner="b", until=utc_now() + TTL)))
    async with asyncio.timeout(5):
        await stopped.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    assert database.read_now(lambda s: leases.holder(s, "right", now=utc_now())) == "b"


async def test_a_job_runs_once_a_slot_however_many_processes_there_are(
    database: Database, clock: ScriptedClock
) -> None:
    runs: list[str] = []

    def a_scheduler(owner: str) -> Scheduler:
        async def run() -> None:
            runs.append(owner)

        return Scheduler(database, [Job("tidy", timedelta(seconds=0.2), run)], clock=clock, owner=owner)

    tasks = [asyncio.create_task(a_scheduler(owner).run()) for owner in ("a", "b", "c")]
    await asyncio.sleep(0.6)
    assert len(runs) == 1
    clock.advance(timedelta(seconds=0.3))
    await until(lambda: len(runs) == 2)
    await asyncio.sleep(0.3)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

    assert len(runs) == 2


async def test_a_failing_job_is_due_again_at_its_next_slot(sqlite_database: Database, clock: ScriptedClock) -> None:
    runs = []

    async def run() -> None:
        runs.append(clock())
        raise RuntimeError("out of paper")

    job = Job("print", timedelta(seconds=0.2), run)
    task = asyncio.create_task(Scheduler(sqlite_database, [job], clock=clock, owner="a").run())
    await until(lambda: len(runs) == 1)
    clock.advance(timedelta(seconds=0.3))
    await until(lambda: len(runs) == 2)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_the_reminder_job_wakes_the_workers(database: Database, clock: ScriptedClock) -> None:
    engine = Engine(database, clock=clock)

    def add(session) -> None:  # type: ignore[no-untyped-def]
        session.add(Lane(key="fake:main:777", channel="fake", account="main", chat="777", remind_at=clock()))

    database.write_now(add)
    job = reminders(database, engine.wakeups, clock=clock)
    async with engine.running():
        await job.run()
        await job.run()
        await until(lambda: len(engine.heard()) == 1)

    assert engine.heard() == [f"tick {clock().isoformat()}"]


async def test_a_write_of_another_process_wakes_within_milliseconds_on_a_file(sqlite_url: str) -> None:
    ours, theirs = Database(sqlite_url), Database(sqlite_url)
    wakeups = Wakeups(ours)
    listening = asyncio.create_task(wakeups.run())
    await until(lambda: not wakeups.is_deaf)
    await asyncio.sleep(0.05)
    waiter = wakeups.waiter(Topic.OUTBOX)
    waiter.mark()

    loop = asyncio.get_running_loop()
    begun = loop.time()
    await theirs.write(lambda session: leases.acquire(session, "x", "y", now=utc_now(), ttl=TTL))
    await waiter.wait(timedelta(seconds=5))
    took = loop.time() - begun

    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    assert took < 1.0
    for database in (ours, theirs):
        database.close()


async def test_a_notification_between_looking_and_waiting_is_not_lost(sqlite_database: Database) -> None:
    wakeups = Wakeups(sqlite_database)
    waiter = wakeups.waiter(Topic.LANES)
    waiter.mark()
    wakeups.notify(Topic.LANES)

    async with asyncio.timeout(0.2):
        await wakeups.changed(Topic.LANES, since=0)
        await waiter.wait(timedelta(seconds=5))


async def test_redis_carries_wakeups_between_processes(valkey_url: str, postgres_url: str) -> None:
    from bot.ingress import connect

    databases = [Database(postgres_url) for _ in range(2)]
    redis = [connect(valkey_url) for _ in range(2)]
    here, there = (Wakeups(*pair) for pair in zip(databases, redis, strict=True))
    async with asyncio.TaskGroup() as tasks:
        listening = [tasks.create_task(wakeups.run()) for wakeups in (here, there)]
        await until(lambda: not here.is_deaf and not there.is_deaf)
        generation = there.generation(Topic.LANES)
        here.notify(Topic.LANES)
        async with asyncio.timeout(5):
            await there.changed(Topic.LANES, since=generation)
        for task in listening:
            task.cancel()
    for client in redis:
        await client.aclose()
    for database in databases:
        database.close()


def _a_free_pid() -> int:
    for pid in range(4_000_000, 4_100_000):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return pid
        except PermissionError:
            continue
    raise AssertionError("no free pid")
