"""A handler whose effects can be counted: one row a message, without any key that would hide a second one."""

import asyncio
import itertools
import random
from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import text
from sqlmodel import Session

from bot.turns import Arrived
from handlers.messages import TextContent
from storage.database import Database
from storage.models import Lane

_SQLITE = "CREATE TABLE effect (id INTEGER PRIMARY KEY AUTOINCREMENT, lane TEXT, number INTEGER)"
_POSTGRES = "CREATE TABLE effect (id BIGSERIAL PRIMARY KEY, lane TEXT, number INTEGER)"


class CountingHandler:
    """Writes each message's number beside its lane, in the transaction that marks it done."""

    async def prepare(self, batch: Sequence[Arrived]) -> Sequence[int]:
        await asyncio.sleep(random.uniform(0.0, 0.3))  # time to be killed or stopped in the middle
        contents = [arrived.incoming.content for arrived in batch]
        return [int(content.text) for content in contents if isinstance(content, TextContent)]

    def prime(self, session: Session, lanes: Sequence[Lane]) -> None:
        """Nothing to look up."""

    def perform(self, session: Session, lane: Lane, messages: Sequence[tuple[Arrived, int]]) -> None:
        rows = [{"lane": lane.key, "number": number} for _, number in messages]
        session.connection().execute(text("INSERT INTO effect (lane, number) VALUES (:lane, :number)"), rows)


def create_table(database: Database) -> None:
    """Where the effects go."""
    database.write_now(lambda session: session.connection().execute(text(_SQLITE if database.is_sqlite else _POSTGRES)))


def count(database: Database) -> int:
    """How many there are."""
    return database.read_now(lambda s: s.connection().scalar(text("SELECT count(*) FROM effect")) or 0)


def verdict(database: Database, accepted: dict[str, list[int]]) -> dict[str, int]:
    """Of the updates accepted, by lane: how many were lost, had a double effect, came out of order."""
    rows = database.read_now(
        lambda s: s.connection().execute(text("SELECT lane, number FROM effect ORDER BY id")).all()
    )
    seen: dict[str, list[int]] = defaultdict(list)
    for lane, number in rows:
        seen[lane].append(number)
    return {
        "lost": sum(len(set(numbers) - set(seen[lane])) for lane, numbers in accepted.items()),
        "double": sum(len(numbers) - len(set(numbers)) for numbers in seen.values()),
        "inversions": sum(
            later < earlier for numbers in seen.values() for earlier, later in itertools.pairwise(numbers)
        ),
    }
