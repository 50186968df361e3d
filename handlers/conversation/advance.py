"""One turn of the conversation, decided purely: session and message in, new session and steps out."""

from dataclasses import replace
from typing import assert_never

from handlers.commands import (
    asks_to_restore,
    is_unknown_command,
    is_wrong_code,
    is_yes,
    match_choice,
    match_draft_verb,
    parse_command,
    typed_number,
)
from handlers.conversation import building, choosing, following, obeying, rating, withdrawing
from handlers.conversation.assess import assess
from handlers.conversation.hearing import (
    is_bare_denial,
    is_no_matter,
    is_other_trouble,
    names_a_place,
)
from handlers.conversation.pointing import take_point
from handlers.conversation.talk import Talk
from handlers.conversation.world import Say, Submit, Turn, World
from handlers.drafts import Draft, Held, PhotoPart, Session, Step, TextPart
from handlers.messages import (
    ChoiceContent,
    EditedContent,
    Incoming,
    LifecycleContent,
    LifecycleKind,
    LocationContent,
    PhotoContent,
    Point,
    TextContent,
    TickContent,
    UnsupportedContent,
)
from nlp.results import Understanding

KEPT_LIVES = 2  # a draft that was cancelled or expired can be taken back for so many lives of a draft


def advance(session: Session, incoming: Incoming, world: World) -> Turn:
    """What this message changes and what is to be said and done. Pure."""
    talk = Talk(replace(session, turns=session.turns + 1), world)
    content = incoming.content
    match content:
        case TextContent():
            _take_text(talk, TextPart(incoming.message_id, content.text))
        case ChoiceContent():
            _take_token(talk, content.token)
        case LocationContent():
            if not content.is_live_update:
                _take_material(talk, Held(point=content.point))
        case PhotoContent():
            _take_photo(talk, incoming.message_id, content.caption)
        case UnsupportedContent():
            _take_unsupported(talk, incoming.message_id, content)
        case EditedContent():
            _take_edit(talk, content)
        case LifecycleContent():
            _take_lifecycle(talk, content)
        case TickContent():
            _take_tick(talk)
        case _:
            assert_never(content)
    _ask_what_was_not_said(talk)
    _take_up_what_waits(talk)
    return talk.turn()


def _take_text(talk: Talk, part: TextPart) -> None:
    point, rest = take_point(part.text)
    if point is not None:
        _take_pointed(talk, replace(part, text=rest), point)
        return
    if not _is_answer(talk, part.text) and withdrawing.take_withdrawal(talk, part.text):
        return
    command = parse_command(part.text, talk.world.pack.code_prefix)
    if command is not None and not _is_answer(talk, part.text):
        obeying.obey(talk, command)
        return
    if rating.rate_by_words(talk, part.text):
        return
    if is_wrong_code(part.text, talk.world.pack.code_prefix):
        talk.say("lookup.wrong_code", prefix=talk.world.pack.code_prefix)
        return
    if is_unknown_command(part.text):
        talk.say("talk.unknown_command")
        return
    question = following.waiting_question(talk)
    is_answering = question is not None and rating.is_newer_than_question(talk, question)
    if not is_answering and _take_choice(talk, part.text):
        return
    heard = talk.world.understand(part.text)
    if heard.danger.rings and not is_bare_denial(part.text):
        _raise_alarm(talk, part, heard)
    elif not _take_verb(talk, part.text):
        _take_words(talk, part, heard, is_answering=is_answering)


def _take_pointed(talk: Talk, part: TextPart, point: Point) -> None:
    """Typed coordinates or a link to a map, with or without words."""
    has_words = any(letter.isalpha() for letter in part.text)
    heard = talk.world.understand(part.text) if has_words else None
    held = Held(texts=(part,) if has_words else (), point=point)
    if heard is not None and heard.danger.rings:
        _raise_alarm(talk, part, heard, held)
    else:
        _take_material(talk, held)


def _take_choice(talk: Talk, text: str) -> bool:
    choices = talk.session.choices
    if choices is None:
        return False
    value = match_choice(text, choices)
    if value is None and talk.session.step is Step.PLACE and is_yes(text):
        return _take_yes_to_place(talk, text, [option.value for option in choices.options])
    if value is not None:
        choosing.choose(talk, value)
    elif typed_number(text) is not None and choices.options:
        talk.lead_in("ask.number_range", count=len(choices.options))
        building.repeat_question(talk) if talk.draft is not None else choosing.repeat(talk)
    else:
        return False
    return True


def _take_yes_to_place(talk: Talk, text: str, values: list[str]) -> bool:
    """A yes to "where?" means the only place on offer; with several, or none, it says nothing."""
    places = [value for value in values if value.startswith("commune:")]
    if len(places) == 1:
        choosing.choose(talk, places[0])
    elif not places and match_draft_verb(text) == "send":
        return False
    else:
        building.repeat_question(talk)
    return True


def _take_verb(talk: Talk, text: str) -> bool:
    """What can be asked of a draft at any time, whatever was asked last."""
    if talk.draft is None or talk.draft.is_empty:
        if talk.session.kept_draft is None or not asks_to_restore(text):
            return False
        choosing.restore(talk)
        return True
    verb = match_draft_verb(text)
    if verb is None or (verb == "cancel" and talk.session.step is Step.PLACE):
        return False
    if verb == "send" and talk.session.step not in (Step.CONFIRM, Step.MORE, Step.WRONG):
        building.proceed(talk)  # never sent before it was shown
    else:
        choosing.choose(talk, verb)
    return True


def _take_words(talk: Talk, part: TextPart, heard: Understanding, *, is_answering: bool) -> None:
    if (code := following.completes_urgent(talk, heard)) is not None:
        following.attach(talk, code, Held(texts=(part,)))
        return
    is_for_a_report = is_answering or following.named_report(talk, part.text) is not None
    if not is_for_a_report and obeying.answer_about_us(talk, part.text, heard):
        return
    if not is_bare_denial(part.text):
        _mention_numbers(talk, heard)
    step = talk.session.step
    if step is Step.RATE_WHY and talk.session.held is not None:
        rating.finish_rating(talk, part.text)
    elif talk.draft is None or is_for_a_report or step is Step.NONE:
        _take_material(talk, Held(texts=(part,)))
    elif step is Step.PLACE:
        building.answer_place(talk, part)
    elif step is Step.FIELD:
        building.answer_field(talk, part)
    elif step in (Step.CONFIRM, Step.WRONG, Step.MORE):
        building.answer_confirm(talk, part)
    elif step is Step.DISCARD:
        choosing.begin_anew(talk, Held(texts=(part,)))
    else:
        _take_material(talk, Held(texts=(part,)))


def _mention_numbers(talk: Talk, heard: Understanding) -> None:
    # danger that is over or only feared: the number, once, and on with the report
    draft = talk.draft
    if not heard.danger.is_danger or (draft is not None and "calm" in draft.asked):
        return
    talk.say("danger.calm", numbers=", ".join(heard.danger.hotlines))
    if draft is not None:
        talk.set(draft=replace(draft, asked=draft.asked | {"calm"}))


def _take_material(talk: Talk, held: Held) -> None:
    text = "\n".join(part.text for part in held.texts)
    named = following.named_report(talk, text)
    is_aftermath = talk.session.step is Step.NONE and following.recent_urgent(talk) is not None
    if not is_aftermath:
        obeying.greet_first(talk)
    if _join_what_waits(talk, held):
        return
    question = following.waiting_question(talk)
    is_answering = question is not None and rating.is_newer_than_question(talk, question)
    if talk.draft is None and talk.session.step is Step.WHAT and named is None and not is_answering:
        _begin(talk, held, text)  # "phản ánh mới" was said: it is no addition to an older one
    elif talk.draft is None or named is not None or is_aftermath or is_answering:
        following.place_material(talk, held)
    elif text and not held.photos and is_no_matter(talk.world.understand(text)):
        building.repeat_question(talk)
    else:
        building.merge(talk, held)
        if held.texts or not building.has_asked_what(talk):
            building.proceed(talk)


def _begin(talk: Talk, held: Held, text: str) -> None:
    if text and not held.photos and (is_yes(text) or is_no_matter(talk.world.understand(text))):
        talk.say("talk.greeting")
    else:
        following.start_draft(talk, held)


def _join_what_waits(talk: Talk, held: Held) -> bool:
    """More of what we asked about ("which report?") goes along with it; the question stands."""
    waiting, step = talk.session.held, talk.session.step
    if waiting is None or step not in (Step.ATTACH, Step.SECOND, Step.REOPEN, Step.RATE_WHY):
        return False
    if step is Step.RATE_WHY:
        talk.do(following.attachment(talk, waiting.code, held))
        return True
    point = held.point or waiting.point
    joined = Held(waiting.texts + held.texts, waiting.photos + held.photos, point, waiting.code)
    talk.set(held=joined)
    choosing.repeat(talk)
    return True


def _take_photo(talk: Talk, message_id: str, caption: str) -> None:
    media = talk.world.media
    part = TextPart(message_id, caption)
    if media is None or media.problem:
        talk.say(f"media.{media.problem if media else 'unreachable'}")
        if caption.strip():
            _take_text(talk, part)
        return
    held = Held(texts=(part,) if caption.strip() else (), photos=(PhotoPart(media.hash, message_id, media.point),))
    heard = talk.world.understand(caption) if caption.strip() else None
    if heard is not None and heard.danger.rings:
        _raise_alarm(talk, part, heard, held)
    elif heard is not None and _is_second_trouble(talk, heard, caption):
        building.ask_whether_second(talk, held)
    else:
        _take_material(talk, held)


def _is_second_trouble(talk: Talk, heard: Understanding, caption: str) -> bool:
    draft, is_shown = talk.draft, talk.session.step is Step.CONFIRM
    if draft is None or not is_shown or following.named_report(talk, caption) is not None:
        return False
    return is_other_trouble(heard, assess(draft, talk.world).subfield)


def _take_unsupported(talk: Talk, message_id: str, content: UnsupportedContent) -> None:
    talk.say(f"unsupported.{content.kind.value}")
    if content.caption.strip():
        _take_text(talk, TextPart(message_id, content.caption))


def _take_edit(talk: Talk, content: EditedContent) -> None:
    part = TextPart(content.of, content.text)
    draft = talk.draft
    old = next((item for item in draft.texts if item.message_id == content.of), None) if draft else None
    code = dict(talk.session.filed).get(content.of)
    heard = talk.world.understand(content.text)
    if heard.danger.rings and (old is None or not talk.world.understand(old.text).danger.rings):
        _raise_alarm(talk, part, heard)
    elif draft is not None and old is not None:
        _edit_draft(talk, draft, old, part)
    elif code is not None:
        talk.do(replace(following.attachment(talk, code, Held(texts=(part,))), is_edit=True))
    elif _edit_waiting(talk, part):
        pass
    elif draft is not None and any(photo.message_id == content.of for photo in draft.photos):
        _take_material(talk, Held(texts=(part,)))  # a caption written later
    else:
        _take_text(talk, part)


def _edit_draft(talk: Talk, draft: Draft, old: TextPart, part: TextPart) -> None:
    talk.lead_in("draft.edited")
    if old.is_place:
        rest = tuple(item for item in draft.texts if item is not old)
        talk.set(draft=replace(draft, texts=rest, commune=None, former="", place_words=None))
        building.answer_place(talk, part)
        return
    texts = tuple(part if item is old else item for item in draft.texts)
    talk.set(draft=replace(draft, texts=texts, touched_at=talk.world.now))
    building.proceed(talk)


def _edit_waiting(talk: Talk, part: TextPart) -> bool:
    """Correct what waits for a decision or for its turn."""

    def corrected(held: Held) -> Held:
        texts = tuple(part if item.message_id == part.message_id else item for item in held.texts)
        return replace(held, texts=texts)

    held, later = talk.session.held, talk.session.later
    known = [item.message_id for one in (*later, *((held,) if held else ())) for item in one.texts]
    if part.message_id not in known:
        return False
    talk.set(held=corrected(held) if held else None, later=tuple(corrected(one) for one in later))
    choosing.repeat(talk)
    return True


def _take_lifecycle(talk: Talk, content: LifecycleContent) -> None:
    if content.kind is LifecycleKind.STARTED:
        obeying.welcome(talk)
    elif content.kind is LifecycleKind.WITHDRAWN:
        choosing.erase(talk)


def _take_tick(talk: Talk) -> None:
    world, kept = talk.world, talk.session.kept_draft
    if kept is not None and world.now - kept.touched_at >= KEPT_LIVES * world.draft_life:
        talk.set(kept_draft=None)
    draft = talk.draft
    if draft is None:
        return
    age = world.now - draft.touched_at
    if age >= world.draft_life:
        talk.set(draft=None, kept_draft=draft)
        talk.put_labels(talk.text("draft.expired"), ["restore"], Step.RESTORE)
    elif age >= world.draft_reminder and not draft.is_reminded:
        talk.set(draft=replace(draft, is_reminded=True))
        talk.lead_in("draft.reminder")
        building.repeat_question(talk)


def _take_token(talk: Talk, token: str) -> None:
    kind, _, rest = token.partition(":")
    if kind == "r":  # "r:PA-7K3M9Q:good": on a pushed result, whatever was said since
        code, _, word = rest.rpartition(":")
        rating.rate(talk, code, word)
        return
    nonce, _, index = rest.partition(":")
    choices, reports = talk.session.choices, talk.world.facts.reports
    is_current = kind == "c" and choices is not None and nonce == choices.nonce and index.isdigit()
    if choices is not None and is_current and int(index) < len(choices.options):
        choosing.choose(talk, choices.options[int(index)].value)
    elif talk.draft is None and reports and nonce == talk.session.sent_nonce:
        talk.say("filed.already", code=reports[0].code)  # pressed twice
    else:
        choosing.repeat(talk)


def _raise_alarm(talk: Talk, part: TextPart, heard: Understanding, held: Held | None = None) -> None:
    """Danger now: filed at once, without a question; a draft about something else waits."""
    urgent = following.recent_urgent(talk)
    held = Held((part,), held.photos if held else (), held.point if held else None)
    if urgent is not None and not _is_elsewhere(heard, urgent.commune):
        talk.do(following.attachment(talk, urgent.code, held))
        return
    draft = talk.draft
    waits = draft if draft is not None and draft.story and not _is_same_danger(talk, draft) else None
    if waits is not None:
        talk.set(draft=None)
    building.merge(talk, held)
    _take_over_place(talk, heard)
    building.submit(talk, heard.danger)
    talk.set(draft=waits)


def _take_over_place(talk: Talk, heard: Understanding) -> None:
    """An alarm that says no place comes from where the report of just now was."""
    draft, last = talk.draft, following.place_of_last(talk)
    if draft is None or last is None or names_a_place(heard):
        return
    view = assess(draft, talk.world)
    if view.commune is None and draft.point is None and not view.place_words:
        place = last.place or None
        talk.set(draft=replace(draft, commune=last.commune, place_words=place, point=last.point))


def _is_same_danger(talk: Talk, draft: Draft) -> bool:
    return talk.world.understand(draft.story).danger.is_danger


def _is_elsewhere(heard: Understanding, commune: str | None) -> bool:
    best = heard.locality.best
    return best is not None and commune is not None and best.current.code != commune


def _is_answer(talk: Talk, text: str) -> bool:
    # "huỷ" or "lĩnh vực" may be a label on offer, or the beginning of the place: the choice wins
    choices = talk.session.choices
    return choices is not None and not text.lstrip().startswith("/") and match_choice(text, choices) is not None


def _ask_what_was_not_said(talk: Talk) -> None:
    """The last question never went out, and this message put none: it is still due."""
    draft = talk.draft
    has_asked = any(isinstance(step, Say) and step.is_prompt for step in talk.steps)
    if talk.session.is_question_due and draft is not None and not draft.is_empty and not has_asked:
        building.proceed(talk)


def _take_up_what_waits(talk: Talk) -> None:
    """The next trouble, once nothing else is open and nobody is in danger."""
    is_idle = talk.draft is None and talk.session.step in (Step.NONE, Step.ATTACHED)
    is_urgent = any(isinstance(step, Submit) and step.is_danger for step in talk.steps)
    if is_idle and not is_urgent and following.recent_urgent(talk) is None:
        building.take_up_what_waits(talk)
