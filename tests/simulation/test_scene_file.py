"""A scene file is read whole, and what is wrong with it is said by file and key."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from btv_report.errors import LocalEnvironmentError, UsageError
from btv_report.simulation.scene import Scene, flux_of_tmag
from btv_report.simulation.scene_file import FIRST_FICTITIOUS_TIC_ID, load_scene

ScenePath = Callable[..., Path]


def test_every_value_of_the_file_reaches_the_scene(small_scene: Scene) -> None:
    assert small_scene.target.tic_id == 9000000099
    assert small_scene.target.position.pmra_mas_per_yr == 900.0
    assert small_scene.target.stellar.teff_k == 5700.0
    assert small_scene.sectors[0].corner_column == 1575
    assert small_scene.ephemerides[0].period_days == 0.9
    assert small_scene.signals[0].depth == 0.01
    assert small_scene.stars[0].star_id == "SIM 99-1"
    assert small_scene.noise.drift_row_px_per_day == 0.004


def test_tenth_magnitude_gives_fifteen_thousand_electrons_per_second() -> None:
    assert flux_of_tmag(10.0) == pytest.approx(1.5e4, rel=0.005)
    assert flux_of_tmag(12.5) == pytest.approx(flux_of_tmag(10.0) / 10.0)


@pytest.mark.parametrize(
    ("old", "new", "key", "words"),
    [
        ("seed = 7", "", "`seed`", "missing"),
        ("seed = 7", "seed = 7.5", "`seed`", "not an integer"),
        ("seed = 7", "seed = true", "`seed`", "not an integer"),
        ('name = "small"', 'name = "Small scene"', "`name`", "hyphens"),
        ('date = "2026-01-01"', 'date = "1 January"', "`date`", "2026-01-31"),
        ("tmag = 9.0", "tmag = nan", "`target.tmag`", "not a finite number"),
        ("tmag = 9.0", 'tmag = "bright"', "`target.tmag`", "not a finite number"),
        ("tmag = 9.0", "tmag = 9.0\nteff = 5000", "`target.teff`", "no such key"),
        ("dec_deg = 48.2", "dec_deg = 95.0", "`target.dec_deg`", "between -89 and 89"),
        ("camera = 1", "camera = 5", "`sectors[0].camera`", "between 1 and 4"),
        ("corner_column = 1575", "corner_column = 2090", "`sectors[0].corner_column`", "between 45 and 2082"),
        ("target_row = 6.3", "target_row = 10.5", "`sectors[0].target_row`", "between 1 and 9"),
        ("ccd = 4", "ccd = 4\ncadence_s = 60", "`sectors[0].cadence_s`", "20-s and 120-s"),
        ("ccd = 4", "ccd = 4\ngap_start_btjd = 1900.0\ngap_days = 1.0", "`sectors[0].gap_start_btjd`", "between"),
        ("depth = 0.01", "depth = 1.5", "`signals[0].depth`", "between"),
        ("depth = 0.01", "depth = 0", "`signals[0].depth`", "not above 0"),
        ('source = "target"', 'source = "SIM 7"', "`signals[0].source`", "no star or ghost"),
        ("row_offset_px = -2.0\n", "", "`stars[0].row_offset_px`", "missing"),
        ("row_offset_px = -2.0\n", "east_arcsec = 3.0\n", "`stars[0].id`", "not both"),
        ("row_offset_px = -2.0\ncolumn_offset_px = 0.5\n", "", "`stars[0].id`", "or east_arcsec"),
        ("row_offset_px = -2.0", "row_offset_px = -2000.0", "`stars[0].id`", "20 arcmin"),
        ('id = "SIM 99-1"', 'id = "target"', "`stars`", "twice"),
        ('id = "SIM 99-1"', 'id = "TIC 9000000099"', "`stars`", "belongs to the target"),
        ('id = "SIM 99-1"', 'id = "α Sim"', "`stars[0].id`", "FITS header"),
        ("duration_hours = 3.0", "duration_hours = 30.0", "period_days`", "not shorter than its period"),
    ],
)
def test_a_wrong_value_is_refused_by_file_and_key(
    scene_path: ScenePath, old: str, new: str, key: str, words: str
) -> None:
    path = scene_path((old, new))
    with pytest.raises(UsageError) as caught:
        load_scene(path)
    message = str(caught.value)
    assert str(path) in message
    assert key in message
    assert words in message


def test_a_number_that_could_be_a_real_star_is_refused(scene_path: ScenePath) -> None:
    path = scene_path(("tic_id = 9000000099", "tic_id = 188646744"))
    with pytest.raises(UsageError, match=r"188646744 could be a real star.*numbered from 9000000000"):
        load_scene(path)
    assert FIRST_FICTITIOUS_TIC_ID == 9_000_000_000


def test_sectors_must_follow_each_other(scene_path: ScenePath) -> None:
    second = """
[[sectors]]
number = 21
camera = 1
ccd = 1
start_btjd = 1801.0
length_days = 2.0
corner_row = 5
corner_column = 50
east_angle_deg = 0.0
"""
    with pytest.raises(UsageError, match="sector 21 does not come after sector 20"):
        load_scene(scene_path(extra=second))


@pytest.mark.parametrize("name", ["flagged", "scattered_light", "missing"])
def test_a_mishap_outside_the_observation_is_refused(scene_path: ScenePath, name: str) -> None:
    rest = {"flagged": "bits = [3]", "scattered_light": "bits = [13]\npeak_e_per_s = 10.0", "missing": ""}[name]
    extra = f"\n[[{name}]]\nstart_btjd = 1700.0\nend_btjd = 1701.0\n{rest}\n"
    with pytest.raises(UsageError, match=rf"`{name}\[0\]\.start_btjd`.*no sector is observed"):
        load_scene(scene_path(extra=extra))


def test_a_span_that_ends_before_it_starts_is_refused(scene_path: ScenePath) -> None:
    with pytest.raises(UsageError, match=r"1800\.5 is not after start_btjd"):
        load_scene(scene_path(extra="\n[[missing]]\nstart_btjd = 1800.6\nend_btjd = 1800.5\n"))


@pytest.mark.parametrize("bits", ["[]", "[0]", "[17]", "[true]", "6"])
def test_quality_bits_are_numbers_from_1_to_16(scene_path: ScenePath, bits: str) -> None:
    extra = f"\n[[flagged]]\nstart_btjd = 1800.5\nend_btjd = 1800.6\nbits = {bits}\n"
    with pytest.raises(UsageError, match=r"`flagged\[0\]\.bits`"):
        load_scene(scene_path(extra=extra))


def test_a_table_written_as_an_array_is_refused_and_the_other_way_round(scene_path: ScenePath) -> None:
    with pytest.raises(UsageError, match=r"write it as an array of tables, \[\[stars\]\]"):
        load_scene(scene_path(("[[stars]]", "[stars]")))
    with pytest.raises(UsageError, match=r"write it as a table, \[noise\]"):
        load_scene(scene_path(("[noise]", "[[noise]]")))


def test_broken_toml_and_other_encodings_are_named(tmp_path: Path) -> None:
    path = tmp_path / "broken.toml"
    path.write_text("name = ", encoding="utf-8")
    with pytest.raises(UsageError, match=r"broken\.toml is not valid TOML"):
        load_scene(path)
    path.write_bytes(b'name = "\xff"')
    with pytest.raises(UsageError, match=r"broken\.toml is not valid TOML"):
        load_scene(path)


def test_an_absent_or_unreadable_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"There is no scene file .*nowhere\.toml"):
        load_scene(tmp_path / "nowhere.toml")
    with pytest.raises(UsageError, match="is a folder, not a scene file"):
        load_scene(tmp_path)
    looped = tmp_path / "looped.toml"
    looped.symlink_to(looped)
    with pytest.raises(LocalEnvironmentError, match="cannot be read"):
        load_scene(looped)


def test_a_scene_without_ephemeris_is_refused(scene_path: ScenePath) -> None:
    with pytest.raises(UsageError, match=r"ephemerides.*there is none"):
        load_scene(scene_path(("[[ephemerides]]", "[[unused]]")))


def test_two_ephemerides_need_two_names(scene_path: ScenePath, small_scene: Scene) -> None:
    again = "\n[[ephemerides]]\nperiod_days = 3.1\nepoch_btjd = 1800.2\nduration_hours = 2.0\n"
    with pytest.raises(UsageError, match="two have the same name"):
        load_scene(scene_path(extra=again))
    both = load_scene(scene_path(extra=again + 'name = "second"\n')).ephemerides
    assert [item.name for item in both] == ["user", "second"]
