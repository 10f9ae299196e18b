"""A mirror with one simulated star, and a way to run the command line in this process."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from tests.doubles.command import Run, run_command

from btv_report.simulation.fits_files import WrittenScene, write_scene
from btv_report.simulation.scene_file import load_scene

SCENE = """
name = "short"
title = "Six transits of a planet in six days"
seed = 11
date = "2026-01-01"

[target]
tic_id = 9000000077
ra_deg = 211.7
dec_deg = -33.9
tmag = 10.2
teff_k = 5600.0

[[ephemerides]]
period_days = 1.3
epoch_btjd = 2100.9
duration_hours = 2.0

[[signals]]
source = "target"
period_days = 1.3
epoch_btjd = 2100.9
duration_hours = 2.0
depth = 0.004

[[sectors]]
number = 30
camera = 2
ccd = 3
start_btjd = 2100.0
length_days = 8.0
corner_row = 900
corner_column = 700
target_row = 5.2
target_column = 4.9
east_angle_deg = 40.0

[noise]
jitter_px = 0.001
jitter_hours = 3.3

[[stars]]
id = "SIM 77-1"
east_arcsec = 45.0
north_arcsec = 12.0
tmag = 13.5
"""
TIC_ID = 9000000077
EPHEMERIS = ("--period", "1.3", "--epoch", "2100.9", "--duration", "2.0")


@pytest.fixture(scope="session")
def star(tmp_path_factory: pytest.TempPathFactory) -> WrittenScene:
    """One light curve and one pixel file of a simulated star, with its catalogue."""
    folder = tmp_path_factory.mktemp("star")
    scene = folder / "short.toml"
    scene.write_text(SCENE, encoding="utf-8")
    return write_scene(load_scene(scene), folder / "mirror")


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run `btv-report` with a workspace in the test's own folder."""

    return partial(run_command, workspace=tmp_path / "workspace")
