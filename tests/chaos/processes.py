"""Processes to be killed and stopped."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]


class Victim:
    """A Python module run in a process of its own, begun anew after each kill."""

    def __init__(self, module: str, *args: str, log: Path) -> None:
        self._command = [sys.executable, "-m", module, *args]
        self._log = log
        self.kills = self.stops = 0
        self._standing: threading.Thread | None = None
        self._start()

    def _start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, cwd=ROOT, stdout=log, stderr=log)

    def kill(self) -> None:
        """As the kernel does when memory runs out; then again from the beginning."""
        self._process.kill()
        self._process.wait()
        self.kills += 1
        self._start()

    def stand_still(self, seconds: float) -> None:
        """As a machine that is suspended, and goes on later."""
        process = self._process
        process.send_signal(signal.SIGSTOP)
        self.stops += 1

        def wake() -> None:
            time.sleep(seconds)
            process.send_signal(signal.SIGCONT)

        self._standing = threading.Thread(target=wake)
        self._standing.start()

    @property
    def is_standing_still(self) -> bool:
        """Whether it is stopped now."""
        return self._standing is not None and self._standing.is_alive()

    def close(self) -> None:
        """For good; an orderly end if it can."""
        if self._standing is not None:
            self._standing.join()
        self._process.terminate()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    @property
    def has_failed(self) -> bool:
        """Whether it ended by itself."""
        return self._process.poll() is not None


@contextmanager
def torment(victims: list[Victim], *, every: float, stop_for: float, seed: int) -> Iterator[None]:
    """Kill one, stop one, kill one … until the block ends."""
    fate, ending = random.Random(seed), threading.Event()

    def act() -> None:
        while not ending.wait(fate.uniform(0.5, 1.5) * every):
            victim = fate.choice([victim for victim in victims if not victim.is_standing_still] or victims)
            if victim.is_standing_still:
                continue
            if stop_for and fate.random() < 0.6:
                victim.stand_still(stop_for)
            else:
                victim.kill()

    thread = threading.Thread(target=act)
    thread.start()
    try:
        yield
    finally:
        ending.set()
        thread.join()


def seconds(name: str, default: float) -> float:
    """Length of a run; the benchmarks set the long ones by environment."""
    return float(os.environ.get(f"CHAOS_{name}", default))
