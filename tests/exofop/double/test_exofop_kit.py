"""The fixture kit: what it holds, and that the double plays it byte by byte."""

from __future__ import annotations

import csv
import http.cookiejar
import io
import json
import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.doubles.exofop_caller import Caller
from tests.doubles.exofop_double import ExoFopDouble
from tests.doubles.exofop_jars import WEEK_S, jars
from tests.doubles.exofop_kit import KIT, KitRow
from tests.doubles.exofop_tables import TABLES, TOI_2021
from tests.doubles.exofop_toi_1262 import TIC_ID, add_toi_1262
from tests.doubles.scripted_server import Reply

NOW = 1_795_000_000


@pytest.fixture(scope="module")
def double() -> Iterator[ExoFopDouble]:
    with ExoFopDouble() as exofop:
        add_toi_1262(exofop)
        yield exofop


@pytest.mark.parametrize(("name", "row"), KIT.items(), ids=list(KIT))
def test_each_row_of_the_kit_is_played_byte_by_byte(
    double: ExoFopDouble, caller: Caller, name: str, row: KitRow
) -> None:
    double.play(row.endpoint, Reply(row.content), double.answer)
    assert caller.body(row.endpoint) == row.content, name
    assert row.kind in {"V", "S", "G"}


def test_what_is_known_of_the_real_answers_holds() -> None:
    assert len(KIT["obsnotes_none.pipe"].content) == 51
    assert KIT["obsnotes_throttle"].content == b""
    assert (len(TOI_2021), len(TABLES["toi"].columns)) == (58, 63)
    assert " Stellar Metallicity err" in TOI_2021
    assert len(KIT["spect.pipe"].content.split(b"\n")) == 1 + 9 + 5 + 1
    assert KIT["spect.pipe"].content.endswith(b"\n" * 6)
    toi = list(csv.DictReader(io.StringIO(KIT["toi_2025.csv"].content.decode())))
    assert (toi[1]["Epoch (BJD)"], toi[1]["Sectors"]) == ("2460322.358008", "14,20,21,40,41,47,48,60,74")


def test_headers_are_those_of_the_real_tables(shared_tables: Path) -> None:
    def header(name: str, delimiter: str) -> list[str]:
        with (shared_tables / name).open(encoding="utf-8", newline="") as stream:
            return next(csv.reader(stream, delimiter=delimiter))

    assert header("exofop_data_tess-atlas_2025-10.csv", ",")[:63] == list(TABLES["toi"].columns)
    assert header("exofop_stellarcomp.psv", "|") == list(TABLES["stellarcomp"].columns)
    real = [name.lower() for name in header("tfop_sg2_spec_table.csv", ",")]
    assert real == [name.lower() for name in TABLES["spect"].columns]
    assert set(TABLES["ctoi"].columns) <= set(header("CTOIs_chronos_2023.csv", ","))


@pytest.fixture
def shared_tables() -> Path:
    folder = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "exofop" / "tables"
    if not folder.is_dir():
        pytest.skip("the real ExoFOP tables are not beside this checkout (../shared/data/exofop/tables)")
    return folder


def test_the_versions_of_the_target_object_differ_in_their_bytes_only() -> None:
    whole = json.loads(KIT["target_365938305.json"].content)
    nulls = json.loads(KIT["target_365938305_null.json"].content)
    assert {key for key in whole if whole[key] != nulls[key]} == {"files", "imaging", "ctois", "planet_parameters"}
    latin = KIT["target_365938305_latin1.json"].content
    assert json.loads(latin.decode("latin-1"))["tois"][0]["notes"] == "Gonz\u00e1lez-\u00c5lvarez"
    for name in ("target_365938305_latin1.json", "target_365938305_mixed.json"):
        with pytest.raises(UnicodeDecodeError):
            KIT[name].content.decode()
    assert "Gonz\u00e1lez, 2\u03c3".encode() in KIT["target_365938305_mixed.json"].content


def test_the_archives_of_the_kit_differ_as_their_names_say() -> None:
    members = {
        name.removesuffix(".zip"): zipfile.ZipFile(io.BytesIO(row.content)).namelist()
        for name, row in KIT.items()
        if name.endswith(".zip")
    }
    flat = members["files_flat"]
    assert members["files_in_folder"] == [f"tic_365938305/{name}" for name in flat]
    assert members["files_missing"] == flat[1:]
    assert members["restricted_without_member"] == flat[:1]
    assert members["files_duplicate"] == [*flat, flat[0]]
    assert members["files_extra"] == [*flat, "stranger.txt"]
    assert members["files_hostile"][2:] == ["../outside.txt", "/outside.txt", "C:\\outside.txt"]


@pytest.mark.filterwarnings("ignore:http.cookiejar bug:UserWarning")
@pytest.mark.parametrize("name", ["no_header", "bom", "spaces", "six_fields", "text_expiry", "dot_without_flag"])
def test_jars_that_pythons_own_reader_refuses(tmp_path: Path, name: str) -> None:
    path = tmp_path / "jar.txt"
    path.write_bytes(jars("host.example", "secret", now=NOW)[name])
    with pytest.raises(http.cookiejar.LoadError):
        http.cookiejar.MozillaCookieJar(str(path)).load()


@pytest.mark.parametrize(
    ("name", "n_cookies"),
    [("good", 1), ("expiry_zero", 1), ("empty_expiry", 1), ("httponly", 1), ("crlf", 1), ("expired", 1), ("three_hosts", 3)],
)  # fmt: skip
def test_jars_that_pythons_own_reader_takes(tmp_path: Path, name: str, n_cookies: int) -> None:
    path = tmp_path / "jar.txt"
    path.write_bytes(jars("host.example", "secret", now=NOW)[name])
    jar = http.cookiejar.MozillaCookieJar(str(path))
    jar.load(ignore_expires=True, ignore_discard=True)
    assert len(jar) == n_cookies
    (cookie,) = (cookie for cookie in jar if cookie.domain == "host.example")
    assert (cookie.name, (cookie.value or "").strip(), cookie.path, cookie.secure) == ("PHPSESSID", "secret", "/", True)
    expiries = {"expiry_zero": 0, "empty_expiry": None, "expired": NOW - 1}
    assert cookie.expires == expiries.get(name, NOW + WEEK_S)


def test_two_sessions_stand_in_one_jar() -> None:
    assert jars("host.example", "secret", now=NOW)["two_sessions"].count(b"PHPSESSID") == 2
    assert b"\tFALSE\t1" in jars("127.0.0.1", "secret", now=NOW, secure=False)["good"]


def test_the_ready_target_holds_what_its_counts_say(caller: Caller) -> None:
    value = caller.json(f"target.php?id={TIC_ID}&json")
    (toi,) = caller.rows("download_toi.php?toi=1262.01&output=csv")
    assert [len(value[key]) for key in ("spectroscopy", "imaging", "time_series", "files")] == [5, 2, 0, 6]
    counts = [f"{kind} Observations" for kind in ("Spectroscopy", "Imaging", "Time Series")]
    assert [toi[name] for name in counts] == ["5", "2", "0"]
    position = [float(value["coordinates"][key]) for key in ("ra", "dec")]
    assert position == pytest.approx([180.7265, 74.0610083333], abs=1e-9)
    notes = [row["notes"] for row in caller.rows(f"download_obsnotes.php?tid={TIC_ID}")]
    assert [("<html>" in note, "|" in note, "Master Disp:" in note) for note in notes] == [
        (True, False, False),
        (False, True, False),
        (False, False, True),
    ]


def test_the_files_of_the_ready_target_are_what_their_names_say(caller: Caller) -> None:
    rows = caller.rows(f"download_filelist.php?id={TIC_ID}&output=csv")
    files = {row["File Name"]: caller.body(f"get_file.php?id={row['File ID']}") for row in rows}
    png = next(content for name, content in files.items() if name.endswith(".png"))
    at = png.index(b"IDAT")
    n_bytes = int.from_bytes(png[at - 4 : at], "big")
    assert zlib.crc32(png[at : at + 4 + n_bytes]) == int.from_bytes(png[at + 4 + n_bytes : at + 8 + n_bytes], "big")
    for content in (content for name, content in files.items() if name.endswith(".pdf")):
        place = re.search(rb"startxref\n(\d+)\n%%EOF\n$", content)
        assert place
        assert content[int(place[1]) :].startswith(b"xref\n")
    curve = next(content for name, content in files.items() if name.endswith("_sensitivity.dat")).decode()
    annuli, fit = curve.split("# fit of angular separation vs. relative mag. limit:\n")
    assert len([line for line in annuli.splitlines() if not line.startswith("#")]) == 23
    assert [len(line.split()) for line in fit.splitlines()] == [2] * 122
    table = next(content for name, content in files.items() if name.endswith("_measurements.tbl")).decode()
    light_curve = list(csv.DictReader(io.StringIO(table), delimiter="\t"))
    in_transit = [abs(float(row["BJD_TDB"]) - 2460322.358008) < 3.562 / 48 for row in light_curve]
    fluxes = [float(row["rel_flux_T1"]) for row in light_curve]
    inside = [flux for flux, is_in in zip(fluxes, in_transit, strict=True) if is_in]
    outside = [flux for flux, is_in in zip(fluxes, in_transit, strict=True) if not is_in]
    depth_ppm = 1e6 * (1 - (sum(inside) / len(inside)) / (sum(outside) / len(outside)))
    assert depth_ppm == pytest.approx(771, abs=60)
