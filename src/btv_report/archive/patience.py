"""How often an archive is asked the same, how long is waited in between, and when it is given up: one rule for all questions."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import TypeVar

from btv_report.archive.attempt import AttemptError
from btv_report.archive.clock import Clock
from btv_report.archive.fetch_answers import moment
from btv_report.archive.limits import Limits

T = TypeVar("T")


class GivenUp(Exception):  # noqa: N818 - an outcome, which whoever asked turns into an error of its own
    """The last trouble, and how many tries there were."""

    def __init__(self, trouble: AttemptError, tries: int) -> None:
        super().__init__(trouble.words)
        self.trouble = trouble
        self.tries = tries


@dataclass
class Deadline:
    """When the time for a question is over, all its tries together."""

    clock: Clock
    seconds: float

    def __post_init__(self) -> None:
        self.end = self.clock.monotonic() + self.seconds

    def put_off(self, seconds: float) -> None:
        """Give time back that was spent on something else."""
        self.end += seconds

    def left(self) -> float:
        """Seconds that remain; negative when it is over."""
        return self.end - self.clock.monotonic()


@dataclass
class Patience:
    """
    The rule.

    Parameters
    ----------
    limits : how often, how long
    clock, random : of the waits between tries
    """

    limits: Limits
    clock: Clock
    random: Random

    def ask(
        self,
        question: Callable[[int, Deadline], T],
        judge: Callable[[Exception], AttemptError],
        deadline_s: float,
    ) -> T:
        """
        Ask until an answer holds, a fault is final, or tries and time are used up.

        Parameters
        ----------
        question : takes the number of the try, from 1, and the deadline of all
        judge : what an exception of the question means; what is no fault of the answer it raises again
        deadline_s : for all tries together

        Raises
        ------
        GivenUp
            With what the last try ended in.
        """
        deadline = Deadline(self.clock, deadline_s)
        spent_once = False
        number = 0
        while True:
            number += 1
            try:
                return question(number, deadline)
            except Exception as error:
                trouble = judge(error)
            if not trouble.again or (trouble.once and spent_once) or number >= self.limits.tries:
                raise GivenUp(trouble, number)
            spent_once = spent_once or trouble.once
            wait = self._wait(trouble, number)
            if wait is None or wait >= deadline.left():
                raise GivenUp(trouble.out_of_time(wait, self.limits.retry_after_cap_s, deadline_s), number)
            self.clock.sleep(wait)

    def _wait(self, trouble: AttemptError, number: int) -> float | None:
        """Seconds to wait before the next try; None when the server asks for more than is given."""
        jitter = self.random.uniform(0.0, self.limits.backoff_s * 2 ** (number - 1))
        asked = None if trouble.retry_after is None else retry_after_s(trouble.retry_after, self.clock.now())
        if asked is None:
            return jitter
        return max(asked, jitter) if asked <= self.limits.retry_after_cap_s else None


def retry_after_s(text: str, now: float) -> float | None:
    """Seconds that a Retry-After header asks for (a number or a date); None when it says neither. Never negative."""
    stripped = text.strip()
    if re.fullmatch(r"-?[0-9]+", stripped):
        return max(0.0, float(stripped))
    named = moment(stripped)
    return None if named is None else max(0.0, named.timestamp() - now)


def times(tries: int) -> str:
    """`once`, `3 times`."""
    return "once" if tries == 1 else f"{tries} times"
