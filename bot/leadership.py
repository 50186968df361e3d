"""Work that only one process may do at a time: hold its lease, do it, stop when the lease is lost."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import structlog

from bot.outages import is_outage
from storage import leases
from storage.database import Database

LEASE = timedelta(seconds=15)

log = structlog.get_logger(__name__)


async def lead(
    database: Database,
    name: str,
    owner: str,
    work: Callable[[], Awaitable[None]],
    *,
    clock: Callable[[], datetime],
    ttl: timedelta = LEASE,
) -> None:
    """Do ``work`` whenever this process holds the right ``name``; until cancelled.

    ``work`` is cancelled when the lease is lost, and begun again when it fails or ends.
    """
    pause = ttl.total_seconds() / 3
    try:
        while True:
            is_ours = await _try_acquire(database, name, owner, clock, ttl)
            if is_ours:
                log.info("leading", name=name)
                await _work_while_leading(database, name, owner, work, clock, ttl)
                log.info("no_longer_leading", name=name)
            await asyncio.sleep(pause if is_ours is False else min(pause, 0.5))
    finally:
        await _release(database, name, owner, clock)


async def _work_while_leading(
    database: Database,
    name: str,
    owner: str,
    work: Callable[[], Awaitable[None]],
    clock: Callable[[], datetime],
    ttl: timedelta,
) -> None:
    working = asyncio.create_task(_supervise(name, work), name=name)
    last = clock()
    try:
        # a renewal that fails because the database is away is no loss before the time has run out
        while clock() - last < ttl:
            await asyncio.sleep(ttl.total_seconds() / 3)
            begun = clock()
            renewed = await _try_acquire(database, name, owner, clock, ttl)
            if renewed:
                last = begun
            elif renewed is False:
                return
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)


async def _supervise(name: str, work: Callable[[], Awaitable[None]]) -> None:
    while True:
        try:
            await work()
        except Exception as error:
            log.error("work_failed", name=name, error=type(error).__name__, exc_info=not is_outage(error))
        await asyncio.sleep(1)


async def _try_acquire(
    database: Database, name: str, owner: str, clock: Callable[[], datetime], ttl: timedelta
) -> bool | None:
    """None when the database could not be asked."""
    try:
        return await database.write(lambda session: leases.acquire(session, name, owner, now=clock(), ttl=ttl))
    except Exception as error:
        log.warning("lease_not_renewed", name=name, error=type(error).__name__)
        return None


async def _release(database: Database, name: str, owner: str, clock: Callable[[], datetime]) -> None:
    try:
        await database.write(lambda session: leases.release(session, name, owner, now=clock()))
    except Exception as error:
        log.warning("lease_not_released", name=name, error=type(error).__name__)
