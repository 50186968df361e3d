"""What went wrong, as one line with the next command to try, and the exit code that says so to programs."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from admin_cli.errors import BadLine, FileMissing, MissingPackage, NoLetter, NotReadable, UnknownChoice
from admin_cli.help import about_param, section_of
from admin_cli.seat import Seat
from handlers.accounts import NeedsRole
from handlers.errors import Incomplete, LastAdmin, NoAccount, NotYours, TooSoon, UnknownAgency, UnknownCode
from handlers.province import BadPack
from handlers.settings import BadSetting
from storage.errors import BadMedia, ChangedMeanwhile, InvalidTransition, NotAllowed, NotFound, SchemaMismatch
from storage.reader import DatabaseAway, DatabaseMissing


class ExitCode(IntEnum):
    """What a program learns from the end of a command."""

    OK = 0
    ERROR = 1
    USAGE = 2
    NOT_FOUND = 3
    NOT_ALLOWED = 4
    NOT_NOW = 5  # not possible in this status
    CHANGED = 6
    SERVER_AWAY = 7


@dataclass(frozen=True, slots=True)
class Failure:
    """A refusal in words. ``hint`` is the next thing to try."""

    text: str
    hint: str
    code: ExitCode

    @property
    def line(self) -> str:
        return f"{self.text} → {self.hint}" if self.hint else self.text


_CODES: dict[type[Exception], ExitCode] = {
    InvalidTransition: ExitCode.NOT_NOW,
    TooSoon: ExitCode.NOT_NOW,
    NotAllowed: ExitCode.NOT_ALLOWED,
    NotYours: ExitCode.NOT_ALLOWED,
    NeedsRole: ExitCode.NOT_ALLOWED,
    NoAccount: ExitCode.NOT_ALLOWED,
    LastAdmin: ExitCode.NOT_ALLOWED,
    UnknownCode: ExitCode.NOT_FOUND,
    UnknownAgency: ExitCode.NOT_FOUND,
    NotFound: ExitCode.NOT_FOUND,
    NoLetter: ExitCode.NOT_FOUND,
    FileMissing: ExitCode.NOT_FOUND,
    UnknownChoice: ExitCode.USAGE,
    BadMedia: ExitCode.USAGE,
    ChangedMeanwhile: ExitCode.CHANGED,
    DatabaseAway: ExitCode.SERVER_AWAY,
}
_INCOMPLETE_CODES = {"own_result": ExitCode.NOT_ALLOWED, "too_many_questions": ExitCode.NOT_NOW}


def describe(error: Exception, seat: Seat) -> Failure:
    """The words for an error of any kind."""
    code = seat.subject or ""
    match error:
        case Incomplete():
            values = {"code": code} | error.detail
            exit_code = _INCOMPLETE_CODES.get(error.why, ExitCode.USAGE)
            return _from_words(seat, "incomplete", error.why, exit_code, values)
        case TooSoon():
            return _from_words(seat, "too_soon", error.why, ExitCode.NOT_NOW, {"code": code} | error.detail)
    usage = _usage(error, seat)
    if usage is not None:
        return usage
    key, values = _refusal(error, seat)
    exit_code = next((_CODES[kind] for kind in type(error).__mro__ if kind in _CODES), ExitCode.ERROR)
    failure = _from_words(seat, "refusal", key, exit_code, {"code": code} | values)
    if isinstance(error, InvalidTransition) and code:
        return Failure(failure.text, f"paht show {code}", exit_code)
    return failure


def _refusal(error: Exception, seat: Seat) -> tuple[str, dict[str, object]]:
    """The key of the wording and what fills it in."""
    say = seat.say
    match error:
        case InvalidTransition():
            status = say(f"status.{error.status.value}")
            return "InvalidTransition", {"act": say(f"act.{error.act.value}"), "status": status}
        case NotAllowed():
            return "NotAllowed", {
                "act": say(f"act.{error.act.value}"),
                "needed": role_names(seat, error.needed),
                "roles": role_names(seat, error.roles),
            }
        case NeedsRole():
            return "NeedsRole", {"needed": role_names(seat, error.needed), "roles": role_names(seat, error.roles)}
        case NotYours():
            agency = seat.office.pack.agency_name(error.agency) if error.agency else say("word.no_agency")
            return "NotYours", {"code": error.code, "agency": agency}
        case UnknownCode():
            key = "UnknownCode_several" if error.matches else "UnknownCode"
            return key, {"typed": error.typed, "matches": ", ".join(error.matches)}
        case UnknownAgency():
            key = "UnknownAgency_commune" if error.needs_commune else "UnknownAgency"
            near = _near(error.typed, error.known)
            key = "UnknownAgency_none" if key == "UnknownAgency" and not near else key
            return key, {"typed": error.typed, "known": near}
        case UnknownChoice():
            return error.key, {"typed": error.typed, "known": ", ".join(error.known)}
        case NoAccount():
            return "NoAccount", {"user": error.os_user}
        case LastAdmin():
            return "LastAdmin", {"account": error.account}
        case NotFound():
            return ("NotFound_message" if error.what == "message" else "NotFound"), {"what": error.key}
        case DatabaseMissing():
            return "DatabaseMissing", {"where": error.where}
        case DatabaseAway():
            return "DatabaseAway", {"why": error.why}
        case SchemaMismatch():
            return "SchemaMismatch", {"found": error.found or say("word.empty"), "expected": error.expected}
        case BadPack():
            return "BadPack", {"problems": "; ".join(error.problems)}
        case BadSetting():
            return "BadSetting", {"name": error.name, "value": error.value, "expected": error.expected}
        case BadMedia():
            return "BadMedia", {"reason": say(f"media.{error.reason}")}
        case FileMissing():
            return "FileMissing", {"path": error.path}
        case NotReadable():
            return "NotReadable", {"path": error.path, "why": error.why}
        case BadLine():
            return "BadLine", {"path": error.path, "line": error.line, "why": error.why}
        case MissingPackage():
            return "MissingPackage", {"name": error.name, "extra": error.extra}
        case NoLetter():
            return "NoLetter", {"id": error.id}
        case ChangedMeanwhile():
            return "ChangedMeanwhile", {}
    name = type(error).__name__
    if seat.words.has(f"refusal.{name}"):
        return name, {"why": error}
    return "Unexpected", {"kind": name, "why": error}


def _usage(error: Exception, seat: Seat) -> Failure | None:
    """What the parser of the command line complains about; its classes are told apart by name."""
    context: Any = getattr(error, "ctx", None)
    if not hasattr(error, "format_message") or not hasattr(error, "exit_code"):
        return None
    say, name = seat.say, type(error).__name__
    param: Any = getattr(error, "param", None)
    near = getattr(error, "possibilities", None) or ()
    what = param.get_error_hint() if param is not None else _hint(error)
    plain = str(getattr(error, "message", error))
    match name:
        case "MissingParameter":
            text = say("usage.MissingParameter", what=_missing(param, context, seat))
        case "NoSuchOption":
            text = say("usage.NoSuchOption", what=what)
        case "BadParameter":
            choices = param.type_descriptor.choices if param is not None else None
            why = say("usage.choices", choices=", ".join(choices)) if choices else plain
            text = say("usage.BadParameter", what=what, why=why)
        case _ if plain.startswith("No such command"):
            text = say("usage.NoSuchCommand", what=plain.split("'")[1])
        case _:
            text = say("usage.other", why=plain)
    if near:
        text += " " + say("usage.near", names=", ".join(near))
    command = context.command_path if context is not None else "paht"
    return Failure(text, say("usage.try", command=command), ExitCode.USAGE)


def _hint(error: Exception) -> str:
    """What the complaint is about, where no parameter says it."""
    return str(getattr(error, "param_hint", None) or getattr(error, "option_name", None) or "")


def _missing(param: Any, context: Any, seat: Seat) -> str:
    """ "CODE (Mã phản ánh …)"."""
    about = about_param(seat.words, section_of(context.command, context, seat.words), param.name)
    name = param.opts[0] if param.param_type_name == "option" else param.metavar or param.name.strip("_").upper()
    return f"{name} ({about})" if about else str(name)


def role_names(seat: Seat, roles: Any) -> str:
    """ "chuyên viên, lãnh đạo"."""
    if not roles:
        return seat.say("word.no_role")
    return ", ".join(seat.say(f"role.{role.value}") for role in sorted(roles))


def _near(typed: str, known: tuple[str, ...]) -> str:
    from difflib import get_close_matches  # only once something is wrong

    key = typed.partition("@")[0]
    return ", ".join(get_close_matches(key, known, n=5, cutoff=0.3))


def _from_words(seat: Seat, section: str, key: str, code: ExitCode, values: dict[str, object]) -> Failure:
    hint = seat.say(f"{section}_hint.{key}", **values) if seat.words.has(f"{section}_hint.{key}") else ""
    return Failure(seat.say(f"{section}.{key}", **values), hint, code)
