"""How a Reply looks on a platform that can do only so much: buttons or numbered lines, one message or several."""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from bot.channels.base import Capabilities
from handlers.messages import Option, Reply

Measure = Callable[[str], int]
"""Length of a text in the unit the platform counts."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """What to send, in this order: the photos with ``caption``, then ``texts``; ``buttons`` go on the last of these."""

    caption: str
    texts: tuple[str, ...]
    buttons: tuple[Option, ...] = ()


def utf16_units(text: str) -> int:
    """Length as Telegram and Zalo count it: letters outside the basic plane count twice."""
    return len(text) + sum(letter > "\uffff" for letter in text)


def render(reply: Reply, capabilities: Capabilities, *, hint: str, measure: Measure = utf16_units) -> Rendered:
    """Fit a reply to a platform. ``hint`` says how to answer numbered lines; ``{count}`` in it becomes their number."""
    text, buttons = _with_choices(reply, capabilities, hint, measure)
    if capabilities.sends_photos and reply.photos and _fits_as_caption(reply, text, capabilities, measure):
        return Rendered(caption=text, texts=(), buttons=buttons)
    return Rendered(caption="", texts=split_text(text, capabilities.max_text, measure), buttons=buttons)


def split_text(text: str, limit: int, measure: Measure = utf16_units) -> tuple[str, ...]:
    """Cut a text into parts of at most ``limit`` units: between paragraphs, else lines, else words, else letters."""
    rest = unicodedata.normalize("NFC", text).strip()
    parts = []
    while rest and measure(rest) > limit:
        cut = _cut_at(rest, _longest_prefix(rest, limit, measure))
        parts.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    if rest:
        parts.append(rest)
    return tuple(parts)


def numbered_lines(options: tuple[Option, ...], hint: str) -> str:
    """The choices as text: a line each and how to answer."""
    lines = [f"{number}. {option.label}" for number, option in enumerate(options, start=1)]
    return "\n".join([*lines, hint.replace("{count}", str(len(options)))]).rstrip()


def _with_choices(
    reply: Reply, capabilities: Capabilities, hint: str, measure: Measure
) -> tuple[str, tuple[Option, ...]]:
    text = unicodedata.normalize("NFC", reply.text).strip()
    options = reply.options
    if not options:
        return text, ()
    room_for_all = capabilities.has_buttons and len(options) <= capabilities.max_buttons
    if room_for_all and all(measure(option.label) <= capabilities.max_label for option in options):
        return text, options
    text = f"{text}\n\n{numbered_lines(options, hint)}".strip()
    if not room_for_all:
        return text, ()
    # a label too long for a button stands in full in the text, and the button shows its number
    return text, tuple(Option(option.token, str(number)) for number, option in enumerate(options, start=1))


def _fits_as_caption(reply: Reply, text: str, capabilities: Capabilities, measure: Measure) -> bool:
    # a status card is edited as text later on; an invitation needs a keyboard; no buttons can stand under an album
    is_album_with_buttons = len(reply.photos) > 1 and bool(reply.options)
    return (
        not reply.is_card
        and reply.ask is None
        and not is_album_with_buttons
        and measure(text) <= capabilities.max_caption
    )


def _longest_prefix(text: str, limit: int, measure: Measure) -> int:
    """How many letters of the text fit, at least one."""
    low, high = 1, min(len(text), max(limit, 1))
    while low < high:
        middle = (low + high + 1) // 2
        if measure(text[:middle]) <= limit:
            low = middle
        else:
            high = middle - 1
    return low


def _cut_at(text: str, end: int) -> int:
    """The best place to cut at or before ``end``; a paragraph or line break in the first half wastes too much room."""
    for separator in ("\n\n", "\n"):
        cut = text.rfind(separator, 0, end + len(separator))
        if cut >= end // 2 and cut > 0:
            return cut
    for cut in range(end, 0, -1):
        if text[cut].isspace():
            return cut
    cut = end
    while cut > 1 and unicodedata.combining(text[cut]):  # keep a mark with its letter
        cut -= 1
    return cut
