"""The main job against the archive: `btv-report TIC 365938305`, nine sectors, and what becomes of it when things go wrong."""

from __future__ import annotations

import json
import os
import pty
import socket
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.doubles.command import Run, run_command
from tests.doubles.exofop_double import ExoFopDouble
from tests.doubles.mast_double import MastDouble
from tests.doubles.nine_sectors import IMAGE_SECTORS, OPTIONS, SECTORS, TIC_ID, TWO_MINUTE_SECTORS
from tests.doubles.scripted_server import Reply

from btv_report.archive.limits import Limits

DOWNLOAD = r"/api/v0\.1/Download/file"


@pytest.fixture(autouse=True)
def exofop(monkeypatch: pytest.MonkeyPatch) -> Iterator[ExoFopDouble]:
    """An ExoFOP that knows no star, asked as fast as it answers."""
    monkeypatch.setattr("btv_report.exofop.asking.endpoints.MIN_INTERVAL_S", 0.0)
    with ExoFopDouble() as running:
        monkeypatch.setenv("BTV_REPORT_EXOFOP_URL", running.url)
        yield running


@pytest.fixture
def run(archive: MastDouble, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("BTV_REPORT_MAST_URL", archive.url)
    # The waits between tries are tested elsewhere; here they would only cost time.
    monkeypatch.setattr("btv_report.stages.target.LIMITS", Limits(backoff_s=0.001, read_timeout_s=2.0))

    return partial(run_command, workspace=tmp_path / "workspace")


def used(answer: dict[str, Any], kind: str) -> dict[int, str]:
    return {item["sector"]: item["pipeline"] for item in answer["products"] if item["kind"] == kind and item["used"]}


def states(answer: dict[str, Any], folder: Path) -> dict[str, str]:
    (record,) = folder.glob(f"workspace/runs/{TIC_ID}/*.json")
    return {item["endpoint"]: item["state"] for item in json.loads(record.read_bytes())["answers"]}


def test_nine_sectors_are_found_fetched_and_checked(run: Run, archive: MastDouble, tmp_path: Path) -> None:
    ran = run("TIC", "365938305", *OPTIONS, "--json")
    answer = ran.answer
    assert (ran.code, answer["status"]) == (0, "complete")
    assert sorted(used(answer, "target_pixel_file")) == list(TWO_MINUTE_SECTORS)
    assert sorted(used(answer, "cutout")) == list(IMAGE_SECTORS)
    assert used(answer, "light_curve") == {**dict.fromkeys(TWO_MINUTE_SECTORS, "SPOC"), 48: "QLP", 60: "TESS-SPOC"}
    assert {row["sector"] for row in answer["transits"] if row["used"]} == set(SECTORS)
    combined = {row["check_id"]: row["verdict"] for row in answer["checks"] if row["sector"] is None}
    assert set(combined.values()) == {"pass"}
    assert set(states(answer, tmp_path).values()) == {"OK", "EMPTY", "NOT_FOUND"}
    page = (tmp_path / "workspace" / answer["page"]).read_text(encoding="utf-8")
    assert "cut-out" in page
    assert "mast:TESS/product/" in page
    assert "Gaia DR2 1690000000000000001" in page
    assert "TESS-SPOC" in page
    assert "Catalog was asked" not in page  # it was, and gives no contamination ratio
    assert len(archive.fetched()) == len(set(archive.fetched()))
    data = (tmp_path / "workspace" / answer["page"]).with_name("dossier.json").read_bytes()
    weight = len(page.encode()) + len(data)
    print(
        f"nine sectors: page {len(page.encode()):,d} bytes, dossier.json {len(data):,d} bytes, budget 185,000 for both"
    )
    assert weight < 650_000  # where it stands: a change that makes dossiers heavier is seen here


def test_second_run_opens_no_connection_and_says_the_same(
    run: Run, archive: MastDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = run("TIC", "365938305", *OPTIONS, "--json").answer

    def refuse(*_: object, **__: object) -> None:
        pytest.fail("a socket was opened")

    before = archive.n_connections
    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    again = run("TIC", "365938305", *OPTIONS, "--json")
    assert again.code == 0
    assert archive.n_connections == before
    assert {key: value for key, value in again.answer.items() if key != "run_id"} == {
        key: value for key, value in first.items() if key != "run_id"
    }


def test_what_is_in_the_cache_serves_offline(run: Run, archive: MastDouble) -> None:
    first = run("365938305", "--json").answer
    before = archive.n_connections
    offline = run("365938305", "--offline", "--json")
    assert (offline.code, archive.n_connections) == (0, before)
    assert used(offline.answer, "light_curve") == used(first, "light_curve")


def test_every_alternative_is_listed_with_the_reason_it_was_not_chosen(run: Run) -> None:
    answer = run("365938305", "--json").answer
    (other,) = [item for item in answer["products"] if not item["used"]]
    assert (other["pipeline"], other["sector"], other["state"]) == ("QLP", 14, "SKIPPED")
    assert other["reason"].startswith("SPOC is preferred to QLP")
    assert "sha256" not in other


def test_pipelines_of_one_sector_are_told_apart_and_their_times_compared(
    run: Run, archive: MastDouble, tmp_path: Path
) -> None:
    run("365938305", "--sector", "14", "--pipeline", "QLP")
    cache = tmp_path / "workspace" / ".btv-report" / "cache" / "products"
    answer = run("365938305", "--sector", "14", "--mirror", str(cache), "--json").answer
    newest = max((tmp_path / "workspace" / "runs" / str(TIC_ID)).glob("*.json"), key=lambda path: path.stat().st_mtime)
    (offset,) = json.loads(newest.read_bytes())["time_offsets"]
    assert (offset["pipeline"], offset["against_pipeline"]) == ("QLP", "SPOC")
    assert offset["offset_s"] == pytest.approx(2.0, abs=0.01)
    page = (tmp_path / "workspace" / answer["page"]).read_text(encoding="utf-8")
    assert "Times of the light curves" in page


def test_dry_run_says_what_would_be_fetched_and_writes_nothing(run: Run, archive: MastDouble, tmp_path: Path) -> None:
    ran = run("365938305", "--dry-run")
    assert ran.code == 0
    assert "Would fetch 17 files (" in ran.stdout
    assert f"from {archive.url}" in ran.stdout
    assert archive.fetched() == []
    assert not (tmp_path / "workspace").exists()


def test_sector_and_pipeline_narrow_what_is_fetched(run: Run, archive: MastDouble) -> None:
    answer = run("365938305", "--sector", "14", "--pipeline", "QLP", "--json").answer
    assert used(answer, "light_curve") == {14: "QLP"}
    assert archive.fetched() == [f"hlsp_qlp_tess_ffi_s0014-{TIC_ID:016d}_tess_v01_llc.fits"]


def test_mirror_is_read_first_and_only_what_it_lacks_is_fetched(run: Run, archive: MastDouble, tmp_path: Path) -> None:
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    kept = next(item for item in archive.products if item.sector == 20 and item.file.endswith("_tp.fits"))
    (mirror / "mine.fits").write_bytes(kept.content)
    answer = run("365938305", "--sector", "20", "--mirror", str(mirror), "--json").answer
    assert [name.rsplit("_", 1)[1] for name in archive.fetched()] == ["lc.fits"]
    reasons = {item["file"]: item["reason"] for item in answer["products"]}
    assert reasons[kept.file] == "mine.fits of the mirror serves the sector"


def test_name_is_resolved_recorded_and_shown(run: Run, archive: MastDouble, tmp_path: Path) -> None:
    ran = run("pi Men", "--sector", "14", "--json")
    assert (ran.code, ran.answer["tic_id"]) == (0, TIC_ID)
    assert f"pi Men is TIC {TIC_ID}" in ran.stderr
    (record,) = (tmp_path / "workspace" / "runs" / str(TIC_ID)).glob("*.json")
    assert json.loads(record.read_bytes())["run"]["parameters"]["target_input"] == "pi Men"


def test_f001_archive_that_is_down_leaves_a_gap_beside_a_mirror(run: Run, archive: MastDouble, tmp_path: Path) -> None:
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    (mirror / "tp.fits").write_bytes(archive.products[1].content)
    archive.server.play("*", ".*", Reply(status=503))
    ran = run("365938305", "--mirror", str(mirror), "--json")
    assert (ran.code, ran.answer["status"]) == (3, "gaps")
    assert states(ran.answer, tmp_path)["TIC entry"] == "UNREACHABLE"
    assert "Not asked, because the archive did not answer before" in (
        next((tmp_path / "workspace" / "runs" / str(TIC_ID)).glob("*.json")).read_text(encoding="utf-8")
    )


def test_f003_archive_that_is_down_and_nothing_at_hand_is_not_nothing_known(run: Run, archive: MastDouble) -> None:
    archive.server.play("*", ".*", Reply(status=503))
    ran = run("365938305", "--json")
    assert (ran.code, ran.answer["status"]) == (4, "nothing")
    assert "nothing is known of it" in ran.stderr
    assert "no product" not in ran.stderr


def test_target_that_the_archive_does_not_have_is_not_found(run: Run) -> None:
    ran = run("12345", "--json")
    assert ran.code == 4
    assert "no TIC 12345" in ran.stderr
    assert "the archive holds nothing of it" in ran.stderr


@pytest.mark.parametrize("how", ["cut", "flipped"])
def test_f090_f092_damaged_download_is_a_gap_and_the_next_run_repairs_it(
    run: Run, archive: MastDouble, tmp_path: Path, how: str
) -> None:
    whole = archive.products[0].content
    bad = whole[: len(whole) // 2] if how == "cut" else whole[:9000] + bytes([whole[9000] ^ 1]) + whole[9001:]
    archive.server.play("GET", DOWNLOAD, Reply(bad))
    ran = run("365938305", "--sector", "14", "--pipeline", "SPOC", "--json")
    assert ran.code == 5  # the only products asked for are damaged
    archive.server.play("GET", DOWNLOAD, archive._download)
    again = run("365938305", "--sector", "14", "--pipeline", "SPOC", "--json")
    assert again.code == 0
    assert used(again.answer, "light_curve") == {14: "SPOC"}


def test_f013_f092_cached_file_that_changed_is_fetched_again_and_kept_apart(
    run: Run, archive: MastDouble, tmp_path: Path
) -> None:
    run("365938305", "--sector", "14")
    cache = tmp_path / "workspace" / ".btv-report" / "cache"
    (path,) = cache.glob("products/**/*s0014*_lc.fits")
    content = path.read_bytes()
    path.write_bytes(content[:9000] + bytes([content[9000] ^ 1]) + content[9001:])
    ran = run("365938305", "--sector", "14", "--json")
    assert ran.code == 0
    assert path.read_bytes() == content
    assert [item.name.split("-", 1)[1] for item in (cache / "quarantine").glob("*.fits")] == [path.name]


def test_f109_product_that_the_archive_replaced_is_told_and_the_old_bytes_stay(
    run: Run, archive: MastDouble, tmp_path: Path
) -> None:
    run("365938305", "--sector", "14")
    old = archive.products[0]
    new = next(item for item in archive.products if item.sector == 20 and item.file.endswith("_lc.fits")).content
    archive.products[0] = type(old)(old.tic_id, 14, "SPOC", 120, old.file, new)
    ran = run("365938305", "--sector", "14", "--refresh", "--json")
    assert any("the archive changed" in warning for warning in ran.answer["warnings"])
    cache = tmp_path / "workspace" / ".btv-report" / "cache"
    (kept,) = (cache / "superseded" / f"tic_{TIC_ID}").glob("*_lc.fits")
    assert kept.read_bytes() == old.content


def test_product_that_is_not_public_is_not_fetched(run: Run, archive: MastDouble) -> None:
    first = archive.products[0]
    archive.products[0] = type(first)(
        first.tic_id, 14, "SPOC", 120, first.file, first.content, data_rights="EXCLUSIVE_ACCESS"
    )
    answer = run("365938305", "--sector", "14", "--json").answer
    reasons = {item["file"]: item["reason"] for item in answer["products"]}
    assert "EXCLUSIVE_ACCESS" in reasons[first.file]
    assert first.file not in archive.fetched()


def test_progress_is_shown_on_a_terminal_and_not_in_a_pipe(archive: MastDouble, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "btv_report", "365938305", "--sector", "14", "--workspace", str(tmp_path / "a")]
    environment = {**os.environ, "BTV_REPORT_MAST_URL": archive.url, "TERM": "xterm", "COLUMNS": "150"}
    piped = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert piped.stderr == ""
    ours, theirs = pty.openpty()
    command[-1] = str(tmp_path / "b")
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=theirs) as process:
        os.close(theirs)
        shown = b""
        try:
            while piece := os.read(ours, 4096):
                shown += piece
        except OSError:  # the terminal ends with the process
            pass
        os.close(ours)
    assert process.returncode == 0
    assert b"asking MAST" in shown
    assert b"_tp.fits" in shown


def test_offline_wins_over_refresh_and_opens_no_connection(run: Run, archive: MastDouble) -> None:
    run("365938305", "--sector", "14")
    before = archive.n_connections
    assert run("365938305", "--sector", "14", "--offline", "--refresh").code == 0
    assert archive.n_connections == before


def test_sectors_that_the_cache_lacks_are_named_offline(run: Run, archive: MastDouble) -> None:
    run("365938305", "--sector", "14")
    ran = run("365938305", "--offline")
    assert ran.code == 0
    assert "a run without --offline fetches them" in ran.stderr
    assert "20, 21, 40, 41, 47, 48, 60, 74" in ran.stderr
    nothing = run("365938305", "--sector", "21", "--offline")
    assert nothing.code == 4
    assert "Leave --offline out" in nothing.stderr


@pytest.mark.parametrize(
    ("reply", "words"), [(Reply(status=503), "503"), (Reply(b""), "empty answer"), (Reply(status=403), "403")]
)
def test_failed_product_comes_first_in_the_error(run: Run, archive: MastDouble, reply: Reply, words: str) -> None:
    archive.server.play("GET", DOWNLOAD, reply)
    ran = run("365938305", "--sector", "14", "--pipeline", "SPOC")
    assert ran.code == 4
    assert ran.stderr.index(words) < ran.stderr.index("more were not asked for")
    assert "is used" not in ran.stderr


def test_refresh_that_fails_uses_the_kept_copy_and_says_so(run: Run, archive: MastDouble, tmp_path: Path) -> None:
    run("365938305", "--sector", "14")
    archive.server.play("GET", DOWNLOAD, Reply(status=503))
    ran = run("365938305", "--sector", "14", "--refresh", "--json")
    assert (ran.code, ran.answer["status"]) == (3, "gaps")
    assert used(ran.answer, "light_curve") == {14: "SPOC"}
    assert any("The copy kept from an earlier run is used" in warning for warning in ran.answer["warnings"])


def test_f091_damaged_copy_is_not_passed_over_offline(run: Run, archive: MastDouble, tmp_path: Path) -> None:
    run("365938305", "--sector", "14")
    (path,) = (tmp_path / "workspace" / ".btv-report" / "cache").glob("products/**/*s0014*_lc.fits")
    content = bytearray(path.read_bytes())
    content[9000] ^= 1
    path.write_bytes(content)
    ran = run("365938305", "--sector", "14", "--offline", "--json")
    assert (ran.code, ran.answer["status"]) == (3, "gaps")
    assert "not those that were fetched" in " ".join(ran.answer["warnings"])


def test_dry_run_of_a_sector_has_no_gap(run: Run) -> None:
    ran = run("365938305", "--sector", "14", "--dry-run")
    assert ran.code == 0
    assert "fetch light_curve sector 14 SPOC" in ran.stdout
    assert "no usable product" not in ran.stderr


@pytest.mark.parametrize(
    ("question", "field", "value"),
    [
        ("tic-entry", "tmag", "bright"),
        ("tic-entry", "ra", "x"),
        ("stars-within", "ra", "x"),
        ("light-curves", "sector", "a"),
    ],
)
def test_f092_answer_that_was_damaged_in_the_cache_is_asked_again(
    run: Run, archive: MastDouble, tmp_path: Path, question: str, field: str, value: str
) -> None:
    run("365938305", "--sector", "14")
    (path,) = (tmp_path / "workspace" / ".btv-report" / "cache" / "answers").glob(f"tic_*/{question}*.json")
    kept = json.loads(path.read_bytes())
    (kept["value"][0] if isinstance(kept["value"], list) else kept["value"])[field] = value
    path.write_text(json.dumps(kept), encoding="utf-8")
    assert run("365938305", "--sector", "14").code == 0
    assert json.loads(path.read_bytes()) != kept
