"""Files that crash, hang or fill what reads them: one such file costs its own thumbnail, and nothing else."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest
from PIL import Image
from tests.exofop.publish import pictures
from tests.exofop.publish.conftest import Put

from btv_report.exofop.payloads import thumbnails as module
from btv_report.exofop.payloads.thumbnails import is_plain_png, thumbnails

GOOD = pictures.saved(pictures.two_halves(), "PNG")


def drawn(put: Put, hostile: bytes, name: str = "hostile.bin") -> bool:
    """Whether the hostile file has a thumbnail; those before and after it must have theirs."""
    before, after = put("before.png", GOOD), put("behind.png", GOOD)
    path = put(name, hostile)
    started = time.monotonic()
    found = thumbnails([before, path, after])
    assert time.monotonic() - started < 30
    assert {before, after} <= set(found)
    assert all(is_plain_png(content) for content in found.values())
    return path in found


def test_f133_pictures_with_too_many_pixels_are_not_opened(put: Put) -> None:
    n_pixels = 8000 * 7000
    zeros = pictures.saved(Image.new("1", (8000, 7000)), "PNG")
    assert len(zeros) < n_pixels // 1000
    assert not drawn(put, zeros)
    assert not drawn(put, pictures.png_of(60_000, 60_000, bytes(1000)))
    assert not drawn(put, pictures.png_of(2**31 - 1, 2**31 - 1, bytes(1000)))


def test_f133_remarks_that_unpack_without_end_take_nothing(put: Put) -> None:
    import zlib

    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(bytes(2**24)) for _ in range(12)) + packer.flush()
    bomb = pictures.png_of(4, 4, bytes(20), before=pictures.png_chunk(b"zTXt", b"Comment\0\0" + packed))
    drawn(put, bomb)  # with or without a thumbnail: what matters is that the others have theirs, and soon


@pytest.mark.parametrize("side", [8_000, 60_000])
def test_f133_a_giant_picture_in_a_document_ends_in_time(put: Put, side: int) -> None:
    if side == 60_000:
        content = pictures.pdf_with_a_giant_picture(8_000).replace(
            b"/Width 8000 /Height 8000", b"/Width 60000 /Height 60000"
        )
    else:
        content = pictures.pdf_with_a_giant_picture(side)
    drawn(put, content)


def test_documents_that_lead_back_to_themselves_end_in_time(put: Put) -> None:
    drawn(put, pictures.pdf_that_never_ends())
    loop = pictures.pdf().replace(b"/Kids [3 0 R] /Count 1", b"/Kids [2 0 R] /Count 1")
    assert not drawn(put, loop)


@pytest.mark.parametrize(
    "box", [b"0 0 1e30 1e30", b"0 0 0 0", b"0 0 -5 10", b"0 0 1 99999999", b"nan nan nan nan", b""]
)
def test_pages_of_any_size_are_drawn_small_or_not_at_all(put: Put, box: bytes) -> None:
    drawn(put, pictures.pdf(box=box))


def test_f126_scripts_of_a_document_are_not_run(put: Put, tmp_path: Path) -> None:
    target = tmp_path / "written-by-script"
    script = f"app.alert(1); this.saveAs('{target}'); app.launchURL('http://127.0.0.1:9/');".encode()
    action = (
        b"/OpenAction << /S /JavaScript /JS (" + script.replace(b"(", b"\\(").replace(b")", b"\\)") + b") >> /AA << >>"
    )
    launch = b" /Names << /JavaScript << /Names [(a) << /S /Launch /F (/bin/true) >>] >> >>"
    document = pictures.pdf(catalog=action + launch)
    assert drawn(put, document, "plot.pdf")
    assert (
        thumbnails([put("plain.pdf", pictures.pdf())]).popitem()[1]
        == thumbnails([put("plot.pdf", document)]).popitem()[1]
    )
    assert not target.exists()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "TIFF", "PDF"])
def test_f012_cut_files_have_a_whole_thumbnail_or_none(put: Put, kind: str) -> None:
    whole = pictures.pdf() if kind == "PDF" else pictures.saved(pictures.two_halves(64, 48), kind)
    paths = [put(f"{at:05d}", whole[:at]) for at in range(1, len(whole), max(1, len(whole) // 40))]
    for content in thumbnails(paths).values():
        assert is_plain_png(content)


@pytest.mark.parametrize(
    "content",
    [
        b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n(x) run",
        b"<!doctype html><script>1</script>",
        b"BM" + bytes(200),
        b"\x89PNG\r\n\x1a\n",
        b"GIF89a",
        b"%PDF-1.4",
        b"\xff\xd8\xff" + bytes(500),
        b"",
    ],
)
def test_other_kinds_and_stumps_have_none(put: Put, content: bytes) -> None:
    assert not drawn(put, content)


def test_a_link_a_pipe_and_a_folder_are_not_read(put: Put, tmp_path: Path) -> None:
    good = put("good.png", GOOD)
    (tmp_path / "link.png").symlink_to(good)
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "folder.png").mkdir()
    names = ("link.png", "pipe.png", "folder.png", "absent.png")
    assert thumbnails([tmp_path / name for name in names]) == {}


WORKERS = {
    "crashes": "import os; os.abort()",
    "hangs": "import time; time.sleep(60)",
    "says too much": "out(b'\\x7f\\xff\\xff\\xff'); import time; time.sleep(60)",
    "ends in the middle": "out(b'\\x00\\x00\\x10\\x00abc'); raise SystemExit",
    "gives no picture": "out((5).to_bytes(4, 'big') + b'<svg>')",
}


@pytest.fixture
def with_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> object:
    """Let a script do the drawing that misbehaves at files whose name says so."""

    def use(misdeed: str) -> None:
        script = tmp_path / "worker.py"
        script.write_text(
            "import sys\nfrom btv_report.exofop.payloads import thumbnail_worker as real\n"
            "def out(content):\n    sys.stdout.buffer.write(content)\n    sys.stdout.buffer.flush()\n"
            "for kind, path in zip(sys.argv[2::2], sys.argv[3::2]):\n"
            f"    if 'hostile' in path:\n        {misdeed}\n        continue\n"
            "    content = real.draw(kind, path, 10**6)\n    out(len(content).to_bytes(4, 'big') + content)\n"
        )
        monkeypatch.setattr(module, "_WORKER", script)

    return use


@pytest.mark.parametrize("misdeed", WORKERS)
def test_a_worker_that_misbehaves_costs_one_thumbnail(put: Put, with_worker: object, misdeed: str) -> None:
    assert callable(with_worker)
    with_worker(WORKERS[misdeed])
    paths = [put(name, GOOD) for name in ("a.png", "hostile.png", "b.png", "c.png")]
    assert list(thumbnails(paths, timeout_s=2.0)) == [paths[0], *paths[2:]]


def test_after_some_crashes_it_is_given_up(put: Put, with_worker: object) -> None:
    assert callable(with_worker)
    with_worker(WORKERS["crashes"])
    paths = [put(f"hostile-{number}.png", GOOD) for number in range(8)] + [put("z.png", GOOD)]
    assert thumbnails(paths) == {}


def test_the_worker_is_told_no_secret(put: Put, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script, seen = tmp_path / "worker.py", tmp_path / "seen"
    script.write_text(f"import os, pathlib\npathlib.Path({str(seen)!r}).write_text(repr(dict(os.environ)))\n")
    monkeypatch.setattr(module, "_WORKER", script)
    monkeypatch.setenv("BTV_REPORT_COOKIE_JAR", "jar-canary-5531")
    thumbnails([put("a.png", GOOD)])
    assert "jar-canary-5531" not in seen.read_text()


GUARDED = """
import signal, sys
from btv_report.exofop.payloads import thumbnail_worker as real
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

def draw(kind, path, most):
    try:
        open(path + ".out", "wb", buffering=0).write(b"x")
    except OSError:
        try:
            bytearray(2 * real.MEMORY_BYTES)
        except MemoryError:
            return whole(kind, path, most)
    return None

whole, real.draw = real.draw, draw
real.main(sys.argv[1:])
"""


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS does not limit address space")
def test_the_worker_may_not_write_a_file_nor_grow_without_bound(
    put: Put, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It draws here only if both were refused."""
    script = tmp_path / "worker.py"
    script.write_text(GUARDED)
    monkeypatch.setattr(module, "_WORKER", script)
    path = put("a.png", GOOD)
    assert path in thumbnails([path])
