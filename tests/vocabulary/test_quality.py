"""Quality bits: values, words, counts."""

from __future__ import annotations

import numpy as np
import pytest

from btv_report.errors import UsageError
from btv_report.quality import (
    ANOMALY_MASK,
    DEFAULT_QUALITY_MASK,
    QUALITY_FLAG_BITS,
    count_bits,
    flags_in,
    resolve_quality_mask,
)


def test_default_mask_is_bits_1_to_6_8_10_15() -> None:
    bits = [1, 2, 3, 4, 5, 6, 8, 10, 15]
    assert sum(2 ** (bit - 1) for bit in bits) == DEFAULT_QUALITY_MASK == 17087
    assert [flag.bit for flag in flags_in(DEFAULT_QUALITY_MASK)] == bits


def test_momentum_dump_is_masked_but_is_no_anomaly() -> None:
    dump = QUALITY_FLAG_BITS["desaturation"].value
    assert dump == 32
    assert DEFAULT_QUALITY_MASK & dump
    assert not ANOMALY_MASK & dump
    assert ANOMALY_MASK == 1 + 2 + 4 + 8 + 16 + 128


@pytest.mark.parametrize(
    ("text", "mask"), [("default", 17087), ("HARD", 24319), ("hardest", 65535), ("none", 0), ("175", 175), (0, 0)]
)
def test_words_become_the_integer_that_is_stored(text: str | int, mask: int) -> None:
    assert resolve_quality_mask(text) == mask


@pytest.mark.parametrize("text", ["-1", "soft", "1.5", "", "2147483648", "٣"])
def test_other_words_are_usage_errors(text: str) -> None:
    with pytest.raises(UsageError, match="quality mask"):
        resolve_quality_mask(text)


def test_bits_are_counted_by_number_and_one_cadence_may_count_twice() -> None:
    quality = np.array([0, 32, 33, 1 << 30], dtype=np.int32)
    assert count_bits(quality) == {1: 1, 6: 2, 31: 1}
