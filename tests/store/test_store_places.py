"""Places that workspace, site and cache may not share with each other, or with anybody's other files."""

from __future__ import annotations

from pathlib import Path

import pytest

from btv_report.errors import UsageError
from btv_report.store.workspace import Workspace, cache_folder

NAMED = "BTV_REPORT_CACHE_DIR"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "workspace")


@pytest.mark.parametrize("place", ["", "runs", "site", "site/tic", "site-private", "site-private/cache"])
def test_f083_cache_among_the_files_of_a_workspace_is_refused(workspace: Workspace, place: str) -> None:
    with pytest.raises(UsageError, match="cannot be the cache"):
        cache_folder(workspace, {NAMED: str(workspace.root / place)})
    assert not workspace.root.exists()


def test_f083_site_inside_the_cache_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="in each other"):
        cache_folder(Workspace(tmp_path / "cache" / "workspace"), {NAMED: str(tmp_path / "cache")})


def test_f083_root_and_home_are_no_cache(workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for place in ("/", str(tmp_path / "home"), "~", f"{tmp_path}/other/../home"):
        with pytest.raises(UsageError, match="not its own"):
            cache_folder(workspace, {NAMED: place})


def test_f083_a_link_to_the_site_is_refused_as_the_site_is(workspace: Workspace, tmp_path: Path) -> None:
    workspace.site.mkdir(parents=True)
    (tmp_path / "link").symlink_to(workspace.site)
    with pytest.raises(UsageError, match="cannot be the cache"):
        cache_folder(workspace, {NAMED: str(tmp_path / "link")})


def test_f083_workspace_cannot_be_the_root_of_the_file_system() -> None:
    with pytest.raises(UsageError, match="those of the system"):
        Workspace(Path("/")).ensure_writable()


def test_a_folder_of_its_own_is_the_cache_wherever_it_is(workspace: Workspace, tmp_path: Path) -> None:
    for place in (tmp_path / "cache", workspace.root / "cache", workspace.root / ".btv-report" / "elsewhere"):
        assert cache_folder(workspace, {NAMED: str(place)}) == place
    assert cache_folder(workspace, {}) == workspace.root / ".btv-report" / "cache"
