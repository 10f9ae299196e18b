"""The ledger: a chain that shows any change, and an end that survives a crash."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from btv_report.errors import IntegrityError
from btv_report.store.ledger import NO_PREVIOUS, Ledger, verify_ledger

RUNS = [(f"20261121T01450{n}Z-0000000{n}", 100 + n, f"{n}" * 64) for n in range(4)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a ledger of four runs."""
    path = tmp_path / "ledger.jsonl"
    ledger = Ledger(path)
    for run in RUNS:
        ledger.append(*run)
    return path


def test_each_line_can_be_verified_without_this_program(path: Path) -> None:
    previous = "0" * 64
    for line, (run_id, tic_id, sha256) in zip(path.read_text().splitlines(), RUNS, strict=True):
        entry = json.loads(line)
        stated = entry.pop("entry_sha256")
        assert entry == {"run_id": run_id, "tic_id": tic_id, "record_sha256": sha256, "previous": previous}
        body = json.dumps(entry, sort_keys=True, separators=(",", ":"))
        assert hashlib.sha256(body.encode()).hexdigest() == stated
        previous = stated


def test_entries_are_read_back_from_any_line_on(path: Path) -> None:
    ledger = Ledger(path)
    assert len(ledger) == 4
    assert [entry["tic_id"] for entry in ledger.entries()] == [100, 101, 102, 103]
    assert [entry["tic_id"] for entry in ledger.entries(after=3)] == [103]
    assert ledger.entries(after=4) == []
    assert ledger.head() == ledger.entries()[-1]["entry_sha256"]
    assert ledger.head(0) == NO_PREVIOUS
    assert ledger.holds(RUNS[2][0])
    assert not ledger.holds("20261121T014502Z-ffffffff")


def test_a_missing_or_empty_ledger_is_an_empty_one(tmp_path: Path) -> None:
    assert Ledger(tmp_path / "none").entries() == []
    (tmp_path / "empty").touch()
    assert Ledger(tmp_path / "empty").entries() == []
    assert verify_ledger(tmp_path / "none") == verify_ledger(tmp_path / "empty") == ""


def changed_hash(lines: list[bytes]) -> list[bytes]:
    return [lines[0], lines[1].replace(b"1" * 64, b"2" * 64), *lines[2:]]


def removed(lines: list[bytes]) -> list[bytes]:
    return [lines[0], *lines[2:]]


def swapped(lines: list[bytes]) -> list[bytes]:
    return [lines[0], lines[2], lines[1], lines[3]]


def repeated(lines: list[bytes]) -> list[bytes]:
    return [lines[0], lines[0], *lines[1:]]


def respaced(lines: list[bytes]) -> list[bytes]:
    return [lines[0], lines[1].replace(b":", b": "), *lines[2:]]


def emptied(lines: list[bytes]) -> list[bytes]:
    return [lines[0], b"", *lines[2:]]


def extended(lines: list[bytes]) -> list[bytes]:
    return [lines[0], lines[1].replace(b"{", b'{"note":1,'), *lines[2:]]


def retyped(lines: list[bytes]) -> list[bytes]:
    return [lines[0], lines[1].replace(b":101,", b':"101",').replace(b":101}", b':"101"}'), *lines[2:]]


@pytest.mark.parametrize("change", [changed_hash, removed, swapped, repeated, respaced, emptied, extended, retyped])
def test_any_change_breaks_the_chain_at_its_line(path: Path, change: object) -> None:
    assert callable(change)
    assert verify_ledger(path) == ""
    path.write_bytes(b"\n".join([*change(path.read_bytes().splitlines()), b""]))
    assert verify_ledger(path).startswith(f"Line 2 of the ledger {path} ")
    with pytest.raises(IntegrityError, match="Line 2"):
        Ledger(path).entries()


def test_every_flipped_bit_is_found(path: Path) -> None:
    data = path.read_bytes()
    for place in range(0, len(data), 7):
        path.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        assert verify_ledger(path), f"byte {place}"


def test_nothing_is_chained_to_a_damaged_line(path: Path) -> None:
    data = path.read_bytes().replace(b"3" * 64, b"4" * 64)
    path.write_bytes(data)
    with pytest.raises(IntegrityError, match="Line 4"):
        Ledger(path).append(*RUNS[0])
    assert path.read_bytes() == data


def test_f140_a_last_line_cut_at_any_byte_is_repaired_without_losing_a_whole_line(path: Path) -> None:
    data = path.read_bytes()
    whole = data[: data.rindex(b"\n", 0, -1) + 1]
    for end in range(len(whole), len(data) + 1):
        path.write_bytes(data[:end])
        ledger = Ledger(path)
        said = ledger.repair_end()
        complete = end >= len(data) - 1
        assert bool(said) == (end not in {len(whole), len(data)})
        assert path.read_bytes() == (data if complete else whole)
        assert len(ledger) == (4 if complete else 3)
        assert verify_ledger(path) == ""
        if not complete:
            ledger.append(*RUNS[3])
        assert path.read_bytes() == data


def test_f140_zeros_that_a_power_cut_left_at_the_end_are_removed(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data + b"\0" * 300)
    assert "cut short" in verify_ledger(path)
    assert "cut short (300 bytes)" in Ledger(path).repair_end()
    assert path.read_bytes() == data


def test_a_whole_line_that_does_not_follow_the_chain_is_not_finished(path: Path) -> None:
    data = path.read_bytes()
    first = data.splitlines()[0]
    path.write_bytes(data + first)
    assert "removed" in Ledger(path).repair_end()
    assert path.read_bytes() == data
