"""What a citizen's text says: field, place, danger, intent. Plain functions; no database, no event loop."""
