"""Named rights that one process holds for a while, and who is alive to hold them."""

import os
import secrets
import socket
import sys
import uuid
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import select, update
from sqlmodel import Session, col

from storage.models import Lane, Lease
from storage.sql import insert_for

NOBODY = "-"  # holder of a right that stays taken until its time, whoever lives or dies


def owner_of_this_process() -> str:
    """``host:pid:machine:nonce``: tells a restarted process which of its neighbours cannot be alive any more."""
    return f"{socket.gethostname()}:{os.getpid()}:{_machine()}:{secrets.token_hex(4)}"


def is_dead(owner: str, *, me: str) -> bool:
    """Whether ``owner`` is surely gone: a process of this very machine whose pid nobody has, or that has ours."""
    theirs, mine = owner.partition("#")[0].split(":"), me.partition("#")[0].split(":")
    if theirs == mine or len(theirs) != 4 or len(mine) != 4 or theirs[2] != mine[2]:
        return False
    return theirs[1] == mine[1] or not _is_running(int(theirs[1]))


def acquire(session: Session, name: str, owner: str, *, now: datetime, ttl: timedelta) -> bool:
    """Take or renew a right until ``now + ttl``; False while another living process holds it."""
    row = session.exec(
        select(Lease).where(col(Lease.name) == name).with_for_update()  # type: ignore[call-overload]
    ).scalar_one_or_none()
    if row is None:
        statement = insert_for(session, Lease).on_conflict_do_nothing().returning(col(Lease.name))
        values = {"name": name, "owner": owner, "until": now + ttl}
        return session.connection().execute(statement, values).first() is not None
    lease: Lease = row
    if lease.owner != owner and lease.until > now and not is_dead(lease.owner, me=owner):
        return False
    lease.owner, lease.until = owner, now + ttl
    return True


def release(session: Session, name: str, owner: str, *, now: datetime) -> None:
    """Give a right back, if it is still ours."""
    _let_go(session, name, owner, NOBODY, now)


def close_until(session: Session, name: str, owner: str, until: datetime) -> None:
    """Give a right back, but let nobody have it before ``until``."""
    _let_go(session, name, owner, NOBODY, until)


def holder(session: Session, name: str, *, now: datetime) -> str | None:
    """Who holds a right at this moment."""
    lease = session.get(Lease, name)
    return lease.owner if lease is not None and lease.until > now and lease.owner != NOBODY else None


def end_leases_of_the_dead(session: Session, *, me: str, now: datetime) -> int:
    """End the lane leases of processes that cannot be alive, so that their lanes need not wait for the time to run out.

    The owner stays in the row: whoever takes such a lane over sees that its holder died on it.
    """
    owners = session.connection().scalars(
        select(col(Lane.owner)).where(col(Lane.lease_until) > now, col(Lane.owner).is_not(None)).distinct()
    )
    dead = [owner for owner in owners if owner and is_dead(owner, me=me)]
    if dead:
        session.connection().execute(update(Lane).where(col(Lane.owner).in_(dead)).values(lease_until=now))
    return len(dead)


def _let_go(session: Session, name: str, owner: str, heir: str, until: datetime) -> None:
    session.connection().execute(
        update(Lease).where(col(Lease.name) == name, col(Lease.owner) == owner).values(owner=heir, until=until)
    )


def _machine() -> str:
    # a pid means something only within one boot of one kernel and one pid namespace (containers share the kernel)
    boot = Path("/proc/sys/kernel/random/boot_id")
    if not boot.exists():
        return f"{uuid.getnode():x}"
    namespace = Path("/proc/self/ns/pid").readlink().name
    return boot.read_text()[:8] + "".join(filter(str.isdigit, namespace))


def _is_running(pid: int) -> bool:
    if sys.platform == "win32":  # signal 0 is Ctrl-C there
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
