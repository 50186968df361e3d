"""Which errors mean that a server is away, and not that something is wrong with us."""

from redis.exceptions import RedisError
from sqlalchemy.exc import InterfaceError, OperationalError


def is_outage(error: BaseException) -> bool:
    """Whether trying again later is all there is to do; a traceback would only fill the log."""
    return isinstance(error, OSError | TimeoutError | OperationalError | InterfaceError | RedisError)
