"""Platforms in miniature, for tests."""
