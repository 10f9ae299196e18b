"""The checks under several quality masks: what is compared, what is flagged, and what is not computed twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from btv_report.checks import mask_sensitivity
from btv_report.checks.inputs import PixelStack
from btv_report.checks.mask_sensitivity import FLAG, compare_masks, flag_mask_sensitive
from btv_report.checks.result import Verdict
from btv_report.checks.run import SectorChecks, run_pixel_checks
from btv_report.ephemeris import Ephemeris
from btv_report.quality import DEFAULT_QUALITY_MASK

DUMP, COSMIC_RAY, STRAY_LIGHT = 32, 64, 2048


def with_events(stack: PixelStack, ephemeris: Ephemeris, bit: int, *, drop: float = 0.0) -> PixelStack:
    """Two cadences in the middle of each transit carry `bit`, and a star about 3 px off loses `drop` electron/s in them."""
    rows, columns = np.indices(stack.shape)
    star = np.exp(-0.5 * ((rows - 7.2) ** 2 + (columns - 6.8) ** 2) / 0.9**2)
    flux, quality = stack.flux.copy(), stack.quality.copy()
    for number in ephemeris.numbers_between(float(stack.time_btjd[0]), float(stack.time_btjd[-1])):
        hit = np.argsort(np.abs(stack.time_btjd - ephemeris.mid_btjd(number)))[:2]
        quality[hit] |= bit
        flux[hit] -= np.float32(drop) * (star / star.sum()).astype(np.float32)
    return replace(stack, flux=flux, quality=quality, used=(quality & DEFAULT_QUALITY_MASK) == 0)


def own_checks(stack: PixelStack, ephemeris: Ephemeris) -> SectorChecks:
    return run_pixel_checks(stack, ephemeris)


def test_a_dump_in_each_transit_changes_the_verdict_under_mask_0_and_is_flagged(scene: Callable[..., Any]) -> None:
    spec = scene()
    stack = with_events(spec.make(), spec.ephemeris, DUMP, drop=3000.0)
    own = own_checks(stack, spec.ephemeris)
    comparison = compare_masks(stack, spec.ephemeris, own, quality_mask=DEFAULT_QUALITY_MASK)
    assert [row.masks for row in comparison.rows] == [(0,), (175, 17087, 65535)]
    unmasked, masked = comparison.rows
    assert unmasked.n_cadences == masked.n_cadences + 2 * masked.n_transits == len(stack.time_btjd)
    assert (unmasked.verdicts["V09"], masked.verdicts["V09"]) == (Verdict.FAIL, Verdict.PASS)
    assert unmasked.metrics["offset_arcsec"].value > 40
    assert masked.metrics["offset_arcsec"].value < 5
    flagged = {result.check_id: result for result in flag_mask_sensitive(own.results, comparison)}
    assert FLAG in flagged["V09"].flags
    assert flagged["V09"].verdict is Verdict.PASS
    assert flagged["V09"].summary.endswith(
        "The verdict depends on the quality mask (fail under 0, pass under 175, 17087 and 65535)."
    )
    assert "V09 (fail under 0, pass under 175, 17087 and 65535)" in comparison.sentence
    for check_id, result in flagged.items():
        differs = len({row.verdicts[check_id] for row in comparison.rows}) > 1
        assert (FLAG in result.flags) is differs, check_id


def test_the_run_s_own_mask_is_shown_beside_the_four(scene: Callable[..., Any]) -> None:
    spec = scene()
    stack = with_events(spec.make(), spec.ephemeris, COSMIC_RAY)
    stack = with_events(stack, spec.ephemeris, STRAY_LIGHT)
    own_mask = COSMIC_RAY
    stack = replace(stack, used=(stack.quality & own_mask) == 0)
    comparison = compare_masks(stack, spec.ephemeris, own_checks(stack, spec.ephemeris), quality_mask=own_mask)
    assert [row.masks for row in comparison.rows] == [(0, 175, 17087), (64, 65535)]
    assert comparison.own_row.masks == (64, 65535)
    assert "depends" in comparison.sentence
    assert comparison.sentence.startswith("No verdict")


def test_masks_that_leave_the_same_cadences_cost_nothing(
    scene: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = scene()
    stack = spec.make()
    own = own_checks(stack, spec.ephemeris)
    monkeypatch.setattr(mask_sensitivity, "run_pixel_checks", lambda *_, **__: pytest.fail("run again"))
    comparison = compare_masks(stack, spec.ephemeris, own, quality_mask=DEFAULT_QUALITY_MASK)
    (row,) = comparison.rows
    assert row.masks == (0, 175, 17087, 65535)
    assert "no cadence carries a bit of the masks 0, 175, 17087 and 65535" in comparison.sentence
    assert flag_mask_sensitive(own.results, comparison) == own.results


def test_flagged_cadences_without_flux_are_told_from_none(scene: Callable[..., Any]) -> None:
    spec = scene()
    stack = with_events(spec.make(), spec.ephemeris, DUMP)
    flux = stack.flux.copy()
    flux[stack.quality != 0] = np.nan
    stack = replace(stack, flux=flux)
    own = own_checks(stack, spec.ephemeris)
    comparison = compare_masks(stack, spec.ephemeris, own, quality_mask=DEFAULT_QUALITY_MASK)
    assert len(comparison.rows) == 1
    assert comparison.n_flagged > 0
    assert "hold no flux" in comparison.sentence


def test_a_check_that_is_not_run_under_a_mask_does_not_make_the_verdict_depend_on_it(scene: Callable[..., Any]) -> None:
    spec = scene()
    stack = spec.make()
    quality = stack.quality.copy()
    quality[:] = STRAY_LIGHT
    stack = replace(stack, quality=quality)
    own = own_checks(stack, spec.ephemeris)
    comparison = compare_masks(stack, spec.ephemeris, own, quality_mask=DEFAULT_QUALITY_MASK)
    assert comparison.rows[-1].masks == (65535,)
    assert (comparison.rows[-1].n_cadences, comparison.rows[-1].n_transits) == (0, 0)
    assert set(comparison.rows[-1].verdicts.values()) == {Verdict.NOT_RUN}
    assert not [result for result in flag_mask_sensitive(own.results, comparison) if FLAG in result.flags]


@pytest.mark.data
def test_the_sector_19_cube_is_compared_under_all_four_masks(data_folder: Path) -> None:
    from btv_report.products.inspect import inspect_file
    from btv_report.products.pixel_stack import build_pixel_stack
    from btv_report.products.target_pixel_file import read_target_pixel_file
    from btv_report.targets import Target

    (path,) = (data_folder / "tpf").glob("tess-s0019-*astrocut.fits")
    looked = inspect_file(path)
    tpf = read_target_pixel_file(looked.product, looked.content)
    assert looked.product.header is not None
    target = Target.from_header(looked.product.header.keywords, tic_id=0, source="")
    stack = build_pixel_stack(tpf, position=target.position)
    ephemeris = Ephemeris(3.1, 1817.3, 4.0, name="1.01")
    own = own_checks(stack, ephemeris)
    comparison = compare_masks(stack, ephemeris, own, quality_mask=tpf.quality_mask)
    # Bits 3 and 6 are set in the same five cadences, bit 12 in 27 of which one is among them.
    assert [(row.masks, row.n_cadences) for row in comparison.rows] == [
        ((0,), 1155), ((175, 17087), 1150), ((65535,), 1124),
    ]  # fmt: skip
    assert all("depth_ppm_r2.0" in row.metrics for row in comparison.rows)
