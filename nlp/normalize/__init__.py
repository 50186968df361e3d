"""From a message as typed to words as meant; nothing here knows what the message is about."""

from nlp.normalize.letters import compose, has_accents, settle_tone, strip_accents
from nlp.normalize.normalizer import Normalizer, Reading, load_normalizer

__all__ = ["Normalizer", "Reading", "compose", "has_accents", "load_normalizer", "settle_tone", "strip_accents"]
