"""Ids made before the rows."""

from concurrent.futures import ThreadPoolExecutor

from storage.ids import new_id


def test_ids_grow_and_never_repeat_across_threads() -> None:
    with ThreadPoolExecutor(8) as executor:
        runs = list(executor.map(lambda _: [new_id() for _ in range(2_000)], range(8)))

    assert all(run == sorted(run) for run in runs)
    assert len({id for run in runs for id in run}) == 16_000


def test_ids_fit_a_signed_64_bit_column() -> None:
    assert 0 < new_id() < 2**63
