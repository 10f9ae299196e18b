"""What is being done, on stderr: a spinner and a bar per product on a terminal, nothing elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from btv_report.cli.outcome import printable

if TYPE_CHECKING:
    from btv_report.archive.progress import DownloadProgress


class Story:
    """Tells nothing: what a pipe or a quiet user gets."""

    def __call__(self, step: str) -> None:
        """Show the present step."""

    def progress(self, moment: DownloadProgress) -> None:
        """Show a moment of a download."""


class TerminalStory(Story):
    """
    One line for the present step, and under it a bar for the product that is being fetched.

    Parameters
    ----------
    display : rich's progress display, started
    """

    def __init__(self, display: Any) -> None:
        self._display = display
        self._step = display.add_task("starting", total=None, rate="")
        self._bars: dict[str, Any] = {}

    def __call__(self, step: str) -> None:
        """Show the present step."""
        self._display.update(self._step, description=printable(step))

    def progress(self, moment: DownloadProgress) -> None:
        """Show a moment: the bar of its product, or its words where it has none."""
        if moment.file is None:
            self(moment.message)
            return
        bar = self._bars.get(moment.file)
        if bar is None:
            bar = self._bars[moment.file] = self._display.add_task(moment.file, total=moment.bytes_total, rate="")
        counted = f"{moment.current_step} of {moment.total_steps}: " if moment.total_steps else ""
        rate = moment.bytes_per_s
        self._display.update(
            bar,
            description=printable(f"{counted}{moment.message}"),
            completed=moment.bytes_done,
            total=moment.bytes_total,
            rate=f"{rate / 1e6:.1f} MB/s" if rate and moment.phase.value == "downloading" else moment.phase.value,
        )
        if moment.phase.value == "complete":
            self._display.remove_task(self._bars.pop(moment.file))


@contextmanager
def story(*, quiet: bool) -> Iterator[Story]:
    """Give what shows the present step and the downloads; it shows nothing when stderr is no terminal."""
    if quiet or not sys.stderr.isatty():
        yield Story()
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, SpinnerColumn, TextColumn

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=20),
        DownloadColumn(),
        TextColumn("{task.fields[rate]}", markup=False),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as display:
        yield TerminalStory(display)
