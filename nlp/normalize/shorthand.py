"""Write out abbreviations and teencode; a doubtful one is decided by the words around it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from nlp.normalize.letters import has_accents, strip_accents
from nlp.normalize.tokens import Kind, Token

NEAR = 4  # words looked at on either side
_PARTICLES = frozenset(("a", "ad", "vay", "z", "v", "the", "nhi", "ha", "em", "anh", "chi", "oi", "nha", "ne"))


@dataclass(frozen=True, slots=True)
class Reading:
    """One meaning of an abbreviation and the cues that speak for it; all given cues must hold."""

    to: str
    prev: frozenset[str] = frozenset()
    next: frozenset[str] = frozenset()
    near: frozenset[str] = frozenset()
    prev_number: bool = False
    next_number: bool = False
    next_name: bool = False
    dotted: bool = False
    last: bool = False
    accented: bool = False
    glued: bool = False
    round: bool = False  # behind a number as prices are: "50 k", not "114 k"


class Shorthand:
    """The table of abbreviations."""

    def __init__(self, table: Mapping[str, Any]) -> None:
        self._readings: dict[str, tuple[Reading, ...]] = {
            word: (Reading(to=meaning),) for word, meaning in table["plain"].items()
        }
        for entry in table["cued"]:
            self._readings[entry["word"]] = tuple(_reading(row) for row in entry["readings"])

    def __contains__(self, word: str) -> bool:
        return word in self._readings

    def __len__(self) -> int:
        return len(self._readings)

    def write_out(self, tokens: Sequence[Token]) -> list[Token]:
        """Return the tokens with abbreviations written out; an expansion of n words becomes n tokens in one place."""
        folded = [strip_accents(token.text) for token in tokens]
        words = [token for token in tokens if token.kind is Kind.WORD]
        accented = 4 * sum(has_accents(token.text) for token in words) > len(words)
        result: list[Token] = []
        for index, token in enumerate(tokens):
            word = token.text.replace(".", "")
            readings = self._readings.get(word) if token.kind is Kind.WORD and not token.is_fixed else None
            if readings is None or _is_name(tokens, index):
                result.append(token)
                continue
            meaning = next((r.to for r in readings if _holds(r, tokens, folded, index, accented)), "")
            result.extend(_expand(token, meaning))
        return result


def _reading(row: Mapping[str, Any]) -> Reading:
    cues: dict[str, Any] = {key: frozenset(value) if isinstance(value, list) else value for key, value in row.items()}
    return Reading(**cues)


def _expand(token: Token, meaning: str) -> list[Token]:
    if not meaning or meaning == token.text:
        token.is_fixed = meaning == token.text or token.is_fixed
        return [token]
    return [replace(token, text=word, step="shorthand", is_fixed=True) for word in meaning.split()]


def _holds(reading: Reading, tokens: Sequence[Token], folded: list[str], index: int, accented: bool) -> bool:
    before = folded[index - 1] if index else ""
    after = folded[index + 1] if index + 1 < len(folded) else ""
    if reading.prev and before not in reading.prev:
        return False
    if reading.next and after not in reading.next:
        return False
    if reading.prev_number and not (index and tokens[index - 1].kind is Kind.NUMBER):
        return False
    follower = tokens[index + 1] if index + 1 < len(tokens) else None
    if reading.next_number and not (follower and follower.kind is Kind.NUMBER):
        return False
    if reading.next_name and not (follower and follower.is_capital):
        return False
    if reading.dotted and not (tokens[index].is_dotted and follower and (follower.is_capital or _is_number(follower))):
        return False
    if reading.last and not (follower is None or follower.kind is Kind.PAUSE or after in _PARTICLES):
        return False
    if reading.glued and not tokens[index].is_glued:
        return False
    if reading.round and not (index and folded[index - 1][-1:] in "05" and _is_number(tokens[index - 1])):
        return False
    if reading.accented and not accented:
        return False
    if reading.near:
        around = folded[max(0, index - NEAR) : index] + folded[index + 1 : index + 1 + NEAR]
        return not reading.near.isdisjoint(around)
    return True


def _is_number(token: Token) -> bool:
    return token.kind is Kind.NUMBER


def _is_name(tokens: Sequence[Token], index: int) -> bool:
    """A lone capital or code beside a digit is a name: "block A", "nhà B4"; "Pa" of a hamlet keeps its neighbours."""
    token = tokens[index]
    if not token.is_capital or len(token.text) > 2:
        return False
    follower = tokens[index + 1] if index + 1 < len(tokens) else None
    previous = tokens[index - 1] if index else None
    both = follower is not None and follower.is_capital and len(follower.text) > 2 and has_accents(follower.text)
    return token.text in ("pa", "ca") and (both or bool(previous and previous.is_capital))
