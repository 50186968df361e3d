"""Reads the place out of a message: which commune it means, what else it could mean, and where inside it."""

from nlp.locality.resolver import read_words, resolve_place

__all__ = ["read_words", "resolve_place"]
