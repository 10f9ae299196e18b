"""Holds a built site against its manifest."""

from __future__ import annotations

import hashlib
from pathlib import Path, PurePosixPath

from btv_report.render.site import MANIFEST, read_manifest

_NOT_OURS = frozenset({".DS_Store"})


def verify_site(site_dir: Path) -> list[str]:
    """
    Name every file of a site that is missing, changed or not in its manifest.

    Returns
    -------
    list of str
        Sentences; empty when everything holds, or when there is no site.
    """
    if not site_dir.is_dir():
        return []
    manifest = read_manifest(site_dir)
    if manifest is None:
        return [f"The site {site_dir} has no readable {MANIFEST}. `btv-report render` makes it again from the store."]
    problems = []
    for path in sorted(manifest):
        file = site_dir / path
        if ".." in PurePosixPath(path).parts or not file.is_file():
            problems.append(f"{path} of the site is missing. `btv-report render` makes it again from the store.")
        elif _sha256(file) != manifest[path].get("sha256"):
            problems.append(
                f"{path} of the site is not what was rendered. `btv-report render` makes it again from the store."
            )
    present = {file.relative_to(site_dir).as_posix() for file in site_dir.rglob("*") if file.is_file()}
    strangers = sorted(
        name for name in present - set(manifest) - {MANIFEST} if PurePosixPath(name).name not in _NOT_OURS
    )
    problems += [f"{name} lies in the site but is not of it." for name in strangers]
    return problems


def _sha256(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
