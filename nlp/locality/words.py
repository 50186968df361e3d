"""Takes the words out of a message that say where inside a commune something is, as the sender wrote them."""

from nlp.locality.cues import Cues
from nlp.locality.tokens import Tokens
from nlp.results import PlaceWords


def find_words(text: str, tokens: Tokens, cues: Cues) -> PlaceWords:
    return PlaceWords()
