"""The language part as tests use it: the committed model, without places and without sentence vectors, loaded once."""

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from nlp.pipeline import Language, load_language

CASES = Path(__file__).parent / "cases"


@lru_cache(maxsize=1)
def words_only() -> Language:
    return load_language(gazetteer_path=None, use_embed=False)


def read_cases(name: str) -> list[dict[str, Any]]:
    with (CASES / f"{name}.jsonl").open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def floors() -> dict[str, float]:
    """Figures that were reached once; a change may raise them, never lower them."""
    floors: dict[str, float] = json.loads((CASES / "language_floors.json").read_text(encoding="utf-8"))
    return floors
