"""
Everything that btv-report raises on purpose.

    BtvReportError                      1
    ├── UsageError                      2   the question cannot be asked like this
    │   └── PlotError                           also a ValueError: nothing to draw in what a plotting function was given
    ├── NothingUsableError              4   the question was asked; nothing came of it
    │   ├── TargetNotFoundError
    │   └── ProductRefusedError             a sound file that must not be used (other TIC, other time system, 1 x 1 ...)
    ├── IntegrityError                  5   bytes are not what they should be
    │   └── ProductCorruptError
    └── LocalEnvironmentError           6   disk, permission, lock

Each error is a sentence about what happened, to which target or file, and a hint about what to do next. `str(error)` is
what the user reads.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from btv_report import exit_codes

if TYPE_CHECKING:
    from btv_report.record import ProductValue


class BtvReportError(Exception):
    """
    Base of all deliberate errors.

    Parameters
    ----------
    message : str
        What happened, in a whole sentence that names the target or file.
    hint : str
        What the reader can do next, in a whole sentence.
    tic_id, path : optional
        The target and file concerned, for programs.
    products : sequence of record.ProductValue
        What was considered before it failed, so that an answer in JSON can list it.
    """

    exit_code = exit_codes.BUG

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        tic_id: int | None = None,
        path: Path | None = None,
        products: Sequence[ProductValue] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.tic_id = tic_id
        self.path = path
        self.products = tuple(products)

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class UsageError(BtvReportError):
    """The command or call does not make sense as given."""

    exit_code = exit_codes.USAGE


class PlotError(UsageError, ValueError):
    """A plotting function was given a result of another check, or neither stored stamps nor pixels."""


class NothingUsableError(BtvReportError):
    """The question made sense, and nothing usable was found."""

    exit_code = exit_codes.NOTHING_USABLE


class TargetNotFoundError(NothingUsableError):
    """No product of the target at the places that were asked."""


class ProductRefusedError(NothingUsableError):
    """A sound file that must not be used; the message says why."""


class IntegrityError(BtvReportError):
    """Bytes differ from what was recorded or promised."""

    exit_code = exit_codes.INTEGRITY


class ProductCorruptError(IntegrityError):
    """A product is truncated, unreadable or fails its sums."""


class LocalEnvironmentError(BtvReportError):
    """The disk, a permission or a lock of this machine stands in the way."""

    exit_code = exit_codes.LOCAL_ENVIRONMENT
