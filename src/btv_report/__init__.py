"""
btv-report: one dossier for a TESS planet candidate.

The names below are the public Python interface; each is imported when it is first used, so that `import btv_report` is
instant.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from btv_report._version import __version__

_HOMES = {
    "report": "btv_report.pipeline",
    "ReportRequest": "btv_report.pipeline",
    "Target": "btv_report.targets",
    "StellarParameters": "btv_report.targets",
    "SkyPosition": "btv_report.targets",
    "Neighbour": "btv_report.targets",
    "Ephemeris": "btv_report.ephemeris",
    "QUALITY_FLAG_BITS": "btv_report.quality",
    "DEFAULT_QUALITY_MASK": "btv_report.quality",
    "BtvReportError": "btv_report.errors",
    "RunRecord": "btv_report.record",
    "read_dossier": "btv_report.dossier.publish",
    "MASTClient": "btv_report.archive.mast_client",
    "SearchResult": "btv_report.archive.mast_types",
    "ResolvedTarget": "btv_report.archive.mast_types",
    "ArchiveProduct": "btv_report.archive.mast_types",
    "TicStar": "btv_report.archive.mast_types",
    "SessionCache": "btv_report.archive.session_cache",
    "PersistentCache": "btv_report.archive.persistent_cache",
    "make_light_curve_key": "btv_report.archive.persistent_cache",
    "DownloadProgress": "btv_report.archive.progress",
    "DownloadPhase": "btv_report.archive.progress",
    "ProgressCallback": "btv_report.archive.progress",
    "ExoFopClient": "btv_report.exofop.client",
    "ExoFopTarget": "btv_report.exofop.types",
    "ExoFopFileRow": "btv_report.exofop.types",
    "ExoFopFetchResult": "btv_report.exofop.types",
    "ExoFopSelectors": "btv_report.exofop.types",
    "ContrastCurve": "btv_report.exofop.contrast_curves",
    "find_contrast_curves": "btv_report.exofop.contrast_curves",
    "load_exofop_contrast_curve_dat": "btv_report.exofop.contrast_curves",
    "ExternalLightCurve": "btv_report.exofop.curves.external_light_curves",
    "load_external_light_curve": "btv_report.exofop.curves.external_light_curves",
    "LightCurve": "btv_report.products.model",
    "TargetPixelFile": "btv_report.products.model",
    "MASTClientError": "btv_report.errors",
    "NameResolutionError": "btv_report.errors",
    "TargetNotFoundError": "btv_report.errors",
    "LightCurveNotFoundError": "btv_report.errors",
    "ArchiveUnreachableError": "btv_report.errors",
    "AmbiguousTargetError": "btv_report.errors",
    "ProductCorruptError": "btv_report.errors",
    "plot_centroid_shift": "btv_report.plotting.pixel",
    "plot_difference_image": "btv_report.plotting.pixel",
    "plot_aperture_curve": "btv_report.plotting.pixel",
    "plot_ghost": "btv_report.plotting.pixel",
    "result_from_record": "btv_report.plotting.stored",
}

__all__ = ["__version__", *sorted(_HOMES)]  # noqa: PLE0604 - the names live in one table


def __getattr__(name: str) -> Any:
    """Import a public name from its home on first use."""
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'btv_report' has no attribute {name!r}")


def __dir__() -> list[str]:
    """List the public names."""
    return __all__
