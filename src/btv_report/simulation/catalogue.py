"""Where the example scenes are: inside an installed package, or in the source checkout."""

from __future__ import annotations

from pathlib import Path

from btv_report.errors import LocalEnvironmentError

_PACKAGE_FOLDER = Path(__file__).resolve().parents[1]


def scenes_folder() -> Path:
    """
    Folder that holds the shipped scene files.

    A wheel carries them as `btv_report/scenes`; an editable install sees only `src`, so the checkout's
    `examples/scenes` is looked at next.

    Raises
    ------
    LocalEnvironmentError
        If neither exists.
    """
    candidates = (_PACKAGE_FOLDER / "scenes", _PACKAGE_FOLDER.parents[1] / "examples" / "scenes")
    for folder in candidates:
        if folder.is_dir():
            return folder
    raise LocalEnvironmentError(
        f"The example scenes are missing: neither {candidates[0]} nor {candidates[1]} is a folder.",
        hint="Install btv-report again.",
    )


def scene_paths() -> tuple[Path, ...]:
    """The shipped scene files, by name."""
    return tuple(sorted(scenes_folder().glob("*.toml")))
