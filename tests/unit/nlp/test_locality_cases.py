"""Our own sentences, one for each trap and each way to write a place; the number that must be right only rises."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from nlp.gazetteer import Gazetteer
from nlp.locality import resolve_place
from nlp.results import Context, Locality, PlaceAction

CASES = Path(__file__).parents[2] / "cases"
LINES = [json.loads(line) for line in (CASES / "locality.jsonl").read_text(encoding="utf-8").splitlines()]
FLOOR = json.loads((CASES / "locality_floor.json").read_text(encoding="utf-8"))
WORDS = ("house_number", "street", "lane", "kilometre", "landmark", "hamlet")


def read(gazetteer: Gazetteer, line: dict[str, Any]) -> Locality:
    as_of = date.fromisoformat(line["as_of"]) if "as_of" in line else None
    return resolve_place(gazetteer, line["text"], context=Context(province_code=line["province"], as_of=as_of))


def faults(line: dict[str, Any], found: Locality) -> list[str]:
    """What is not as the line expects; empty when all is right."""
    best = found.best.current.label if found.best else None
    wrong = []
    if line["communes"] and best not in line["communes"]:
        wrong.append(f"commune {best}")
    if not line["communes"] and found.action is PlaceAction.ACCEPT:
        wrong.append(f"invented {best}")
    if line["action"] != "any" and found.action.value != line["action"]:
        wrong.append(f"action {found.action}")
    if "named" in line and (found.best is None or found.best.named is None or found.best.named.name != line["named"]):
        wrong.append(f"named {found.best and found.best.named}")
    if "area" in line and (found.area is None or found.area.name != line["area"]):
        wrong.append(f"area {found.area and found.area.name}")
    if "second" in line and (found.second is None or found.second.current.label != line["second"]):
        wrong.append(f"second {found.second}")
    wrong += [
        f"{part} {getattr(found.words, part)!r}"
        for part in WORDS
        if part in line and getattr(found.words, part) != line[part]
    ]
    return wrong


def test_own_cases_don_t_fall_below_the_committed_floor(gazetteer: Gazetteer) -> None:
    checked = [(line, faults(line, read(gazetteer, line))) for line in LINES]
    right = sum(not wrong for _line, wrong in checked)

    report = "\n".join(f"{line['id']} {line['text']!r}: {', '.join(wrong)}" for line, wrong in checked if wrong)
    assert len(LINES) >= FLOOR["lines"]
    assert right >= FLOOR["right"], report


def test_no_wrong_commune_is_accepted_and_none_invented(gazetteer: Gazetteer) -> None:
    accepted = [(line, read(gazetteer, line)) for line in LINES]
    wrong = [
        line["text"]
        for line, found in accepted
        if found.action is PlaceAction.ACCEPT and found.best and found.best.current.label not in line["communes"]
    ]

    assert wrong == []


@pytest.mark.parametrize("line", LINES, ids=lambda line: line["id"])
def test_offsets_point_at_the_written_words(gazetteer: Gazetteer, line: dict[str, Any]) -> None:
    found = read(gazetteer, line)

    for candidate in found.candidates:
        assert (
            line["text"][candidate.start : candidate.end] == candidate.written or candidate.written == found.area.name
        )
