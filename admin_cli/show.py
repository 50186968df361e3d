"""``paht show``: one report whole, whether its citizen knows, and what can be done now."""

from typing import Annotated

import typer

from admin_cli import choices
from admin_cli.help import DeskCommand
from admin_cli.lines import due_words
from admin_cli.next_steps import remark, show_steps, steps_for, suggested_agency
from admin_cli.render import Entry, message, print_json, print_page, short_time
from admin_cli.seat import Seat
from handlers.dossiers import Awareness, Dossier, HistoryView, Knows, PredictionView, load_dossier
from storage.workflow import Status, UrgencyClass

app = typer.Typer()


@app.command("show", cls=DeskCommand)
def show(
    ctx: typer.Context,
    code: Annotated[str, typer.Argument(autocompletion=choices.complete_code)],
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Show one report."""
    seat: Seat = ctx.obj
    report = load_dossier(seat.reader, seat.actor, seat.code(code), now=seat.now())
    if as_json:
        print_json(_as_json(seat, report))
        return
    print_page(page_of(seat, report))
    print_next(seat, report)


def print_next(seat: Seat, report: Dossier) -> None:
    """The next commands, beside the data."""
    if steps := steps_for(seat, report):
        message("\n".join([seat.say("word.next"), *show_steps(steps)]))
    if words := remark(seat, report):
        message(words)


def page_of(seat: Seat, report: Dossier) -> list[Entry]:
    """Everything about a report, top to bottom."""
    return [
        *_head(seat, report),
        *_place(seat, report),
        *_handling(seat, report),
        *_photos(seat, report, "before", "show.photos"),
        *_answer(seat, report),
        *knows_entries(seat, report.awareness),
        *_predictions(seat, report),
        *_history(seat, report),
        *_messages(seat, report),
    ]


def knows_entries(seat: Seat, awareness: tuple[Awareness, ...]) -> list[Entry]:
    """The line that says whether the citizen knows; one a chat where several follow."""
    title = seat.say("knows.title")
    if not awareness:
        return [Entry(title, seat.say("knows.nothing_said"))]
    entries = []
    if len(awareness) > 1:
        told = sum(item.knows in (Knows.SENT, Knows.CARD) for item in awareness)
        entries.append(Entry(title, seat.say("knows.several", told=told, all=len(awareness))))
    for item in awareness:
        at = short_time(item.at, seat.now()) if item.at else ""
        text = seat.say(f"knows.{item.knows.value}", at=at, error=item.error or "?")
        label = title if len(awareness) == 1 else ""
        is_told = item.knows in (Knows.SENT, Knows.CARD)
        entries.append(Entry(label, f"{text} ({item.channel})", "green" if is_told else "bold yellow"))
    return entries


def _head(seat: Seat, report: Dossier) -> list[Entry]:
    say = seat.say
    flags = [say(f"urgency.{report.urgency.value}")]
    flags += [say("show.restricted")] if report.is_restricted else []
    flags += [say("show.question", n=report.question_count)] if report.question_count else []
    flags += [say("show.reopened", n=report.reopen_count)] if report.reopen_count else []
    flags += [say("show.reject", code=report.reject_code)] if report.reject_code else []
    style = "bold red" if report.urgency is UrgencyClass.URGENT else "bold"
    entries = [
        Entry(report.code, f"{say(f'status.{report.status.value}')} · {' · '.join(flags)}", style, is_heading=True),
        Entry(say("show.text"), report.text or say("word.no_text")),
        Entry(say("show.sent_at"), short_time(report.created_at, seat.now())),
        Entry(say("show.field"), f"{seat.office.pack.label(report.subfield)} ({report.subfield})"),
    ]
    if report.redirect:
        gist = seat.office.texts.say(f"reject.{report.redirect}", **seat.office.pack.contacts)
        entries.append(Entry("", say("show.redirect", code=report.redirect, gist=gist), "yellow"))
    return entries


def _place(seat: Seat, report: Dossier) -> list[Entry]:
    say = seat.say
    commune = report.commune_name or say("word.no_commune")
    parts = [part for part in (report.address_text, commune) if part]
    if report.former_name:
        parts.append(say("show.former", former=report.former_name))
    if not report.in_area:
        parts.append(say("show.outside"))
    entries = [Entry(say("show.place"), " · ".join(parts))]
    if report.map_link:
        entries.append(Entry(say("show.map"), report.map_link))
    return entries


def _handling(seat: Seat, report: Dossier) -> list[Entry]:
    say, pack = seat.say, seat.office.pack
    route = suggested_agency(seat, report.subfield, report.commune_code)
    if report.lead_agency:
        agency = f"{pack.agency_name(report.lead_agency, report.commune_name)} ({report.lead_agency})"
        agency += f" · {say('show.officer', officer=report.officer)}" if report.officer else ""
    elif route and report.status is Status.RECEIVED:
        agency = say("show.suggested", agency=route[1], id=route[0])
        agency += f" · {say('show.cooperating', agencies=', '.join(route[2]))}" if route[2] else ""
    else:
        agency = say("show.no_route") if report.status is Status.RECEIVED else say("word.no_agency")
    entries = [Entry(say("show.agency"), agency)]
    if report.due_at is None:
        return [*entries, Entry(say("show.due"), say("show.no_due"))]
    words, style = due_words(seat, report.due_at, report.status, report.created_at)
    due = f"{seat.office.show_due(report.due_at)} ({words})"
    if report.due_original != report.due_at:
        due += f" · {say('show.due_moved', due=seat.office.show_due(report.due_original))}"
    return [*entries, Entry(say("show.due"), due, style)]


def _photos(seat: Seat, report: Dossier, kind: str, label: str) -> list[Entry]:
    shown = [photo for photo in report.photos if photo.kind == kind]
    if not shown:
        return []
    paths = _photo_paths(seat, [photo.hash for photo in shown])
    return [
        Entry(seat.say(label) if number == 0 else "", f"{path} {photo.caption}".strip())
        for number, (photo, path) in enumerate(zip(shown, paths, strict=True))
    ]


def _photo_paths(seat: Seat, hashes: list[str]) -> list[str]:
    if not hashes:
        return []
    store = seat.services.open_media()  # loads the picture library: only where there are pictures
    return [str(store.path(item)) for item in hashes]


def _answer(seat: Seat, report: Dossier) -> list[Entry]:
    if not report.outcome:
        return []
    say, data = seat.say, report.outcome_data
    more = [f"{data[key]}" for key in ("head", "on", "visited_at", "document") if data.get(key)]
    entries = [
        Entry(say("show.outcome"), " · ".join([say(f"outcome.{report.outcome}"), *more])),
        Entry(say("show.answer"), report.answer or ""),
        *_photos(seat, report, "after", "show.after_photos"),
    ]
    if reason := data.get("no_photo"):
        words = say("show.no_photo", reason=say(f"no_photo.{reason}"), why=data.get("no_photo_why", ""))
        entries.append(Entry("", words))
    if report.rating:
        entries.append(Entry(say("show.rating"), say(f"rating.{report.rating}")))
    return entries


def _predictions(seat: Seat, report: Dossier) -> list[Entry]:
    entries: list[Entry] = []
    for prediction in report.predictions:
        label = "" if entries else seat.say("show.prediction")
        entries.append(Entry(label, _prediction_words(seat, report, prediction), "dim"))
    return entries


def _prediction_words(seat: Seat, report: Dossier, prediction: PredictionView) -> str:
    say = seat.say
    label = _label(seat, prediction.kind, prediction.label)
    action = prediction.action if seat.words.has(f"action.{prediction.action}") else "none"
    parts = [
        say(
            "show.prediction_line",
            kind=say(f"show.prediction_{prediction.kind}"),
            label=label,
            percent=round(prediction.confidence * 100),
            action=say(f"action.{action}"),
        )
    ]
    others = [_label(seat, prediction.kind, str(item[0])) for item in prediction.top[1:3] if isinstance(item, list)]
    if others:
        parts.append(say("show.prediction_others", others=", ".join(others)))
    if words := evidence_words(prediction.evidence):
        parts.append(say("show.prediction_because", words=words))
    if prediction.human_label is not None:
        key = "prediction_confirmed" if prediction.human_label == prediction.label else "prediction_corrected"
        human = _label(seat, prediction.kind, prediction.human_label)
        parts.append(say(f"show.{key}", label=human, by=prediction.human_by))
    return "; ".join(parts)


def evidence_words(evidence: tuple[object, ...]) -> str:
    """The words that spoke for a conclusion."""
    words = [str(item["words"]) if isinstance(item, dict) and "words" in item else str(item) for item in evidence[:6]]
    return ", ".join(dict.fromkeys(words))


def _label(seat: Seat, kind: str, label: str | None) -> str:
    pack = seat.office.pack
    if label is None:
        return seat.say("word.no_commune")
    if kind == "field":
        return pack.subfield_label(label) if "." in label else pack.field_label(label)
    return pack.served_communes.get(label, label)


def _history(seat: Seat, report: Dossier) -> list[Entry]:
    entries = []
    for number, row in enumerate(report.history):
        label = seat.say("show.history") if number == 0 else ""
        entries.append(Entry(label, _history_words(seat, row)))
    return entries


def _history_words(seat: Seat, row: HistoryView) -> str:
    say = seat.say
    act = say(f"act.{row.act}") if seat.words.has(f"act.{row.act}") else row.act
    words = f"{short_time(row.at, seat.now())}  {act}"
    if row.to_status and row.from_status != row.to_status:
        words += f" → {say(f'status.{row.to_status}')}"
    who = say(f"role.{row.role}") if row.actor in ("citizen", "system") else row.actor
    words += f" ({who})"
    if agency := row.data.get("agency"):
        words += f" · {seat.office.pack.agency_name(str(agency))}"
    return f"{words}: {row.text}" if row.text else words


def _messages(seat: Seat, report: Dossier) -> list[Entry]:
    entries = []
    for number, item in enumerate(report.messages):
        at = short_time(item.sent_at or item.created_at, seat.now())
        head = f"{at}  #{item.id} {seat.say(f'state.{item.state}')}"
        label = seat.say("show.messages") if number == 0 else ""
        entries.append(Entry(label, f"{head}: {item.text.splitlines()[0] if item.text else ''}"))
    return entries


def _as_json(seat: Seat, report: Dossier) -> dict[str, object]:
    from dataclasses import asdict

    pack = seat.office.pack
    route = suggested_agency(seat, report.subfield, report.commune_code)
    paths = _photo_paths(seat, [photo.hash for photo in report.photos])
    values: dict[str, object] = asdict(report)
    values.pop("id")
    values["photos"] = [asdict(photo) | {"path": path} for photo, path in zip(report.photos, paths, strict=True)]
    return values | {
        "map_link": report.map_link,
        "field_name": pack.label(report.subfield),
        "agency_name": pack.agency_name(report.lead_agency, report.commune_name) if report.lead_agency else None,
        "suggested_agency": route[0] if route else None,
        "citizen_knows": all(item.knows in (Knows.SENT, Knows.CARD) for item in report.awareness),
        "next_commands": [step.command for step in steps_for(seat, report)],
    }
