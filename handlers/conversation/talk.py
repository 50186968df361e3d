"""The turn being made: collects what is to be said and done, and puts questions with their choices."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from handlers.conversation.assess import Assessment
from handlers.conversation.world import Say, Turn, TurnStep, World
from handlers.drafts import DRAFT_STEPS, UNDECIDED, ChoiceOption, ChoiceSet, Draft, Held, Question, Session, Step
from handlers.messages import Ask, Option, Reply

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


class Talk:
    """One turn: a session that changes and steps that grow. Lives for one call of ``advance``."""

    def __init__(self, session: Session, world: World) -> None:
        self.session = session
        self.world = world
        self.steps: list[TurnStep] = []
        self._intro = ""
        draft = session.draft
        asked = draft.asked if draft else frozenset()
        self._before = Question(session.step, session.choices, draft.id if draft else "", asked)

    @property
    def draft(self) -> Draft | None:
        return self.session.draft

    def set(self, **changes: object) -> None:
        self.session = replace(self.session, **changes)  # type: ignore[arg-type]  # field names are checked by replace

    def text(self, key: str, **values: object) -> str:
        return self.world.texts.say(key, **values)

    def do(self, step: TurnStep) -> None:
        self.steps.append(step)

    def say(self, key: str, **values: object) -> None:
        self.steps.append(Say(Reply(self.text(key, **values))))

    def hold(self, held: Held) -> None:
        """Keep this until the citizen decides; what they were asked about before and left open waits its turn."""
        self._park()
        self.set(held=held)

    def lead_in(self, key: str, **values: object) -> None:
        """A sentence that opens the next question, so that both are one message."""
        self._intro = "\n".join(part for part in (self._intro, self.text(key, **values)) if part)

    def put(
        self,
        text: str,
        options: Iterable[tuple[str, str]],
        step: Step,
        *,
        ask: Ask | None = None,
        is_prompt: bool = True,
    ) -> None:
        """Ask a question; ``options`` are (label, value) in reading order."""
        if step not in UNDECIDED:
            self._park()
        choices = make_choices(self.session.turns, options)
        self.set(step=step, choices=choices, asked_at=self.world.now, before=self._before, is_question_due=False)
        self.set(question=text)
        if self._intro:
            text, self._intro = f"{self._intro}\n{text}", ""
        self.steps.append(Say(Reply(text, buttons(choices), ask), is_prompt))

    def put_labels(
        self, text: str, values: Sequence[str], step: Step, *, ask: Ask | None = None, is_prompt: bool = True
    ) -> None:
        """``put`` with the catalogue's button labels."""
        options = [(self.text(f"button.{value}"), value) for value in values]
        self.put(text, options, step, ask=ask, is_prompt=is_prompt)

    def put_again(self) -> bool:
        """The last question once more, with its choices; False where none is open."""
        session = self.session
        if session.choices is None or not session.question or session.step is Step.NONE:
            return False
        options = [(option.label, option.value) for option in session.choices.options]
        ask = Ask.LOCATION if session.step is Step.PLACE else None
        self.put(session.question, options, session.step, ask=ask, is_prompt=session.step in DRAFT_STEPS)
        return True

    def clear_question(self) -> None:
        self._park()
        self.set(step=Step.NONE, choices=None, question="")

    def _park(self) -> None:
        held = self.session.held
        if held is None or self.session.step not in UNDECIDED:
            return
        own = Held(held.texts, held.photos, held.point)
        later = self.session.later if own == Held() else (*self.session.later, own)
        self.set(held=None, later=later)

    def turn(self) -> Turn:
        if self._intro:
            self.steps.append(Say(Reply(self._intro)))
        return Turn(self.session, tuple(self.steps))


def make_choices(turn: int, options: Iterable[tuple[str, str]]) -> ChoiceSet:
    """Choices whose nonce is the number of the turn that put them."""
    return ChoiceSet(_base36(turn), tuple(ChoiceOption(label, value) for label, value in options))


def buttons(choices: ChoiceSet) -> tuple[Option, ...]:
    """The choices with their button tokens."""
    return tuple(Option(f"c:{choices.nonce}:{i}", option.label) for i, option in enumerate(choices.options))


def summary_text(view: Assessment, draft: Draft, world: World) -> str:
    """What was understood, line by line, and the invitation to send it."""
    say, pack = world.texts.say, world.pack
    lines = [say("summary.head")]
    lines.append(
        say("summary.field_open") if view.is_field_open else say("summary.field", field=pack.label(view.subfield))
    )
    lines.append(_commune_line(view, world))
    if view.place_words:
        lines.append(say("summary.place", place=view.place_words))
    if draft.point:
        lines.append(say("summary.point"))
    count = len(draft.photos)
    if count:
        lines.append(say("summary.photos", count=count))
    elif "photo" not in draft.asked:
        lines.append(say("summary.no_photo"))
    return "\n".join(lines) + "\n\n" + _foot(view, world)


def _commune_line(view: Assessment, world: World) -> str:
    commune = view.commune
    if commune is None and view.outside is not None:
        return world.texts.say("summary.commune_outside", area=view.outside.name)
    if commune is None:
        return world.texts.say("summary.commune_open")
    if commune.former:
        return world.texts.say("summary.commune_former", commune=commune.name, former=commune.former)
    return world.texts.say("summary.commune", commune=commune.name)


def _foot(view: Assessment, world: World) -> str:
    say, pack = world.texts.say, world.pack
    if view.is_outside:
        return say("summary.outside", area=pack.area_name, channel=pack.contacts["outside_channel"])
    redirect = view.understanding.redirect
    if redirect is not None:
        place = {"TC01": "citizen_reception", "TC02": "public_service_portal"}.get(redirect.value, "")
        return say(f"summary.redirect_{redirect.value}", place=pack.contacts.get(place, ""))
    return say("summary.foot")


def _base36(number: int) -> str:
    digits = ""
    while True:
        number, rest = divmod(number, 36)
        digits = _DIGITS[rest] + digits
        if number == 0:
            return digits
