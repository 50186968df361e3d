"""How fast a bot speaks: buckets for the account and for each chat."""

from bot.limits import Limiter, Rates


class ScriptedSeconds:
    """A monotonic clock that stands where the test puts it."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def a_limiter(**rates: float) -> tuple[Limiter, ScriptedSeconds]:
    seconds = ScriptedSeconds()
    return Limiter(Rates(**rates), seconds), seconds  # type: ignore[arg-type]  # rates of numbers only


def test_a_chat_may_burst_and_then_waits_for_its_share() -> None:
    limiter, seconds = a_limiter(per_chat=1.0, chat_burst=2.0)

    assert [limiter.try_take("a") for _ in range(2)] == [0.0, 0.0]
    assert limiter.try_take("a") == 1.0
    assert limiter.try_take("b") == 0.0
    seconds.now += 1.0
    assert limiter.try_take("a") == 0.0


def test_the_account_as_a_whole_has_a_limit() -> None:
    limiter, seconds = a_limiter(overall=10.0)

    assert [limiter.try_take(str(chat)) for chat in range(10)] == [0.0] * 10
    assert limiter.try_take("another") > 0
    assert limiter.wait_for_any() > 0
    seconds.now += 0.11
    assert limiter.try_take("another") == 0.0


def test_a_pause_holds_everybody_and_a_shorter_one_does_not_end_it() -> None:
    limiter, seconds = a_limiter()
    limiter.pause(30.0)
    limiter.pause(1.0)

    assert limiter.try_take("a") == 30.0
    seconds.now += 30.0
    assert limiter.try_take("a") == 0.0


def test_forgetting_idle_chats_changes_nothing_for_busy_ones() -> None:
    limiter, seconds = a_limiter(per_chat=1.0, chat_burst=1.0)
    limiter.try_take("idle")
    seconds.now += 10.0
    limiter.try_take("busy")

    limiter.forget_idle()

    assert limiter.try_take("busy") == 1.0
    assert limiter.try_take("idle") == 0.0
