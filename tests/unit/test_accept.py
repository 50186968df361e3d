"""Gathering updates into one commit: each caller learns what became of its own."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest

from bot.accept import Acceptor, NotStored
from bot.channels.base import Update
from tests.fakes import an_update


class PickyStore:
    """Keeps updates in memory; refuses a batch that holds a bad one, and may be slow."""

    def __init__(self, *, bad: str = "", delay: float = 0.0, error: type[Exception] = ValueError) -> None:
        self.kept: list[str] = []
        self.calls = 0
        self._bad, self._delay, self._error = bad, delay, error

    async def store(self, updates: Sequence[Update]) -> None:
        self.calls += 1
        await asyncio.sleep(self._delay)
        ids = [update.external_id for update in updates]
        if self._bad in ids:
            raise self._error(self._bad)
        self.kept += ids


async def accept_all(acceptor: Acceptor, ids: Sequence[str]) -> list[str]:
    """Ids of those refused."""
    results = await asyncio.gather(*(acceptor([an_update(id=id_)]) for id_ in ids), return_exceptions=True)
    return [id_ for id_, result in zip(ids, results, strict=True) if isinstance(result, NotStored)]


async def test_an_update_that_cannot_be_stored_takes_no_other_along() -> None:
    store = PickyStore(bad="2")

    async with Acceptor(store) as acceptor:
        refused = await accept_all(acceptor, ["1", "2", "3"])

    assert (refused, store.kept) == (["2"], ["1", "3"])


async def test_when_the_store_is_away_it_is_not_asked_once_more_for_each_update() -> None:
    store = PickyStore(bad="2", error=ConnectionError)

    async with Acceptor(store) as acceptor:
        refused = await accept_all(acceptor, ["1", "2", "3"])

    assert (refused, store.calls) == (["1", "2", "3"], 1)


async def test_the_platform_is_told_in_time_that_storing_takes_too_long() -> None:
    async with Acceptor(PickyStore(delay=0.3), budget=timedelta(seconds=0.05)) as acceptor:
        with pytest.raises(NotStored, match=r"within 0\.05 s"):
            await acceptor([an_update()])


async def test_stopping_stores_what_came_before() -> None:
    store = PickyStore(delay=0.05)
    acceptor = Acceptor(store)
    acceptor.start()
    waiting = [asyncio.create_task(acceptor([an_update(id=str(number))])) for number in range(5)]
    await asyncio.sleep(0.01)

    await acceptor.stop()

    assert await asyncio.gather(*waiting) == [None] * 5
    assert store.kept == [str(number) for number in range(5)]


async def test_before_the_start_and_after_the_end_nothing_is_accepted() -> None:
    acceptor = Acceptor(PickyStore())
    with pytest.raises(NotStored):
        await acceptor([an_update()])

    async with acceptor:
        await acceptor([an_update()])

    with pytest.raises(NotStored):
        await acceptor([an_update()])
