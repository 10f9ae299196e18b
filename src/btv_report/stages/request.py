"""What one run was asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from btv_report.archive.addresses import EXOFOP_URL, MAST_URL, public_url
from btv_report.archive.mast_types import ResolvedTarget
from btv_report.ephemeris import Ephemeris
from btv_report.quality import DEFAULT_QUALITY_MASK

LOGIN_OPTION = "--cookie-jar"
PUBLISH_FILES_MB = 900.0
"""A tenth less than GitHub Pages serves."""


@dataclass(frozen=True)
class ReportRequest:
    """
    The question of one run; every field has the meaning of the option of the same name.

    Attributes
    ----------
    tic_id : int
    workspace : folder of records, store and site
    mirrors : folder trees of FITS files
    offline : open no socket
    offline_from : where that stands when no flag says so, such as ` (variable BTV_REPORT_OFFLINE)`; for messages
    sectors, pipelines, exptime_s : which products; empty or None for all
    ephemeris : the user's candidate, None for none
    flux : `pdcsap` or `sap`
    quality_mask : integer; cadences with any of its bits are not used
    normalise : divide light curves by their median
    neighbours : table of stars around the target
    prf : folder tree of TESS PRF files
    store_plot_data : keep the stamps
    exofop : look at ExoFOP artefacts
    dry_run : say what would be used and fetched, write nothing
    refresh : ask the archive again, and fetch again
    mast_url : address of the archive, MAST's own or a mirror of its services
    exofop_url : folder of ExoFOP's services, its own or a mirror's
    cookie_jar : a login at ExoFOP; no record and no page says that there was one
    publish_files : copy observers' public files into the site
    publish_files_mb : so large the whole site may become by that, megabytes
    resolved : what a name or position was resolved to; None for a TIC number
    command : the command as typed, for the audit block
    """

    tic_id: int
    workspace: Path
    mirrors: tuple[Path, ...] = ()
    offline: bool = False
    offline_from: str = ""
    sectors: tuple[int, ...] = ()
    pipelines: tuple[str, ...] = ()
    exptime_s: float | None = None
    ephemeris: Ephemeris | None = None
    flux: str = "pdcsap"
    quality_mask: int = DEFAULT_QUALITY_MASK
    normalise: bool = True
    neighbours: Path | None = None
    prf: Path | None = None
    store_plot_data: bool = True
    exofop: bool = True
    dry_run: bool = False
    refresh: bool = False
    mast_url: str = MAST_URL
    exofop_url: str = EXOFOP_URL
    cookie_jar: Path | None = None
    publish_files: bool = False
    publish_files_mb: float = PUBLISH_FILES_MB
    resolved: ResolvedTarget | None = None
    command: tuple[str, ...] = ()

    def parameters(self) -> dict[str, Any]:
        """The question as JSON values; folders are reduced to their last name, because records are published."""
        ephemeris = self.ephemeris
        return {
            "mirrors": [mirror.resolve().name for mirror in self.mirrors],
            "offline": self.offline,
            "sectors": list(self.sectors) or "all",
            "pipelines": list(self.pipelines) or "all, by the default order",
            "exptime_s": self.exptime_s,
            "period_days": ephemeris.period_days if ephemeris else None,
            "epoch_btjd": ephemeris.epoch_btjd if ephemeris else None,
            "duration_hours": ephemeris.duration_hours if ephemeris else None,
            "flux": self.flux,
            "quality_mask": self.quality_mask,
            "normalise": self.normalise,
            "neighbours": self.neighbours.name if self.neighbours else None,
            "prf": self.prf.resolve().name if self.prf else None,
            "store_plot_data": self.store_plot_data,
            "exofop": self.exofop,
            **({} if self.offline else {"mast_url": public_url(self.mast_url), "refresh": self.refresh}),
            **({} if self.offline or not self.exofop else {"exofop_url": public_url(self.exofop_url)}),
            **({"publish_files": True, "publish_files_mb": self.publish_files_mb} if self.publish_files else {}),
            **({"target_input": self.resolved.target_input} if self.resolved else {}),
        }

    def published_command(self) -> list[str]:
        """The command with every path reduced to its last name, and no word of a login: what it shows, nobody else may know."""
        return [_without_folders(word) for word in _without_login(self.command)]


def _without_login(command: Sequence[str]) -> list[str]:
    """The command without `--cookie-jar`."""
    words: list[str] = []
    for before, word in zip(("", *command), command, strict=False):
        if LOGIN_OPTION not in {word.partition("=")[0], before}:
            words.append(word)
    return words


def _without_folders(word: str) -> str:
    option, equals, value = word.partition("=")
    if equals and option.startswith("-"):
        return f"{option}={_without_folders(value)}"
    return Path(word).name or "/" if "/" in word or "\\" in word else word
