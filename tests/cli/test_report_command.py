"""The main job end to end on a simulated star: what is printed, written and answered."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import socket
from pathlib import Path
from typing import Any

import pytest

from btv_report.simulation.fits_files import WrittenScene

TIC_ID = 9000000077
EPHEMERIS = ("--period", "1.3", "--epoch", "2100.9", "--duration", "2.0")
DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
VERDICTS = {"pass", "warn", "fail", "not_run"}


def test_report_makes_page_record_store_and_answer(run: Any, star: WrittenScene, tmp_path: Path) -> None:
    ran = run(
        "TIC", str(TIC_ID), "--mirror", star.folder, "--offline", *EPHEMERIS, "--neighbours", star.neighbours, "--json"
    )
    assert ran.code == 0, ran.stderr
    answer = ran.answer
    workspace = tmp_path / "workspace"
    assert answer["status"] == "complete"
    assert answer["tic_id"] == TIC_ID
    assert (workspace / answer["page"]).is_file()
    assert (workspace / "runs" / str(TIC_ID) / f"{answer['run_id']}.json").is_file()
    assert (workspace / "btv-report.duckdb").is_file()
    assert [(product["kind"], product["sector"], product["used"]) for product in answer["products"]] == [
        ("light_curve", 30, True),
        ("target_pixel_file", 30, True),
    ]
    assert {product["fits_sum"] for product in answer["products"]} == {"ok"}
    sectors = [(check["check_id"], check["sector"]) for check in answer["checks"]]
    assert sectors == [(check, sector) for sector in (30, None) for check in ("V08", "V09", "V10", "V20")]
    assert {check["verdict"] for check in answer["checks"]} <= VERDICTS
    assert [transit["number"] for transit in answer["transits"]] == [0, 1, 2, 3, 4, 5]
    v09 = next(check for check in answer["checks"] if check["check_id"] == "V09")
    assert "The nearest star is the target" in v09["summary"]


def test_on_target_planet_is_where_and_as_deep_as_injected(run: Any, star: WrittenScene) -> None:
    answer = run(str(TIC_ID), "--mirror", star.folder, "--offline", *EPHEMERIS, "--json").answer
    v09 = next(check for check in answer["checks"] if check["check_id"] == "V09" and check["sector"] == 30)
    assert v09["verdict"] == "pass"
    assert v09["metrics"]["target_row"]["value"] == pytest.approx(5.2, abs=0.02)
    assert v09["metrics"]["target_column"]["value"] == pytest.approx(4.9, abs=0.02)
    assert v09["metrics"]["source_row"]["value"] == pytest.approx(5.2, abs=0.1)
    used = [transit for transit in answer["transits"] if transit["used"]]
    mean = sum(transit["depth_ppm"] for transit in used) / len(used)
    assert mean == pytest.approx(4000 * 0.97, rel=0.05)


def test_without_ephemeris_the_dossier_is_made_and_says_what_is_missing(
    run: Any, star: WrittenScene, tmp_path: Path
) -> None:
    ran = run("TIC", str(TIC_ID), "--mirror", star.folder, "--offline", "--json")
    assert ran.code == 0
    assert ran.answer["checks"] == []
    page = (tmp_path / "workspace" / ran.answer["page"]).read_text(encoding="utf-8")
    assert "no ephemeris" in page
    assert "--period" in page


def test_words_before_the_command_name_are_a_target(run: Any, star: WrittenScene) -> None:
    assert run("report", f"TIC {TIC_ID}", "--mirror", star.folder, "--offline", "--dry-run").code == 0
    assert run("--mirror", star.folder, "--offline", "--dry-run", f"tic{TIC_ID}").code == 0


def test_dry_run_lists_products_and_writes_nothing(run: Any, star: WrittenScene, tmp_path: Path) -> None:
    ran = run(str(TIC_ID), "--mirror", star.folder, "--offline", "--dry-run", *EPHEMERIS)
    assert ran.code == 0
    assert "nothing was written" in ran.stdout
    assert star.light_curves[0].name in ran.stdout
    assert not (tmp_path / "workspace").exists()


def test_offline_opens_no_socket(run: Any, star: WrittenScene, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        pytest.fail("a socket was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert run(str(TIC_ID), "--mirror", star.folder, "--offline", *EPHEMERIS).code == 0


def test_same_question_twice_gives_the_same_numbers(run: Any, star: WrittenScene) -> None:
    words = (str(TIC_ID), "--mirror", star.folder, "--offline", *EPHEMERIS, "--json")
    first, second = run(*words).answer, run(*words).answer
    for key in ("products", "checks", "transits", "warnings"):
        assert json.dumps(first[key]) == json.dumps(second[key])


def test_f064_no_folder_of_this_machine_is_published(run: Any, star: WrittenScene, tmp_path: Path) -> None:
    answer = run(
        str(TIC_ID), "--mirror", star.folder, "--offline", *EPHEMERIS, "--neighbours", star.neighbours, "--json"
    ).answer
    workspace = tmp_path / "workspace"
    private = {str(tmp_path), str(star.folder.parent), str(Path.home())}
    published = [path for path in (workspace / "site").rglob("*") if path.is_file() and "plotly" not in path.name]
    assert answer["page"]
    for path in [*published, *(workspace / "runs").rglob("*.json")]:
        text = path.read_text(encoding="utf-8", errors="replace")
        assert not [folder for folder in private if folder in text], path


def test_no_plot_data_keeps_metrics_only(run: Any, star: WrittenScene, tmp_path: Path) -> None:
    ran = run(str(TIC_ID), "--mirror", star.folder, "--offline", *EPHEMERIS, "--no-plot-data", "--json")
    assert ran.code == 0
    record = json.loads((tmp_path / "workspace" / "runs" / str(TIC_ID) / f"{ran.answer['run_id']}.json").read_bytes())
    assert all(check["stamps"] == {} for check in record["checks"])
    assert any(check["metrics"] for check in record["checks"])


def test_quality_mask_word_becomes_the_integer_that_is_recorded(run: Any, star: WrittenScene, tmp_path: Path) -> None:
    ran = run(str(TIC_ID), "--mirror", star.folder, "--offline", "--quality-mask", "hard", "--json")
    record = json.loads((tmp_path / "workspace" / "runs" / str(TIC_ID) / f"{ran.answer['run_id']}.json").read_bytes())
    assert record["run"]["parameters"]["quality_mask"] == 24319
    assert {product["provenance"]["quality_mask"] for product in record["products"]} == {24319}


def test_store_can_be_rebuilt_verified_and_rendered_to_the_same_bytes(
    run: Any, star: WrittenScene, tmp_path: Path
) -> None:
    assert run(str(TIC_ID), "--mirror", star.folder, "--offline", *EPHEMERIS).code == 0
    workspace = tmp_path / "workspace"
    before = {
        path.relative_to(workspace): path.read_bytes() for path in (workspace / "site").rglob("*") if path.is_file()
    }
    assert run("store", "rebuild").code == 0
    assert run("verify").code == 0
    rendered = run("render", "--site", tmp_path / "again")
    assert rendered.code == 0, rendered.stderr
    after = {
        Path("site") / path.relative_to(tmp_path / "again"): path.read_bytes()
        for path in (tmp_path / "again").rglob("*")
        if path.is_file()
    }
    assert after == before


def test_verify_names_a_changed_record(run: Any, star: WrittenScene, tmp_path: Path) -> None:
    run_id = run(str(TIC_ID), "--mirror", star.folder, "--offline", "--json").answer["run_id"]
    record = tmp_path / "workspace" / "runs" / str(TIC_ID) / f"{run_id}.json"
    record.chmod(0o600)
    record.write_bytes(record.read_bytes().replace(b'"tmag":10.2', b'"tmag":10.3'))
    ran = run("verify")
    assert ran.code == 5
    assert run_id in ran.stdout


def test_neighbour_table_and_code_are_traced_by_their_hashes(run: Any, star: WrittenScene, tmp_path: Path) -> None:
    ran = run(str(TIC_ID), "--mirror", star.folder, "--offline", "--neighbours", star.neighbours, "--json")
    record = json.loads((tmp_path / "workspace" / "runs" / str(TIC_ID) / f"{ran.answer['run_id']}.json").read_bytes())
    expected = hashlib.sha256(star.neighbours.read_bytes()).hexdigest()
    assert record["run"]["parameters"]["neighbours_sha256"] == expected
    assert re.fullmatch("[0-9a-f]{64}", record["run"]["versions"]["btv-report code, SHA-256"])
    assert [star_on["star_id"] for star_on in record["pixel_views"][0]["neighbours"]] == ["SIM 77-1"]


@pytest.mark.parametrize("harm", ["change", "remove", "add"])
def test_verify_names_what_was_done_to_the_site(run: Any, star: WrittenScene, tmp_path: Path, harm: str) -> None:
    page = tmp_path / "workspace" / run(str(TIC_ID), "--mirror", star.folder, "--offline", "--json").answer["page"]
    if harm == "change":
        page.write_bytes(page.read_bytes().replace(b"9000000077", b"9000000078"))
    elif harm == "remove":
        page.unlink()
    else:
        (page.parent / "planted.js").write_text("alert(1)")
    ran = run("verify")
    assert ran.code == 5
    assert ("planted.js" if harm == "add" else f"tic/{TIC_ID}/index.html") in ran.stdout
    assert run("render").code == 0
    assert run("verify").code == (5 if harm == "add" else 0)


def test_transits_of_a_sector_without_pixels_are_listed_as_not_used(
    run: Any, star: WrittenScene, tmp_path: Path
) -> None:
    mirror = tmp_path / "curves"
    mirror.mkdir()
    shutil.copy(star.light_curves[0], mirror)
    answer = run(str(TIC_ID), "--mirror", mirror, "--offline", *EPHEMERIS, "--json").answer
    assert [row["number"] for row in answer["transits"]] == [0, 1, 2, 3, 4, 5]
    assert not any(row["used"] for row in answer["transits"])
    assert {row["reason"] for row in answer["transits"]} == {"there is no pixel file of this sector"}
    assert {check["verdict"] for check in answer["checks"]} == {"not_run"}


@pytest.mark.data
@pytest.mark.skipif(not DATA.is_dir(), reason="the real data folder does not stand beside the checkout")
def test_real_star_gives_what_the_issue_states(run: Any, tmp_path: Path) -> None:
    words = ("--period", "14.2423724", "--epoch", "3540.26317", "--duration", "4.046")
    ran = run("TIC 188646744", "--mirror", DATA / "mirror", "--offline", *words, "--json")
    answer = ran.answer
    assert ran.code == 0
    kinds = [product["kind"] for product in answer["products"] if product["used"]]
    assert (kinds.count("target_pixel_file"), kinds.count("light_curve")) == (1, 4)
    checks = {check["check_id"]: check for check in answer["checks"] if check["sector"] == 83}
    peak = checks["V09"]["metrics"]
    assert (peak["peak_row"]["value"], peak["peak_column"]["value"]) == (6, 5)
    assert peak["target_row"]["value"] == pytest.approx(5.667, abs=0.001)
    assert peak["target_column"]["value"] == pytest.approx(4.533, abs=0.001)
    used = [row for row in answer["transits"] if row["used"]]
    assert [(row["peak_row"], row["peak_column"]) for row in used] == [(6, 6), (6, 4)]
    assert [row["depth_ppm"] for row in used] == pytest.approx([219, 270], abs=3)
    assert checks["V08"]["verdict"] in {"pass", "warn"}
    assert "LOW_TRANSITS" in checks["V08"]["flags"]
    assert checks["V09"]["verdict"] == "warn"
    assert "weak" in checks["V09"]["summary"]
    assert sum("re-packed" in warning for warning in answer["warnings"]) == 5
    record = json.loads((tmp_path / "workspace" / "runs" / "188646744" / f"{answer['run_id']}.json").read_bytes())
    assert record["pixel_views"][0]["corner_row"] is None


def test_verify_holds_the_bytes_of_a_mirror_against_the_runs(run: Any, star: WrittenScene, tmp_path: Path) -> None:
    mirror = tmp_path / "mirror"
    shutil.copytree(star.folder, mirror)
    assert run(str(TIC_ID), "--mirror", mirror, "--offline", *EPHEMERIS).code == 0
    ran = run("verify", "--mirror", mirror)
    assert ran.code == 0, ran.stdout
    assert "Everything holds" in ran.stdout
    assert "Bytes: 2 of 2 cited files are at hand and as cited" in ran.stdout
    pixels = mirror / star.target_pixel_files[0].relative_to(star.folder)
    content = bytearray(pixels.read_bytes())
    content[len(content) // 2] ^= 1
    pixels.write_bytes(bytes(content))
    ran = run("verify", "--mirror", mirror)
    assert ran.code == 5
    assert f"{pixels.name} has the name of a file that runs cite and other bytes" in " ".join(ran.stdout.split())
    assert "Everything holds" not in ran.stdout
