"""
An answer that is cut at any byte never becomes a file that is believed: each offset is a file of its own of one star.

With a stated length the cut shows by itself. Without one the bytes have to prove their own end, and where a format cannot, the
file is not taken; the zip, which holds its own sums, may give the right bytes instead.
"""

from __future__ import annotations

import pytest
from tests.doubles.exofop_double import ExoFopDouble
from tests.doubles.scripted_server import Reply, Request
from tests.exofop.client.conftest import OTHER, MakeClient, entries_of
from tests.exofop.payloads import small_files

from btv_report.archive.limits import Limits

TABLE = b"0.05 1.5\n0.10 3.2\n0.20 4.4\n"
KINDS = {
    "report.pdf": small_files.pdf(),
    "plot.png": small_files.png(),
    "field.jpg": small_files.jpeg(),
    "blink.gif": small_files.gif(),
    "spectrum.fits": small_files.fits(),
    "files.zip": small_files.zipped(("a.dat", b"1 2\n" * 3)),
    "curve.tbl.gz": small_files.gzipped(),
    "curve.dat": TABLE,
    "curve.csv": b"time,flux\n1.5,0.99\n2.5,1.01\n",
}
LIMITS = Limits(read_timeout_s=2.0, tries=1, backoff_s=0.001)


def offsets(content: bytes) -> list[int]:
    """Every byte of a small file; of one made of blocks every 60th, and those around the ends of blocks and of the file."""
    if len(content) < 1000:
        return list(range(len(content)))
    ends = [at + step for at in range(0, len(content) + 1, 2880) for step in (-1, 0, 1)]
    chosen = {*range(0, len(content), 60), *range(len(content) - 20, len(content)), *ends}
    return sorted(at for at in chosen if 0 <= at < len(content))


@pytest.mark.parametrize("way", ["stated length", "no length", "no length, and no zip"])
@pytest.mark.parametrize("name", KINDS)
def test_f007_f009_cut_file_is_never_believed(
    make_client: MakeClient, exofop: ExoFopDouble, monkeypatch: pytest.MonkeyPatch, name: str, way: str
) -> None:
    whole = KINDS[name]
    cuts = {exofop.add_file(OTHER, f"{at}_{name}", whole): at for at in offsets(whole)}
    is_stated = way == "stated length"

    def answer(request: Request) -> Reply:
        at = cuts[int(request.query["id"])]
        return Reply(whole, cut_after=at) if is_stated else Reply(whole[:at], length=False)

    exofop.play("get_file.php", answer)
    if way.endswith("no zip"):
        exofop.play("download_files_zip.php", Reply(status=404))
    # A cut answer with a length counts as none, and after two of them in a row the rest would be left alone.
    monkeypatch.setattr("btv_report.exofop.asking.round.PATIENCE", 10**6)
    result = make_client(limits=LIMITS).fetch(target=OTHER, include_summaries=False)
    assert len(exofop.asked("get_file.php")) == len(cuts)
    for entry in entries_of(result).values():
        if entry["state"] == "OK":
            assert (result.cache_root / entry["path"]).read_bytes() == whole, (name, cuts[entry["file_id"]])
        else:
            assert "path" not in entry
    ok = [number for number, entry in entries_of(result).items() if entry["state"] == "OK"]
    assert ok == ([*cuts] if way == "no length" else [])
    assert len(list((result.cache_root / "files").glob("*_*"))) == len(ok)
