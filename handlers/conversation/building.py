"""Writing a report together: material comes in any order, one question at a time, until it can be sent."""

import re
from dataclasses import replace

from handlers.conversation.assess import Assessment, assess, best_subfield, make_filing
from handlers.conversation.talk import Talk, summary_text
from handlers.conversation.world import Submit
from handlers.drafts import Draft, Held, Step, TextPart
from handlers.folding import fold
from handlers.messages import Ask
from nlp.results import Intent, Locality, PlaceAction, PlaceCandidate, Understanding

CONFIRM_VALUES = ("send", "edit_field", "edit_place", "add", "cancel")
MAX_PLACE_OPTIONS = 9
SECOND_TROUBLE_CONFIDENCE = 0.75  # a different field, said this surely, is asked about
# "không phải, ở phường Sa Pa cơ", "sai rồi", "nhầm, là điện chứ"
_DENIAL = re.compile(
    r"^(da |a |oi |ui )?"
    r"(khong phai|ko phai|k phai|hong phai|khong dung|ko dung|sai|nham|lon|sua lai|doi lai|khong,|ko,)"
)


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
        texts=draft.texts + held.texts,
        photos=draft.photos + fresh[:room],
        point=held.point or draft.point,
    )
    if held.point is not None:  # a new point outweighs a commune chosen before it
        draft = replace(draft, commune=None, former="", is_place_unknown=False)
    talk.set(draft=draft, kept_draft=None)


def proceed(talk: Talk) -> None:
    """Put the one question that is due, or show the summary."""
    draft = talk.draft
    if draft is None:
        talk.clear_question()
        return
    if not draft.story.strip():
        key = "ask.what_after_photo" if draft.photos else "ask.what_after_place"
        talk.put(talk.text(key), [], Step.WHAT)
        return
    view = assess(draft, talk.world)
    if view.understanding.intent is not Intent.REPORT and "what" not in draft.asked:
        _mark_asked(talk, "what")
        talk.put(talk.text("ask.what_again"), [], Step.WHAT)
    elif _wants_place(view, draft):
        ask_place(talk, view.locality)
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


def ask_place(talk: Talk, locality: Locality) -> None:
    """Ask where, with what could be meant as buttons."""
    _mark_asked(talk, "place")
    unknown = (talk.text("button.unknown_place"), "unknown_place")
    if locality.conflict_km is not None and len(locality.candidates) >= 2:
        text, pin = _conflict_sides(locality)
        question = talk.text("ask.place_conflict", pin=pin.current.name, text=text.current.name)
        talk.put(
            question, [_place_option(c) for c in locality.candidates[:3]] + [unknown], Step.PLACE, ask=Ask.LOCATION
        )
    elif locality.action is PlaceAction.ASK and locality.candidates:
        other = (talk.text("button.other_place"), "other_place")
        options = [_place_option(c) for c in locality.candidates[:4]]
        talk.put(talk.text("ask.place_of"), [*options, other], Step.PLACE)
    elif locality.area is not None and 0 < len(locality.area.communes) <= MAX_PLACE_OPTIONS + 4:
        units = [(unit.name, f"commune:{unit.code}") for unit in locality.area.communes[:MAX_PLACE_OPTIONS]]
        talk.put(talk.text("ask.place_area", area=locality.area.name), [*units, unknown], Step.PLACE, ask=Ask.LOCATION)
    else:
        talk.put(talk.text("ask.place"), [unknown], Step.PLACE, ask=Ask.LOCATION)


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
    if subfield is None:
        options = [(item.label, f"subfield:{item.code}") for item in talk.world.pack.subfields_of(field)]
        label = talk.world.pack.field_label(field)
        talk.put(talk.text("ask.subfield", field=label), options, Step.FIELD)
    else:
        talk.set(draft=replace(draft, subfield=subfield, asked=draft.asked | {"field"}))
        proceed(talk)


def answer_place(talk: Talk, part: TextPart) -> None:
    """A typed answer to "where?": a commune, words of a place, or more of the story."""
    heard = talk.world.understand(part.text)
    locality = heard.locality
    merge(talk, Held(texts=(replace(part, is_place=_is_place_only(heard)),)))
    draft = talk.draft
    assert draft is not None
    if locality.action is PlaceAction.ACCEPT and locality.best is not None:
        _choose_candidate(talk, locality.best, locality.words.text)
        proceed(talk)
    elif (locality.candidates or locality.area) and "place_of" not in draft.asked:
        _mark_asked(talk, "place_of")
        talk.set(draft=replace(talk.draft or draft, place_words=locality.words.text or draft.place_words))
        ask_place(talk, locality)
    else:
        words = locality.words.text or (part.text.strip() if len(part.text) <= 80 else "")
        talk.set(draft=replace(draft, place_words=draft.place_words or words))
        proceed(talk)


def answer_confirm(talk: Talk, part: TextPart) -> None:
    """Words after the summary: a correction, a second trouble, or an addition."""
    draft = talk.draft
    assert draft is not None
    heard = talk.world.understand(part.text)
    if is_correction(part.text):
        _correct(talk, heard)
        return
    if _is_place_only(heard):
        _choose_candidate(talk, heard.locality.best, heard.locality.words.text)
        merge(talk, Held(texts=(replace(part, is_place=True),)))
        proceed(talk)
        return
    if is_other_trouble(heard, assess(draft, talk.world).subfield):
        talk.set(held=Held(texts=(part,)))
        talk.put(
            talk.text("ask.second"),
            [(talk.text("button.new_report"), "separate"), (talk.text("button.same"), "same")],
            Step.SECOND,
        )
        return
    merge(talk, Held(texts=(part,)))
    proceed(talk)


def is_correction(text: str) -> bool:
    """Whether the line begins by denying what was shown."""
    return _DENIAL.match(fold(text)) is not None


def is_other_trouble(heard: Understanding, subfield: str) -> bool:
    """Whether this text surely speaks of another field than ``subfield``."""
    field = subfield.partition(".")[0]
    return (
        heard.intent is Intent.REPORT
        and heard.field.confidence >= SECOND_TROUBLE_CONFIDENCE
        and heard.field.field not in (field, "khac")
        and len(heard.normalized.tokens) >= 5
    )


def submit(talk: Talk, *, is_danger: bool = False) -> None:
    """File the draft; a trouble that waited its turn is next."""
    draft = talk.draft
    assert draft is not None
    view = assess(draft, talk.world)
    is_urgent = is_danger or view.understanding.danger.rings
    talk.do(Submit(make_filing(draft, view, is_urgent=is_urgent), is_danger=is_danger))
    later = talk.session.later
    talk.set(draft=None, later=(), held=None)
    talk.clear_question()
    if later:
        merge(talk, Held(texts=later))
        proceed(talk)


def _correct(talk: Talk, heard: Understanding) -> None:
    draft = talk.draft
    assert draft is not None
    locality = heard.locality
    if locality.action is PlaceAction.ACCEPT and locality.best is not None:
        _choose_candidate(talk, locality.best, locality.words.text)
        proceed(talk)
    elif locality.candidates or locality.area:
        ask_place(talk, locality)
    elif heard.field.confidence >= 0.5 and heard.field.subfield != assess(draft, talk.world).subfield:
        talk.set(draft=replace(draft, subfield=heard.field.subfield))
        proceed(talk)
    elif locality.words.text:
        talk.set(draft=replace(draft, place_words=locality.words.text))
        proceed(talk)
    else:
        ask_all_fields(talk)


def _choose_candidate(talk: Talk, candidate: PlaceCandidate | None, words: str) -> None:
    draft = talk.draft
    assert draft is not None and candidate is not None
    former = candidate.named.name if candidate.is_former_name and candidate.named else ""
    talk.set(
        draft=replace(
            draft,
            commune=candidate.current.code,
            former=former,
            is_place_unknown=False,
            place_words=words or draft.place_words,
            touched_at=talk.world.now,
        )
    )


def _is_place_only(heard: Understanding) -> bool:
    # "ở phường Sa Pa", "tổ 5 phường Cốc Lếu": a place and hardly anything else
    best = heard.locality.best
    if heard.locality.action is not PlaceAction.ACCEPT or best is None:
        return False
    said = sum(token[0].isalnum() for token in heard.normalized.tokens)
    return said - len(best.written.split()) - len(heard.locality.words.text.split()) <= 4


def _wants_place(view: Assessment, draft: Draft) -> bool:
    return view.commune is None and not draft.is_place_unknown and "place" not in draft.asked


def _ask_field(talk: Talk, view: Assessment) -> None:
    _mark_asked(talk, "field")
    pack = talk.world.pack
    options = [(pack.field_label(code), f"field:{code}") for code, _ in view.understanding.field.top[:3]]
    talk.put(talk.text("ask.field"), [*options, (talk.text("button.other_field"), "other_field")], Step.FIELD)


def _place_option(candidate: PlaceCandidate) -> tuple[str, str]:
    name = candidate.current.name
    former = candidate.named.name if candidate.is_former_name and candidate.named else ""
    label = f"{name} (cũ: {former})" if former and former != name else name
    return label, f"commune:{candidate.current.code}:{former}"


def _conflict_sides(locality: Locality) -> tuple[PlaceCandidate, PlaceCandidate]:
    written = next((c for c in locality.candidates if c.written), locality.candidates[0])
    pinned = next((c for c in locality.candidates if c is not written), locality.candidates[-1])
    return written, pinned


def _mark_asked(talk: Talk, what: str) -> None:
    draft = talk.draft
    assert draft is not None
    talk.set(draft=replace(draft, asked=draft.asked | {what}))
