"""Settings that are of the right kind, and that no command can use all the same."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from btv_report.archive.addresses import exofop_folder, require_allowed_url
from btv_report.errors import BtvReportError, UsageError
from btv_report.fits.headers import PIPELINES
from btv_report.quality import resolve_quality_mask
from btv_report.settings import Value

FLUXES = ("pdcsap", "sap")


def doubts(values: Sequence[Value]) -> dict[str, str]:
    """Why a setting cannot be used, a sentence, by the setting's name; those that can be are left out."""
    found = {}
    for value in values:
        check = _CHECKS.get(value.setting.name)
        if check is None or value.value is None:
            continue
        try:
            check(value.value)
        except BtvReportError as error:
            found[value.setting.name] = str(error)
    return found


def require_exptime(exptime_s: float, where: str = "") -> None:
    """
    Refuse what is no exposure time.

    Raises
    ------
    UsageError
        If it is not above 0; `where` says who gave it.
    """
    if not 0 < exptime_s < float("inf"):
        raise UsageError(f"--exptime {exptime_s:g}{where} is no exposure time.", hint="Give seconds, such as 120.")


def _one_of(words: Sequence[str]) -> Callable[[Any], None]:
    def check(given: str | Sequence[str]) -> None:
        known = {word.lower() for word in words}
        for word in (given,) if isinstance(given, str) else given:
            if word.lower() not in known:
                raise UsageError(f"{word[:60]!r} is none of {', '.join(words)}.")

    return check


def _require_there(given: str | Sequence[str]) -> None:
    for path in (given,) if isinstance(given, str) else given:
        if not os.path.exists(path):  # noqa: PTH110 - Path.exists raises where a folder may not be entered
            raise UsageError(f"{path} does not exist.")


_CHECKS: Mapping[str, Callable[[Any], object]] = {
    "exptime": require_exptime,
    "flux": _one_of(FLUXES),
    "pipeline": _one_of(PIPELINES),
    "quality_mask": resolve_quality_mask,
    "mast_url": require_allowed_url,
    "exofop_url": exofop_folder,
    "mirror": _require_there,
    "neighbours": _require_there,
    "prf": _require_there,
    "cookie_jar": _require_there,
}
