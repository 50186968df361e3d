"""Refusals of the use-cases: what is missing or out of reach, as data; whoever shows them finds the words."""

from storage.workflow import Need


class HandlerError(Exception):
    """Root of this package's errors."""


class Incomplete(HandlerError):
    """An act lacks what it cannot go without; ``why`` is a key of the desk's wording, ``detail`` fills it in."""

    def __init__(self, need: Need, why: str, **detail: object) -> None:
        self.need, self.why, self.detail = need, why, detail
        super().__init__(f"{need.value}: {why}")


class NotYours(HandlerError):
    """The report belongs to another agency."""

    def __init__(self, code: str, agency: str | None) -> None:
        self.code, self.agency = code, agency
        super().__init__(f"report {code} is with {agency or 'nobody yet'}")


class UnknownCode(HandlerError):
    """No report, or several, fit what was typed."""

    def __init__(self, typed: str, matches: tuple[str, ...] = ()) -> None:
        self.typed, self.matches = typed, matches
        super().__init__(f"{len(matches)} reports fit {typed!r}" if matches else f"no report {typed!r}")


class UnknownAgency(HandlerError):
    """The pack has no such agency today, or it needs a commune."""

    def __init__(self, typed: str, known: tuple[str, ...], *, needs_commune: bool = False) -> None:
        self.typed, self.known, self.needs_commune = typed, known, needs_commune
        super().__init__(f"no agency {typed!r}")


class NoAccount(HandlerError):
    """The operating-system user is mapped to no officer."""

    def __init__(self, os_user: str) -> None:
        self.os_user = os_user
        super().__init__(f"the user {os_user!r} is no officer here")


class TooSoon(HandlerError):
    """The act is only possible later."""

    def __init__(self, why: str, **detail: object) -> None:
        self.why, self.detail = why, detail
        super().__init__(why)


class LastAdmin(HandlerError):
    """The change would leave nobody who may make accounts."""

    def __init__(self, account: str) -> None:
        self.account = account
        super().__init__(f"{account!r} is the last administrator")
