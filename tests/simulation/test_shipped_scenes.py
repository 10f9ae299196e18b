"""The shipped scenes are found, read, and tell what their headers promise."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from btv_report.errors import LocalEnvironmentError
from btv_report.quality import DEFAULT_QUALITY_MASK, count_bits
from btv_report.simulation import catalogue
from btv_report.simulation.pixels import simulate
from btv_report.simulation.scene import Scene
from btv_report.simulation.scene_file import load_scene

NAMES = ["binary-two-pixels-away", "ghost-with-dumps", "planet-on-target", "single-transit"]


def shipped(name: str) -> Scene:
    return load_scene(catalogue.scenes_folder() / f"{name}.toml")


def test_four_scenes_are_shipped_and_named_as_their_files() -> None:
    assert [path.stem for path in catalogue.scene_paths()] == NAMES
    assert [load_scene(path).name for path in catalogue.scene_paths()] == NAMES


def test_a_wheel_finds_its_scenes_in_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "lib" / "btv_report"
    (package / "scenes").mkdir(parents=True)
    (package / "scenes" / "one.toml").write_text("", encoding="utf-8")
    monkeypatch.setattr(catalogue, "_PACKAGE_FOLDER", package)
    assert [path.name for path in catalogue.scene_paths()] == ["one.toml"]


def test_an_installation_without_scenes_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "_PACKAGE_FOLDER", tmp_path / "a" / "b" / "btv_report")
    with pytest.raises(LocalEnvironmentError, match="Install btv-report again"):
        catalogue.scene_paths()


@pytest.mark.parametrize("name", NAMES)
def test_every_shipped_file_stays_below_40_mb_and_its_star_is_fictitious(name: str) -> None:
    scene = shipped(name)
    for sector in scene.sectors:
        n = round(sector.length_days * 86400 / sector.cadence_s)
        assert n * (20 * scene.n_row * scene.n_column + 28) < 40e6
    assert scene.target.tic_id > 9_000_000_000
    assert len({shipped(other).target.tic_id for other in NAMES}) == len(NAMES)


def transits_seen(scene: Scene) -> list[int]:
    """Transits of which at least 80 per cent of the cadences are usable, per sector."""
    ephemeris = scene.ephemerides[0]
    counts = []
    for sector in simulate(scene).sectors:
        usable = ((sector.quality & DEFAULT_QUALITY_MASK) == 0) & np.isfinite(sector.flux[:, 5, 5])
        time = sector.time_btjd[usable]
        expected = 0.8 * ephemeris.duration_days * 86400 / sector.sector.cadence_s
        numbers = ephemeris.numbers_between(sector.sector.start_btjd, sector.sector.end_btjd)
        mids = [ephemeris.mid_btjd(number) for number in numbers]
        counts.append(sum(int(np.sum(np.abs(time - mid) < 0.5 * ephemeris.duration_days)) > expected for mid in mids))
    return counts


def test_the_planet_has_five_and_six_transits_in_two_sectors() -> None:
    assert transits_seen(shipped("planet-on-target")) == [5, 6]


def test_the_single_transit_is_single() -> None:
    assert transits_seen(shipped("single-transit")) == [1]


def test_the_binary_is_two_pixels_away_and_leaks_half_a_percent_or_less() -> None:
    sector = simulate(shipped("binary-two-pixels-away")).sectors[0]
    target, binary = sector.stars[:2]
    assert binary.star_id == "SIM 2-1"
    assert np.hypot(binary.row - target.row, binary.column - target.column) == pytest.approx(2.01, abs=0.01)
    assert 0.001 < sector.signals[0].aperture_depth < 0.005


def test_the_ghost_scene_has_dumps_every_2_6_days_and_five_other_bits() -> None:
    sector = simulate(shipped("ghost-with-dumps")).sectors[0]
    counts = count_bits(sector.quality)
    assert set(counts) == {3, 4, 5, 6, 8, 12, 13}
    assert counts[6] == 6 * 6
    assert int(np.isnan(sector.flux[:, 5, 5]).sum()) > int(np.isnan(sector.time_btjd).sum())


def test_the_readme_names_every_scene_and_its_recipe_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    readme = (Path(__file__).resolve().parents[2] / "examples" / "README.md").read_text(encoding="utf-8")
    assert all(f"[`{name}`](scenes/{name}.toml)" in readme for name in NAMES)
    (recipe,) = re.findall(r"```python\n(.*?)```", readme, flags=re.DOTALL)
    monkeypatch.chdir(tmp_path)
    shutil.copy(catalogue.scenes_folder() / "planet-on-target.toml", tmp_path / "my-scene.toml")
    exec(compile(recipe, "README.md", "exec"), {})  # noqa: S102 - our own file
    (line,) = re.findall(r"^btv-report TIC .*$", readme, flags=re.MULTILINE)
    (catalogue_path,) = re.findall(r"--neighbours (\S+)", line)
    assert (tmp_path / catalogue_path).is_file()
    ephemeris = shipped("planet-on-target").ephemerides[0]
    values = (
        f"--period {ephemeris.period_days:g} --epoch {ephemeris.epoch_btjd:g} --duration {ephemeris.duration_hours:g}"
    )
    assert line.startswith("btv-report TIC 9000000001 ")
    assert line.endswith(values)
