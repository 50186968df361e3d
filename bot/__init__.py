"""The outside world: chat platforms, HTTP, the running processes."""
