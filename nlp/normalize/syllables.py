"""Which letter strings are Vietnamese syllables; built from initials and rhymes, so no word list is needed."""

from functools import lru_cache

from nlp.normalize.letters import ACUTE, DOT, has_accents, split_tone, strip_accents


def _listed(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_INITIALS = ("", *_listed("b c ch d đ g gh gi h k kh l m n ng ngh nh p ph qu r s t th tr v x"))
_RHYMES = _listed("""
a ac ach ai am an ang anh ao ap at au ay ăc ăm ăn ăng ăp ăt âc âm ân âng âp ât âu ây
e ec em en eng eo ep et ê êch êm ên ênh êp êt êu
i ia ich iêc iêm iên iêng iêp iêt iêu im in inh ip it iu
o oa oac oach oai oam oan oang oanh oao oap oat oay oăc oăm oăn oăng oăt oc oe oen oeo oet oi om on ong ooc oong op ot
ô ôc ôi ôm ôn ông ôp ôt ơ ơi ơm ơn ơp ơt
u ua uân uâng uât uây uc uê uêch uênh uêt ui um un ung uơ uôc uôi uôm uôn uông uôt up ut
uy uya uych uyên uyêt uynh uyt uyu
ư ưa ưc ưi ưm ưn ưng ươc ươi ươm ươn ương ươp ươt ươu ưt ưu y
""")
_RHYMES_ALONE = _listed("yêm yên yêng yêt yêu")
_RHYMES_AFTER_QU = _listed("""
a ac ach ai am an ang anh ao ap at au ay ăc ăm ăn ăng ăp ăt âc ân âng ât âu ây
e ec en eo et ê êch ên êt i ia ich in inh it iu ơ y ych yên yêt ynh yt yêu
""")
_RHYMES_AFTER_GI = _listed("""
a ac ai am an ang anh ao ap at au ay ăc ăm ăn ăng ăp ăt âc âm ân âng âp ât âu ây e em en eo ep et ê êm êng êt êu
i in o oi on ong op ot ô ôc ôi ôn ông ôp ôt ơ ơi ơm ơn ơt u ua uc ui um un ung uôc uông ư ưa ưt ươ ương ươi
""")
_FRONT = frozenset("eêiy")
_STOPS = ("c", "ch", "p", "t")


def _fits(initial: str, rhyme: str) -> bool:
    front = rhyme[0] in _FRONT
    if initial in ("k", "gh", "ngh"):
        return (front and not rhyme.startswith("y")) or (initial == "k" and rhyme == "y")
    if initial in ("c", "g", "ng"):
        return not front
    if rhyme in ("oong", "ooc"):  # else Telex "khoong" would pass for a syllable
        return initial in ("b", "m", "s", "x")
    if rhyme == "y":
        return initial in ("", "h", "l", "m", "s", "t", "v")
    return True


def _inventory() -> frozenset[str]:
    plain = {
        initial + rhyme
        for initial in _INITIALS
        if initial not in ("qu", "gi")
        for rhyme in _RHYMES
        if _fits(initial, rhyme)
    }
    return frozenset(
        plain.union(
            _RHYMES_ALONE,
            ("qu" + rhyme for rhyme in _RHYMES_AFTER_QU),
            ("gi" + rhyme for rhyme in _RHYMES_AFTER_GI),
            ("gi", "giêng", "quơ"),
        )
    )


TONELESS = _inventory()
STRIPPED = frozenset(strip_accents(syllable) for syllable in TONELESS)


@lru_cache(maxsize=32768)
def is_syllable(word: str) -> bool:
    """Can this be written so, with all its accents? "đường", "bác": yes; "bac", "mât" (tone missing), "shop": no."""
    bare, tone = split_tone(word)
    if bare not in TONELESS:
        return False
    return not bare.endswith(_STOPS) or tone in (ACUTE, DOT)


@lru_cache(maxsize=32768)
def is_stripped_syllable(word: str) -> bool:
    """Is it a syllable once accents are ignored? "duong", "bac": yes; "dduong", "shop": no."""
    return strip_accents(word) in STRIPPED


@lru_cache(maxsize=32768)
def is_complete(word: str) -> bool:
    """Does it carry accents and stand as a syllable, so that nothing needs restoring?"""
    return has_accents(word) and is_syllable(word)


@lru_cache(maxsize=32768)
def admits(written: str, candidate: str) -> bool:
    """Could ``written`` be ``candidate`` with some marks left out? "mât" admits "mất", not "mắt"."""
    if strip_accents(written) != strip_accents(candidate):
        return False
    bare, tone = split_tone(written)
    full, full_tone = split_tone(candidate)
    if tone and tone != full_tone:
        return False
    return all(a == b or a == strip_accents(b) for a, b in zip(bare, full, strict=True))
