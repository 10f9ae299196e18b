"""
Everything that btv-report raises on purpose.

    BtvReportError                      1
    ├── UsageError                      2   the question cannot be asked like this
    │   ├── EphemerisError                      also a ValueError: period, epoch or duration that no transit can have
    │   ├── PlotError                           also a ValueError: nothing to draw in what a plotting function was given
    │   └── AmbiguousTargetError (M)            several stars answer to the name or position
    ├── NothingUsableError              4   the question was asked; nothing came of it
    │   ├── NameResolutionError (M)             nobody knows the name
    │   ├── TargetNotFoundError (M)
    │   ├── LightCurveNotFoundError (M)
    │   ├── ArchiveUnreachableError (M)         the archive did not answer, so that nothing is known
    │   └── ProductRefusedError             a sound file that must not be used (other TIC, other time system, 1 x 1 ...)
    ├── IntegrityError                  5   bytes are not what they should be
    │   └── ProductCorruptError (M)
    ├── FetchError                      4   one address did not give what was asked of it; its state says how
    └── LocalEnvironmentError           6   disk, permission, lock

Those marked (M) are also `MASTClientError`: what keeps a target or its products from being had.

Each error is a sentence about what happened, to which target or file, and a hint about what to do next. `str(error)` is
what the user reads.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from btv_report import exit_codes

if TYPE_CHECKING:
    from btv_report.answer_states import AnswerState
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


class MASTClientError(BtvReportError):
    """A target or its products could not be had; each kind says why, and what to do next."""


class UsageError(BtvReportError):
    """The command or call does not make sense as given."""

    exit_code = exit_codes.USAGE


class EphemerisError(UsageError, ValueError):
    """A period, epoch or duration that no transit can have."""


class PlotError(UsageError, ValueError):
    """A plotting function was given a result of another check, or neither stored stamps nor pixels."""


class AmbiguousTargetError(MASTClientError, UsageError):
    """
    Several stars answer to a name or position, and nobody may guess.

    Parameters
    ----------
    matches : sequence of (TIC number, separation in arcsec, TESS magnitude or None), nearest first
    """

    exit_code = exit_codes.USAGE

    def __init__(
        self, message: str, *, hint: str = "", matches: Sequence[tuple[int, float, float | None]] = (), **fields: Any
    ) -> None:
        super().__init__(message, hint=hint, **fields)
        self.matches = tuple(matches)


class NothingUsableError(BtvReportError):
    """The question made sense, and nothing usable was found."""

    exit_code = exit_codes.NOTHING_USABLE


class NameResolutionError(MASTClientError, NothingUsableError):
    """Nobody who was asked knows the name of a target."""

    exit_code = exit_codes.NOTHING_USABLE


class TargetNotFoundError(MASTClientError, NothingUsableError):
    """No such target, or no product of it at the places that were asked."""

    exit_code = exit_codes.NOTHING_USABLE


class LightCurveNotFoundError(MASTClientError, NothingUsableError):
    """The target has no light curve of the sector, pipeline and exposure time that were asked for."""

    exit_code = exit_codes.NOTHING_USABLE


class FetchError(BtvReportError):
    """
    One address did not give what was asked of it.

    Parameters
    ----------
    state : what became of the question
    url : the address, without its query
    http_status : the last status, None where there was none
    tries : how often it was asked
    """

    exit_code = exit_codes.NOTHING_USABLE

    def __init__(
        self,
        message: str,
        *,
        state: AnswerState,
        url: str,
        http_status: int | None = None,
        tries: int = 1,
        hint: str = "",
        **fields: Any,
    ) -> None:
        super().__init__(message, hint=hint, **fields)
        self.state = state
        self.url = url
        self.http_status = http_status
        self.tries = tries


class ArchiveUnreachableError(MASTClientError, NothingUsableError):
    """
    The archive gave no usable answer, so that nothing is known, not even that there is nothing.

    Parameters
    ----------
    state : THROTTLED, UNREACHABLE, CORRUPT ...: what became of the question
    service : which part of the archive, such as `product search`
    url : the address, without its query
    tries : how often it was asked
    """

    exit_code = exit_codes.NOTHING_USABLE

    def __init__(
        self,
        message: str,
        *,
        state: AnswerState,
        service: str = "",
        url: str = "",
        tries: int = 1,
        hint: str = "",
        **fields: Any,
    ) -> None:
        super().__init__(message, hint=hint, **fields)
        self.state = state
        self.service = service
        self.url = url
        self.tries = tries


class ProductRefusedError(NothingUsableError):
    """A sound file that must not be used; the message says why."""


class IntegrityError(BtvReportError):
    """Bytes differ from what was recorded or promised."""

    exit_code = exit_codes.INTEGRITY


class ProductCorruptError(MASTClientError, IntegrityError):
    """A product is truncated, unreadable or fails its sums."""

    exit_code = exit_codes.INTEGRITY


class LocalEnvironmentError(BtvReportError):
    """The disk, a permission or a lock of this machine stands in the way."""

    exit_code = exit_codes.LOCAL_ENVIRONMENT
