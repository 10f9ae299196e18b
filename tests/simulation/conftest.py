"""Scenes for the tests of the simulation: one small scene file, and a way to change it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from btv_report.simulation.scene import Scene
from btv_report.simulation.scene_file import load_scene

SMALL_SCENE = """
name = "small"
title = "A planet on the target, a neighbour two pixels away"
seed = 7
date = "2026-01-01"

[target]
tic_id = 9000000099
ra_deg = 123.4
dec_deg = 48.2
pmra_mas_per_yr = 900.0
pmdec_mas_per_yr = -700.0
tmag = 9.0
teff_k = 5700.0

[[ephemerides]]
period_days = 0.9
epoch_btjd = 1800.5
duration_hours = 3.0

[[signals]]
source = "target"
period_days = 0.9
epoch_btjd = 1800.5
duration_hours = 3.0
depth = 0.01

[[sectors]]
number = 20
camera = 1
ccd = 4
start_btjd = 1800.0
length_days = 2.0
corner_row = 100
corner_column = 1575
target_row = 6.3
target_column = 4.4
east_angle_deg = 40.0

[noise]
drift_row_px_per_day = 0.004

[[stars]]
id = "SIM 99-1"
row_offset_px = -2.0
column_offset_px = 0.5
tmag = 11.0
pmra_mas_per_yr = -300.0
pmdec_mas_per_yr = 150.0
"""

MakeScene = Callable[..., Scene]


@pytest.fixture
def scene_path(tmp_path: Path) -> Callable[..., Path]:
    """Write the small scene, with texts replaced and lines added, and give its path."""

    def write(*changes: tuple[str, str], extra: str = "") -> Path:
        text = SMALL_SCENE
        for old, new in changes:
            assert text.count(old) >= 1, f"the small scene has no {old!r}"
            text = text.replace(old, new)
        path = tmp_path / "small.toml"
        path.write_text(text + extra, encoding="utf-8")
        return path

    return write


@pytest.fixture
def make_scene(scene_path: Callable[..., Path]) -> MakeScene:
    """Load the small scene with changes."""

    def make(*changes: tuple[str, str], extra: str = "") -> Scene:
        return load_scene(scene_path(*changes, extra=extra))

    return make


@pytest.fixture
def small_scene(make_scene: MakeScene) -> Scene:
    """The small scene as it stands."""
    return make_scene()


@pytest.fixture
def still_scene(make_scene: MakeScene) -> Scene:
    """The small scene without any motion of the spacecraft."""
    return make_scene(
        ("drift_row_px_per_day = 0.004", "drift_row_px_per_day = 0.0\njitter_px = 0.0\nfast_jitter_px = 0.0")
    )
