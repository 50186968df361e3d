"""Whole conversations as scripts: each runs on every platform, through the same composition as the server."""
