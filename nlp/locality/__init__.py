"""Reads the place out of a message: which commune it means, what else it could mean, and where inside it."""

from nlp.locality.resolver import resolve_place

__all__ = ["resolve_place"]
