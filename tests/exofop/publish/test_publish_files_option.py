"""`--publish-files` from end to end: fetched with a login, published without what only the login shows."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.canaries import COMMON, cookie_line, cookie_value, restricted_bytes, restricted_file_name, write_cookie_jar
from tests.cli.conftest import SCENE
from tests.doubles.command import run_command
from tests.doubles.exofop_double import ExoFopDouble
from tests.exofop.publish.conftest import FILES

from btv_report.render.verify import verify_site
from btv_report.simulation.fits_files import write_scene
from btv_report.simulation.scene_file import load_scene

TIC_ID = 9000000077


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache that a member of ExoFOP has filled: public files, and a locked one."""
    folder = tmp_path / "cache"
    monkeypatch.setattr("btv_report.exofop.asking.endpoints.MIN_INTERVAL_S", 0.0)
    monkeypatch.setenv("BTV_REPORT_CACHE_DIR", str(folder))
    jar = write_cookie_jar(tmp_path / "exofop.jar", cookie_line("127.0.0.1", is_secure=False))
    with ExoFopDouble() as double:
        double.add_target(TIC_ID)
        for file_id in (11, 12, 13):
            double.add_file(TIC_ID, *FILES[file_id], type="Image", file_id=file_id)
        name = restricted_file_name(".txt")
        double.add_file(TIC_ID, name, restricted_bytes(), type="Image", file_id=70717273, restricted=True)
        double.login(cookie_value())
        monkeypatch.setenv("BTV_REPORT_EXOFOP_URL", double.url)
        fetched = run_command("exofop", "fetch", "--tic", str(TIC_ID), "--cookie-jar", jar, workspace=tmp_path / "desk")
        assert fetched.code == 0, fetched.stderr
    assert any(restricted_bytes() == path.read_bytes() for path in folder.rglob("*") if path.is_file())
    return folder


def test_f060_public_bytes_reach_the_site_and_locked_ones_nothing_but_the_private_cache(
    cache: Path, tmp_path: Path
) -> None:
    scene = tmp_path / "short.toml"
    scene.write_text(SCENE, encoding="utf-8")
    mirror = write_scene(load_scene(scene), tmp_path / "mirror").folder
    desk = tmp_path / "desk"
    ran = run_command(str(TIC_ID), "--mirror", mirror, "--offline", "--publish-files", workspace=desk)
    assert ran.code == 0, ran.stderr
    files = desk / "site" / "tic" / str(TIC_ID) / "files"
    copied = {path.name: path.read_bytes() for path in files.iterdir() if path.name[0].isdigit()}
    assert copied == {
        "11_TIC188646744_plot.png": FILES[11][1],
        "12_spectrum.pdf": FILES[12][1],
        "13_curve_832.dat": FILES[13][1],
    }
    assert len(list((desk / "runs" / str(TIC_ID) / "files").iterdir())) == 3
    for path in desk.rglob("*"):
        assert not path.is_file() or COMMON.encode() not in path.read_bytes(), path
        assert not path.is_file() or b"70717273" not in path.read_bytes() or path.suffix in {".js", ".duckdb"}, path
    assert verify_site(desk / "site") == []
    assert run_command("verify", workspace=desk).code == 0
    again = run_command(str(TIC_ID), "--mirror", mirror, "--offline", workspace=desk)
    assert again.code == 0
    assert [path.name for path in files.iterdir() if path.name[0].isdigit()] == []
