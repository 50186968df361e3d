"""What people type for a status, field, commune or agency, and what the shell offers on TAB."""

from collections.abc import Iterable, Mapping
from typing import Any

from admin_cli.errors import UnknownChoice
from admin_cli.seat import Seat
from handlers.errors import UnknownAgency
from handlers.folding import fold
from handlers.province import ProvincePack
from handlers.queries import NOBODY, commune_names, open_codes
from storage.deadlines import LOCAL
from storage.workflow import OPEN, Status

ALL, OPEN_WORD = "all", "open"


def read_statuses(seat: Seat, typed: Iterable[str]) -> tuple[Status, ...]:
    """English words, Vietnamese names or their beginning, "open", "all"; empty = open. Raises UnknownChoice."""
    found: dict[Status, None] = {}
    for word in (part for text in typed for part in text.split(",")):
        found |= dict.fromkeys(_statuses_of(seat, word.strip()))
    return tuple(found)


def read_field(pack: ProvincePack, typed: str) -> str:
    """A field or subfield by code or by a part of its name. Raises UnknownChoice."""
    names = {code: item.label for code, item in pack.fields.items()}
    names |= {code: item.label for code, item in pack.subfields.items()}
    return _pick("UnknownField", typed, names, shown=tuple(pack.fields))


def read_subfield(pack: ProvincePack, typed: str) -> str:
    """A subfield by code or by a part of its name. Raises UnknownChoice."""
    names = {code: item.label for code, item in pack.subfields.items()}
    return _pick("UnknownField", typed, names, shown=tuple(pack.fields))


def read_commune(seat: Seat, typed: str) -> str:
    """A commune's code from code or name, for filters. Raises UnknownChoice."""
    if typed == NOBODY:
        return NOBODY
    names = dict(seat.office.pack.served_communes) | commune_names(seat.reader)
    if typed.isdigit() and len(typed) == 5:
        return typed
    return _pick("UnknownCommune", typed, names, shown=())


def read_unit(seat: Seat, typed: str) -> tuple[str, str, str]:
    """A commune of today with the day its version began and its name, from code or name. Raises UnknownChoice."""
    from nlp.gazetteer import load_gazetteer, show  # a quarter of a second; correcting a place is rare

    gazetteer = load_gazetteer(seat.settings.gazetteer_path)
    province = seat.office.pack.province_code
    rows = [row.unit for row in show(gazetteer, typed)]
    units = [unit for unit in rows if unit.valid_to is None and unit.district is None]
    near = [unit for unit in units if unit.province_code == province] or units
    if len(near) != 1:
        key = "UnknownCommune_several" if near else "UnknownCommune"
        raise UnknownChoice(key, typed, tuple(f"{unit.code} {unit.label}" for unit in near[:6]))
    return near[0].code, near[0].valid_from.isoformat(), near[0].name


def read_agency(pack: ProvincePack, typed: str) -> str:
    """An agency by key, key@commune, or a part of its name; NOBODY stays. Raises UnknownAgency."""
    if typed == NOBODY or typed.partition("@")[0] in pack.agencies:
        return typed
    wanted = fold(typed)
    named = {key: fold(agency.name) for key, agency in pack.agencies.items()}
    fits = [key for key, name in named.items() if wanted and wanted in name]
    if len(fits) == 1:
        return fits[0]
    raise UnknownAgency(typed, tuple(fits) or tuple(pack.agencies))


def complete_code(ctx: Any, incomplete: str) -> list[tuple[str, str]]:
    """Open reports, for TAB."""
    seat = _seat(ctx)
    try:
        lines = open_codes(seat.reader, seat.actor, incomplete, now=seat.now())
        return [(line.code, f"{seat.say(f'status_short.{line.status.value}')} · {line.text[:40]}") for line in lines]
    except Exception:  # the shell is in the middle of a line: no words are better than a traceback
        return []


def complete_agency(ctx: Any, incomplete: str) -> list[tuple[str, str]]:
    """Agencies of today, for TAB."""
    seat = _seat(ctx)
    today = seat.now().astimezone(LOCAL).date()
    agencies = seat.office.pack.agencies.values()
    return [
        (agency.key, agency.name.replace(" {commune}", ""))
        for agency in agencies
        if agency.is_valid_on(today) and agency.key.startswith(incomplete)
    ]


def complete_field(ctx: Any, incomplete: str) -> list[tuple[str, str]]:
    """Fields, and subfields once a field is typed, for TAB."""
    pack = _seat(ctx).office.pack
    names: Mapping[str, Any] = {**pack.fields, **pack.subfields}
    return [(code, item.label) for code, item in names.items() if code.startswith(incomplete)]


def complete_subfield(ctx: Any, incomplete: str) -> list[tuple[str, str]]:
    """Subfields, for TAB."""
    return [(code, label) for code, label in complete_field(ctx, incomplete) if "." in code]


def complete_commune(ctx: Any, incomplete: str) -> list[tuple[str, str]]:
    """Communes served, for TAB."""
    communes = _seat(ctx).office.pack.served_communes
    wanted = fold(incomplete)
    return [(code, name) for code, name in communes.items() if code.startswith(incomplete) or wanted in fold(name)]


def complete_status(ctx: Any, incomplete: str) -> list[tuple[str, str]]:
    """Statuses, for TAB."""
    seat = _seat(ctx)
    return [(item.value, seat.say(f"status.{item.value}")) for item in Status if item.value.startswith(incomplete)]


def _seat(ctx: Any) -> Seat:
    seat = ctx.find_root().obj
    return seat if isinstance(seat, Seat) else Seat()


def _statuses_of(seat: Seat, word: str) -> tuple[Status, ...]:
    if word == ALL:
        return tuple(Status)
    if word == OPEN_WORD:
        return tuple(status for status in Status if status in OPEN)
    if word in set(Status):
        return (Status(word),)
    wanted = fold(word)
    labels = {
        item: (fold(seat.say(f"status.{item.value}")), fold(seat.say(f"status_short.{item.value}"))) for item in Status
    }
    whole = [item for item, names in labels.items() if wanted in names]
    fits = whole or [item for item, names in labels.items() if any(name.startswith(wanted) for name in names)]
    if not wanted or not fits:
        raise UnknownChoice("UnknownStatus", word, (OPEN_WORD, ALL, *(item.value for item in Status)))
    return tuple(fits)


def _pick(key: str, typed: str, names: Mapping[str, str], *, shown: tuple[str, ...]) -> str:
    """The one code that is typed or whose name holds what is typed."""
    if typed in names:
        return typed
    wanted = fold(typed)
    folded = {code: fold(name) for code, name in names.items()}
    whole = [code for code, name in folded.items() if name == wanted]
    fits = whole or [code for code, name in folded.items() if wanted and wanted in name]
    if len(fits) == 1:
        return fits[0]
    several = tuple(f"{code} ({names[code]})" for code in fits[:8])
    if key == "UnknownCommune" and several:
        raise UnknownChoice("UnknownCommune_several", typed, several)
    raise UnknownChoice(key, typed, several or shown)
