"""Run every benchmark in turn: ``python -m tests.benchmarks [NAME …]``, as ``make bench`` does."""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def main() -> int:
    """Each in a process of its own, so that none warms the next; the worst exit code is ours."""
    wanted = sys.argv[1:]
    names = sorted(path.stem for path in HERE.glob("bench_*.py"))
    chosen = [name for name in names if not wanted or name.removeprefix("bench_") in wanted]
    if not chosen:
        print(f"no such benchmark; there are: {', '.join(name.removeprefix('bench_') for name in names)}")
        return 2
    worst = 0
    for name in chosen:
        print(f"\n== {name.removeprefix('bench_')}", flush=True)
        worst = max(worst, subprocess.run([sys.executable, "-m", f"tests.benchmarks.{name}"], check=False).returncode)
    return worst


if __name__ == "__main__":
    sys.exit(main())
