"""The citizen takes a report back, as long as no agency has it."""

import re

from handlers.codes import find_codes
from handlers.conversation.following import brief_of
from handlers.conversation.talk import Talk
from handlers.conversation.world import ReportBrief, Withdraw
from handlers.drafts import Held, Step
from handlers.folding import fold
from storage.workflow import Status

_LONGEST = 14  # words; in a longer line "huỷ" tells a story
_WITHDRAWS = re.compile(
    r"^(?:(?:da|a|cho|toi|minh|em|anh|chi|ban|oi|muon|xin|can|lam on|giup|hay)[, ]+)*"
    r"(?:huy bo|huy|rut lai|rut|xoa bo|xoa|thu hoi|go bo|go)(?: lai| giup| cai| ma)? (?:phan anh|pa\b)"
)
_BEFORE_AN_AGENCY = (Status.RECEIVED, Status.NEED_INFO)


def take_withdrawal(talk: Talk, text: str) -> bool:
    """Whether the line asks to take a report back; asked once more before it is done."""
    line = fold(text)
    if not _WITHDRAWS.match(line) or len(line.split()) > _LONGEST:
        return False
    codes = find_codes(text, talk.world.pack.code_prefix)
    if not codes and talk.draft is not None and not talk.draft.is_empty:
        return False  # it is the draft that is meant
    reports = talk.world.facts.reports
    own = [brief for brief in reports if brief.code in codes or brief.code == talk.world.facts.replied_code]
    waiting = own or [brief for brief in reports if brief.status in _BEFORE_AN_AGENCY]
    if codes and not own:
        talk.say("lookup.unknown", code=codes[0], prefix=talk.world.pack.code_prefix)
    elif len(waiting) == 1:
        ask_to_withdraw(talk, waiting[0].code)
    elif waiting:
        _ask_which(talk, waiting)
    elif reports:
        talk.say("withdraw.too_late", code=reports[0].code)
    else:
        talk.say("talk.nothing_to_cancel")
    return True


def ask_to_withdraw(talk: Talk, code: str) -> None:
    """Is it really to be taken back?"""
    brief = brief_of(talk, code)
    if brief is None or brief.status not in _BEFORE_AN_AGENCY:
        talk.say("withdraw.too_late", code=code)
        return
    talk.hold(Held(code=code))
    question = talk.text("withdraw.confirm", code=code)
    talk.put_labels(question, ["withdraw_yes", "withdraw_no"], Step.WITHDRAW, is_prompt=False)


def finish_withdrawal(talk: Talk, *, is_wanted: bool) -> None:
    """The answer to that."""
    held = talk.session.held
    talk.set(held=None)
    talk.clear_question()
    if is_wanted and held is not None and held.code:
        talk.do(Withdraw(held.code))
    else:
        talk.say("withdraw.kept")


def _ask_which(talk: Talk, reports: list[ReportBrief]) -> None:
    pack = talk.world.pack
    options = [(f"{b.code} · {pack.subfield_label(b.subfield)}", f"withdraw:{b.code}") for b in reports[:6]]
    options.append((talk.text("button.withdraw_no"), "withdraw_no"))
    talk.put(talk.text("withdraw.which"), options, Step.WITHDRAW, is_prompt=False)
