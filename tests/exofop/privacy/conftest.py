"""A loopback ExoFOP that keeps a file, a note, a spectrum and an image back, a login to it, and a mirror for whole reports."""

from __future__ import annotations

import io
import json
import os
import re
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any, Self

import numpy as np
import pytest
from astropy.io import fits
from tests.canaries import (
    cookie_line,
    cookie_value,
    restricted_bytes,
    restricted_file_name,
    restricted_note,
    write_cookie_jar,
)
from tests.doubles.command import Ran, run_command
from tests.doubles.exofop_double import ExoFopDouble, RestrictedAnswer
from tests.doubles.exofop_toi_1262 import TIC_ID, add_toi_1262, contrast_curve
from tests.exofop.client.conftest import LIMITS

from btv_report.archive.limits import Limits
from btv_report.exofop.client import ExoFopClient
from btv_report.stages.target import open_archive

CURVE, HIDDEN_IMAGE = 442001, 442002
"""The File IDs of what is kept back: a contrast curve and a list of numbers."""
TAG = "799917"
LOCKED_NAME = "TIC365938305-01_kept-back.dat"
EMBARGOED_AT = "Keck (10 m) under embargo"
NOTE_ID = "20777"

MakeClient = Callable[..., ExoFopClient]
Report = Callable[..., Ran]


class _Stopped(datetime):
    """A clock that stands still, so that two runs may have the same bytes."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Self:
        return cls(2026, 11, 21, 1, 45, tzinfo=tz)


@pytest.fixture(autouse=True)
def quick_and_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk is not waited for, and no login of this machine's user plays a part."""
    monkeypatch.setattr(os, "fsync", lambda handle: None)
    for name in ("BTV_REPORT_COOKIE_JAR", "BTV_REPORT_CACHE_DIR"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(params=list(RestrictedAnswer))
def kind(request: pytest.FixtureRequest) -> RestrictedAnswer:
    """Each of the four answers that an anonymous caller may get for what is kept back."""
    assert isinstance(request.param, RestrictedAnswer)
    return request.param


def keep_back(double: ExoFopDouble, kind: RestrictedAnswer) -> None:
    """Put what only members may see beside TOI 1262. A name that anybody is told of is no secret, and holds no token."""
    double.restricted_answer = kind
    is_named = kind is not RestrictedAnswer.ROW_MISSING
    token = restricted_bytes(b"").splitlines()[0]
    double.add_file(
        TIC_ID, LOCKED_NAME if is_named else restricted_file_name(), b"# " + token + b"\n" + contrast_curve(),
        type="Image", file_id=CURVE, restricted=True, tag=TAG,
    )  # fmt: skip
    double.add_file(
        TIC_ID, "kept-back.txt" if is_named else restricted_file_name(".txt"), restricted_bytes(), file_id=HIDDEN_IMAGE,
        restricted=True, description="" if is_named else restricted_note(),
    )  # fmt: skip
    double.add_note(TIC_ID, restricted_note(), row={"ID": NOTE_ID}, restricted=True)
    for table in ("spect", "imaging"):
        row = {"Telescope": EMBARGOED_AT, "Obs Date": "2022-02-02 02:02:02", "Notes": restricted_note()}
        double.add_rows(TIC_ID, table, [row], restricted=True)
    double.login(cookie_value())


@pytest.fixture
def exofop(request: pytest.FixtureRequest) -> Iterator[ExoFopDouble]:
    """TOI 1262 and what is kept back; in the way of `kind` where the test goes through all four."""
    given = request.getfixturevalue("kind") if "kind" in request.fixturenames else RestrictedAnswer.ROW_MISSING
    with ExoFopDouble() as running:
        add_toi_1262(running)
        keep_back(running, given)
        yield running


@pytest.fixture
def jar(tmp_path: Path) -> Path:
    """A jar with the login that the double takes."""
    return write_cookie_jar(tmp_path / "exofop.jar", cookie_line("127.0.0.1", is_secure=False))


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def make_client(exofop: ExoFopDouble, cache: Path) -> MakeClient:
    def make(jar: Path | None = None, **options: Any) -> ExoFopClient:
        given: dict[str, Any] = {"cache_dir": cache, "base_url": exofop.url, "limits": LIMITS, "min_interval_s": 0.0}
        return ExoFopClient(**{**given, "cookie_jar_path": jar, **options})

    return make


@pytest.fixture(scope="session")
def mirror(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a light curve of the star, so that a report has something to begin with."""
    folder = tmp_path_factory.mktemp("privacy") / "mirror"
    folder.mkdir()
    (folder / f"hlsp_qlp_tess_ffi_s0014-{TIC_ID:016d}_tess_v01_llc.fits").write_bytes(light_curve_file())
    return folder


@pytest.fixture
def report(exofop: ExoFopDouble, mirror: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Report:
    """
    Run `btv-report TIC 365938305`, with a clock that stands still, in a workspace below the test's folder.

    MAST is not asked: what these tests are about does not depend on it, and it would take a third of their time.
    """
    for module in ("utc", "archive.product_cache"):
        monkeypatch.setattr(f"btv_report.{module}.datetime", _Stopped)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(int(_Stopped.now(UTC).timestamp())))
    monkeypatch.setattr("btv_report.exofop.asking.endpoints.MIN_INTERVAL_S", 0.0)
    monkeypatch.setattr("btv_report.stages.exofop.LIMITS", Limits(backoff_s=0.001, read_timeout_s=2.0, tries=2))
    monkeypatch.setattr(
        "btv_report.pipeline.open_archive", lambda request, **told: open_archive(replace(request, offline=True), **told)
    )
    monkeypatch.setenv("BTV_REPORT_EXOFOP_URL", exofop.url)

    def run(workspace: str, *words: str | Path, codes: Collection[int] = (0, 3)) -> Ran:
        command = ["TIC", str(TIC_ID), "--mirror", str(mirror), *map(str, words)]
        monkeypatch.setattr(sys, "argv", ["btv-report", *command])  # what the record takes for the command
        ran = run_command(*command, workspace=tmp_path / workspace)
        assert ran.code in codes, ran.stderr  # a run that makes no dossier would publish no secret, and prove nothing
        return ran

    return run


def light_curve_file() -> bytes:
    """Nine days of a star in QLP's form."""
    primary = fits.PrimaryHDU()
    primary.header.update(
        {
            "TICID": TIC_ID,
            "SECTOR": 14,
            "CAMERA": 4,
            "CCD": 2,
            "RA_OBJ": 180.7265,
            "DEC_OBJ": 74.060997,
            "TESSMAG": 9.5966,
        }
    )
    primary.header.update({"TELESCOP": "TESS", "ORIGIN": "MIT/QLP", "OBJECT": f"TIC {TIC_ID}"})
    number = np.arange(432, dtype=np.int32)
    flux = (1 + 2e-4 * np.sin(37.0 * number)).astype(np.float32)
    columns = [
        fits.Column("TIME", "D", unit="BJD - 2457000, days", array=1683.4 + number / 48),
        fits.Column("CADENCENO", "J", array=number),
        fits.Column("SAP_FLUX", "E", array=flux),
        fits.Column("KSPSAP_FLUX", "E", array=flux),
        fits.Column("QUALITY", "J", array=np.zeros(len(number), dtype=np.int32)),
    ]
    table = fits.BinTableHDU.from_columns(columns, name="LIGHTCURVE")
    table.header.update({"BJDREFI": 2457000, "BJDREFF": 0.0, "TIMESYS": "TDB", "TIMEUNIT": "d", "TIMEDEL": 1 / 48})
    stream = io.BytesIO()
    fits.HDUList([primary, table]).writeto(stream)
    return stream.getvalue()


def without_times(folder: Path) -> Mapping[str, bytes]:
    """Every file below a folder by its relative path, its times of asking taken out; a folder that is not there has none."""
    return {
        str(path.relative_to(folder)): re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", b"then", path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def tree_of(cache: Path, *, private: bool = False) -> Path:
    """Where the star's artefacts lie."""
    return cache / ("exofop-private" if private else "exofop") / f"tic_{TIC_ID}"


def manifest_in(folder: Path) -> dict[str, Any]:
    """The manifest of a tree."""
    content = json.loads((folder / "manifest.json").read_bytes())
    assert isinstance(content, dict)
    return content


def files_in(folder: Path) -> dict[int, dict[str, Any]]:
    """The manifest's entries of files by File ID."""
    return {entry["file_id"]: entry for entry in manifest_in(folder)["files"]}


__all__ = ["TIC_ID"]
