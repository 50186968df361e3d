"""A message while no draft is open: an addition to a report, small talk, or a new trouble."""

from dataclasses import replace
from datetime import timedelta

from handlers.codes import find_codes
from handlers.commands import is_yes
from handlers.conversation.assess import commune_view, sure_place
from handlers.conversation.building import merge, proceed
from handlers.conversation.hearing import (
    asks_how_it_stands,
    goes_on,
    intent_of,
    is_unhappy,
    names_a_place,
    objects,
    thanks_and_tells,
)
from handlers.conversation.talk import Talk, buttons, make_choices
from handlers.conversation.world import Attach, ListMine, Lookup, ReportBrief, Say
from handlers.drafts import Held, Step
from handlers.folding import fold
from nlp.results import Intent, PlaceAction, Understanding
from storage.workflow import OPEN, Status

MAX_REPORTS_OFFERED = 6
FOLLOW_UP = timedelta(minutes=30)  # what comes so soon after a report, without words or in excitement, belongs to it
CONTEST_WITHIN = timedelta(days=10)
NEW_FIELD = 0.8  # another field, said this surely, is another trouble
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
    named = named_report(talk, text)
    if heard is not None and not held.photos and held.point is None and _answer_talk(talk, text, heard, named, held):
        return
    if named is not None:
        attach(talk, named, held)
    else:
        _place_by_likeness(talk, held, heard, text)


def attach(talk: Talk, code: str, held: Held) -> None:
    """Put it to that report, and say so; what is said of a closed one becomes a new report."""
    brief = brief_of(talk, code)
    text = "\n".join(part.text for part in held.texts)
    if brief is not None and brief.status is Status.CLOSED:
        talk.lead_in("attach.closed", code=code)
        start_draft(talk, held)
    elif brief is not None and brief.status is Status.RESOLVED and is_unhappy(text):
        ask_to_reopen(talk, brief, held)
    else:
        if talk.draft is None:
            talk.clear_question()
        talk.do(attachment(talk, code, held))


def attachment(talk: Talk, code: str, held: Held) -> Attach:
    """The step that adds this to a report, with what it says of danger and of the place."""
    text = "\n".join(part.text for part in held.texts)
    heard = talk.world.understand(text) if text.strip() else None
    brief = brief_of(talk, code)
    if brief is None or brief.commune is not None:
        locality = None
    else:
        locality = talk.world.read_place(heard.locality if heard else None, held.point, None)
    place = sure_place(locality, talk.world) if locality is not None else None
    return Attach(
        code,
        held,
        hotlines=heard.danger.hotlines if heard is not None and heard.danger.rings else (),
        commune=commune_view(place, talk.world) if place is not None else None,
        address_text=heard.locality.words.text if heard is not None else "",
    )


def attach_with_way_back(talk: Talk, code: str, held: Held) -> None:
    """The same, where it is only likely that it belongs there."""
    brief = brief_of(talk, code)
    if brief is not None and brief.is_urgent:  # nobody in danger wants buttons
        attach(talk, code, held)
        return
    step = attachment(talk, code, held)
    choices = make_choices(talk.session.turns, [(talk.text("button.not_this"), "not_this")])
    talk.hold(Held(held.texts, held.photos, held.point, code))
    talk.set(
        step=Step.ATTACHED,
        choices=choices,
        asked_at=talk.world.now,
    )
    talk.do(replace(step, options=buttons(choices)))


def recent_urgent(talk: Talk) -> ReportBrief | None:
    """The urgent report of the last half hour, if there is one."""
    since = talk.world.now - FOLLOW_UP
    return next(
        (r for r in talk.world.facts.reports if r.is_urgent and r.status in OPEN and r.created_at >= since), None
    )


def completes_urgent(talk: Talk, heard: Understanding) -> str | None:
    """The urgent report of just now that doesn't know where, if this says where."""
    urgent = recent_urgent(talk)
    is_asked = talk.draft is not None and talk.session.step is not Step.NONE  # about the draft, later than the alarm
    if urgent is None or urgent.commune is not None or is_asked or not names_a_place(heard):
        return None
    return urgent.code


def place_of_last(talk: Talk) -> ReportBrief | None:
    """The report just filed: an alarm that says no place comes from there."""
    fresh = _just_filed(talk, [brief for brief in talk.world.facts.reports if brief.status in OPEN])
    return fresh if fresh is not None and (fresh.commune or fresh.place or fresh.point) else None


def start_draft(talk: Talk, held: Held) -> None:
    """A new report begins with this."""
    merge(talk, held)
    proceed(talk)


def named_report(talk: Talk, text: str) -> str | None:
    """The own report that a message answers or names by its code."""
    facts = talk.world.facts
    if facts.replied_code is not None:
        return facts.replied_code
    own = {brief.code for brief in facts.reports}
    return next((code for code in find_codes(text, talk.world.pack.code_prefix) if code in own), None)


def ask_to_reopen(talk: Talk, brief: ReportBrief, held: Held) -> None:
    """The result did not help, it seems: is it to be worked on again?"""
    talk.hold(Held(held.texts, held.photos, held.point, brief.code))
    options = [(talk.text("button.reopen"), "reopen"), (talk.text("button.new_report"), "new_report")]
    talk.put(talk.text("rate.reopen", code=brief.code), options, Step.REOPEN, is_prompt=False)


def ask_which(talk: Talk, reports: list[ReportBrief], held: Held) -> None:
    """Several reports could be meant."""
    pack = talk.world.pack
    options = [
        (f"{brief.code} · {pack.subfield_label(brief.subfield)}", f"attach:{brief.code}")
        for brief in reports[:MAX_REPORTS_OFFERED]
    ]
    talk.hold(held)
    options.append((talk.text("button.new_report"), "new_report"))
    talk.put(talk.text("attach.which"), options, Step.ATTACH, is_prompt=False)


def waiting_question(talk: Talk) -> ReportBrief | None:
    """The report whose question to the citizen is open, if there is exactly one."""
    waiting = [brief for brief in talk.world.facts.reports if brief.status is Status.NEED_INFO]
    return waiting[0] if len(waiting) == 1 else None


def brief_of(talk: Talk, code: str) -> ReportBrief | None:
    return next((item for item in talk.world.facts.reports if item.code == code), None)


def _answer_talk(talk: Talk, text: str, heard: Understanding, named: str | None, held: Held) -> bool:
    """Answer what is no report: thanks, a greeting, how it stands. True if that was all."""
    waiting = waiting_question(talk)
    intent = intent_of(heard)
    if waiting is not None and named in (None, waiting.code):
        if intent in (Intent.CHAT, Intent.QUESTION) or (is_yes(text) and intent is not Intent.THANKS):
            attach(talk, waiting.code, held)  # "vẫn như cũ" is an answer, however short
            return True
    elif named is None and _take_objection(talk, held, heard, text):
        return True
    elif _is_about_progress(talk, text, heard):
        _tell_progress(talk, named)
        return True
    elif is_yes(text) and named is None:  # "đồng ý" is also the name of a commune
        reports = talk.world.facts.reports
        if reports and "gui" in fold(text).split():
            talk.say("filed.already", code=reports[0].code)
        else:
            talk.say("talk.fine")
        return True
    is_open = any(brief.status in OPEN for brief in talk.world.facts.reports)
    if is_open and (thanks_and_tells(heard) or (intent is Intent.CHAT and goes_on(text))):
        return False
    if intent is Intent.REPORT or (named is not None and intent in (Intent.CHAT, Intent.QUESTION)):
        return False
    if intent is Intent.QUESTION:
        _answer_question(talk)
    else:
        is_first = any(isinstance(step, Say) for step in talk.steps)  # the notice has greeted already
        is_greeting = is_first and intent is Intent.GREETING
        talk.say("first.invite" if is_greeting else _SMALL_TALK[intent])
    return True


def _is_about_progress(talk: Talk, text: str, heard: Understanding) -> bool:
    if not talk.world.facts.reports or not asks_how_it_stands(text):
        return False
    is_story = heard.intent is Intent.REPORT and heard.locality.action is PlaceAction.ACCEPT
    return not is_story


def _tell_progress(talk: Talk, named: str | None) -> None:
    open_reports = [brief for brief in talk.world.facts.reports if brief.status in OPEN]
    if named is None and len(open_reports) == 1:
        named = open_reports[0].code
    talk.do(Lookup(named) if named is not None else ListMine())


def _answer_question(talk: Talk) -> None:
    open_reports = [brief for brief in talk.world.facts.reports if brief.status in OPEN]
    if len(open_reports) == 1:
        brief = open_reports[0]
        talk.say("talk.question_open", code=brief.code, status=talk.text(f"status.{brief.status.value}"))
    else:
        talk.say("talk.question")


def _place_by_likeness(talk: Talk, held: Held, heard: Understanding | None, text: str) -> None:
    reports = [brief for brief in talk.world.facts.reports if brief.status in OPEN]
    waiting = waiting_question(talk)
    candidates = [waiting] if waiting is not None else reports
    fresh = _just_filed(talk, candidates)
    if not candidates:
        _place_after_the_end(talk, held, text)
    elif heard is not None and _is_new_trouble(heard, text, candidates):
        start_draft(talk, held)
    elif waiting is not None:
        attach(talk, waiting.code, held)
    elif heard is None and fresh is not None:
        attach_with_way_back(talk, fresh.code, held)
    elif len(candidates) == 1:
        attach_with_way_back(talk, candidates[0].code, held)
    else:
        ask_which(talk, candidates, held)


def _place_after_the_end(talk: Talk, held: Held, text: str) -> None:
    """No report is open: it may still be about a result or a refusal of the last days."""
    resolved = [brief for brief in talk.world.facts.reports if brief.status is Status.RESOLVED]
    refused = _refused_lately(talk)
    if len(resolved) == 1 and text and is_unhappy(text):
        ask_to_reopen(talk, resolved[0], held)
    elif len(refused) == 1 and text and objects(text):
        attach(talk, refused[0].code, held)
    elif refused and text and goes_on(text):
        ask_which(talk, refused, held)
    else:
        start_draft(talk, held)


def _refused_lately(talk: Talk) -> list[ReportBrief]:
    """The refusals that can still be contested."""
    return [
        brief
        for brief in talk.world.facts.reports
        if brief.status is Status.REJECTED
        and brief.reject_code != "TC13"
        and brief.closed_at is not None
        and talk.world.now <= brief.closed_at + CONTEST_WITHIN
    ]


def _take_objection(talk: Talk, held: Held, heard: Understanding, text: str) -> bool:
    """A refusal invites an objection: it comes before small talk, whatever else is open."""
    refused = _refused_lately(talk)
    if not refused or not objects(text) or _is_new_trouble(heard, text, refused):
        return False
    is_doubtful = len(refused) > 1 or any(b.status is Status.RESOLVED for b in talk.world.facts.reports)
    ask_which(talk, refused, held) if is_doubtful else attach(talk, refused[0].code, held)
    return True


def _just_filed(talk: Talk, reports: list[ReportBrief]) -> ReportBrief | None:
    """The newest report, if it is so new that a photo or a place without words belongs to it."""
    since = talk.world.now - FOLLOW_UP
    newest = max(reports, key=lambda brief: brief.created_at, default=None)
    return newest if newest is not None and newest.created_at >= since else None


def _is_new_trouble(heard: Understanding, text: str, reports: list[ReportBrief]) -> bool:
    """Whether this is surely about something else than these reports; what is doubtful is added to them."""
    if intent_of(heard) is not Intent.REPORT or len(heard.normalized.tokens) < 4:
        return False
    best, communes = heard.locality.best, {brief.commune for brief in reports if brief.commune}
    is_placed = heard.locality.action is PlaceAction.ACCEPT and best is not None
    if is_placed and best is not None and communes and best.current.code not in communes:
        return True
    if goes_on(text) or heard.field.field == "khac" or heard.field.confidence < NEW_FIELD:
        return False
    fields = {brief.subfield.partition(".")[0] for brief in reports}
    if heard.field.field not in fields:
        return True
    is_whole_story = is_placed and len(heard.normalized.tokens) >= 6
    return is_whole_story and heard.field.subfield not in {brief.subfield for brief in reports}
