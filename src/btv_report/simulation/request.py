"""A scene by name or file, written into a folder of its own: what `btv-report simulate` does."""

from __future__ import annotations

from pathlib import Path

from btv_report.errors import LocalEnvironmentError, UsageError
from btv_report.simulation.catalogue import scene_paths
from btv_report.simulation.fits_files import OWN_PREFIX, WrittenScene, write_scene
from btv_report.simulation.scene_file import load_scene


def simulate_scene(scene: str, folder: Path | None) -> WrittenScene:
    """
    Write a scene as FITS files with its catalogue of stars.

    Parameters
    ----------
    scene : name of a shipped scene, or path of a scene file
    folder : where the files go; None for a folder with the scene's name in the current one. Files of simulated scenes in it
        are replaced where they have the same name

    Raises
    ------
    UsageError
        If there is no such scene, the scene file is wrong, or the folder holds files that are not of a scene.
    LocalEnvironmentError
        If the folder cannot be read or written.
    """
    loaded = load_scene(find_scene(scene))
    folder = folder or Path(loaded.name)
    _refuse_foreign_files(folder)
    return write_scene(loaded, folder)


def find_scene(scene: str) -> Path:
    """The path of a scene: a file where the text names one (by `.toml` or a folder in it), else a shipped scene."""
    path = Path(scene).expanduser()
    if path.suffix.lower() == ".toml" or path.name != scene or path.is_file():
        return path
    shipped = {found.stem: found for found in scene_paths()}
    if scene not in shipped:
        raise UsageError(
            f"There is no shipped scene {scene!r}, and no file of that name.",
            hint=f"Shipped scenes: {', '.join(shipped)}. A scene file is named with its .toml.",
        )
    return shipped[scene]


def scene_command(written: WrittenScene) -> tuple[str, ...]:
    """What a user would type for the dossier of a scene's files, with its first ephemeris."""
    ephemeris = written.ephemerides[0]
    return (
        "btv-report", "TIC", str(written.scene.target.tic_id), "--offline",
        "--mirror", str(written.folder), "--neighbours", str(written.neighbours),
        "--period", f"{ephemeris.period_days:.10g}", "--epoch", f"{ephemeris.epoch_btjd:.10g}",
        "--duration", f"{ephemeris.duration_hours:.10g}",
    )  # fmt: skip


def _refuse_foreign_files(folder: Path) -> None:
    """Refuse a file in the folder's place, and a folder with files that no simulation wrote."""
    try:
        if folder.exists() and not folder.is_dir():
            raise UsageError(f"{folder} is a file, not a folder.", hint="Give --out a folder.", path=folder)
        inside = sorted(folder.rglob("*")) if folder.exists() else []
    except OSError as error:
        raise LocalEnvironmentError(
            f"{folder} cannot be looked into ({error.strerror or error}).",
            hint="Check its permissions, or give --out another folder.",
            path=folder,
        ) from error
    foreign = [path for path in inside if not path.is_dir() and not path.name.startswith(OWN_PREFIX)]
    if foreign:
        raise UsageError(
            f"{folder} holds files that are not of a simulated scene, such as {foreign[0].relative_to(folder)}.",
            hint="Give --out a new or empty folder, so that simulated and other files do not mix.",
            path=folder,
        )
