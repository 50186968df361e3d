"""Commands, and the questions that are put to the bot itself."""

from typing import assert_never

from handlers.commands import Command, TypedCommand
from handlers.conversation import building, choosing
from handlers.conversation.hearing import asks_for_people, asks_who_we_are, names_a_place
from handlers.conversation.talk import Talk
from handlers.conversation.world import ListMine, Lookup
from handlers.drafts import Step
from nlp.results import Understanding


def obey(talk: Talk, typed: TypedCommand) -> None:
    """Do what a command asks for."""
    pack = talk.world.pack
    match typed.command:
        case Command.START:
            welcome(talk)
        case Command.NEW:
            start_anew(talk)
        case Command.MINE:
            talk.do(ListMine())
        case Command.LOOKUP if typed.codes:
            talk.do(Lookup(typed.codes[0]))
        case Command.LOOKUP:
            talk.say("lookup.no_code", prefix=pack.code_prefix)
        case Command.CANCEL:
            choosing.cancel(talk)
        case Command.HELP:
            talk.say("help.text")
        case Command.FIELDS:
            talk.say("help.fields", fields="\n".join(f"• {info.label}" for info in pack.fields.values()))
        case Command.AREA:
            names = list(dict.fromkeys(pack.served_communes.values())) or [pack.area_name]
            talk.say("help.area", area=pack.area_name, communes="\n".join(f"• {name}" for name in names))
        case Command.ERASE:
            talk.put_labels(talk.text("erase.confirm"), ["erase_yes", "erase_no"], Step.ERASE, is_prompt=False)
        case _:
            assert_never(typed.command)


def welcome(talk: Talk) -> None:
    """Who we are, and what to do next."""
    talk.set(is_known=True)
    talk.say("first.notice", area=talk.world.pack.area_name)
    if talk.draft is None or talk.draft.is_empty:
        talk.say("first.invite")
    else:
        building.repeat_question(talk)


def greet_first(talk: Talk) -> None:
    """The notice, once in a conversation."""
    if not talk.session.is_known:
        talk.set(is_known=True)
        talk.say("first.notice", area=talk.world.pack.area_name)


def start_anew(talk: Talk) -> None:
    """ "phản ánh mới"."""
    if talk.draft is not None and not talk.draft.is_empty:
        talk.put_labels(talk.text("draft.unfinished"), ["new_no", "new_yes"], Step.DISCARD, is_prompt=False)
        return
    greet_first(talk)
    talk.put(talk.text("draft.fresh"), [], Step.WHAT)


def answer_about_us(talk: Talk, text: str, heard: Understanding) -> bool:
    """Who are you, is there nobody else, and numbers without a word."""
    contacts = talk.world.pack.contacts
    if asks_who_we_are(text) and not names_a_place(heard):
        talk.say("talk.who")
    elif asks_for_people(heard):
        talk.say("talk.people", intake=contacts["intake_name"], channel=contacts["outside_channel"])
    elif talk.draft is None and any(c.isdigit() for c in text) and not any(c.isalpha() for c in text):
        talk.say("talk.only_numbers")
    else:
        return False
    if talk.draft is not None and not talk.draft.is_empty:
        building.repeat_question(talk)
    return True
