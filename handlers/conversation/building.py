"""Writing a report together: material comes in any order, one question at a time, until it can be sent."""

from dataclasses import replace

from handlers.commands import ALIASES
from handlers.conversation.assess import NO_MATTERS, UNCLEAR, Assessment, assess, best_subfield, make_filing, sure_place
from handlers.conversation.hearing import (
    intent_of,
    is_about_a_place,
    is_bare_denial,
    is_correction,
    is_no_matter,
    is_other_trouble,
    is_place_only,
    is_vague,
    says_it_is_unknown,
)
from handlers.conversation.talk import Talk, summary_text
from handlers.conversation.world import Submit
from handlers.drafts import Draft, Held, Step, TextPart
from handlers.folding import fold, fold_answer
from handlers.messages import Ask
from nlp.results import DangerResult, Intent, Locality, PlaceAction, PlaceCandidate, Understanding

CONFIRM_VALUES = ("send", "edit_field", "edit_place", "add", "cancel")
MAX_PLACE_OPTIONS = 9
PLACE_QUESTIONS = frozenset({"place", "which", "area", "conflict"})
SHORT_LINE = 8  # words; a longer line that names another commune may be another trouble
CLEAR_FIELD = 0.5  # a field in a correction is taken from this confidence on


def merge(talk: Talk, held: Held) -> None:
    """Put texts, photos and point into the draft; makes one where there is none."""
    world = talk.world
    draft = talk.draft or Draft(id=str(talk.session.turns), started_at=world.now, touched_at=world.now)
    room = max(0, world.max_photos - len(draft.photos))
    known = {photo.hash for photo in draft.photos}
    fresh = tuple(photo for photo in held.photos if photo.hash not in known)
    if len(fresh) > room and "too_many" not in draft.asked:
        talk.say("draft.too_many_photos", limit=world.max_photos)
        draft = replace(draft, asked=draft.asked | {"too_many"})
    draft = replace(
        draft,
        touched_at=world.now,
        is_reminded=False,
        texts=draft.texts + tuple(_marked(talk, part) for part in held.texts),
        photos=draft.photos + fresh[:room],
        point=held.point or draft.point,
    )
    if held.point is not None:  # a new point outweighs a commune chosen before it
        draft = replace(draft, commune=None, former="", is_place_unknown=False, denied=frozenset())
    talk.set(draft=draft)


def proceed(talk: Talk) -> None:
    """Put the one question that is due, or show the summary."""
    draft = talk.draft
    if draft is None:
        talk.clear_question()
        return
    if not draft.story.strip():
        _ask_what(talk, draft)
        return
    view = assess(draft, talk.world)
    heard = view.understanding
    is_unclear = intent_of(heard) is not Intent.REPORT or (is_vague(heard) and not draft.photos)
    if is_unclear and "what" not in draft.asked:
        _mark_asked(talk, "what")
        talk.put(talk.text("ask.what_again"), [], Step.WHAT)
    elif (key := _place_question(view, draft)) is not None:
        ask_place(talk, view.locality, key)
    elif view.is_field_doubtful and "field" not in draft.asked:
        _ask_field(talk, view)
    else:
        show_summary(talk, view)


def show_summary(talk: Talk, view: Assessment) -> None:
    """What was understood, with the five buttons; a photo is invited here, once."""
    draft = talk.draft
    assert draft is not None
    text = summary_text(view, draft, talk.world)
    if not draft.photos:
        _mark_asked(talk, "photo")
    talk.put_labels(text, CONFIRM_VALUES, Step.CONFIRM)


def ask_place(talk: Talk, locality: Locality, key: str) -> None:
    """Ask where, with what could be meant as buttons."""
    _mark_asked(talk, key)
    unknown = (talk.text("button.unknown_place"), "unknown_place")
    match key:
        case "conflict":
            text, pin = _conflict_sides(locality)
            question = talk.text("ask.place_conflict", pin=pin.current.name, text=text.current.name)
            options = [place_option(item) for item in locality.candidates[:3]]
            talk.put(question, [*options, unknown], Step.PLACE, ask=Ask.LOCATION)
        case "which":
            other = (talk.text("button.other_place"), "other_place")
            options = [place_option(item) for item in locality.candidates[:4]]
            talk.put(talk.text("ask.place_of"), [*options, other], Step.PLACE)
        case "area" if locality.area is not None:
            units = [(unit.name, f"commune:{unit.code}") for unit in locality.area.communes[:MAX_PLACE_OPTIONS]]
            question = talk.text("ask.place_area", area=locality.area.name)
            talk.put(question, [*units, unknown], Step.PLACE, ask=Ask.LOCATION)
        case _:
            talk.put(talk.text("ask.place"), [*_places_before(talk), unknown], Step.PLACE, ask=Ask.LOCATION)


def ask_all_fields(talk: Talk) -> None:
    """All fields as buttons."""
    fields = [(info.label, f"field:{code}") for code, info in talk.world.pack.fields.items()]
    talk.put(talk.text("ask.field_all"), fields, Step.FIELD)


def choose_field(talk: Talk, field: str) -> None:
    """The citizen named the field; the subfield is read from the text, or asked where the text doesn't say."""
    draft = talk.draft
    assert draft is not None
    understanding = talk.world.understand(draft.story)
    subfield = best_subfield(field, understanding)
    if subfield is None and field == UNCLEAR.partition(".")[0]:
        subfield = UNCLEAR
    if subfield is None:
        items = [item for item in talk.world.pack.subfields_of(field) if item.code not in NO_MATTERS]
        label = talk.world.pack.field_label(field)
        talk.put(
            talk.text("ask.subfield", field=label),
            [(item.label, f"subfield:{item.code}") for item in items],
            Step.FIELD,
        )
    else:
        talk.set(draft=replace(draft, subfield=subfield, asked=draft.asked | {"field"}))
        proceed(talk)


def answer_place(talk: Talk, part: TextPart) -> None:
    """A typed answer to "where?": a commune, words of a place, or more of the story."""
    draft = talk.draft
    assert draft is not None
    heard = talk.world.understand(part.text)
    locality = heard.locality
    if is_no_matter(heard):
        proceed(talk) if _is_due(talk) else repeat_question(talk)
    elif (only := sure_place(locality, talk.world)) is not None:
        merge(talk, Held(texts=(replace(part, is_place=is_place_only(heard)),)))
        choose_candidate(talk, only, locality.words.text)
        proceed(talk)
    elif (key := _narrower_question(locality)) is not None and key not in draft.asked:
        merge(talk, Held(texts=(replace(part, is_place=True),)))
        if locality.words.text:
            _set_draft(talk, place_words=locality.words.text)
        ask_place(talk, locality, key)
    elif locality.words.text or is_about_a_place(part.text, heard):
        merge(talk, Held(texts=(replace(part, is_place=True),)))
        _set_draft(talk, place_words=locality.words.text or part.text.strip())
        proceed(talk)
    else:
        merge(talk, Held(texts=(part,)))
        proceed(talk)


def answer_field(talk: Talk, part: TextPart) -> None:
    """Words instead of one of the fields on offer."""
    heard = talk.world.understand(part.text)
    if fold_answer(part.text) in ALIASES["unknown_field"]:
        _set_draft(talk, is_field_open=True)
        proceed(talk)
        return
    if is_no_matter(heard):
        repeat_question(talk)
        return
    merge(talk, Held(texts=(part,)))
    if heard.field.confidence >= CLEAR_FIELD and heard.field.subfield not in NO_MATTERS:
        _set_draft(talk, subfield=heard.field.subfield)
    proceed(talk)


def answer_confirm(talk: Talk, part: TextPart) -> None:
    """Words after the summary: a correction, a second trouble, or an addition."""
    draft = talk.draft
    assert draft is not None
    heard = talk.world.understand(part.text)
    if is_bare_denial(part.text):
        _ask_what_is_wrong(talk)
    elif is_no_matter(heard):
        if intent_of(heard) is Intent.THANKS:
            talk.lead_in("draft.not_sent")
        repeat_question(talk)
    elif is_correction(part.text):
        _correct(talk, part, heard)
    elif is_place_only(heard):
        merge(talk, Held(texts=(replace(part, is_place=True),)))
        if (only := sure_place(heard.locality, talk.world)) is not None:
            choose_candidate(talk, only, heard.locality.words.text)
        proceed(talk)
    elif is_other_trouble(heard, assess(draft, talk.world).subfield):
        ask_whether_second(talk, Held(texts=(part,)))
    elif (other := _other_commune(talk, heard)) is not None:
        if len(heard.normalized.tokens) > SHORT_LINE:
            ask_whether_second(talk, Held(texts=(part,)))
            return
        merge(talk, Held(texts=(part,)))
        choose_candidate(talk, other, heard.locality.words.text)
        proceed(talk)
    else:
        merge(talk, Held(texts=(part,)))
        proceed(talk)


def _other_commune(talk: Talk, heard: Understanding) -> PlaceCandidate | None:
    draft = talk.draft
    shown = assess(draft, talk.world).commune if draft is not None else None
    named = sure_place(heard.locality, talk.world)
    return named if named is not None and shown is not None and named.current.code != shown.code else None


def ask_whether_second(talk: Talk, held: Held) -> None:
    """Another trouble by its field: a report of its own?"""
    talk.hold(held)
    options = [(talk.text("button.new_report"), "separate"), (talk.text("button.same"), "same")]
    talk.put(talk.text("ask.second"), options, Step.SECOND, is_prompt=False)


def repeat_question(talk: Talk) -> None:
    """Say once more what was asked last; the summary as it stands now."""
    if talk.session.step in (Step.PLACE, Step.FIELD, Step.MORE, Step.WRONG) and talk.put_again():
        return
    proceed(talk)


def submit(talk: Talk, danger: DangerResult | None = None) -> None:
    """File the draft; a trouble that waited its turn is next. ``danger`` = that which rang just now."""
    draft, choices = talk.draft, talk.session.choices
    assert draft is not None
    view = assess(draft, talk.world)
    is_urgent = danger is not None or view.understanding.danger.rings
    filing = make_filing(draft, view, is_urgent=is_urgent)
    talk.do(Submit(filing, True, danger.hotlines, danger.kind) if danger else Submit(filing))
    talk.set(draft=None, sent_nonce=choices.nonce if choices else "")
    talk.clear_question()


def take_up_what_waits(talk: Talk) -> None:
    """The next of the troubles that were told while another one was being written."""
    if not talk.session.later:
        return
    following, *rest = talk.session.later
    talk.set(later=tuple(rest))
    merge(talk, following)
    talk.lead_in("draft.next")
    proceed(talk)


def choose_candidate(talk: Talk, candidate: PlaceCandidate, words: str) -> None:
    """The citizen named this commune; ``words`` say where inside it."""
    draft = talk.draft
    assert draft is not None
    former = candidate.named.name if candidate.is_former_name and candidate.named else ""
    _set_draft(
        talk,
        commune=candidate.current.code,
        former=former,
        is_place_unknown=False,
        denied=draft.denied - {candidate.current.code},
        place_words=words or _words_that_still_fit(talk, draft, candidate),
    )


def place_option(candidate: PlaceCandidate) -> tuple[str, str]:
    """A commune on offer, with the old name where that is what was written."""
    name = candidate.current.name
    former = candidate.named.name if candidate.is_former_name and candidate.named else ""
    label = f"{name} (cũ: {former})" if former and former != name else name
    return label, f"commune:{candidate.current.code}:{former}"


def _marked(talk: Talk, part: TextPart) -> TextPart:
    """Words that say only where must not sway what the trouble is, whenever they are said."""
    return replace(part, is_place=part.is_place or is_place_only(talk.world.understand(part.text)))


def _ask_what(talk: Talk, draft: Draft) -> None:
    talk.put(_what_question(talk, draft), [], Step.WHAT)


def _what_question(talk: Talk, draft: Draft) -> str:
    given = "both" if draft.photos and draft.point else "photo" if draft.photos else "place" if draft.point else "words"
    return talk.text(f"ask.what_after_{given}")


def has_asked_what(talk: Talk) -> bool:
    """Whether "what is it?" lies before the citizen, word for word as it would be put now."""
    draft = talk.draft
    if draft is None or draft.texts or talk.session.step is not Step.WHAT or _is_due(talk):
        return False
    return talk.session.question == _what_question(talk, draft)


def _correct(talk: Talk, part: TextPart, heard: Understanding) -> None:
    draft = talk.draft
    assert draft is not None
    before = assess(draft, talk.world)
    locality = heard.locality
    is_place = locality.action is PlaceAction.ACCEPT or _narrower_question(locality) is not None
    merge(talk, Held(texts=(replace(part, is_place=is_place or bool(locality.words.text)),)))
    if (only := sure_place(locality, talk.world)) is not None:
        choose_candidate(talk, only, locality.words.text)
        proceed(talk)
    elif (key := _narrower_question(locality)) is not None:
        ask_place(talk, locality, key)
    elif heard.field.confidence >= CLEAR_FIELD and heard.field.subfield not in (before.subfield, *NO_MATTERS):
        _set_draft(talk, subfield=heard.field.subfield)
        proceed(talk)
    elif locality.words.text:
        _set_draft(talk, place_words=locality.words.text)
        proceed(talk)
    else:
        _proceed_if_changed(talk, before)


def _ask_what_is_wrong(talk: Talk) -> None:
    talk.put_labels(talk.text("ask.what_is_wrong"), ["edit_field", "edit_place", "send", "cancel"], Step.WRONG)


def _proceed_if_changed(talk: Talk, before: Assessment) -> None:
    draft = talk.draft
    assert draft is not None
    now = assess(draft, talk.world)
    if (now.subfield, now.commune, now.place_words) != (before.subfield, before.commune, before.place_words):
        proceed(talk)
    else:
        _ask_what_is_wrong(talk)


def _place_question(view: Assessment, draft: Draft) -> str | None:
    """Which question about the place is due; each is put once, and none in two ways."""
    is_known = view.commune is not None or view.outside is not None
    if is_known or draft.is_place_unknown or says_it_is_unknown(draft.story):
        return None
    key = _narrower_question(view.locality) or "place"
    if key in draft.asked or (key in ("place", "area") and draft.asked & {"which", "area", "conflict"}):
        return None
    return key


def _narrower_question(locality: Locality) -> str | None:
    if locality.conflict_km is not None and len(locality.candidates) >= 2:
        return "conflict"
    if locality.action is PlaceAction.ASK and locality.candidates:
        return "which"
    area = locality.area
    return "area" if area is not None and 0 < len(area.communes) <= MAX_PLACE_OPTIONS + 4 else None


def _ask_field(talk: Talk, view: Assessment) -> None:
    _mark_asked(talk, "field")
    pack = talk.world.pack
    other = UNCLEAR.partition(".")[0]
    fields = [code for code, _ in view.understanding.field.top[:3] if code != other]
    options = [(pack.field_label(code), f"field:{code}") for code in fields]
    talk.put(talk.text("ask.field"), [*options, (talk.text("button.other_field"), "other_field")], Step.FIELD)


def _places_before(talk: Talk) -> list[tuple[str, str]]:
    """The commune of the last report: it is often the same again."""
    code = next((brief.commune for brief in talk.world.facts.reports if brief.commune), None)
    unit = talk.world.find_unit(code) if code else None
    return [(talk.text("button.same_place", commune=unit.name), f"commune:{unit.code}")] if unit else []


def _words_that_still_fit(talk: Talk, draft: Draft, candidate: PlaceCandidate) -> str | None:
    """What was read before, unless it names the commune that was wrong: "chợ Cốc Lếu" is not in Sa Pa."""
    before = assess(draft, talk.world)
    old = before.locality.best
    if old is None or old.current.code == candidate.current.code:
        return draft.place_words
    name = fold((old.named or old.current).name.partition(" ")[2])
    return "" if name in fold(before.place_words) else draft.place_words


def _conflict_sides(locality: Locality) -> tuple[PlaceCandidate, PlaceCandidate]:
    written = next((c for c in locality.candidates if c.written), locality.candidates[0])
    pinned = next((c for c in locality.candidates if c is not written), locality.candidates[-1])
    return written, pinned


def _is_due(talk: Talk) -> bool:
    return talk.session.is_question_due


def _set_draft(talk: Talk, **changes: object) -> None:
    draft = talk.draft
    assert draft is not None
    talk.set(draft=replace(draft, **changes))  # type: ignore[arg-type]  # field names are checked by replace


def _mark_asked(talk: Talk, what: str) -> None:
    draft = talk.draft
    assert draft is not None
    _set_draft(talk, asked=draft.asked | {what})
