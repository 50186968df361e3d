"""Channels against payloads and emulators."""
