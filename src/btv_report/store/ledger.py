"""
The ledger: one line a recorded run, each chained to the line before by its hash.

A line is canonical JSON of `run_id`, `tic_id`, `record_sha256`, `previous` and `entry_sha256`; the last is the SHA-256 of
the canonical JSON of the other four, and `previous` is the `entry_sha256` of the line before (64 zeros in the first). A
changed, removed or inserted line breaks the chain at that place. Lines are only ever appended.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TypedDict

from btv_report.atomic import append_durable, cut_durable, sentences
from btv_report.errors import IntegrityError
from btv_report.store.canonical import canonical_bytes, sha256_hex

NO_PREVIOUS = "0" * 64
_FIELDS = ("run_id", "tic_id", "record_sha256", "previous", "entry_sha256")


class LedgerEntry(TypedDict):
    """One line of the ledger."""

    run_id: str
    tic_id: int
    record_sha256: str
    previous: str
    entry_sha256: str


def make_entry(run_id: str, tic_id: int, record_sha256: str, previous: str) -> LedgerEntry:
    """Make the entry that follows the one whose hash is `previous`."""
    body = {"run_id": run_id, "tic_id": tic_id, "record_sha256": record_sha256, "previous": previous}
    return {
        "run_id": run_id,
        "tic_id": tic_id,
        "record_sha256": record_sha256,
        "previous": previous,
        "entry_sha256": sha256_hex(canonical_bytes(body)),
    }


def parse_entry(line: bytes) -> LedgerEntry:
    """
    Read one line (without its newline) and hold it against its own hash.

    Raises
    ------
    ValueError
        With a phrase about what does not hold.
    """
    try:
        value = json.loads(line)
    except ValueError as error:
        raise ValueError("is not JSON") from error
    if not isinstance(value, dict) or value.keys() != set(_FIELDS):
        raise ValueError(f"does not have exactly the fields {', '.join(_FIELDS)}")
    if not isinstance(value["tic_id"], int) or not all(
        isinstance(value[key], str) for key in _FIELDS if key != "tic_id"
    ):
        raise ValueError("has a field of the wrong type")
    entry = make_entry(value["run_id"], value["tic_id"], value["record_sha256"], value["previous"])
    if entry["entry_sha256"] != value["entry_sha256"]:
        raise ValueError("does not have the hash that it states")
    if canonical_bytes(entry) != line:
        raise ValueError("is not in canonical form")
    return entry


class Ledger:
    """
    A ledger as it lies on the disk.

    Parameters
    ----------
    path : Path
        `runs/ledger.jsonl`; a file that is not there is an empty ledger.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with sentences("read", path):
            data = path.read_bytes() if path.exists() else b""
        *self._lines, self._torn = data.split(b"\n")
        self._length = len(data)

    def __len__(self) -> int:
        """Number of whole lines."""
        return len(self._lines)

    def holds(self, run_id: str) -> bool:
        """Whether a run has a line."""
        needle = canonical_bytes({"run_id": run_id})[1:-1]
        return any(needle in line for line in self._lines)

    def entries(self, after: int = 0) -> list[LedgerEntry]:
        """
        Read the entries that follow the first `after` lines, and hold them against the chain.

        Raises
        ------
        IntegrityError
            At the first line that does not hold.
        """
        previous = self.head(after)
        found = []
        for number, line in enumerate(self._lines[after:], start=after + 1):
            entry = self._entry(number, line)
            if entry["previous"] != previous:
                raise self._violation(number, "does not follow the line before: a line was changed, removed or put in")
            previous = entry["entry_sha256"]
            found.append(entry)
        return found

    def head(self, number: int | None = None) -> str:
        """`entry_sha256` of line `number` (the last when None); 64 zeros for line 0."""
        number = len(self) if number is None else number
        return self._entry(number, self._lines[number - 1])["entry_sha256"] if number else NO_PREVIOUS

    def _entry(self, number: int, line: bytes) -> LedgerEntry:
        try:
            return parse_entry(line)
        except ValueError as error:
            raise self._violation(number, str(error)) from error

    def _violation(self, number: int, phrase: str) -> IntegrityError:
        return IntegrityError(
            f"Line {number} of the ledger {self.path} {phrase}.",
            hint="Restore the ledger from a copy; nothing was added to it.",
            path=self.path,
        )

    def repair_end(self) -> str:
        """
        Finish or cut a last line that a crash left without its newline.

        Whole lines are never touched. A line that lacks nothing but the newline is finished; a part of a line is cut off:
        its run was not yet acknowledged, and its record, if written, is entered again.

        Returns
        -------
        str
            What was done, a sentence; empty when there was nothing to do.
        """
        if not self._torn:
            return ""
        torn, self._torn = self._torn, b""
        try:
            is_whole = parse_entry(torn)["previous"] == self.head()
        except ValueError:
            is_whole = False
        if is_whole:
            append_durable(self.path, b"\n")
            self._lines.append(torn)
            self._length += 1
            return f"The last line of {self.path} lacked its end and was finished."
        self._length -= len(torn)
        cut_durable(self.path, self._length)
        return f"The last line of {self.path} had been cut short ({len(torn)} bytes) and was removed."

    def append(self, run_id: str, tic_id: int, record_sha256: str) -> LedgerEntry:
        """
        Append an entry and wait until it is on the disk.

        Raises
        ------
        IntegrityError
            If the last line does not hold: nothing is chained to a damaged line.
        LocalEnvironmentError
            If the machine refuses; the ledger is then as it was.
        """
        entry = make_entry(run_id, tic_id, record_sha256, self.head())
        line = canonical_bytes(entry)
        append_durable(self.path, line + b"\n")
        self._lines.append(line)
        self._length += len(line) + 1
        return entry


def verify_ledger(path: Path) -> str:
    """Name the first thing in a ledger that does not hold, as a sentence; empty when everything does."""
    ledger = Ledger(path)
    try:
        ledger.entries()
    except IntegrityError as error:
        return error.message
    if ledger._torn:
        return f"The last line of the ledger {path} is cut short; the next recorded run repairs it."
    return ""
