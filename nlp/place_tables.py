"""Reads the hand-written tables of ``nlp/data/places``: tab-separated lines, "#" starts a comment."""

from functools import cache
from importlib.resources import files


@cache
def read_table(name: str) -> tuple[tuple[str, ...], ...]:
    """The rows of a table, cells stripped; every row has as many cells as the widest one."""
    text = files("nlp").joinpath("data", "places", name).read_text(encoding="utf-8")
    rows = [line.split("\t") for line in text.splitlines() if line.strip() and not line.startswith("#")]
    width = max((len(row) for row in rows), default=0)
    return tuple(tuple(cell.strip() for cell in row) + ("",) * (width - len(row)) for row in rows)


@cache
def read_words(name: str, kind: str) -> frozenset[str]:
    """The words that a table of "kind<TAB>words, separated by commas" lists under ``kind``."""
    return frozenset(
        word.strip() for row in read_table(name) if row[0] == kind for word in row[1].split(",") if word.strip()
    )
