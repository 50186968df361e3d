"""Own sentences and phrases as training material."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from nlp.normalize import Normalizer, has_accents
from nlp.normalize.syllables import is_stripped_syllable

ACCENTED = 0.55  # share of syllables with accents from which a text may teach accents
OWN_WEIGHT, LIST_WEIGHT = 3, 1  # of a sentence or phrase of ours, and of a word list, for the restorer
_MAX_LIST_WORDS = 4


@dataclass(frozen=True, slots=True)
class Sentence:
    """One labelled text. ``block`` names its voice: a validation split never cuts a block."""

    text: str
    field: str
    subfield: str
    either: tuple[str, ...] = ()
    block: str = ""
    style: str = ""
    danger: bool = False
    non_report: bool = False
    redirect: str | None = None

    @property
    def right_fields(self) -> frozenset[str]:
        return frozenset((self.field, *self.either))


def read_sentences(folder: Path) -> list[Sentence]:
    """Read every ``*.jsonl`` of ``folder`` in the order of file names."""
    sentences: list[Sentence] = []
    for path in sorted(folder.glob("*.jsonl")):
        with path.open(encoding="utf-8") as file:
            sentences.extend(sentence_of(json.loads(line)) for line in file if line.strip())
    return sentences


def sentence_of(row: dict[str, object]) -> Sentence:
    """Read one labelled line; what it does not say has its default."""
    either = row.get("either") or ()
    subfield = str(row["subfield"])
    return Sentence(
        text=str(row["text"]),
        field=str(row["field"]),
        subfield=subfield,
        either=tuple(str(name) for name in either) if isinstance(either, list) else (),
        block=str(row.get("block") or ""),
        style=str(row.get("style") or ""),
        danger=bool(row.get("danger")),
        non_report=bool(row.get("non_report")) or subfield == "khac.chuyen_phiem",
        redirect=str(row["redirect"]) if row.get("redirect") else None,
    )


def folds_by_block(sentences: Sequence[Sentence], count: int) -> list[int]:
    """Return the fold of each sentence; blocks of one field are spread over the folds."""
    blocks = sorted({sentence.block for sentence in sentences})
    fold_of = {block: index % count for index, block in enumerate(blocks)}
    return [fold_of[sentence.block] for sentence in sentences]


def accent_rows(
    normalizer: Normalizer, texts: Iterable[str], words: Iterable[str]
) -> Iterator[tuple[list[str], int]]:  # fmt: skip
    """Yield rows of syllables for the restorer: texts that carry their accents, and listed words and names."""
    for text in texts:
        row = ["." if token in (".", ",", "?") else token for token in normalizer.normalize(text).tokens]
        if carries_accents(row):
            yield row, OWN_WEIGHT
    for word in words:
        row = list(normalizer.normalize(word).tokens)
        if 0 < len(row) <= _MAX_LIST_WORDS:
            yield row, LIST_WEIGHT


def carries_accents(tokens: Sequence[str]) -> bool:
    syllables = [token for token in tokens if is_stripped_syllable(token)]
    return bool(syllables) and sum(map(has_accents, syllables)) >= ACCENTED * len(syllables)


def listed_words() -> list[str]:
    """Return the words of the list that comes with underthesea; empty when it is not where it used to be.

    Its segmentation is not used at run time: word pairs carry the compounds, and it would cost 80–100 MB a process.
    """
    import underthesea  # training only: half a second and 80 MB

    path = Path(underthesea.__file__).parent / "corpus" / "data" / "Viet74K.txt"
    if not path.is_file():
        return []
    return [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def place_names(folder: Path) -> list[str]:
    """Return the place names of ``places.txt``, one a line, when the table is there."""
    path = folder / "place_names.txt"
    if not path.is_file():
        return []
    return [line for line in path.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
