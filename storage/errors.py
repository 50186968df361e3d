"""Errors of storage, named by what the caller must do next."""

from storage.workflow import Act, Role, Status


class StorageError(Exception):
    """Root of this package's errors."""


class NotFound(StorageError):
    """There is no such thing; the message says what was looked for."""

    def __init__(self, what: str, key: str) -> None:
        self.what, self.key = what, key
        super().__init__(f"no {what} {key!r}")


class ChangedMeanwhile(StorageError):
    """Somebody else changed the row between reading and writing; read again and decide again."""

    def __init__(self, what: str, key: str) -> None:
        self.what, self.key = what, key
        super().__init__(f"{what} {key} was changed meanwhile; look at it again")


class InvalidTransition(StorageError):
    """The table of transitions does not list this act in this status."""

    def __init__(self, act: Act, status: Status) -> None:
        self.act, self.status = act, status
        super().__init__(f"{act.value} is not possible in status {status.value}")


class NotAllowed(StorageError):
    """The actor's role may not do this act in this status."""

    def __init__(self, act: Act, roles: frozenset[Role], needed: frozenset[Role]) -> None:
        self.act, self.roles, self.needed = act, roles, needed
        super().__init__(f"{act.value} needs one of {', '.join(sorted(needed))}")


class BadMedia(StorageError):
    """The file cannot be kept; ``reason`` is a key of the text catalogue (``media.<reason>``)."""

    def __init__(self, reason: str, detail: str = "") -> None:
        self.reason, self.detail = reason, detail
        super().__init__(f"{reason}: {detail}" if detail else reason)


class SchemaMismatch(StorageError):
    """The database is older or newer than this program."""

    def __init__(self, found: str | None, expected: str) -> None:
        self.found, self.expected = found, expected
        super().__init__(
            f"database schema is {found or 'missing'}, this program needs {expected}; run `paht system migrate`"
        )
