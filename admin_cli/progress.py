"""Progress on standard error while something takes long; silent where nobody watches."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from admin_cli.render import message


@contextmanager
def bar(title: str, total: int) -> Iterator[Callable[[int], None]]:
    """A bar that grows by what its function is told."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console  # only where somebody watches
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(title, total=total)
        yield lambda count: progress.advance(task, count)


@contextmanager
def spinner() -> Iterator[Callable[[str], None]]:
    """A turning wheel beside the words that it is told; without a terminal the words go by as lines."""
    if not sys.stderr.isatty():
        yield message
        return
    from rich.console import Console
    from rich.status import Status

    with Status("…", console=Console(stderr=True)) as status:
        yield status.update
