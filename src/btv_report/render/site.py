"""
Builds the static site from run records: gather everything, then write.

A reader meets the old site or the new one: shared files with new names come first, then data and pages, the list of targets
after them, the manifest last, and what the new site does not have any more goes at the end. A site that does not exist yet is
built beside its place and renamed into it.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from btv_report.atomic import make_folder, remove_durable, sentences, write_atomic
from btv_report.dossier.index import RunSummary, summarise
from btv_report.dossier.publish import publishable
from btv_report.errors import IntegrityError, UsageError
from btv_report.record import RunRecord
from btv_report.render.assets import assets
from btv_report.render.copies import Copy, KeptFile, find_copies, sound, with_copies
from btv_report.render.links import check_links
from btv_report.render.pages import dossier_files, fingerprint, site_files

MANIFEST = "site-manifest.json"
MANIFEST_FORMAT = "btv-report site"
SITE_SCHEMA_VERSION = 1
Entry = dict[str, str | int]
_IGNORED = frozenset({".DS_Store"})


@dataclass(frozen=True)
class SiteBuild:
    """
    What a build did.

    Attributes
    ----------
    index : the list of targets, absolute path
    pages : TIC number to the dossier's page, absolute path
    written, unchanged, removed : paths in the site
    """

    index: Path
    pages: dict[int, Path]
    written: tuple[str, ...]
    unchanged: int
    removed: tuple[str, ...]


def build_site(
    records: Iterable[tuple[str, str, RunRecord]],
    site_dir: Path,
    *,
    ledger_head: str | None,
    memory: Path | None = None,
    calibration: Path | None = None,
    kept_file: KeptFile | None = None,
) -> SiteBuild:
    """
    Render all dossiers and the pages around them.

    Parameters
    ----------
    records : iterable of (run_id, record_sha256, RunRecord)
        One run a target.
    site_dir : Path
        Where the site lies; made when absent.
    ledger_head : str or None
        SHA-256 of the ledger's last entry, None when the ledger is empty.
    memory : Path, optional
        A private file outside the site in which a build notes what each dossier was made from, so that the next one renders
        only those that would come out different. It is no part of the site, whose bytes depend on the records alone.
    calibration : Path, optional
        A calibration record to show instead of the one that ships with this release.
    kept_file : callable, optional
        Tells where the copies of observers' files are kept that records say stand in the site. One that is not there, or has
        other bytes, is named on the page as missing.

    Raises
    ------
    UsageError
        If the folder holds files and no manifest of an earlier build, or a target comes twice.
    IntegrityError
        If a link of the new pages leads nowhere; nothing has been written then.
    LocalEnvironmentError
        If the disk refuses.
    """
    previous = previous_manifest(site_dir)
    remembered = Remembered.read(memory, previous or {}, site_dir)
    gathered = _gather(records, ledger_head, remembered, calibration, kept_file)
    _refuse_broken_links(gathered)
    files: dict[str, bytes | Copy] = {**gathered.files, **gathered.copies, MANIFEST: _manifest(gathered)}
    if previous is None:
        _build_beside(site_dir, files)
        written, unchanged, removed = sorted(files), 0, []
    else:
        written, unchanged = _update(site_dir, files)
        removed = _remove_stale(site_dir, sorted(set(previous) - set(files) - set(gathered.kept)))
    if memory is not None:
        content = json.dumps(gathered.made_from, sort_keys=True, indent=1)
        write_atomic(memory, content.encode("ascii"), private=True)
    pages = {tic_id: site_dir / f"tic/{tic_id}/index.html" for tic_id in gathered.targets}
    return SiteBuild(site_dir / "index.html", pages, tuple(written), unchanged + len(gathered.kept), tuple(removed))


@dataclass(frozen=True)
class _Gathered:
    """New bytes and copies by path; manifest entries of files that stay; what each dossier's files were made from; targets."""

    files: dict[str, bytes]
    copies: dict[str, Copy]
    kept: dict[str, Entry]
    made_from: dict[str, str]
    targets: list[int]


@dataclass(frozen=True)
class Remembered:
    """What the dossiers of the site that stands there were made from, by path, beside its manifest."""

    site_dir: Path
    manifest: Mapping[str, Entry]
    made_from: Mapping[str, str]

    @classmethod
    def read(cls, memory: Path | None, manifest: Mapping[str, Entry], site_dir: Path) -> Remembered:
        """Read the note of an earlier build; one that is absent or damaged remembers nothing."""
        try:
            content = json.loads(memory.read_bytes()) if memory is not None else {}
        except (OSError, ValueError):
            content = {}
        return cls(site_dir, manifest, content if isinstance(content, dict) else {})

    def unharmed(self, folder: str, origin: str) -> dict[str, Entry]:
        """The manifest's entries of a dossier that was made from `origin` and lies there unharmed; else none."""
        entries = {path: entry for path, entry in self.manifest.items() if path.startswith(folder)}
        if f"{folder}index.html" not in entries:
            return {}
        for path, entry in entries.items():
            file = self.site_dir / path
            if ".." in PurePosixPath(path).parts or self.made_from.get(path) != origin or not file.is_file():
                return {}
            with sentences("read", file), file.open("rb") as content:
                if hashlib.file_digest(content, "sha256").hexdigest() != entry.get("sha256"):
                    return {}
        return entries


def _gather(
    records: Iterable[tuple[str, str, RunRecord]],
    ledger_head: str | None,
    remembered: Remembered,
    calibration: Path | None,
    kept_file: KeptFile | None,
) -> _Gathered:
    """All files of the site but its manifest; a dossier that would come out the same is not rendered again."""
    files: dict[str, bytes] = dict(assets()[1])
    copies: dict[str, Copy] = {}
    kept: dict[str, Entry] = {}
    made_from: dict[str, str] = {}
    summaries: dict[int, RunSummary] = {}
    for run_id, record_sha256, record in records:
        public = publishable(record)
        summary = summarise(run_id, record_sha256, public)
        if summary.tic_id in summaries:
            raise UsageError(f"TIC {summary.tic_id} comes with two runs; a site shows one run a target.")
        summaries[summary.tic_id] = summary
        found = find_copies(public, kept_file)
        origin = hashlib.sha256(f"{run_id} {record_sha256} {fingerprint()} {sorted(found)}".encode()).hexdigest()
        same = remembered.unharmed(f"tic/{summary.tic_id}/", origin)
        own = {} if same else sound(found)
        made = {} if same else dossier_files(run_id, record_sha256, with_copies(record, own))
        if same or len(own) == len(found):  # else it is made again as soon as what was changed is whole
            made_from |= dict.fromkeys([*same, *made, *own], origin)
        kept |= same
        copies |= own
        files |= made
    files |= site_files(list(summaries.values()), ledger_head, calibration)
    return _Gathered(files, copies, kept, made_from, sorted(summaries))


def _refuse_broken_links(gathered: _Gathered) -> None:
    pages = {path: data for path, data in gathered.files.items() if path.endswith(".html")}
    problems = check_links(pages, [*gathered.files, *gathered.copies, *gathered.kept, MANIFEST])
    if problems:
        more = f" ({len(problems) - 1} more)" if len(problems) > 1 else ""
        raise IntegrityError(
            f"The site was not written, because a link in it leads nowhere: {problems[0]}{more}",
            hint="This is a fault of btv-report; the site from before is untouched.",
        )


def _manifest(gathered: _Gathered) -> bytes:
    """Path, SHA-256 and size of every file but the manifest itself."""
    entries: dict[str, Entry] = dict(gathered.kept)
    for path, data in gathered.files.items():
        entries[path] = {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    for path, copy in gathered.copies.items():
        entries[path] = {"sha256": copy.sha256, "bytes": copy.n_bytes}
    content = {"format": MANIFEST_FORMAT, "schema_version": SITE_SCHEMA_VERSION, "files": entries}
    return (json.dumps(content, indent=1, sort_keys=True, allow_nan=False) + "\n").encode("ascii")


def read_manifest(site_dir: Path) -> dict[str, Entry] | None:
    """The files of an earlier build, by path; None when the folder holds no manifest of ours that can be read."""
    try:
        content = json.loads((site_dir / MANIFEST).read_bytes())
    except (OSError, ValueError):
        return None
    if (
        not isinstance(content, dict)
        or content.get("format") != MANIFEST_FORMAT
        or not isinstance(content.get("files"), dict)
    ):
        return None
    return {str(path): entry for path, entry in content["files"].items() if isinstance(entry, dict)}


def previous_manifest(site_dir: Path) -> dict[str, Entry] | None:
    """The manifest of the site that stands there; None when there is no site; a folder of other things is refused (F-084)."""
    with sentences("look into", site_dir):
        if not site_dir.exists() and not site_dir.is_symlink():
            return None
        if not site_dir.is_dir():
            raise UsageError(
                f"{site_dir} is not a folder, so no site can be written there.", hint="Choose another folder."
            )
        names = sorted(path.name for path in site_dir.iterdir() if path.name not in _IGNORED)
    manifest = read_manifest(site_dir)
    if manifest is not None:
        return manifest
    if names:
        raise UsageError(
            f"The folder {site_dir} holds files that btv-report did not write ({names[0]}), and no {MANIFEST}.",
            hint="Give an empty or new folder; nothing was changed.",
            path=site_dir,
        )
    return {}


def _build_beside(site_dir: Path, files: Mapping[str, bytes | Copy]) -> None:
    """Write a whole new site into a folder beside its place and rename it there."""
    make_folder(site_dir.parent, private=False)
    building = site_dir.parent / f".{site_dir.name}.building-{os.getpid()}"
    with sentences("build the site in", building):
        if building.exists():
            shutil.rmtree(building)
        try:
            for path in sorted(files):
                target = building / path
                make_folder(target.parent, private=False)
                content = files[path]
                if isinstance(content, Copy):
                    content.put_at(target)
                else:
                    target.write_bytes(content)
                    target.chmod(0o644)
            os.sync()
            building.rename(site_dir)
        except BaseException:
            shutil.rmtree(building, ignore_errors=True)
            raise


def _write_order(path: str) -> tuple[int, str]:
    """Shared files first, then data and dossiers, the list of targets after what it leads to, the manifest last."""
    if path == MANIFEST:
        return 4, path
    if path == "index.html":
        return 3, path
    if path.startswith("assets/"):
        return 0, path
    return (2 if path.endswith(".html") else 1), path


def _update(site_dir: Path, files: Mapping[str, bytes | Copy]) -> tuple[list[str], int]:
    """Write the files that differ from what lies there, each atomically."""
    written = []
    for path in sorted(files, key=_write_order):
        target, content = site_dir / path, files[path]
        if _is_there(target, content):
            continue
        make_folder(target.parent, private=False)
        if isinstance(content, Copy):
            content.put_at(target)
        else:
            write_atomic(target, content, private=False)
        written.append(path)
    return written, len(files) - len(written)


def _is_there(target: Path, content: bytes | Copy) -> bool:
    """Whether a file of the site is as it should be."""
    if isinstance(content, Copy):
        return content.is_at(target)
    with sentences("read", target):
        return target.is_file() and target.stat().st_size == len(content) and target.read_bytes() == content


def _remove_stale(site_dir: Path, paths: list[str]) -> list[str]:
    """Remove what an earlier build wrote and this one has not, then the folders that this leaves empty."""
    removed = []
    for path in paths:
        parts = PurePosixPath(path).parts
        target = site_dir.joinpath(*parts)
        if not parts or ".." in parts or PurePosixPath(path).is_absolute() or not target.is_file():
            continue  # a manifest is a file like any other: it may not lead out of the site
        remove_durable(target)
        removed.append(path)
        folder = target.parent
        while folder != site_dir and not any(folder.iterdir()):
            folder.rmdir()
            folder = folder.parent
    return removed
