"""Where the example scenes are: inside an installed package, or in the source checkout."""

from __future__ import annotations

from pathlib import Path

from btv_report.errors import LocalEnvironmentError, UsageError

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


def find_scene(name_or_path: str) -> Path:
    """
    Turn the name of a shipped scene (`planet-on-target`) or a path into the path of a scene file.

    Raises
    ------
    UsageError
        If it is neither.
    """
    path = Path(name_or_path)
    if path.is_file():
        return path
    shipped = {item.stem: item for item in scene_paths()}
    if name_or_path in shipped:
        return shipped[name_or_path]
    raise UsageError(
        f"{name_or_path!r} is neither a scene file nor the name of a shipped scene.",
        hint=f"Shipped: {', '.join(shipped)}.",
    )
