"""What we do: the use-cases. Knows no platform, no terminal, no HTTP."""
