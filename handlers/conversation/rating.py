"""The citizen judges a result: by its buttons, by a number or a word, by saying what is still wrong."""

from handlers.commands import match_choice, typed_number
from handlers.conversation.building import proceed
from handlers.conversation.following import brief_of
from handlers.conversation.talk import Talk, make_choices
from handlers.conversation.world import Attach, Rate, ReportBrief
from handlers.drafts import Held, Step
from storage.workflow import Status

RATINGS = ("good", "acceptable", "bad")
REASONS = ("not_done", "half_done", "vague", "wrong_place", "came_back", "other")


def rate_by_words(talk: Talk, text: str) -> bool:
    """A typed "1" or "hài lòng" while one result waits to be judged; a number only when nothing was asked since."""
    brief = _waiting_result(talk)
    if brief is None:
        return False
    if typed_number(text) is not None and not is_newer_than_question(talk, brief):
        return False
    labels = [(talk.text(f"button.{rating}"), f"rate:{rating}") for rating in RATINGS]
    value = match_choice(text, make_choices(0, labels))
    if value is None:
        return False
    rate(talk, brief.code, value.partition(":")[2])
    return True


def rate(talk: Talk, code: str, rating: str) -> None:
    """Good and acceptable end it; "bad" is asked why."""
    brief = brief_of(talk, code)
    if brief is not None and brief.status is not Status.RESOLVED:
        talk.say("rate.already", code=code, status=talk.text(f"status.{brief.status.value}"))
    elif rating in ("good", "acceptable"):
        if talk.session.step in (Step.RATE_WHY, Step.ATTACHED):
            talk.clear_question()
        talk.do(Rate(code, rating))
    else:
        talk.hold(Held(code=code))
        options = [(talk.text(f"rate.{reason}"), f"why:{reason}") for reason in REASONS]
        talk.put(talk.text("rate.why", code=code), options, Step.RATE_WHY, is_prompt=False)


def finish_rating(talk: Talk, reason: str) -> None:
    """The reason is known: the report is opened again, or the opinion noted."""
    held = talk.session.held
    talk.set(held=None)
    talk.clear_question()
    if held is not None and held.code:
        talk.do(Rate(held.code, "bad", reason))
    proceed(talk)


def reopen(talk: Talk) -> None:
    """What was said of the result is the reason."""
    held = talk.session.held or Held()
    talk.set(held=None)
    talk.clear_question()
    if held.photos or held.point is not None:
        talk.do(Attach(held.code, held))
    talk.do(Rate(held.code, "bad", "\n".join(part.text for part in held.texts)))


def is_newer_than_question(talk: Talk, brief: ReportBrief) -> bool:
    """Whether the news of this report came after our last question: then an answer is meant for it."""
    asked_at, choices = talk.session.asked_at, talk.session.choices
    news_at = brief.asked_at if brief.status is Status.NEED_INFO else brief.resolved_at
    return choices is None or asked_at is None or (news_at is not None and news_at > asked_at)


def _waiting_result(talk: Talk) -> ReportBrief | None:
    facts = talk.world.facts
    waiting = [brief for brief in facts.reports if brief.status is Status.RESOLVED]
    if facts.replied_code is not None:
        waiting = [brief for brief in waiting if brief.code == facts.replied_code]
    return waiting[0] if len(waiting) == 1 else None
