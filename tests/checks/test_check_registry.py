"""The registry and the thresholds say what readers are told."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

from btv_report.checks.registry import CHECKS, FLAG_MEANINGS
from btv_report.checks.run import not_run_results
from btv_report.checks.thresholds import THRESHOLDS


def test_every_check_explains_itself_and_can_be_loaded() -> None:
    assert list(CHECKS) == ["V08", "V09", "V10", "V20"]
    for info in CHECKS.values():
        assert callable(info.load())
        assert info.meaning.endswith(".")
        assert len(info.help_text) > 200
        assert info.references


def test_every_threshold_has_a_source() -> None:
    assert all(item.source and item.meaning for item in THRESHOLDS.values())


def test_results_carry_the_thresholds_they_were_held_against(scene: Callable[..., Any], results_of: Any) -> None:
    spec = scene(days=13.0)
    for result in results_of(spec.make(), spec.ephemeris).values():
        assert result.thresholds
        assert all({"value", "source"} <= set(entry) for entry in result.thresholds.values())
        assert set(result.flags) <= set(FLAG_MEANINGS)


def test_sector_without_pixels_has_one_reasoned_row_per_check() -> None:
    results = not_run_results("1.01", 9, "There is no pixel file of sector 9.")
    assert [result.check_id for result in results] == list(CHECKS)
    assert all(result.reason == "There is no pixel file of sector 9." and result.sector == 9 for result in results)


def test_registry_and_run_are_imported_without_heavy_libraries() -> None:
    code = (
        "import sys, btv_report.checks.registry, btv_report.checks.thresholds, btv_report.checks.run;"
        "print([name for name in ('numpy', 'scipy', 'astropy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
