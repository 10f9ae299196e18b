"""Which code made a number: the version, and a hash of the very source files."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path


@cache
def code_sha256() -> str:
    """SHA-256 over the names and contents of the package's Python files; equal code has an equal hash on every machine."""
    package = Path(__file__).resolve().parent
    digest = hashlib.sha256()
    for source in sorted(package.rglob("*.py"), key=lambda path: path.relative_to(package).as_posix()):
        digest.update(source.relative_to(package).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(source.read_bytes()).digest())
    return digest.hexdigest()
