"""
The TESS quality bits: value, name and meaning, defined once.

Source: TESS Science Data Products Description Document, EXP-TESS-ARC-ICD-0014, table of the QUALITY column.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from btv_report.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

QUALITY_SOURCE = "EXP-TESS-ARC-ICD-0014"


@dataclass(frozen=True)
class QualityFlag:
    """One bit of the QUALITY column; `bit` counts from 1, `value` is 2**(bit - 1)."""

    bit: int
    name: str
    meaning: str
    anomaly: bool = False

    @property
    def value(self) -> int:
        """The integer that this bit adds to QUALITY."""
        return 1 << (self.bit - 1)


_FLAGS = (
    QualityFlag(1, "attitude_tweak", "attitude tweak", anomaly=True),
    QualityFlag(2, "safe_mode", "safe mode", anomaly=True),
    QualityFlag(3, "coarse_point", "spacecraft in coarse point", anomaly=True),
    QualityFlag(4, "earth_point", "spacecraft in Earth point", anomaly=True),
    QualityFlag(5, "argabrightening", "Argabrightening event", anomaly=True),
    QualityFlag(6, "desaturation", "reaction-wheel desaturation (momentum dump)"),
    QualityFlag(7, "aperture_cosmic_ray", "cosmic ray in an aperture pixel"),
    QualityFlag(8, "manual_exclude", "manual exclude", anomaly=True),
    QualityFlag(9, "discontinuity", "discontinuity corrected (reserved)"),
    QualityFlag(10, "impulsive_outlier", "impulsive outlier removed before cotrending"),
    QualityFlag(11, "collateral_cosmic_ray", "cosmic ray in collateral data"),
    QualityFlag(12, "stray_light", "stray light (Earth or Moon in the field of view)"),
    QualityFlag(13, "scattered_light", "scattered light (found automatically)"),
    QualityFlag(14, "planet_search_exclude", "excluded from the planet search"),
    QualityFlag(15, "bad_calibration", "bad calibration exclude"),
    QualityFlag(16, "insufficient_targets", "insufficient targets for error correction"),
)

QUALITY_FLAG_BITS: dict[str, QualityFlag] = {flag.name: flag for flag in _FLAGS}
"""Registry of the quality bits by name."""

DEFAULT_QUALITY_MASK = 17087
"""Bits 1-6, 8, 10 and 15: cadences SPOC itself does not use, without the cosmic-ray and stray-light bits whose cadences
are mostly sound. Bits 12 and 13 are counted and shown instead of masked."""

ANOMALY_MASK = sum(flag.value for flag in _FLAGS if flag.anomaly)
"""Bits that disqualify a whole transit window: attitude tweak, safe mode, coarse and Earth point, Argabrightening, manual
exclude."""

MOMENTUM_DUMP = QUALITY_FLAG_BITS["desaturation"].value

_WORDS = {"default": DEFAULT_QUALITY_MASK, "hard": 24319, "hardest": 65535, "none": 0}
MAX_QUALITY_MASK = (1 << 31) - 1


def resolve_quality_mask(text: str | int) -> int:
    """
    Turn `default`, `hard`, `hardest`, `none` or an integer into the integer mask that is stored and shown.

    Raises
    ------
    UsageError
        If the text is no such word and no integer in 0 ... 2**31 - 1.
    """
    word = str(text).strip().lower()
    if word in _WORDS:
        return _WORDS[word]
    if not (word.isascii() and word.isdigit()) or int(word) > MAX_QUALITY_MASK:
        raise UsageError(
            f"The quality mask {text!r} is neither an integer from 0 to {MAX_QUALITY_MASK} nor one of {', '.join(_WORDS)}.",
            hint=f"The default is {DEFAULT_QUALITY_MASK}.",
        )
    return int(word)


def flags_in(value: int) -> tuple[QualityFlag, ...]:
    """The registered flags whose bits are set in `value`, lowest bit first."""
    return tuple(flag for flag in _FLAGS if value & flag.value)


def count_bits(quality: NDArray[np.int32]) -> dict[int, int]:
    """Number of cadences that have each bit set, by bit number from 1; bits that never occur are left out."""
    import numpy as np

    counts = {bit: int(np.count_nonzero(quality & np.int32(1 << (bit - 1)))) for bit in range(1, 32)}
    return {bit: count for bit, count in counts.items() if count}
