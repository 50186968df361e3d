"""Report codes: short, unaccented, readable aloud, with a check character."""

import re
import secrets

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # 31 letters, a prime: no 0 O 1 I L, and the check finds every swap
_LENGTH = 5
_GROUPS = re.compile(rf"\b([A-Za-z]{{2,4}})[-\s_.]?([{ALPHABET}{ALPHABET.lower()}]{{{_LENGTH + 1}}})\b")  # "pa 7k3m9q"
_BARE = re.compile(rf"\b([{ALPHABET}{ALPHABET.lower()}]{{{_LENGTH + 1}}})\b")  # "7K3M9Q"


def new_code(prefix: str) -> str:
    """A random code: 28 million bodies a prefix; the table's unique key settles a collision."""
    body = "".join(secrets.choice(ALPHABET) for _ in range(_LENGTH))
    return f"{prefix}-{body}{_check(body)}"


def _check(body: str) -> str:
    return ALPHABET[sum((place + 1) * ALPHABET.index(letter) for place, letter in enumerate(body)) % len(ALPHABET)]


def is_code_body(body: str) -> bool:
    """Whether the six characters after the prefix carry the right check character."""
    body = body.upper()
    return len(body) == _LENGTH + 1 and set(body) <= set(ALPHABET) and _check(body[:-1]) == body[-1]


def find_codes(text: str, prefix: str) -> tuple[str, ...]:
    """Codes mentioned in a text, in order, each once; "pa7k3m9q", "PA 7K3M9Q" and a bare "7K3M9Q" count."""
    bodies = [m[2] for m in _GROUPS.finditer(text) if m[1].upper() == prefix.upper() and is_code_body(m[2])]
    # a bare body needs a digit: six letters may be a word
    bodies += [m[1] for m in _BARE.finditer(text) if is_code_body(m[1]) and any(c.isdigit() for c in m[1])]
    return tuple(dict.fromkeys(f"{prefix}-{body.upper()}" for body in bodies))


def clean_code_part(typed: str, prefix: str) -> str:
    """What an officer typed, as the beginning or end of a code body: "pa-7k3" → "7K3"."""
    text = re.sub(r"[\s_.-]", "", typed.upper())
    return text.removeprefix(prefix.upper()) if len(text) > len(prefix) else text
