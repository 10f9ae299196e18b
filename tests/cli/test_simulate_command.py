"""`btv-report simulate`: files, command, and what is refused."""

from __future__ import annotations

import hashlib
import shlex
from pathlib import Path
from typing import Any

import pytest

from btv_report.simulation.catalogue import scene_paths

SCENE = """
name = "tiny"
title = "A planet on the target"
seed = 3
date = "2026-01-01"

[target]
tic_id = 9000000055
ra_deg = 10.0
dec_deg = 20.0
tmag = 10.0

[[ephemerides]]
period_days = 0.7
epoch_btjd = 1800.4
duration_hours = 2.0

[[sectors]]
number = 20
camera = 1
ccd = 4
start_btjd = 1800.0
length_days = 1.5
corner_row = 100
corner_column = 200
target_row = 5.0
target_column = 5.0
east_angle_deg = 40.0
"""


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.toml"
    path.write_text(SCENE, encoding="utf-8")
    return path


def sums(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_scene_file_becomes_files_and_the_command_of_its_dossier(run: Any, scene: Path, tmp_path: Path) -> None:
    folder = tmp_path / "with a space"
    ran = run("simulate", scene, "--out", folder, workspace=None)
    assert ran.code == 0, ran.stderr
    command = shlex.split(ran.stdout.splitlines()[-1])
    assert command[:4] == ["btv-report", "TIC", "9000000055", "--offline"]
    assert command[command.index("--mirror") + 1] == str(folder)
    assert Path(command[command.index("--neighbours") + 1]).is_file()
    assert "SIMULATED" in ran.stdout
    assert run(*command[1:], "--dry-run").code == 0


def test_the_same_scene_gives_the_same_bytes_again_and_elsewhere(run: Any, scene: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    for folder in (first, second):
        assert run("simulate", scene, "--out", folder, workspace=None).code == 0
    before = sums(first)
    assert len(before) == 3
    assert run("simulate", scene, "--out", first, workspace=None).code == 0
    assert sums(first) == before == sums(second)


def test_json_names_every_file(run: Any, scene: Path, tmp_path: Path) -> None:
    answer = run("simulate", scene, "--out", tmp_path / "x", "--json", workspace=None).answer
    assert (answer["scene"], answer["tic_id"]) == ("tiny", 9000000055)
    named = [*answer["light_curves"], *answer["target_pixel_files"], answer["neighbours"]]
    assert sorted(named) == sorted(str(path) for path in (tmp_path / "x").rglob("*") if path.is_file())


def test_without_out_a_folder_of_the_scene_s_name_is_made_here(
    run: Any, scene: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("simulate", scene, workspace=None).code == 0
    assert (tmp_path / "tiny" / "simulated-tiny-neighbours.csv").is_file()


def test_a_folder_with_foreign_files_is_refused_and_left_alone(run: Any, scene: Path, tmp_path: Path) -> None:
    folder = tmp_path / "full"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "real_tp.fits").write_bytes(b"mine")
    ran = run("simulate", scene, "--out", folder, workspace=None)
    assert ran.code == 2
    assert "real_tp.fits" in ran.stderr
    assert list(sums(folder)) == ["deep/real_tp.fits"]
    ran = run("simulate", scene, "--out", folder / "deep" / "real_tp.fits", workspace=None)
    assert (ran.code, "is a file" in ran.stderr) == (2, True)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("tmag = 10.0", "tmag = 99.0", "target.tmag"),
        ("seed = 3", "seed = 3\nsede = 4", "sede"),
        ("name = ", "name ", "line 2"),
        ("tic_id = 9000000055", "tic_id = 188646744", "could be a real star"),
    ],
)
def test_a_bad_scene_is_a_sentence_that_names_the_place(
    run: Any, scene: Path, tmp_path: Path, old: str, new: str, said: str
) -> None:
    scene.write_text(SCENE.replace(old, new), encoding="utf-8")
    ran = run("simulate", scene, "--out", tmp_path / "x", workspace=None)
    assert ran.code == 2
    assert said in ran.stderr
    assert not (tmp_path / "x").exists()


def test_shipped_scenes_are_listed_and_an_unknown_name_lists_them(run: Any) -> None:
    names = [path.stem for path in scene_paths()]
    ran = run("simulate", "--list", workspace=None)
    assert [line.split()[0] for line in ran.stdout.splitlines()] == names
    ran = run("simulate", "planet", workspace=None)
    assert ran.code == 2
    assert all(name in ran.stderr for name in names)
    assert run("simulate", workspace=None).code == 2
    assert "no scene file" in run("simulate", "nowhere/planet.toml", workspace=None).stderr
