"""What is said to citizens: each message once, in order, and never twice where nobody knows whether it arrived."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest

from bot.channels.base import Blocked, Capabilities, Hold, RetryLater, Uncertain, Undeliverable
from bot.limits import Rates
from bot.outbox_worker import OutboxWorker
from handlers.messages import Reply, reply_from_json
from storage import leases, outbox
from storage.database import Database
from storage.models import Citizen, Lane, OutboxMessage, Report
from storage.outbox import Purpose, State
from tests.conftest import ScriptedClock
from tests.fakes import FakeChannel
from tests.integration.engine import Engine, until

FAST = Rates(overall=1000.0, per_chat=1000.0, chat_burst=100.0)


class Desk:
    """An engine with an outbox only, and someone who queues messages."""

    def __init__(self, database: Database, clock: ScriptedClock, *, has_edit: bool = True) -> None:
        self.channel = FakeChannel(capabilities=Capabilities(has_edit=has_edit))
        self.clock, self.database = clock, database
        self.engine = Engine(database, channel=self.channel, clock=clock)
        self.number = 0
        self.report_id = self._a_report()

    def queue(
        self, text: str, chat: str = "777", purpose: Purpose = Purpose.REPLY, *, key: str = "", is_card: bool = False
    ) -> bool:
        self.number += 1
        is_about_report = purpose is Purpose.STATUS_UPDATE or is_card
        reply = Reply(text, is_card=is_card, card_status=text)

        def work(session) -> bool:  # type: ignore[no-untyped-def]
            return outbox.enqueue(
                session,
                session.get(Lane, f"fake:main:{chat}") or self._a_lane(session, chat),
                reply.to_json(),
                key=key or f"key:{self.number}",
                now=self.clock(),
                purpose=purpose,
                report_id=self.report_id if is_about_report else None,
            )

        return self.database.write_now(work)

    def status(self, text: str, chat: str = "777") -> None:
        self.queue(text, chat, Purpose.STATUS_UPDATE)

    def states(self) -> list[tuple[str, str]]:
        rows = self.engine.outbox()
        return [(row.key if row.purpose == "card" else _text(row), row.state) for row in rows]

    def writes(self, chat: str = "777") -> None:
        """The citizen writes."""

        def work(session) -> None:  # type: ignore[no-untyped-def]
            outbox.wake(session, session.get(Lane, f"fake:main:{chat}"), now=self.clock())

        self.database.write_now(work)

    async def send(self, *, rates: Rates = FAST, until_states: Sequence[tuple[str, str]] | None = None) -> None:
        """Let the sender work until nothing is due, or these states are reached."""
        worker = OutboxWorker(
            self.database,
            {self.channel.key: self.channel},
            self.engine.wakeups,
            _bytes_of,
            clock=self.clock,
            owner=f"sender{self.number}",
            rates={"fake": rates},
            lease=timedelta(seconds=3),
        )
        running = asyncio.create_task(worker.run())
        try:
            if until_states is not None:
                await until(lambda: self.states() == list(until_states))
            else:
                await until(lambda: not self._has_due())
        except TimeoutError:
            raise AssertionError(f"{self.states()} instead of {until_states}") from None
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    def _has_due(self) -> bool:
        return any(
            row.state == State.SENDING or (row.state in outbox.DUE and row.next_at <= self.clock())
            for row in self.engine.outbox()
        )

    def _a_lane(self, session, chat: str) -> Lane:  # type: ignore[no-untyped-def]
        lane = Lane(key=f"fake:main:{chat}", channel="fake", account="main", chat=chat)
        session.add(lane)
        session.flush()
        return lane

    def _a_report(self) -> int:
        def work(session) -> int:  # type: ignore[no-untyped-def]
            citizen = Citizen(created_at=self.clock())
            session.add(citizen)
            session.flush()
            assert citizen.id is not None
            report = Report(
                code="PA-TEST",
                citizen_id=citizen.id,
                lane="fake:main:777",
                pack="test",
                text="",
                folded="",
                field="",
                subfield="",
                created_at=self.clock(),
            )
            session.add(report)
            session.flush()
            assert report.id is not None
            return report.id

        return self.database.write_now(work)


@pytest.fixture
def desk(database: Database, clock: ScriptedClock) -> Desk:
    return Desk(database, clock)


@pytest.fixture
def desk_without_edit(database: Database, clock: ScriptedClock) -> Desk:
    return Desk(database, clock, has_edit=False)


async def _bytes_of(photo: str) -> bytes:
    return photo.encode()


def _text(row: OutboxMessage) -> str:
    return reply_from_json(row.body).text


async def test_messages_of_a_chat_go_out_in_order_one_at_a_time(desk: Desk) -> None:
    desk.channel.delay = 0.02
    for number in range(5):
        desk.queue(f"a{number}", "a")
        desk.queue(f"b{number}", "b")

    await desk.send()

    assert desk.channel.texts("a") == [f"a{number}" for number in range(5)]
    assert desk.channel.texts("b") == [f"b{number}" for number in range(5)]
    assert {state for _, state in desk.states()} == {State.SENT}


async def test_nothing_is_queued_twice_under_one_key(desk: Desk) -> None:
    assert desk.queue("first", key="turn:1:0")
    assert not desk.queue("second", key="turn:1:0")

    await desk.send()

    assert desk.channel.texts("777") == ["first"]


async def test_a_message_surely_not_delivered_is_tried_again_and_holds_back_only_its_own_chat(
    desk: Desk, clock: ScriptedClock
) -> None:
    desk.channel.faults = [RetryLater("502")]
    desk.queue("first")
    desk.queue("second")
    await desk.send(until_states=[("first", State.RETRY), ("second", State.QUEUED)])
    desk.queue("other", "888")
    await desk.send(until_states=[("first", State.RETRY), ("second", State.QUEUED), ("other", State.SENT)])

    clock.advance(timedelta(seconds=2))
    await desk.send()

    assert desk.channel.texts("777") == ["first", "second"]


async def test_a_chat_told_to_slow_down_waits_as_long_as_it_was_told(desk: Desk, clock: ScriptedClock) -> None:
    desk.channel.faults = [RetryLater("429", timedelta(seconds=30))]
    desk.queue("first")
    await desk.send(until_states=[("first", State.RETRY)])

    wait = desk.engine.outbox()[0].next_at - clock()
    assert timedelta(seconds=30) <= wait < timedelta(seconds=32)


async def test_a_message_that_can_never_be_delivered_is_kept_and_the_chat_goes_on(desk: Desk) -> None:
    desk.channel.faults = [Undeliverable("message is too long")]
    desk.queue("too long")
    desk.queue("next")

    await desk.send()

    assert desk.states() == [("too long", State.FAILED), ("next", State.SENT)]
    (dead,) = desk.database.read_now(outbox.dead_letters)
    assert dead.error == "Undeliverable: message is too long"


async def test_everything_for_a_blocked_chat_waits_until_the_citizen_writes_again(
    desk: Desk, clock: ScriptedClock
) -> None:
    desk.channel.faults = [Blocked("bot was blocked by the user")]
    desk.queue("reply")
    desk.status("assigned")
    desk.status("in progress")
    await desk.send(
        until_states=[("reply", State.BLOCKED), ("assigned", State.EXPIRED), ("in progress", State.WAITING)]
    )
    desk.status("resolved")
    assert desk.states()[2:] == [("in progress", State.EXPIRED), ("resolved", State.WAITING)]
    clock.advance(timedelta(hours=30))

    desk.writes()
    await desk.send()

    assert desk.channel.texts("777") == ["resolved"]
    assert desk.states()[0] == ("reply", State.EXPIRED)
    lane = desk.engine.lane()
    assert lane is not None and lane.blocked_at is None


async def test_a_broken_channel_keeps_everything_queued(desk: Desk, clock: ScriptedClock) -> None:
    desk.channel.faults = [Hold("token invalid")]
    desk.queue("first")
    desk.queue("second")
    await desk.send(until_states=[("first", State.RETRY), ("second", State.QUEUED)])
    assert desk.engine.outbox()[0].tries == 0

    clock.advance(timedelta(minutes=2))
    await desk.send()

    assert desk.channel.texts("777") == ["first", "second"]


async def test_a_reply_of_which_nobody_knows_is_never_repeated(desk: Desk, clock: ScriptedClock) -> None:
    desk.channel.faults = [Uncertain("read timeout")]
    desk.queue("reply")
    desk.queue("next")
    await desk.send()

    clock.advance(timedelta(hours=1))
    desk.writes()
    await desk.send()

    assert desk.states() == [("reply", State.UNCERTAIN), ("next", State.SENT)]


async def test_a_status_of_which_nobody_knows_is_shown_by_editing_the_reports_card(desk: Desk) -> None:
    desk.queue("received", is_card=True)
    await desk.send()
    desk.channel.faults = [Uncertain("read timeout")]
    desk.status("assigned")

    await desk.send(until_states=[("received", State.SENT), ("assigned", State.UNCERTAIN), ("card:2", State.SENT)])

    card = desk.channel.sent[-1][1]
    assert (card.text, card.edit_of, card.card_status) == ("assigned", "m1", "assigned")


async def test_editing_a_card_is_repeated_freely(desk: Desk, clock: ScriptedClock) -> None:
    desk.queue("received", is_card=True)
    await desk.send()
    desk.channel.faults = [Uncertain("read timeout"), Uncertain("read timeout"), RetryLater("502")]
    desk.status("assigned")
    uncertain = [("received", State.SENT), ("assigned", State.UNCERTAIN)]
    await desk.send(until_states=[*uncertain, ("card:2", State.RETRY)])
    clock.advance(timedelta(seconds=10))
    await desk.send()
    clock.advance(timedelta(seconds=10))

    await desk.send()

    assert desk.channel.texts("777") == ["received", "assigned"]
    assert desk.states() == [*uncertain, ("card:2", State.SENT)]


async def test_a_newer_status_overtakes_an_uncertain_one_and_its_card_edit(desk: Desk, clock: ScriptedClock) -> None:
    desk.queue("received", is_card=True)
    await desk.send()
    desk.channel.faults = [Uncertain("read timeout"), RetryLater("502")]
    desk.status("assigned")
    await desk.send(until_states=[("received", State.SENT), ("assigned", State.UNCERTAIN), ("card:2", State.RETRY)])

    desk.status("in progress")
    clock.advance(timedelta(seconds=10))
    await desk.send()

    assert desk.channel.texts("777") == ["received", "in progress"]
    assert [state for _, state in desk.states()] == [State.SENT, State.EXPIRED, State.EXPIRED, State.SENT]


async def test_a_newer_status_overtakes_one_that_is_waiting_to_be_tried_again(desk: Desk, clock: ScriptedClock) -> None:
    desk.channel.faults = [RetryLater("502")]
    desk.status("assigned")
    await desk.send(until_states=[("assigned", State.RETRY)])

    desk.status("in progress")
    await desk.send()

    assert desk.channel.texts("777") == ["in progress"]
    assert desk.states() == [("assigned", State.EXPIRED), ("in progress", State.SENT)]


async def test_without_a_card_an_uncertain_status_is_said_once_more_after_ten_minutes(
    desk_without_edit: Desk, clock: ScriptedClock
) -> None:
    desk = desk_without_edit
    desk.channel.faults = [Uncertain("read timeout"), Uncertain("read timeout")]
    desk.status("assigned")
    await desk.send(until_states=[("assigned", State.UNCERTAIN)])
    clock.advance(timedelta(minutes=9))
    await desk.send()
    assert desk.engine.outbox()[0].tries == 1

    clock.advance(timedelta(minutes=1))
    await desk.send(until_states=[("assigned", State.UNCERTAIN)])
    await until(lambda: desk.engine.outbox()[0].tries >= 1)
    clock.advance(timedelta(hours=1))
    desk.writes()
    await desk.send()

    assert desk.engine.outbox()[0].tries == 2
    assert desk.channel.faults == []


async def test_without_a_card_an_uncertain_status_is_said_once_more_when_the_citizen_writes(
    desk_without_edit: Desk,
) -> None:
    desk = desk_without_edit
    desk.channel.faults = [Uncertain("read timeout")]
    desk.status("assigned")
    await desk.send(until_states=[("assigned", State.UNCERTAIN)])

    desk.writes()
    await desk.send()

    assert desk.channel.texts("777") == ["assigned"]


async def test_what_a_dead_sender_left_behind_is_doubted_not_repeated(desk: Desk, clock: ScriptedClock) -> None:
    desk.queue("received", is_card=True)
    await desk.send()
    desk.status("assigned")
    desk.queue("reply", "888")

    def die_while_sending(session) -> None:  # type: ignore[no-untyped-def]
        leases.acquire(session, "sender:fake:main", "dead", now=clock(), ttl=timedelta(seconds=3))
        chosen = outbox.heads(session, "fake", "main", now=clock(), limit=10)
        until_then = clock() + timedelta(seconds=3)
        assert len(outbox.mark_sending(session, chosen, "dead", now=clock(), lease_until=until_then)) == 2

    desk.database.write_now(die_while_sending)
    clock.advance(timedelta(seconds=4))
    await desk.send(
        until_states=[
            ("received", State.SENT),
            ("assigned", State.UNCERTAIN),
            ("reply", State.UNCERTAIN),
            ("card:2", State.SENT),
        ]
    )

    assert desk.channel.texts("888") == []
    assert desk.channel.sent[-1][1].edit_of == "m1"


async def test_two_senders_on_one_database_send_nothing_twice(database_url: str, clock: ScriptedClock) -> None:
    database = Database(database_url)
    desk = Desk(database, clock)
    desk.channel.delay = 0.005
    for number in range(60):
        desk.queue(f"{number}", str(number % 7))
    others = [Database(database_url) for _ in range(2)]
    engines = [
        Engine(other, channel=desk.channel, owner=f"p{number}", clock=clock) for number, other in enumerate(others)
    ]
    for engine in engines:
        engine.sender._rates = {"fake": FAST}

    async with engines[0].running(lanes=False, sender=True), engines[1].running(lanes=False, sender=True):
        await until(lambda: {state for _, state in desk.states()} == {State.SENT})

    assert sorted(reply.text for _, reply in desk.channel.sent) == sorted(str(number) for number in range(60))
    for other in (database, *others):
        other.close()


async def test_what_could_not_be_delivered_within_a_day_is_given_up(desk: Desk, clock: ScriptedClock) -> None:
    desk.channel.faults = [RetryLater("502")]
    desk.queue("reply")
    await desk.send(until_states=[("reply", State.RETRY)])

    clock.advance(timedelta(hours=25))
    await desk.send()

    assert desk.channel.sent == []
    (dead,) = desk.database.read_now(outbox.dead_letters)
    assert (dead.state, dead.error) == (State.EXPIRED, "not delivered within 24 hours")
    assert dead.id is not None
    assert desk.database.write_now(lambda s: outbox.revive(s, dead.id, now=clock()))  # type: ignore[arg-type]
    await desk.send()
    assert desk.channel.texts("777") == ["reply"]


async def test_replies_go_before_a_mass_of_status_updates(desk: Desk) -> None:
    for number in range(20):
        desk.status(f"status {number}", f"follower{number}")
    desk.queue("reply", "citizen")

    await desk.send(rates=Rates(overall=1000.0, per_chat=1000.0, chat_burst=100.0, in_flight=1))

    assert desk.channel.sent[0][0] == "citizen"


async def test_a_chat_hears_no_more_than_its_share_a_second(desk: Desk) -> None:
    for number in range(4):
        desk.queue(f"{number}")
    begun = asyncio.get_running_loop().time()

    await desk.send(rates=Rates(overall=100.0, per_chat=5.0, chat_burst=1.0))

    assert asyncio.get_running_loop().time() - begun >= 0.55
    assert desk.channel.texts("777") == ["0", "1", "2", "3"]


async def test_a_stopping_sender_lets_a_call_end_and_writes_down_that_it_did(desk: Desk) -> None:
    desk.channel.delay = 0.3
    desk.queue("slow")
    await desk.send(until_states=[("slow", State.SENDING)])

    assert desk.states() == [("slow", State.SENT)]


async def test_several_chats_told_to_slow_down_at_once_pause_the_whole_account(desk: Desk) -> None:
    desk.channel.faults = [RetryLater("429", timedelta(seconds=0.8)) for _ in range(3)]
    for number in range(3):
        desk.queue("x", str(number))
    sending = asyncio.create_task(desk.send(until_states=[("x", State.RETRY)] * 3 + [("y", State.SENT)]))
    await until(lambda: desk.states() == [("x", State.RETRY)] * 3)
    begun = asyncio.get_running_loop().time()
    desk.queue("y", "other")

    await sending

    assert asyncio.get_running_loop().time() - begun >= 0.5
