"""What `btv-report doctor` looks at; nothing is written, and no socket is opened unless asked."""

from __future__ import annotations

import locale
import os
import platform
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from btv_report._version import __version__
from btv_report.archive.addresses import mast_url, public_url
from btv_report.archive.cache_folder import named_cache_folder, require_trusted
from btv_report.errors import BtvReportError
from btv_report.store.workspace import Workspace, cache_folder

LITTLE_DISK_BYTES = 2_000_000_000
SMALL_QUESTION_TIC_ID = 261136679
"""pi Mensae: in every version of the TIC."""


@dataclass(frozen=True)
class Finding:
    """One line: `grade` is `ok`, `warning` or `problem`; `local` whether this machine can mend it."""

    topic: str
    grade: str
    finding: str
    remedy: str = ""
    local: bool = True


def diagnose(workspace: Workspace, environment: Mapping[str, str], *, online: bool) -> list[Finding]:
    """Every finding, in a stable order."""
    cache = cache_folder(workspace, environment)
    named = named_cache_folder(environment)
    findings = [_versions(), *_dependencies(), _locale()]
    findings += [_folder("workspace", workspace.root), _disk("workspace disk", workspace.root)]
    findings += [_cache(cache, named[1] if named else ""), _disk("cache disk", cache)]
    findings += [_store(workspace), _tls()]
    if online:
        findings.append(_archive(environment, cache))
    return findings


def _versions() -> Finding:
    return Finding("btv-report", "ok", f"{__version__} on Python {platform.python_version()}, {platform.system()}.")


def _dependencies() -> list[Finding]:
    """Every run-time dependency by its installed version."""
    try:
        names = [line.split(";")[0] for line in requires("btv-report") or () if "extra ==" not in line]
    except PackageNotFoundError:
        remedy = "Install it with `pip install .`."
        return [Finding("packages", "warning", "btv-report is not installed; its packages cannot be listed.", remedy)]
    found, missing = [], []
    for requirement in names:
        name = requirement.split(">")[0].split("=")[0].split("<")[0].split("[")[0].strip()
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            missing.append(name)
    findings = [Finding("packages", "ok", ", ".join(sorted(found)) + ".")]
    if missing:
        remedy = "Install btv-report again with pip."
        findings.append(Finding("packages", "problem", f"not installed: {', '.join(missing)}.", remedy))
    return findings


def _locale() -> Finding:
    encoding = locale.getpreferredencoding(False)
    # What is written does not depend on it; the terminal may not show every letter.
    return Finding("locale", "ok", f"{encoding}; files are written in UTF-8 whatever it is.")


def _folder(topic: str, folder: Path) -> Finding:
    existing = _nearest(folder)
    if not os.access(existing, os.W_OK | os.X_OK):
        remedy = "Choose another folder with --workspace."
        return Finding(topic, "problem", f"{folder} cannot be written to.", remedy)
    state = "writable" if existing == folder else "is not there yet, and can be made"
    return Finding(topic, "ok", f"{folder}, {state}.")


def _cache(folder: Path, variable: str) -> Finding:
    origin = f" ({variable})" if variable else ""
    if not folder.exists():
        return _folder("cache", folder)
    try:
        require_trusted(folder)
    except BtvReportError as error:
        return Finding("cache", "problem", error.message, error.hint)
    if not os.access(folder, os.W_OK | os.X_OK):
        remedy = "It can be read with --offline; to fetch, name another folder with BTV_REPORT_CACHE_DIR."
        return Finding("cache", "warning", f"{folder}{origin} is read-only.", remedy)
    return Finding("cache", "ok", f"{folder}{origin}, yours alone to write.")


def _disk(topic: str, folder: Path) -> Finding:
    free = shutil.disk_usage(_nearest(folder)).free
    words = f"{free / 1e9:.1f} GB free."
    if free < LITTLE_DISK_BYTES:
        remedy = "One sector of pixels takes 50 MB, a dossier less than 1 MB."
        return Finding(topic, "warning", words, remedy)
    return Finding(topic, "ok", words)


def _store(workspace: Workspace) -> Finding:
    from btv_report.store.store import Store

    if not workspace.database.exists():
        return Finding("store", "ok", "there is none yet; the first run makes it.")
    try:
        with Store(workspace.database) as store:
            number = len(store.run_ids())
    except BtvReportError as error:
        return Finding("store", "problem", error.message, error.hint or "Run `btv-report store rebuild`.")
    return Finding(
        "store", "ok", f"{workspace.database.name} opens and holds {number} run{'' if number == 1 else 's'}."
    )


def _tls() -> Finding:
    from btv_report.archive.transport import require_honest_tls

    try:
        require_honest_tls()
    except BtvReportError as error:
        return Finding("TLS", "problem", error.message, error.hint)
    return Finding("TLS", "ok", "certificates are verified.")


def _archive(environment: Mapping[str, str], cache: Path) -> Finding:
    """One small question, with its own short patience; the answer is not kept."""
    from btv_report.archive.limits import Limits
    from btv_report.archive.mast_archive import MastArchive

    try:
        url = mast_url(environment)
    except BtvReportError as error:
        return Finding("MAST", "problem", error.message, error.hint)
    patience = Limits(tries=2, table_deadline_s=60.0, read_timeout_s=30.0)
    archive = MastArchive(cache, base_url=url, refresh=True, keep_answers=False, limits=patience)
    try:
        archive.star(SMALL_QUESTION_TIC_ID)
    except BtvReportError as error:
        return Finding("MAST", "problem", f"{public_url(url)}: {error.message}", error.hint, local=False)
    return Finding("MAST", "ok", f"{public_url(url)} answers.", local=False)


def _nearest(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there."""
    return next(place for place in (folder, *folder.parents) if place.is_dir())
