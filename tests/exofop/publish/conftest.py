"""A target's files as a cache holds them, and a workspace that their record goes into."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest
from tests.dossier.record_factory import make_record
from tests.exofop.publish import pictures

from btv_report.exofop.manifest import read_manifest
from btv_report.exofop.types import ExoFopManifest
from btv_report.record import RunRecord
from btv_report.render.site import SiteBuild
from btv_report.stages.observers_files import observers_files
from btv_report.stages.publish import render_site
from btv_report.stages.request import ReportRequest
from btv_report.store.recording import record_run
from btv_report.store.workspace import Workspace

TIC_ID = 188646744
Put = Callable[[str, bytes], Path]
Files = dict[int, tuple[str, bytes]]
FILES: Files = {
    11: ("TIC188646744_plot.png", pictures.saved(pictures.two_halves(), "PNG")),
    12: ("spectrum.pdf", pictures.pdf()),
    13: ("curve_832.dat", b"# arcsec dmag\n0.1 2.5\n0.5 5.1\n"),
    14: ("overview.html", b"<!DOCTYPE html><html><body><script>window.__pwned=1</script></body></html>"),
    15: ("finder.svg", b'<svg xmlns="http://www.w3.org/2000/svg"><script>window.__pwned=1</script></svg>'),
}


@pytest.fixture
def put(tmp_path: Path) -> Put:
    """Write a file of the cache; gives its path."""

    def write(name: str, content: bytes) -> Path:
        folder = tmp_path / "cache"
        folder.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)
        return folder / name

    return write


def write_manifest(folder: Path, files: Files, *, login: bool = False) -> ExoFopManifest:
    """A cache folder of a target with these files; gives what its manifest says."""
    (folder / "files").mkdir(parents=True, exist_ok=True)
    entries = []
    for file_id, (filename, content) in files.items():
        path = f"files/{file_id}_stored"
        (folder / path).write_bytes(content)
        entries.append(
            {"file_id": file_id, "filename": filename, "type": "Image", "path": path, "state": "OK",
             "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
        )  # fmt: skip
    manifest = {
        "schema_version": 1, "generated_at": "2026-10-02T03:04:05Z", "target": {"tic_id": TIC_ID},
        "auth": {"cookie_jar_used": login}, "files": entries,
    }  # fmt: skip
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return read_manifest(folder / "manifest.json", tic_id=TIC_ID)


@dataclass
class Desk:
    """A workspace in which runs of one target are recorded and rendered."""

    root: Path
    n_runs: int = field(default=0)

    @property
    def workspace(self) -> Workspace:
        return Workspace(self.root / "workspace")

    @property
    def site(self) -> Path:
        return self.workspace.site

    @property
    def folder(self) -> Path:
        """Where the site holds the files of the target."""
        return self.site / "tic" / str(TIC_ID) / "files"

    def request(self, *, publish: bool, **more: Any) -> ReportRequest:
        return ReportRequest(TIC_ID, self.workspace.root, publish_files=publish, **more)

    def run(self, files: Files = FILES, *, publish: bool, change: Callable[[Any], None] | None = None) -> SiteBuild:
        """Record a run that found these files, and render."""
        manifest = write_manifest(self.root / f"exofop-{self.n_runs}", files)
        values, warnings = observers_files(self.request(publish=publish), manifest)
        record: Any = make_record(ephemeris=False, sectors=(83,))
        record["exofop"] |= {"files": values, "n_files": len(values), "state": "OK"}
        record["warnings"] += warnings
        record["run"]["started_at"] = f"2026-11-21T02:00:{self.n_runs:02d}Z"
        if change is not None:
            change(record)
        self.n_runs += 1
        record_run(self.workspace, cast(RunRecord, record))
        return self.render()

    def render(self, site: Path | None = None) -> SiteBuild:
        return render_site(self.workspace, site or self.site)

    def page(self) -> str:
        return (self.site / "tic" / str(TIC_ID) / "index.html").read_text(encoding="utf-8")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk is not waited for."""
    monkeypatch.setattr(os, "fsync", lambda handle: None)
    monkeypatch.setattr(os, "sync", lambda: None)
