"""What `btv-report doctor` looks at; nothing is written, and no socket is opened unless asked."""

from __future__ import annotations

import locale
import os
import platform
import shutil
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from btv_report._version import __version__
from btv_report.archive.addresses import exofop_url, mast_url, public_url
from btv_report.archive.cache_folder import default_cache_folder, named_cache_folder, require_trusted
from btv_report.archive.limits import Limits
from btv_report.errors import BtvReportError, TargetNotFoundError
from btv_report.settings import FILE_NAME, PREFIX, SETTINGS, load_settings
from btv_report.settings_doubts import doubts
from btv_report.store.workspace import Workspace, cache_folder

LITTLE_DISK_BYTES = 2_000_000_000
SMALL_QUESTION_TIC_ID = 261136679
"""pi Mensae: in every version of the TIC."""
SHORT_PATIENCE = Limits(tries=2, table_deadline_s=60.0, read_timeout_s=30.0)
"""Whoever asks for a diagnosis waits for it."""


@dataclass(frozen=True)
class Finding:
    """One line: `grade` is `ok`, `warning` or `problem`; `local` whether this machine can mend it."""

    topic: str
    grade: str
    finding: str
    remedy: str = ""
    local: bool = True


def diagnose(
    workspace: Workspace, environment: Mapping[str, str], settings_folder: Path, *, online: bool
) -> list[Finding]:
    """Every finding, in a stable order; `settings_folder` is where btv-report.toml may stand."""
    named = named_cache_folder(environment)
    cache = default_cache_folder(environment, workspace.root)
    findings = [_versions(), *_dependencies(), _locale(), _settings(environment, settings_folder)]
    findings += [_folder("workspace", workspace.root), _disk("workspace disk", workspace.root)]
    findings += [_cache(cache, named[1] if named else "", workspace, environment), _disk("cache disk", cache)]
    findings += [_store(workspace), _tls()]
    if online:
        findings += [_archive(environment, cache), _exofop(environment)]
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
    # What is written is UTF-8 with modes of its own; the terminal may not show every letter.
    return Finding("locale", "ok", f"{encoding}, umask {_umask():04o}; files do not depend on them.")


def _umask() -> int:
    mask = os.umask(0o077)  # there is no way to read it but to set it
    os.umask(mask)
    return mask


def _settings(environment: Mapping[str, str], folder: Path) -> Finding:
    """Whether btv-report.toml and the variables can be read; a variable that nobody reads is probably a slip."""
    try:
        values = load_settings(environment, folder)
    except BtvReportError as error:
        return Finding("settings", "problem", error.message, error.hint)
    known = [setting.variable for setting in SETTINGS]
    for variable in sorted(environment):
        if variable.startswith(PREFIX) and variable not in known:
            near = get_close_matches(variable, known, n=1)
            remedy = f"Did you mean {near[0]}?" if near else "`btv-report config` shows all that are."
            return Finding("settings", "warning", f"{variable} is set, and is no setting.", remedy)
    for name, sentence in doubts(values).items():
        (origin,) = [value.origin for value in values if value.setting.name == name]
        remedy = "`btv-report config` shows all that are."
        return Finding("settings", "problem", f"{name} ({origin}) cannot be used: {sentence}", remedy)
    number = sum(value.origin != "default" for value in values)
    where = f"{folder / FILE_NAME}, " if (folder / FILE_NAME).is_file() else ""
    return Finding("settings", "ok", f"{where}{number} other than the default.")


def _folder(topic: str, folder: Path) -> Finding:
    existing = _nearest(folder)
    if not existing.is_dir():
        remedy = "Move it away, or choose another folder."
        return Finding(topic, "problem", f"{existing} is in the way: it is no folder.", remedy)
    if not os.access(existing, os.W_OK | os.X_OK):
        remedy = f"Choose another folder with {'BTV_REPORT_CACHE_DIR' if topic == 'cache' else '--workspace'}."
        return Finding(topic, "problem", f"{folder} cannot be written to.", remedy)
    if existing != folder:
        return Finding(topic, "ok", f"{folder}, is not there yet, and can be made.")
    status = folder.stat()
    if status.st_mode & stat.S_IWOTH:
        remedy = f"Take that right away with `chmod o-w {folder}`."
        return Finding(topic, "warning", f"{folder} may be written to by everybody.", remedy)
    mode = f"mode {stat.S_IMODE(status.st_mode):04o}, owner uid {status.st_uid}"
    return Finding(topic, "ok", f"{folder}, writable ({mode}).")


def _cache(folder: Path, variable: str, workspace: Workspace, environment: Mapping[str, str]) -> Finding:
    origin = f" ({variable})" if variable else ""
    try:
        cache_folder(workspace, environment)
    except BtvReportError as error:
        return Finding("cache", "problem", error.message, error.hint)
    if not os.path.isdir(folder):  # noqa: PTH112 - Path.is_dir raises where a folder above may not be entered
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
    free = shutil.disk_usage(_nearest_folder(folder)).free
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


def _exofop(environment: Mapping[str, str]) -> Finding:
    """One small question; the answer is not kept."""
    from btv_report.archive.fetch import Fetcher
    from btv_report.exofop.asking.service import ExoFopService

    try:
        url = exofop_url(environment)
    except BtvReportError as error:
        return Finding("ExoFOP", "problem", error.message, error.hint)
    asked, _ = ExoFopService(url, Fetcher(limits=SHORT_PATIENCE)).target(SMALL_QUESTION_TIC_ID)
    if asked.state.is_gap:
        words = f"{public_url(url)}: {asked.state}, {asked.words}."
        return Finding("ExoFOP", "problem", words, "Try again later.", local=False)
    return Finding("ExoFOP", "ok", f"{public_url(url)} answers.", local=False)


def _archive(environment: Mapping[str, str], cache: Path) -> Finding:
    """One small question; the answer is not kept."""
    from btv_report.archive.mast_archive import MastArchive

    try:
        url = mast_url(environment)
    except BtvReportError as error:
        return Finding("MAST", "problem", error.message, error.hint)
    archive = MastArchive(cache, base_url=url, refresh=True, keep_answers=False, limits=SHORT_PATIENCE)
    try:
        archive.star(SMALL_QUESTION_TIC_ID)
    except TargetNotFoundError:  # an institute's mirror need not hold every star
        words = f"{public_url(url)} answers; it has no TIC {SMALL_QUESTION_TIC_ID}."
        return Finding("MAST", "ok", words, local=False)
    except BtvReportError as error:
        return Finding("MAST", "problem", f"{public_url(url)}: {error.message}", error.hint, local=False)
    return Finding("MAST", "ok", f"{public_url(url)} answers.", local=False)


def _nearest(folder: Path) -> Path:
    """The folder, or what there is nearest above it, which may be a file; a place that may not be looked at is not there."""
    return next(place for place in (folder, *folder.parents) if os.path.lexists(place))


def _nearest_folder(folder: Path) -> Path:
    return next(place for place in (folder, *folder.parents) if os.path.isdir(place))  # noqa: PTH112 - as above
