"""Which PRF a star is fitted with: the sets of its detector, the one that fits best, its own image, a Gaussian."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from btv_report.checks.difference_image import measure_pixels
from btv_report.checks.inputs import PixelStack, StackStar
from btv_report.checks.prf_choice import StarModel, candidates_at, choose_prf
from btv_report.checks.prf_grid import PrfGrid
from btv_report.checks.run import run_pixel_checks
from btv_report.checks.scene import NO_PLACE, OTHER_DETECTOR, Scene, describe_scene
from btv_report.ephemeris import Ephemeris
from btv_report.products.prf_files import read_prf_folder

Image = Callable[..., Any]
SHAPE = (11, 11)
NEAR = np.hypot(*(np.indices(SHAPE) - 5)) <= 3.5
ALONE = StarModel(np.zeros(1), np.zeros(1), np.ones(1))
SIGNAL = Ephemeris(3.1, 2001.4, 2.6, name="1.01")
PLACE, CATALOGUE, NEIGHBOUR = (5.35, 4.8), (5.05, 4.9), (2.8, 6.1)


@pytest.fixture
def grid(write_set: Callable[..., Any], folder: Path) -> PrfGrid:
    """A whole set of camera 1, CCD 3, whose star widens along the rows."""
    write_set(rows=(1, 513, 1025, 1536, 2048), columns=(45, 557, 1069, 1580, 2092))
    return read_prf_folder(folder).grids[0]


def narrow(grid: PrfGrid) -> PrfGrid:
    """A set of another camera: the star of the lowest row of the detector everywhere."""
    lowest = np.broadcast_to(grid.samples[:1], grid.samples.shape)
    return replace(grid, name="of 01-May-2019 (camera 4, CCD 1)", camera=4, ccd=1, samples=lowest)


def test_the_sets_of_the_own_detector_come_alone(grid: PrfGrid) -> None:
    others = (narrow(grid), grid)
    assert [prf.grid.name for prf in candidates_at(others, (1, 3), (1, 45), SHAPE)] == [grid.name]
    names = [prf.grid.name for prf in candidates_at(others, (2, 2), (1, 45), SHAPE)]
    assert len(names) == len(set(names)) == 4
    assert sum("mirrored in columns" in name for name in names) == 2
    assert len(candidates_at(others, (None, None), (1, 45), SHAPE)) == 4


@pytest.mark.parametrize("ccd_row", [1.0, 2048.0])
def test_the_set_that_made_the_star_is_chosen_and_finds_its_place(grid: PrfGrid, truth: Image, ccd_row: float) -> None:
    image = 9000.0 * truth(SHAPE, *PLACE, ccd_row)
    candidates = candidates_at((narrow(grid), grid), (2, 2), (2048.0, 45.0), SHAPE)
    chosen = choose_prf(candidates, image, NEAR, ALONE, (5.2, 5.0))
    assert chosen is not None
    prf, star, tried = chosen
    assert len(tried) == 4
    assert tried[0] == (prf.grid.name, min(misfit for _, misfit in tried))
    assert prf.grid.name == (grid.name if ccd_row == 2048 else narrow(grid).name)
    assert (star.row, star.column) == pytest.approx(PLACE, abs=0.003)
    assert star.flux == pytest.approx(9000.0, rel=0.003)


def test_a_mirrored_set_is_chosen_for_a_mirrored_star(grid: PrfGrid, truth: Image) -> None:
    image = truth(SHAPE, 5.1, 5.3)[:, ::-1]
    chosen = choose_prf(candidates_at((grid,), (2, 2), (1025.0, 45.0), SHAPE), image, NEAR, ALONE, (5.0, 5.0))
    assert chosen is not None
    assert "mirrored in columns" in chosen[0].description
    assert (chosen[1].row, chosen[1].column) == pytest.approx((5.1, 4.7), abs=0.003)


def test_neighbours_are_part_of_the_field(grid: PrfGrid, truth: Image) -> None:
    image = truth(SHAPE, *PLACE) + 0.3 * truth(SHAPE, PLACE[0] - 2.0, PLACE[1] + 1.1)
    candidates = candidates_at((grid,), (1, 3), (1025.0, 45.0), SHAPE)
    pair = StarModel(np.array([0.0, -2.0]), np.array([0.0, 1.1]), np.array([1.0, 0.3]))
    for stars, close in ((pair, True), (ALONE, False)):
        chosen = choose_prf(candidates, image, NEAR, stars, (5.2, 5.0))
        assert chosen is not None
        found = (chosen[1].row, chosen[1].column)
        assert (found == pytest.approx(PLACE, abs=0.005)) is close


@pytest.mark.parametrize("image", [np.zeros(SHAPE), np.full(SHAPE, -1.0)], ids=["nothing", "negative"])
def test_no_light_no_choice(grid: PrfGrid, image: Any) -> None:
    candidates = candidates_at((grid,), (1, 3), (1025.0, 45.0), SHAPE)
    assert choose_prf(candidates, image, NEAR, ALONE, (5.0, 5.0)) is None
    assert choose_prf((), np.ones(SHAPE), NEAR, ALONE, (5.0, 5.0)) is None


def make_stack(truth: Image, prfs: tuple[PrfGrid, ...], **changes: Any) -> PixelStack:
    """Nine days of the lopsided star, 0.3 px from its catalogue position, with a transit and a catalogued neighbour."""
    rng = np.random.default_rng(4)
    time = 2000.0 + np.arange(9 * 144) / 144
    star, other = 20000.0 * truth(SHAPE, *PLACE), 1500.0 * truth(SHAPE, *NEIGHBOUR)
    dt = (time - SIGNAL.epoch_btjd + SIGNAL.period_days / 2) % SIGNAL.period_days - SIGNAL.period_days / 2
    depth = np.where(np.abs(dt) < SIGNAL.duration_days / 2, 0.01, 0.0)
    flux = star * (1 - depth)[:, None, None] + other + rng.normal(0.0, 2.0, (time.size, *SHAPE))
    parts: dict[str, Any] = {
        "sector": 7,
        "time_btjd": time,
        "flux": flux.astype(np.float32),
        "flux_err": np.full(flux.shape, 2.0, np.float32),
        "used": np.ones(time.size, bool),
        "quality": np.zeros(time.size, np.int32),
        "cadence_s": 600.0,
        "target_row": CATALOGUE[0],
        "target_column": CATALOGUE[1],
        "sky_per_pixel_arcsec": 21.0 * np.array([[-1.0, 0.0], [0.0, 1.0]]),
        "neighbours": (StackStar("star 1", *NEIGHBOUR, 12.81, 60.0),),
        "neighbours_known": True,
        "tmag": 10.0,
        "corner_row": 1020,
        "corner_column": 300,
        "camera": 1,
        "ccd": 3,
        "prfs": prfs,
    }
    return PixelStack(**(parts | changes))


def scene_of(stack: PixelStack) -> Scene:
    scene = describe_scene(measure_pixels(stack, SIGNAL))
    assert scene is not None
    return scene


def test_control_light_is_placed_by_the_prf_files_and_not_by_the_catalogue(grid: PrfGrid, truth: Image) -> None:
    scene = scene_of(make_stack(truth, (grid,)))
    assert (scene.prf.kind, scene.prf_note) == ("tess_prf", "")
    # The neighbour is drawn as far from the star as the catalogue has it, hence the tolerance.
    assert (scene.source_row, scene.source_column) == pytest.approx(PLACE, abs=0.03)
    assert (scene.row, scene.column) == CATALOGUE
    assert scene.control_correlation > 0.999


def test_without_sets_the_star_is_its_own_prf(truth: Image) -> None:
    scene = scene_of(make_stack(truth, ()))
    assert (scene.prf.kind, scene.prf_note) == ("own_image", "")


def test_a_file_without_its_place_on_the_detector_cannot_use_the_sets(grid: PrfGrid, truth: Image) -> None:
    scene = scene_of(make_stack(truth, (grid,), corner_row=None))
    assert (scene.prf.kind, scene.prf_note) == ("own_image", NO_PLACE)


def test_a_set_that_describes_no_star_like_this_one_is_not_used(grid: PrfGrid, truth: Image) -> None:
    offsets = (np.arange(117) - 58) / 9
    ring = np.exp(-((np.hypot(offsets[:, None], offsets) - 2.0) ** 2))
    rings = replace(grid, samples=np.broadcast_to(ring, grid.samples.shape))
    scene = scene_of(make_stack(truth, (rings,)))
    assert scene.prf.kind == "own_image"
    assert scene.prf_note.startswith("PRF sets are at hand, but none of them")


def test_a_set_of_another_detector_says_so(grid: PrfGrid, truth: Image) -> None:
    scene = scene_of(make_stack(truth, (grid,), camera=2, ccd=2))
    assert (scene.prf.kind, scene.prf_note) == ("tess_prf", OTHER_DETECTOR)


def test_the_result_names_set_detector_and_bytes_and_measures_from_the_control_light(
    grid: PrfGrid, truth: Image
) -> None:
    results = run_pixel_checks(make_stack(truth, (grid,)), SIGNAL).results
    v09 = next(result for result in results if result.check_id == "V09")
    (tried,) = v09.details["prf"].pop("tried")
    assert tried["set"] == grid.name
    assert 0 < tried["misfit"] < 0.01
    assert v09.details["prf"] == {
        "kind": "tess_prf",
        "description": f"the TESS PRF files {grid.name}",
        "set": grid.name,
        "camera": 1,
        "ccd": 3,
        "sha256": grid.sha256,
    }
    assert "PRF_GAUSSIAN" not in v09.flags
    # The transit is on the star, whose light stands 6.6 arcsec from where the catalogue has it.
    assert v09.metrics["control_offset_arcsec"].value < 1.5
    assert v09.metrics["offset_arcsec"].value == pytest.approx(6.6, abs=1.5)
