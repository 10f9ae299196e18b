"""What is being done, on stderr: a spinner on a terminal, nothing elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from btv_report.cli.outcome import printable


@contextmanager
def story(*, quiet: bool) -> Iterator[Callable[[str], None]]:
    """Give a function that shows the present step; it shows nothing when stderr is no terminal."""
    if quiet or not sys.stderr.isatty():
        yield lambda step: None
        return
    from rich.console import Console
    from rich.text import Text

    with Console(stderr=True).status("starting") as status:
        yield lambda step: status.update(Text(printable(step)))
