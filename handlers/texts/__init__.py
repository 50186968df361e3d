"""The catalogue: every sentence a person reads in chat, by key and language."""

import string
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_FOLDER = Path(__file__).resolve().parent


class MissingText(KeyError):
    """A key that the catalogue lacks, or a value that the sentence needs: a defect of ours, found by the tests."""


@dataclass(frozen=True, slots=True)
class Texts:
    """Sentences of one language. ``say("filed.text", code=…)`` fills one in."""

    sentences: Mapping[str, str]

    def say(self, key: str, **values: object) -> str:
        """The sentence with its values. Raises MissingText."""
        try:
            return self.sentences[key].format(**values)
        except KeyError as error:
            raise MissingText(f"{key}: {error}") from error

    def has(self, key: str) -> bool:
        return key in self.sentences

    def placeholders(self, key: str) -> frozenset[str]:
        """Names that the sentence needs."""
        return frozenset(name for _, name, _, _ in string.Formatter().parse(self.sentences[key]) if name)


def load_texts(overrides: Mapping[str, str] | None = None, *, language: str = "vi") -> Texts:
    """The catalogue of a language with a province's own wording on top."""
    data = tomllib.loads((_FOLDER / f"{language}.toml").read_text(encoding="utf-8"))
    sentences = {f"{section}.{key}": text for section, entry in data.items() for key, text in entry.items()}
    return Texts(sentences | dict(overrides or {}))
