"""Finds the words that say what a name beside them is: kind of unit, street, landmark, home, place of the trouble."""

from collections import defaultdict
from functools import cache, lru_cache

from nlp.gazetteer_keys import accented_key, folded_key
from nlp.locality.tokens import JOINED, SOFT, Tokens
from nlp.place_tables import read_table

COMMUNE_KINDS = frozenset({"xa", "phuong", "thi_tran", "dac_khu"})
DISTRICT_KINDS = frozenset({"huyen", "quan", "thi_xa", "thanh_pho"})
PROVINCE_KINDS = frozenset({"tinh", "thanh_pho"})
UNIT_KINDS = COMMUNE_KINDS | DISTRICT_KINDS | PROVINCE_KINDS

_LONGEST = 4  # syllables of a cue
_WELL_ACCENTED = 0.75

DEFINITE, LIKELY, POSSIBLE = 2.5, 1.5, 0.7  # how strongly the words after "đường" are a street's name

Cue = tuple[int, frozenset[str]]  # first token of the cue, its kinds


class Cues:
    """What stands before each token: ``before[i]`` are the cues that end right before token i, longest first."""

    __slots__ = ("after", "before", "street", "street_names", "tokens")

    def __init__(self, tokens: Tokens) -> None:
        self.tokens = tokens
        self.before: dict[int, list[Cue]] = {}
        self.after: dict[int, list[tuple[int, frozenset[str]]]] = {}
        self.street: dict[int, float] = {}
        self.street_names: dict[int, int] = {}
        self._find()
        self._find_street_names()

    def kinds_before(self, index: int) -> frozenset[str]:
        """All kinds of cue that end right before the token, in the same sentence part."""
        if index and self.tokens.gaps[index : index + 1] == [JOINED]:
            return frozenset().union(*(kinds for _start, kinds in self.before.get(index, ())))
        return frozenset()

    def unit_kind(self, index: int) -> tuple[str, int]:
        """The kind of unit named right before the token and where its word starts: "thị xã" wins over "xã"."""
        if index >= len(self.tokens):
            return "", index
        for start, kinds in self.before.get(index, ()):
            if (
                (found := kinds & UNIT_KINDS)
                and self.tokens.gaps[index] == JOINED
                and not self._is_no_unit(start, index)
            ):
                return min(found), start
        return "", index

    def inside_unit_words(self) -> set[int]:
        """The second tokens of "thành phố", "thị xã", "thị trấn": no name starts there."""
        return {
            start + 1
            for end, found in self.before.items()
            for start, kinds in found
            if end - start == 2 and kinds & UNIT_KINDS and end < len(self.tokens)
        }

    def kinds_at(self, index: int) -> frozenset[str]:
        """All kinds of cue that start with the token."""
        return frozenset().union(*(kinds for _end, kinds in self.after.get(index, ())))

    def _is_no_unit(self, start: int, index: int) -> bool:
        """ "xã hội", "5p", "20h", "2 t": a measure or another word, no kind of unit."""
        tokens = self.tokens
        word = tokens.lower[start]
        if (
            len(word) == 1
            and start
            and tokens.lower[start - 1].isdigit()
            and tokens.ends[start - 1] == tokens.starts[start]
        ):
            return True
        follower = tokens.lower[index] if index < len(tokens) else ""
        return word in ("xã", "xa") and follower in ("hội", "hoi", "viên") and not tokens.capital[index]

    def _find(self) -> None:
        words, openings = _cue_words(), _cue_openings()
        tokens = self.tokens
        gaps, all_folded, all_accented = tokens.gaps, tokens.folded, tokens.accented
        is_accented = tokens.accent_share >= _WELL_ACCENTED
        count = len(all_folded)
        for start, folded in enumerate(all_folded):
            if folded not in openings:
                continue
            accented = all_accented[start]
            end = start + 1
            while True:
                # In a well accented text "xa" is far and "cho" is for: one bare syllable is no cue there.
                if folded in words and (kinds := _kinds_of(folded, accented, is_accented and end == start + 1)):
                    self.before.setdefault(end, []).append((start, kinds))
                    self.after.setdefault(start, []).append((end, kinds))
                if end >= count or end - start >= _LONGEST or gaps[end] != JOINED:
                    break
                folded += all_folded[end]
                accented += all_accented[end]
                end += 1

    def _find_street_names(self) -> None:
        names, openings = _street_keys()
        folded, gaps = self.tokens.folded, self.tokens.gaps
        for start, opening in enumerate(folded):
            if opening not in openings:
                continue
            key = opening
            for end in range(start + 1, min(start + 5, len(folded))):
                if gaps[end] != JOINED:
                    break
                key += folded[end]
                if key in names:
                    self.street_names[start] = end + 1

    def mark_streets(self, inner: set[int]) -> None:
        """Mark what follows a street word; ``inner`` tokens continue a name ("Tân Dương") and open no street."""
        for start, found in self.after.items():
            if start in inner or self.street_names.get(start, 0) > found[0][0]:  # "ngo may" is Ngô Mây
                continue
            for end, kinds in found:
                if "street" in kinds and end < len(self.tokens) and self.tokens.gaps[end] < SOFT:
                    self._mark_street(end)

    def _mark_street(self, at: int) -> None:
        tokens = self.tokens
        known_end = self.street_names.get(at)
        if known_end is None and self.kinds_at(at) & (UNIT_KINDS | {"not_street", "hamlet"}):
            return
        if tokens.lower[at].isdigit():
            self.street[at] = DEFINITE
            return
        for offset, strength in enumerate((DEFINITE, LIKELY, POSSIBLE)):
            index = at + offset
            if index >= len(tokens) or (offset and tokens.gaps[index] != JOINED):
                return
            if known_end is not None and index >= known_end:
                return
            if offset and self.kinds_at(index) & UNIT_KINDS:
                return
            self.street[index] = DEFINITE if known_end is not None else strength


@lru_cache(maxsize=4_000)
def _kinds_of(folded: str, accented: str, exact_only: bool) -> frozenset[str]:
    """The kinds of cue that the words may be."""
    known = _cue_words()[folded]
    return frozenset(kind for cue, kind in known if accented == cue or (not exact_only and _may_be(accented, cue)))


def _may_be(written: str, cue: str) -> bool:
    """The cue with some or all of its accents left out, none put wrong: "Thi xã", "thanh pho"."""
    if len(written) != len(cue):
        return False
    return all(
        char == meant or (char.isascii() and not meant.isascii()) for char, meant in zip(written, cue, strict=True)
    )


@cache
def _cue_words() -> dict[str, tuple[tuple[str, str], ...]]:
    """Folded cue → (accented cue, kind) of every cue that folds to it."""
    found: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    for kind, words in read_table("cues.tsv"):
        for word in words.split(","):
            found[folded_key(word)].append((accented_key(word), kind))
    return {folded: tuple(cues) for folded, cues in found.items()}


@cache
def _cue_openings() -> frozenset[str]:
    """The first syllables of all cues, and the cues glued."""
    words = [word for _kind, listed in read_table("cues.tsv") for word in listed.split(",")]
    return frozenset(folded_key(word.split()[0]) for word in words) | frozenset(_cue_words())


@cache
def _street_keys() -> tuple[frozenset[str], frozenset[str]]:
    """The street names, and the first syllables of them."""
    names = [row[0] for row in read_table("street_names.tsv")[1:]]
    return frozenset(map(folded_key, names)), frozenset(folded_key(name.split()[0]) for name in names)
