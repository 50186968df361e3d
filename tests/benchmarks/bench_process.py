"""The whole process: from start to prompt, to the first answer, and the memory it takes.

    python -m tests.benchmarks.bench_process [--messages 300]

Starts the bot with its console on a fresh data folder, feeds it a script, and reads the kernel's figures of it.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from handlers.settings import load_settings
from tests.benchmarks.bench_turns import conversation


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=300)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(load_settings({}).gazetteer_path, Path(folder) / "gazetteer.bin")
        for name in ("first start (makes the database)", "second start"):
            prompt, answer, resident, peak = measure(Path(folder), options.messages)
            seconds = f"ready {prompt:4.1f} s, first answer {answer:4.1f} s"
            print(f"{name:34} {seconds}, RSS {resident:.0f} MB, peak {peak:.0f} MB")


def measure(folder: Path, messages: int) -> tuple[float, float, float, float]:
    """Seconds to ready and to the first answer; RSS and its peak in MB after so many messages."""
    environment = os.environ | {"DATA_DIR": str(folder)}
    begun = time.perf_counter()
    command = [sys.executable, "-m", "bot.app"]
    log = folder / "log"
    with log.open("w") as errors:
        process = subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True
        )
    assert process.stdin is not None and process.stdout is not None
    while "sẵn sàng" not in log.read_text():
        time.sleep(0.01)
    prompt = time.perf_counter() - begun
    process.stdin.write("chào ad\n")
    process.stdin.flush()
    while not process.stdout.readline().startswith("bot> "):
        pass
    answer = time.perf_counter() - begun
    for n in range(messages // 4):
        for text in (f":as c{n}", *conversation(n)):
            process.stdin.write(text + "\n")
    process.stdin.write(":as cuối\nbot này của ai vậy\n")
    process.stdin.flush()
    for line in process.stdout:
        if line.startswith("bot→cuối> "):
            break
    status = Path(f"/proc/{process.pid}/status").read_text()
    figures = {line.split(":")[0]: line.split()[1] for line in status.splitlines() if line.startswith("Vm")}
    process.stdin.close()
    process.wait(timeout=60)
    return prompt, answer, int(figures["VmRSS"]) / 1024, int(figures["VmHWM"]) / 1024


if __name__ == "__main__":
    main()
