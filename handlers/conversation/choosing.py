"""What the choices on offer do, pressed or typed."""

from dataclasses import replace

from handlers.conversation import building, following, rating, withdrawing
from handlers.conversation.assess import UNCLEAR, assess
from handlers.conversation.talk import Talk
from handlers.conversation.world import Detach, Erase
from handlers.drafts import DRAFT_STEPS, Draft, Held, Step
from handlers.messages import Ask


def choose(talk: Talk, value: str) -> None:
    """Do what this choice stands for."""
    head, _, rest = value.partition(":")
    held = talk.session.held or Held()
    match head:
        case "erase_yes":
            erase(talk)
        case "erase_no":
            talk.clear_question()
            talk.lead_in("erase.kept")
            if talk.draft is not None and not talk.draft.is_empty:
                building.proceed(talk)
        case "restore":
            restore(talk)
        case "attach":
            talk.set(held=None)
            following.attach(talk, rest, held)
        case "new_report" | "not_this":
            _take_out(talk, held, is_attached=head == "not_this")
        case "withdraw":
            withdrawing.ask_to_withdraw(talk, rest)
        case "withdraw_yes" | "withdraw_no":
            withdrawing.finish_withdrawal(talk, is_wanted=head == "withdraw_yes")
        case "why":
            rating.finish_rating(talk, talk.text(f"rate.{rest}"))
        case "reopen":
            rating.reopen(talk)
        case _:
            _choose_in_draft(talk, head, rest)


def repeat(talk: Talk) -> None:
    """Say the last question once more."""
    if talk.session.step in DRAFT_STEPS and talk.draft is not None and not talk.draft.is_empty:
        building.repeat_question(talk)
    elif talk.session.step in (Step.NONE, Step.ATTACHED) or not talk.put_again():
        if talk.draft is not None and not talk.draft.is_empty:
            building.proceed(talk)
        else:
            talk.say("talk.nothing_to_choose")


def cancel(talk: Talk) -> None:
    """Put the draft away; what waited its turn comes next."""
    if talk.draft is None or talk.draft.is_empty:
        talk.set(draft=None)
        talk.say("talk.nothing_to_cancel")
        return
    talk.set(draft=None, kept_draft=talk.draft)
    talk.clear_question()
    if talk.session.later:
        talk.lead_in("draft.cancelled_next")
    else:
        talk.put_labels(talk.text("draft.cancelled"), ["restore"], Step.RESTORE)


def restore(talk: Talk) -> None:
    """Take back the draft that was cancelled or expired."""
    kept = talk.session.kept_draft
    if kept is None:
        talk.say("draft.none_to_restore")
        return
    talk.set(draft=replace(kept, touched_at=talk.world.now, is_reminded=False), kept_draft=None)
    talk.lead_in("draft.restored")
    building.proceed(talk)


def begin_anew(talk: Talk, held: Held) -> None:
    """Put the open draft aside, where it can be taken back from, and begin another with this."""
    talk.set(draft=None, kept_draft=talk.draft)
    if held == Held():
        talk.put_labels(talk.text("draft.fresh"), ["restore"], Step.WHAT)
    else:
        talk.lead_in("draft.set_aside")
        following.start_draft(talk, held)


def erase(talk: Talk) -> None:
    """Forget this person."""
    talk.set(draft=None, kept_draft=None, held=None, later=(), filed=(), is_known=False, sent_nonce="")
    talk.clear_question()
    talk.do(Erase())


def _take_out(talk: Talk, held: Held, *, is_attached: bool) -> None:
    """What was put to a report, or nearly so, is a trouble of its own."""
    if is_attached and held.code:
        talk.do(Detach(held.code))
        talk.lead_in("attach.moved")
    talk.set(held=None)
    own = Held(held.texts, held.photos, held.point)
    if talk.draft is not None and not talk.draft.is_empty:
        talk.set(later=(*talk.session.later, own))
        talk.lead_in("draft.later")
        building.proceed(talk)
    else:
        following.start_draft(talk, own)


def _choose_in_draft(talk: Talk, head: str, rest: str) -> None:
    draft = talk.draft
    if draft is None:
        repeat(talk)
        return
    draft = replace(draft, touched_at=talk.world.now)
    talk.set(draft=draft)
    match head:
        case "send":
            building.submit(talk)
        case "cancel":
            cancel(talk)
        case "add":
            talk.put_labels(talk.text("ask.more"), ["send", "cancel"], Step.MORE, ask=Ask.PHOTO)
        case "edit_field" | "other_field":
            if talk.session.step is Step.PLACE:  # that question is still open
                talk.set(draft=replace(draft, asked=draft.asked - building.PLACE_QUESTIONS))
            building.ask_all_fields(talk)
        case "field":
            building.choose_field(talk, rest)
        case "separate" | "same":
            _settle_second(talk, is_separate=head == "separate")
        case "new_yes":
            begin_anew(talk, Held())
        case _:
            _choose_place(talk, draft, head, rest)


def _choose_place(talk: Talk, draft: Draft, head: str, rest: str) -> None:
    match head:
        case "edit_place":
            asked = (draft.asked - building.PLACE_QUESTIONS) | {"place"}
            read = assess(draft, talk.world).commune
            denied = draft.denied | ({read.code} if read is not None else frozenset())
            talk.set(draft=replace(draft, commune=None, former="", place_words="", denied=denied, asked=asked))
            talk.put_labels(talk.text("ask.place"), ["unknown_place"], Step.PLACE, ask=Ask.LOCATION)
        case "other_place":
            talk.put_labels(talk.text("ask.place_other"), ["unknown_place"], Step.PLACE, ask=Ask.LOCATION)
        case "unknown_place":
            talk.set(draft=replace(draft, is_place_unknown=True, commune=None, former=""))
            building.proceed(talk)
        case "commune":
            code, _, former = rest.partition(":")
            denied = draft.denied - {code}
            talk.set(draft=replace(draft, commune=code, former=former, is_place_unknown=False, denied=denied))
            building.proceed(talk)
        case "subfield":
            talk.set(draft=replace(draft, subfield=rest, is_field_open=False))
            building.proceed(talk)
        case _:  # "new_no", and whatever an older version offered
            building.proceed(talk)


def _settle_second(talk: Talk, *, is_separate: bool) -> None:
    held = talk.session.held or Held()
    talk.set(held=None)
    if is_separate:
        talk.set(later=(*talk.session.later, held))
        talk.lead_in("draft.later")
    elif talk.draft is not None:  # one trouble: what it was called stays
        before = assess(talk.draft, talk.world).subfield
        building.merge(talk, held)
        if before != UNCLEAR and talk.draft.subfield is None:
            talk.set(draft=replace(talk.draft, subfield=before))
    building.proceed(talk)
