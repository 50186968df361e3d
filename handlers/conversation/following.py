"""A message while no draft is open: an addition to a report, small talk, or a new trouble."""

from datetime import timedelta

from handlers.codes import find_codes
from handlers.conversation.building import merge, proceed
from handlers.conversation.talk import Talk, buttons, make_choices
from handlers.conversation.world import Attach, ReportBrief, Say
from handlers.drafts import Held, Step
from nlp.results import Intent, PlaceAction, Understanding
from storage.workflow import OPEN, Status

MAX_REPORTS_OFFERED = 6
FOLLOW_UP = timedelta(minutes=30)  # what comes so soon after a report, without words or in excitement, belongs to it
_SMALL_TALK = {
    Intent.GREETING: "talk.greeting",
    Intent.THANKS: "talk.thanks",
    Intent.CHAT: "talk.chat",
    Intent.EMPTY: "talk.empty",
}


def place_material(talk: Talk, held: Held) -> None:
    """Put what came to where it belongs; asks when several reports are possible."""
    text = "\n".join(part.text for part in held.texts)
    heard = talk.world.understand(text) if text.strip() else None
    code = _named_report(talk, text)
    if code is not None:
        attach(talk, code, held)
    elif heard is not None and heard.intent is not Intent.REPORT and not held.photos and held.point is None:
        _answer_small_talk(talk, heard, held)
    else:
        _place_by_likeness(talk, held, heard)


def attach(talk: Talk, code: str, held: Held) -> None:
    """Put it to that report, and say so; a closed report sends the citizen on to a new one."""
    brief = next((item for item in talk.world.facts.reports if item.code == code), None)
    if brief is not None and brief.status is Status.CLOSED:
        talk.say("attach.closed", code=code)
        return
    talk.clear_question()
    talk.do(Attach(code, held))


def recent_urgent(talk: Talk) -> ReportBrief | None:
    """The urgent report of the last half hour, if there is one."""
    since = talk.world.now - FOLLOW_UP
    return next(
        (r for r in talk.world.facts.reports if r.is_urgent and r.status in OPEN and r.created_at >= since), None
    )


def start_draft(talk: Talk, held: Held) -> None:
    """A new report begins with this."""
    merge(talk, held)
    proceed(talk)


def _named_report(talk: Talk, text: str) -> str | None:
    facts = talk.world.facts
    if facts.replied_code is not None:
        return facts.replied_code
    own = {brief.code for brief in facts.reports}
    return next((code for code in find_codes(text, talk.world.pack.code_prefix) if code in own), None)


def _answer_small_talk(talk: Talk, heard: Understanding, held: Held) -> None:
    waiting = [brief for brief in talk.world.facts.reports if brief.status is Status.NEED_INFO]
    if len(waiting) == 1 and heard.intent in (Intent.CHAT, Intent.QUESTION):
        attach(talk, waiting[0].code, held)  # "vẫn như cũ" is an answer, however short
        return
    if heard.intent is Intent.QUESTION:
        open_reports = [brief for brief in talk.world.facts.reports if brief.status in OPEN]
        if len(open_reports) == 1:
            brief = open_reports[0]
            talk.say("talk.question_open", code=brief.code, status=talk.text(f"status.{brief.status.value}"))
        else:
            talk.say("talk.question")
        return
    is_first = any(isinstance(step, Say) for step in talk.steps)  # the notice has greeted already
    talk.say("first.invite" if is_first and heard.intent is Intent.GREETING else _SMALL_TALK[heard.intent])


def _place_by_likeness(talk: Talk, held: Held, heard: Understanding | None) -> None:
    reports = [brief for brief in talk.world.facts.reports if brief.status in OPEN]
    waiting = [brief for brief in reports if brief.status is Status.NEED_INFO]
    candidates = waiting if len(waiting) == 1 else reports
    fresh = _just_filed(talk, candidates)
    if not candidates or (heard is not None and _is_new_trouble(heard, candidates)):
        start_draft(talk, held)
    elif heard is None and fresh is not None:
        _attach_with_way_back(talk, fresh.code, held)
    elif len(candidates) == 1:
        _attach_with_way_back(talk, candidates[0].code, held)
    else:
        _ask_which(talk, candidates, held)


def _just_filed(talk: Talk, reports: list[ReportBrief]) -> ReportBrief | None:
    """The newest report, if it is so new that a photo or a place without words belongs to it."""
    since = talk.world.now - FOLLOW_UP
    newest = max(reports, key=lambda brief: brief.created_at, default=None)
    return newest if newest is not None and newest.created_at >= since else None


def _is_new_trouble(heard: Understanding, reports: list[ReportBrief]) -> bool:
    if heard.intent is not Intent.REPORT:
        return False
    fields = {brief.subfield.partition(".")[0] for brief in reports}
    field = heard.field.field
    if field not in fields and field != "khac" and heard.field.confidence >= 0.5:
        return True
    best = heard.locality.best
    communes = {brief.commune for brief in reports if brief.commune}
    elsewhere = heard.locality.action is PlaceAction.ACCEPT and best is not None and best.current.code not in communes
    subfields = {brief.subfield for brief in reports}
    is_whole_story = len(heard.normalized.tokens) >= 6
    return is_whole_story and (elsewhere or heard.field.subfield not in subfields) and heard.field.confidence >= 0.5


def _attach_with_way_back(talk: Talk, code: str, held: Held) -> None:
    choices = make_choices(talk.session.turns, [(talk.text("button.not_this"), "not_this")])
    talk.set(held=Held(held.texts, held.photos, held.point, code), step=Step.ATTACHED, choices=choices)
    talk.do(Attach(code, held, options=buttons(choices)))


def _ask_which(talk: Talk, reports: list[ReportBrief], held: Held) -> None:
    pack = talk.world.pack
    options = [
        (f"{brief.code} · {pack.subfield_label(brief.subfield)}", f"attach:{brief.code}")
        for brief in reports[:MAX_REPORTS_OFFERED]
    ]
    talk.set(held=held)
    talk.put(talk.text("attach.which"), [*options, (talk.text("button.new_report"), "new_report")], Step.ATTACH)
