"""How an act runs at the terminal: preview, question, deed, words about it, waiting for delivery."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from admin_cli.render import line, message, print_json
from admin_cli.seat import Seat
from admin_cli.show import print_next
from handlers.dossiers import load_dossier
from handlers.folding import fold
from storage.reader import marks

if TYPE_CHECKING:  # the tables' classes cost half a second
    from handlers.desk import ChatWord, Done

_POLL_SECONDS = 0.2
_UNDECIDED = ("queued", "sending", "retry")


@dataclass(frozen=True, slots=True)
class Manner:
    """How the officer wants it done."""

    preview: bool
    wait: bool
    as_json: bool
    asks_first: bool = False  # shows the words and asks, at a terminal
    is_result: bool = False  # the preview shows what goes out on approval


def act(seat: Seat, deed: "Callable[[bool, int | None], Done]", manner: Manner) -> None:
    """Run ``deed(preview, seen version)`` in this manner and say what happened."""
    seen: int | None = None
    if manner.asks_first and not manner.preview and sys.stdin.isatty() and sys.stdout.isatty():
        proposed = deed(True, None)
        seen = proposed.version
        _show_preview(seat, proposed, manner)
        if not _agrees(seat):
            message(seat.say("word.not_confirmed"))
            return
    done = deed(manner.preview, seen)
    if manner.as_json:
        print_json(_as_json(seat, done, _wait(seat, done) if manner.wait and not done.is_preview else None))
        return
    if done.is_preview:
        _show_preview(seat, done, manner)
        message(f"\n{seat.say('done.preview_next')}")
        return
    _show_done(seat, done)
    if manner.wait and done.told:
        message(seat.say("wait.waiting"))
        for words in _delivery_words(seat, _wait(seat, done)):
            line(words)
    print_next(seat, load_dossier(seat.reader, seat.actor, done.code, now=seat.now()))


def _show_preview(seat: Seat, done: "Done", manner: Manner) -> None:
    message(seat.say("done.preview_result" if manner.is_result else "done.preview"))
    line(_moved(seat, done))
    if not done.told:
        line(_told_words(seat, done))
        return
    message(seat.say("done.preview_to", n=len(done.told)))
    for text, words in {word.text: word for word in done.told}.items():
        line(f"\n{text}")
        if words.buttons:
            line(" ".join(f"[{button}]" for button in words.buttons))
        if words.photos:
            line(f"({seat.say('done.preview_photos', n=words.photos)})")
    if any(word.is_held for word in done.told):
        message(seat.say("done.told_held", n=sum(word.is_held for word in done.told)))


def _show_done(seat: Seat, done: "Done") -> None:
    line(_moved(seat, done))
    if done.lead_agency and done.before is not done.after:
        due = seat.office.show_due(done.due_at)
        line(seat.say("done.agency", agency=done.agency_name, due=due))
    line(_told_words(seat, done))
    if held := sum(word.is_held for word in done.told):
        line(seat.say("done.told_held", n=held))


def _moved(seat: Seat, done: "Done") -> str:
    before, after = (seat.say(f"status.{status.value}") for status in (done.before, done.after))
    key = "done.kept" if done.before is done.after else "done.moved"
    return seat.say(key, code=done.code, before=before, after=after)


def _told_words(seat: Seat, done: "Done") -> str:
    if done.told:
        return seat.say("done.told", n=len(done.told))
    return seat.say("done.told_none" if done.followers else "done.told_nobody")


def _agrees(seat: Seat) -> bool:
    sys.stderr.write(seat.say("word.confirm"))
    sys.stderr.flush()
    return fold(sys.stdin.readline()) in seat.say("word.yes_letters").split()


def _wait(seat: Seat, done: "Done") -> dict[int, tuple[str, str]]:
    """State and error of each message once it is decided, or when the time is over."""
    ids = [word.id for word in done.told]
    until = time.monotonic() + seat.patience.total_seconds()
    while True:
        sql = f"SELECT id, state, error FROM outbox WHERE id IN ({marks(ids)})"
        rows = seat.reader.rows(sql, *ids) if ids else []
        states = {row["id"]: (row["state"], row["error"] or "") for row in rows}
        if time.monotonic() > until or not any(state in _UNDECIDED for state, _ in states.values()):
            return states
        time.sleep(_POLL_SECONDS)


def _delivery_words(seat: Seat, states: dict[int, tuple[str, str]]) -> list[str]:
    words: dict[str, None] = {}
    for id, (state, error) in states.items():
        key = {"sent": "delivered", "uncertain": "uncertain", "waiting": "held", "blocked": "held"}.get(
            state, "queued" if state in _UNDECIDED else "dead"
        )
        words[seat.say(f"wait.{key}", seconds=int(seat.patience.total_seconds()), error=error or "?", id=id)] = None
    return list(words)


def _as_json(seat: Seat, done: "Done", states: dict[int, tuple[str, str]] | None) -> dict[str, object]:
    return {
        "code": done.code,
        "status_before": done.before.value,
        "status": done.after.value,
        "version": done.version,
        "urgency": done.urgency.value,
        "lead_agency": done.lead_agency,
        "agency_name": done.agency_name if done.lead_agency else None,
        "due_at": done.due_at,
        "is_preview": done.is_preview,
        "followers": done.followers,
        "told": [_word_json(word, states) for word in done.told],
    }


def _word_json(word: "ChatWord", states: dict[int, tuple[str, str]] | None) -> dict[str, object]:
    values: dict[str, object] = {
        "channel": word.channel,
        "text": word.text,
        "buttons": list(word.buttons),
        "photos": word.photos,
        "is_held": word.is_held,
    }
    if states is not None:
        values["state"] = states.get(word.id, ("", ""))[0]
    return values
