"""One turn of the conversation, decided purely: session and message in, new session and steps out."""

from dataclasses import replace
from typing import assert_never

from handlers.commands import Command, TypedCommand, match_choice, parse_command
from handlers.conversation import building, following
from handlers.conversation.talk import Talk, make_choices
from handlers.conversation.world import Attach, Detach, Erase, ListMine, Lookup, Rate, Turn, World
from handlers.drafts import Draft, Held, PhotoPart, Session, Step, TextPart
from handlers.messages import (
    Ask,
    ChoiceContent,
    EditedContent,
    Incoming,
    LifecycleContent,
    LifecycleKind,
    LocationContent,
    PhotoContent,
    TextContent,
    TickContent,
    UnsupportedContent,
)
from storage.workflow import Status

RATE_REASONS = ("not_done", "half_done", "vague", "wrong_place", "came_back", "other")


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
    return talk.turn()


def _take_text(talk: Talk, part: TextPart) -> None:
    command = parse_command(part.text, talk.world.pack.code_prefix)
    if command is not None and not _is_answer(talk, part.text):
        _obey(talk, command)
        return
    choices = talk.session.choices
    value = match_choice(part.text, choices) if choices else None
    if value is not None:
        _choose(talk, value)
        return
    heard = talk.world.understand(part.text)
    if heard.danger.rings:
        _raise_alarm(talk, part)
        return
    if heard.danger.is_danger:
        talk.say("danger.calm", numbers=", ".join(heard.danger.hotlines))
    if talk.draft is None and _rate_by_words(talk, part.text):
        return
    match talk.session.step:
        case Step.PLACE if talk.draft is not None:
            building.answer_place(talk, part)
        case Step.CONFIRM | Step.FIELD if talk.draft is not None:
            building.answer_confirm(talk, part)
        case Step.RATE_WHY if talk.session.held is not None:
            _finish_rating(talk, part.text)
        case _:
            _take_material(talk, Held(texts=(part,)))


def _take_material(talk: Talk, held: Held) -> None:
    _greet_first(talk)
    held = _with_what_waits(talk, held)
    if talk.draft is not None and talk.world.facts.replied_code is None:
        building.merge(talk, held)
        building.proceed(talk)
    else:
        following.place_material(talk, held)


def _with_what_waits(talk: Talk, held: Held) -> Held:
    # the citizen went on instead of saying where the last photo or place belongs: it goes along, nothing is dropped
    waiting = talk.session.held
    if talk.session.step not in (Step.ATTACH, Step.SECOND) or waiting is None or waiting.code:
        return held
    talk.set(held=None)
    talk.clear_question()
    return Held(waiting.texts + held.texts, waiting.photos + held.photos, held.point or waiting.point)


def _take_photo(talk: Talk, message_id: str, caption: str) -> None:
    media = talk.world.media
    texts = (TextPart(message_id, caption),) if caption.strip() else ()
    if media is None or media.problem:
        talk.say(f"media.{media.problem if media else 'unreachable'}")
        if texts:
            _take_text(talk, texts[0])
        return
    photo = PhotoPart(media.hash, message_id, media.point)
    if caption and talk.world.understand(caption).danger.rings:
        _raise_alarm(talk, TextPart(message_id, caption), Held(photos=(photo,)))
        return
    _take_material(talk, Held(texts=texts, photos=(photo,)))


def _take_unsupported(talk: Talk, message_id: str, content: UnsupportedContent) -> None:
    talk.say(f"unsupported.{content.kind.value}")
    if content.caption.strip():
        _take_text(talk, TextPart(message_id, content.caption))


def _take_edit(talk: Talk, content: EditedContent) -> None:
    draft = talk.draft
    if draft is not None and any(part.message_id == content.of for part in draft.texts):
        texts = tuple(replace(p, text=content.text) if p.message_id == content.of else p for p in draft.texts)
        talk.set(draft=replace(draft, texts=texts, touched_at=talk.world.now))
        talk.say("draft.edited")
        building.proceed(talk)
        return
    code = dict(talk.session.filed).get(content.of)
    if code is not None:
        held = Held(texts=(TextPart(content.of, content.text),))
        talk.do(Attach(code, held, is_edit=True))


def _take_lifecycle(talk: Talk, content: LifecycleContent) -> None:
    if content.kind is LifecycleKind.STARTED:
        _welcome(talk)
    elif content.kind is LifecycleKind.WITHDRAWN:
        talk.do(Erase())


def _take_tick(talk: Talk) -> None:
    draft, world = talk.draft, talk.world
    if draft is None:
        return
    age = world.now - draft.touched_at
    if age >= world.draft_life:
        talk.set(draft=None, kept_draft=draft, later=())
        talk.put_labels(talk.text("draft.expired"), ["restore"], Step.RESTORE)
    elif age >= world.draft_reminder and not draft.is_reminded:
        talk.set(draft=replace(draft, is_reminded=True))
        talk.say("draft.reminder")
        building.proceed(talk)


def _raise_alarm(talk: Talk, part: TextPart, held: Held | None = None) -> None:
    """Danger now: filed at once, without a question; a draft about something else waits."""
    urgent = following.recent_urgent(talk)
    held = Held((part,), held.photos if held else (), held.point if held else None)
    if urgent is not None:
        following.attach(talk, urgent.code, held)
        return
    draft = talk.draft
    waits = draft if draft is not None and draft.text and not _is_same_danger(talk, draft) else None
    if waits is not None:
        talk.set(draft=None)
    building.merge(talk, held)
    building.submit(talk, is_danger=True)
    talk.set(draft=waits)


def _is_same_danger(talk: Talk, draft: Draft) -> bool:
    return talk.world.understand(draft.story).danger.is_danger


def _is_answer(talk: Talk, text: str) -> bool:
    # "huỷ" or "lĩnh vực" may be a label on offer, or the beginning of the place: the choice wins
    choices = talk.session.choices
    return choices is not None and not text.lstrip().startswith("/") and match_choice(text, choices) is not None


def _obey(talk: Talk, typed: TypedCommand) -> None:
    pack = talk.world.pack
    match typed.command:
        case Command.START:
            _welcome(talk)
        case Command.NEW:
            _start_anew(talk)
        case Command.MINE:
            talk.do(ListMine())
        case Command.LOOKUP if typed.codes:
            talk.do(Lookup(typed.codes[0]))
        case Command.LOOKUP:
            talk.say("lookup.no_code", prefix=pack.code_prefix)
        case Command.CANCEL:
            _cancel(talk)
        case Command.HELP:
            talk.say("help.text")
        case Command.FIELDS:
            talk.say("help.fields", fields="\n".join(f"• {info.label}" for info in pack.fields.values()))
        case Command.AREA:
            names = pack.served_communes.values() or [pack.area_name]
            talk.say("help.area", area=pack.area_name, communes="\n".join(f"• {name}" for name in names))
        case Command.ERASE:
            talk.put_labels(talk.text("erase.confirm"), ["erase_yes", "erase_no"], Step.ERASE)
        case _:
            assert_never(typed.command)


def _welcome(talk: Talk) -> None:
    talk.set(is_known=True)
    talk.say("first.notice", area=talk.world.pack.area_name)
    talk.say("first.invite")
    building.proceed(talk)


def _greet_first(talk: Talk) -> None:
    if not talk.session.is_known:
        talk.set(is_known=True)
        talk.say("first.notice", area=talk.world.pack.area_name)


def _start_anew(talk: Talk) -> None:
    if talk.draft is not None and not talk.draft.is_empty:
        talk.put_labels(talk.text("draft.unfinished"), ["new_no", "new_yes"], Step.DISCARD)
        return
    _greet_first(talk)
    talk.put(talk.text("draft.fresh"), [], Step.WHAT)


def _cancel(talk: Talk) -> None:
    if talk.draft is None:
        talk.say("talk.nothing_to_cancel")
        return
    talk.set(draft=None, kept_draft=talk.draft, later=(), held=None)
    talk.put_labels(talk.text("draft.cancelled"), ["restore"], Step.RESTORE)


def _take_token(talk: Talk, token: str) -> None:
    kind, _, rest = token.partition(":")
    if kind == "r":  # "r:PA-7K3M9Q:good": on a pushed result, whatever was said since
        code, _, rating = rest.rpartition(":")
        _rate(talk, code, rating)
        return
    nonce, _, index = rest.partition(":")
    choices = talk.session.choices
    is_current = kind == "c" and choices is not None and nonce == choices.nonce and index.isdigit()
    if choices is not None and is_current and int(index) < len(choices.options):
        _choose(talk, choices.options[int(index)].value)
    else:
        _repeat_question(talk)


def _repeat_question(talk: Talk) -> None:
    if talk.draft is not None:
        building.proceed(talk)
    else:
        talk.say("talk.nothing_to_choose")


def _choose(talk: Talk, value: str) -> None:
    head, _, rest = value.partition(":")
    match head:
        case "erase_yes":
            talk.set(draft=None, kept_draft=None, held=None, later=(), filed=(), is_known=False)
            talk.clear_question()
            talk.do(Erase())
        case "erase_no":
            talk.clear_question()
            talk.say("erase.kept")
            building.proceed(talk)
        case "restore":
            _restore(talk)
        case "attach":
            following.attach(talk, rest, talk.session.held or Held())
            talk.set(held=None)
        case "new_report" | "not_this":
            held = talk.session.held or Held()
            if head == "not_this" and held.code:
                talk.do(Detach(held.code))
                talk.say("attach.moved")
            talk.set(held=None)
            following.start_draft(talk, Held(held.texts, held.photos, held.point))
        case "why":
            _finish_rating(talk, talk.text(f"rate.{rest}"))
        case _:
            _choose_in_draft(talk, head, rest)


def _choose_in_draft(talk: Talk, head: str, rest: str) -> None:
    draft = talk.draft
    if draft is None:
        _repeat_question(talk)
        return
    draft = replace(draft, touched_at=talk.world.now)
    talk.set(draft=draft)
    match head:
        case "send":
            building.submit(talk)
        case "edit_field":
            building.ask_all_fields(talk)
        case "edit_place":
            _edit_place(talk, draft)
        case "add":
            talk.put_labels(talk.text("ask.more"), ["send", "cancel"], Step.MORE, ask=Ask.PHOTO)
        case "cancel":
            _cancel(talk)
        case "unknown_place":
            talk.set(draft=replace(draft, is_place_unknown=True, commune=None, former=""))
            building.proceed(talk)
        case "other_place":
            talk.put_labels(talk.text("ask.place"), ["unknown_place"], Step.PLACE, ask=Ask.LOCATION)
        case "commune":
            code, _, former = rest.partition(":")
            talk.set(draft=replace(draft, commune=code, former=former, is_place_unknown=False))
            building.proceed(talk)
        case "field":
            building.choose_field(talk, rest)
        case "subfield":
            talk.set(draft=replace(draft, subfield=rest, is_field_open=False))
            building.proceed(talk)
        case "other_field":
            building.ask_all_fields(talk)
        case "separate" | "same":
            _settle_second(talk, is_separate=head == "separate")
        case "new_yes":
            talk.set(draft=None, kept_draft=draft, later=())
            talk.put(talk.text("draft.fresh"), [], Step.WHAT)
        case _:  # "new_no", and whatever an older version offered
            building.proceed(talk)


def _edit_place(talk: Talk, draft: Draft) -> None:
    talk.set(draft=replace(draft, commune=None, former="", place_words="", asked=draft.asked | {"place"}))
    talk.put_labels(talk.text("ask.place"), ["unknown_place"], Step.PLACE, ask=Ask.LOCATION)


def _settle_second(talk: Talk, *, is_separate: bool) -> None:
    held = talk.session.held or Held()
    talk.set(held=None)
    if is_separate:
        talk.set(later=talk.session.later + held.texts)
    else:
        building.merge(talk, held)
    building.proceed(talk)


def _restore(talk: Talk) -> None:
    kept = talk.session.kept_draft
    if kept is None:
        talk.say("draft.none_to_restore")
        return
    talk.set(draft=replace(kept, touched_at=talk.world.now, is_reminded=False), kept_draft=None)
    talk.say("draft.restored")
    building.proceed(talk)


def _rate_by_words(talk: Talk, text: str) -> bool:
    """A typed "1" or "hài lòng" while one result waits to be judged."""
    waiting = [brief for brief in talk.world.facts.reports if brief.status is Status.RESOLVED]
    if talk.world.facts.replied_code is not None:
        waiting = [brief for brief in waiting if brief.code == talk.world.facts.replied_code]
    if len(waiting) != 1 or talk.session.choices is not None:
        return False
    labels = [(talk.text(f"button.{rating}"), f"rate:{rating}") for rating in ("good", "acceptable", "bad")]
    value = match_choice(text, make_choices(0, labels))
    if value is None:
        return False
    _rate(talk, waiting[0].code, value.partition(":")[2])
    return True


def _rate(talk: Talk, code: str, rating: str) -> None:
    if rating in ("good", "acceptable"):
        talk.clear_question()
        talk.do(Rate(code, rating))
        return
    talk.set(held=Held(code=code))
    options = [(talk.text(f"rate.{reason}"), f"why:{reason}") for reason in RATE_REASONS]
    talk.put(talk.text("rate.why"), options, Step.RATE_WHY)


def _finish_rating(talk: Talk, reason: str) -> None:
    held = talk.session.held
    talk.set(held=None)
    talk.clear_question()
    if held is not None and held.code:
        talk.do(Rate(held.code, "bad", reason))
    building.proceed(talk)
