"""How many bytes of observers' files a site takes: what serves it has an end, such as GitHub Pages at 1 GB."""

from __future__ import annotations

from dataclasses import dataclass, field

from btv_report.archive.limits import MB
from btv_report.exofop.types import ExoFopFile
from btv_report.render.site import previous_manifest
from btv_report.stages.request import ReportRequest
from btv_report.store.workspace import Workspace

TOLD_FROM = 0.5
"""Of the limit: a site that has so much of it is worth a sentence."""
NAMED = 5
_WHY = "GitHub Pages serves sites of up to 1 GB"


@dataclass
class SiteRoom:
    """
    The room in a site, and what has been put there.

    Attributes
    ----------
    limit_bytes : of the whole site
    site_bytes : of the site as it stands, without the files of the target
    copied : sizes of the files of the target that are copied, bytes
    left_out : those for which there is no room
    """

    limit_bytes: float
    site_bytes: int
    copied: list[int] = field(default_factory=list)
    left_out: list[ExoFopFile] = field(default_factory=list)

    @property
    def n_bytes(self) -> int:
        """Bytes of the site with what is copied."""
        return self.site_bytes + sum(self.copied)

    def takes(self, file: ExoFopFile, n_bytes: int) -> bool:
        """Whether there is room for a file; it is taken down either way."""
        if not self.n_bytes + n_bytes <= self.limit_bytes:  # nor where the limit is no number
            self.left_out.append(file)
            return False
        self.copied.append(n_bytes)
        return True

    def sentences(self, tic_id: int) -> list[str]:
        """What the site comes to, where it comes to much, and what was left out."""
        total = f"The site has {_mb(self.n_bytes)} with the {_mb(sum(self.copied))} of observers' files of TIC {tic_id}"
        if self.left_out:
            names = ", ".join(f"{file.file_id} ({file.filename})" for file in self.left_out[:NAMED])
            more = f" and {len(self.left_out) - NAMED} more" if len(self.left_out) > NAMED else ""
            what = "1 ExoFOP file" if len(self.left_out) == 1 else f"{len(self.left_out)} ExoFOP files"
            verb = "is" if len(self.left_out) == 1 else "are"
            return [
                f"{what} of TIC {tic_id} {verb} not copied into the site, which may have {_mb(self.limit_bytes)}: {names}{more}. "
                f"{total}. {_WHY}; --publish-files-mb (publish_files_mb in the settings) moves the limit."
            ]
        if self.copied and self.n_bytes > TOLD_FROM * self.limit_bytes:
            return [f"{total}; from {_mb(self.limit_bytes)} on none are copied. {_WHY}."]
        return []


def site_room(request: ReportRequest) -> SiteRoom:
    """The room in the workspace's site, by the manifest of its last build."""
    entries = previous_manifest(Workspace(request.workspace).site) or {}
    own = f"tic/{request.tic_id}/files/"
    sizes = (entry.get("bytes") for path, entry in entries.items() if not path.startswith(own))
    return SiteRoom(request.publish_files_mb * MB, sum(size for size in sizes if isinstance(size, int)))


def _mb(n_bytes: float) -> str:
    """Megabytes, to three figures where they are few."""
    size = n_bytes / MB
    return f"{size:,.0f} MB" if size >= 100 else f"{size:.3g} MB"
