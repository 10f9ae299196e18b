"""One round of questions about a star: whom, as whom, what for, and when asking on would be waiting for nothing."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from btv_report.answer_states import AnswerState
from btv_report.archive.limits import Limits
from btv_report.exofop.types import ExoFopSelectors

if TYPE_CHECKING:
    from btv_report.exofop.asking.service import ExoFopService

SILENT = frozenset({AnswerState.UNREACHABLE})
PATIENCE = 4
"""After two questions in a row that nobody answered, or four that a server refused for a fault of its own, the rest is left to
the next run: each costs minutes. A word of the server that it is asked too much ends the round at once, as at the archive
(`archive.silence`). What differs from there has a reason: every question here is a script of its own, of which some are broken
while the others answer, and nothing with status 200 is how a busy ExoFOP answers one question and not the next."""
_STATUS_OK = 200


@dataclass
class Wants:
    """
    What one call asks for.

    Attributes
    ----------
    selectors : which files
    summaries : whether the tables are wanted
    files : whether files are wanted
    refresh : ask again for what is known
    offline : ask nothing, and count what would be asked
    settled : File IDs that need not be asked for, because they are held elsewhere
    tell : called with what is being asked
    """

    selectors: ExoFopSelectors = field(default_factory=ExoFopSelectors)
    summaries: bool = True
    files: bool = True
    refresh: bool = False
    offline: bool = False
    settled: frozenset[int] = frozenset()
    tell: Callable[[str], None] = lambda step: None


@dataclass
class Round:
    """
    The round, and how it goes.

    Attributes
    ----------
    service : whom to ask, and as whom; None where nothing may be asked
    limits : of the run, and of what is taken
    tic_id : the star
    wants : what is asked for
    n_unasked : questions that were left out, because nothing may be asked
    lost : File IDs and services whose bytes are not what was recorded, and were not asked for
    n_silent : questions in a row without an answer; those that nobody answered at all count twice
    is_refused : the server has said that it is asked too much
    """

    service: ExoFopService | None
    limits: Limits
    tic_id: int
    wants: Wants
    n_unasked: int = 0
    lost: set[int | str] = field(default_factory=set)
    n_silent: int = 0
    is_refused: bool = False

    def __post_init__(self) -> None:
        """Begin to count the time of the run."""
        self.ends = time.monotonic() + self.limits.run_deadline_s

    @property
    def ask(self) -> ExoFopService:
        """The service, where something may be asked."""
        if self.service is None:
            raise RuntimeError("a question was put in a round that may ask nothing")
        return self.service

    @property
    def n_asked(self) -> int:
        """Questions that were put."""
        return self.service.n_asked if self.service is not None else 0

    def is_over(self) -> bool:
        """Whether asking on would be waiting for nothing."""
        return self.is_refused or self.n_silent >= PATIENCE or time.monotonic() > self.ends

    def why_over(self) -> tuple[AnswerState, str]:
        """The state of a question that is not put any more, and a clause."""
        if self.is_refused:
            return AnswerState.THROTTLED, "not asked, because ExoFOP said before that it is asked too much"
        return AnswerState.UNREACHABLE, "not asked, because ExoFOP did not answer before"

    def count(self, state: AnswerState, http_status: int | None) -> None:
        """Take down whether there was an answer at all; a script that is not there costs no time."""
        self.is_refused |= state is AnswerState.THROTTLED and http_status not in {None, _STATUS_OK}
        is_silent = state in SILENT and http_status not in {404, 410}
        self.n_silent = self.n_silent + (2 if http_status is None else 1) if is_silent else 0
