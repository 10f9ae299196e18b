"""Observers' artefacts in the cache, one tree a star: each goes as a whole, or stays as long as a run cites anything in it."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from btv_report.archive.cache_folder import LockBusyError, kernel_lock
from btv_report.archive.stored_files import hash_file
from btv_report.atomic import make_folder, sentences

ROOMS = ("exofop", "exofop-private")
"""What anybody may have, and what only members may."""
_TREE = re.compile(r"tic_([0-9]{1,11})")


def artefact_trees(cache: Path, tic_ids: Sequence[int], *, everything: bool) -> list[Path]:
    """The trees of these stars, or all."""
    found = []
    for room in ROOMS:
        for path in sorted((cache / room).glob("tic_*")):
            match = _TREE.fullmatch(path.name)
            if match and path.is_dir() and not path.is_symlink() and (everything or int(match[1]) in tic_ids):
                found.append(path)
    return found


def cited_trees(trees: Sequence[Path], cited: Mapping[str, tuple[str, ...]]) -> dict[Path, tuple[str, ...]]:
    """Those of which a run cites any file, and the runs."""
    kept: dict[Path, tuple[str, ...]] = {}
    for tree in trees if cited else ():
        for path in files_below(tree):
            with contextlib.suppress(OSError):
                if runs := cited.get(hash_file(path)[0]):
                    kept[tree] = runs
                    break
    return kept


def files_below(tree: Path) -> Iterator[Path]:
    """Every file of a tree; links are not followed."""
    for place, folders, names in os.walk(tree):
        folders.sort()
        yield from (Path(place) / name for name in sorted(names))


def remove_tree(cache: Path, tree: Path) -> bool:
    """
    Remove a tree, unless somebody is at work on it; whether it is gone.

    Raises
    ------
    LocalEnvironmentError
        If the machine does not let it.
    """
    lock = lock_file(cache, tree.name)
    make_folder(lock.parent, private=True)
    try:
        with kernel_lock(lock, timeout_s=0, busy="Somebody is fetching it"), sentences("remove", tree):
            shutil.rmtree(tree)
    except LockBusyError:
        return False
    return True


def lock_file(cache: Path, tree_name: str) -> Path:
    """What whoever works on the trees of a star locks."""
    return cache / "locks" / f"exofop-{tree_name}.lock"
