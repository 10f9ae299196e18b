"""What a download says of itself while it runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any


class DownloadPhase(Enum):
    """What is being done."""

    SEARCHING = "searching"
    DOWNLOADING = "downloading"
    VERIFYING = "verifying"
    PROCESSING = "processing"
    CACHING = "caching"
    COMPLETE = "complete"


@dataclass(frozen=True)
class DownloadProgress:
    """
    One moment of a run that asks the archive.

    Attributes
    ----------
    phase : what is being done
    message : the same in words
    tic_id : the target
    current_step, total_steps : which product of how many; 0 of 0 while nothing is counted yet
    file : name of the product, None outside of a download
    sector : of the product, None where it has none
    bytes_done, bytes_total : of this product; `bytes_total` None when the archive does not say
    elapsed_s : since this product was begun, seconds
    """

    phase: DownloadPhase
    message: str
    tic_id: int
    current_step: int = 0
    total_steps: int = 0
    file: str | None = None
    sector: int | None = None
    bytes_done: int = 0
    bytes_total: int | None = None
    elapsed_s: float = 0.0

    @property
    def percentage(self) -> float | None:
        """Part of this product that is here, percent; None while its size is not known."""
        return min(100.0, 100.0 * self.bytes_done / self.bytes_total) if self.bytes_total else None

    @property
    def bytes_per_s(self) -> float | None:
        """Mean rate of this product; None before it has begun."""
        return self.bytes_done / self.elapsed_s if self.elapsed_s > 0 else None

    def to_dict(self) -> dict[str, Any]:
        """The moment as JSON values."""
        return {**asdict(self), "phase": self.phase.value, "percentage": self.percentage}


ProgressCallback = Callable[[DownloadProgress], None]
"""Called with each moment; what it raises ends the run."""


def say_nothing(progress: DownloadProgress) -> None:
    """The callback of a caller who asks for none."""
    del progress
