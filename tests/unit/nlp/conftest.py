"""The gazetteer for every test of places: built once for each state of its sources, kept beside the data wheels."""

import hashlib
from pathlib import Path

import pytest

import nlp.gazetteer_build as builder
from nlp.gazetteer import Gazetteer, load_gazetteer


@pytest.fixture(scope="session")
def gazetteer_path() -> Path:
    root = Path(builder.__file__).parent
    made_of = (root / "gazetteer_build.py", root / "gazetteer_keys.py", root / "data" / "places" / "changes_2026.tsv")
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in made_of)).hexdigest()[:12]
    path = builder.default_sources() / f"gazetteer-{digest}.bin"
    if not path.exists():
        builder.build(path)
    return path


@pytest.fixture(scope="session")
def gazetteer(gazetteer_path: Path) -> Gazetteer:
    return load_gazetteer(gazetteer_path)
