"""
Speed of this machine as ratios beside absolute figures: `make bench`.

Every figure is the best of several runs in one sitting, so that the ratios mean something on a busy machine. The rows on the
real target pixel file appear only where the data folder stands beside the checkout.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from btv_report.checks.inputs import PixelStack

ROOT = Path(__file__).resolve().parents[2]
REAL_MIRROR = ROOT.parent / "shared" / "data" / "mirror"
REAL_PRF = ROOT.parent / "shared" / "data" / "prf"
EPHEMERIS = ("--period", "14.2423724", "--epoch", "3540.26317", "--duration", "4.046")
FETCH_MB = (50, 200)
SERVE = """
import socket, sys
body = open(sys.argv[1], "rb").read()
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
while True:
    asker, _ = listener.accept()
    asker.recv(65536)
    asker.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\nConnection: close\\r\\n\\r\\n" % len(body))
    asker.sendall(body)
    asker.close()
"""
FETCH = """
import sys, time
from pathlib import Path
from btv_report.archive.fetch import Fetcher
from btv_report.fits.sums import check_fits_stream
def check(path):
    with path.open("rb") as file:
        return check_fits_stream(file, path.stat().st_size).reason
fetcher, times = Fetcher(), []
for _ in range(6):
    start = time.perf_counter()
    fetcher.to_file(sys.argv[1], Path(sys.argv[2]), limit_bytes=10**9, deadline_s=60, check=check)
    times.append(time.perf_counter() - start)
status = dict(line.split(":") for line in open("/proc/self/status"))
print(min(times[1:]), status["VmHWM"].split()[0])
"""
CLICK_ONLY = "import click\n@click.command()\ndef main(): 'x'\nmain(['--help'])"


def best_of(n_runs: int, run: Callable[[], object]) -> float:
    """Shortest wall time of `n_runs` calls, seconds; one call before them warms up."""
    run()
    times = []
    for _ in range(n_runs):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times)


def process(*command: str) -> Callable[[], object]:
    """A whole process as a callable."""
    return lambda: subprocess.run(command, check=True, capture_output=True)


def bench_help() -> None:
    """`--help` against a script that has only Click."""
    ours = best_of(10, process(sys.executable, "-m", "btv_report", "--help"))
    click_only = best_of(10, process(sys.executable, "-c", CLICK_ONLY))
    row("btv-report --help, whole process", ours, "Click-only script", click_only, "<= 3")


def bench_checks() -> None:
    """The four checks, matched windows and verdicts included, against one nanmedian of the same cube."""
    from btv_report.checks.run import run_pixel_checks
    from btv_report.ephemeris import Ephemeris

    stack = real_stack()
    ephemeris = Ephemeris(14.2423724, 3540.26317, 4.046)
    checks = best_of(7, lambda: run_pixel_checks(stack, ephemeris))
    median = best_of(7, lambda: np.nanmedian(stack.flux, axis=0))
    n_time, n_row, n_column = stack.flux.shape
    row(f"four checks, {n_time} x {n_row} x {n_column}", checks, "numpy.nanmedian", median, "<= 2 and <= 0.05 s")
    if REAL_PRF.is_dir():
        placed = with_prf_sets(stack)
        checks = best_of(7, lambda: run_pixel_checks(placed, ephemeris))
        row(
            f"the same with {len(placed.prfs)} PRF sets at hand",
            checks,
            "numpy.nanmedian",
            median,
            "<= 2 and <= 0.05 s",
        )


def with_prf_sets(stack: PixelStack) -> PixelStack:
    """
    The stack with the real PRF sets at hand, on a detector that none of them is of, so that all of them are tried.

    The real file is a re-packed one that does not say where on the detector it lies; any place takes as long.
    """
    from btv_report.products.prf_files import read_prf_folder

    return replace(stack, corner_row=500, corner_column=900, camera=2, ccd=2, prfs=read_prf_folder(REAL_PRF).grids)


def bench_growth() -> None:
    """Time of the four checks against number of cadences and of pixels: real pixels, repeated in time or side by side."""
    from btv_report.checks.run import run_pixel_checks
    from btv_report.ephemeris import Ephemeris

    stack = real_stack()
    ephemeris = Ephemeris(14.2423724, 3540.26317, 4.046)
    for what, grown in (("cadences", more_cadences), ("pixels", more_pixels)):
        seconds = {}
        for factor in (1, 2, 4):
            larger = grown(stack, factor)
            seconds[factor] = best_of(5, lambda larger=larger: run_pixel_checks(larger, ephemeris))  # type: ignore[misc]
            name = f"four checks, {factor} x the {what}"
            row(name, seconds[factor], "1 x", seconds[1], f"<= {factor} (linear)")


def more_cadences(stack: PixelStack, factor: int) -> PixelStack:
    """The sector `factor` times, one after the other."""
    length_days = float(np.nanmax(stack.time_btjd) - np.nanmin(stack.time_btjd)) + stack.cadence_s / 86400
    return replace(
        stack,
        time_btjd=np.concatenate([stack.time_btjd + i * length_days for i in range(factor)]),
        flux=np.concatenate([stack.flux] * factor),
        flux_err=None if stack.flux_err is None else np.concatenate([stack.flux_err] * factor),
        used=np.concatenate([stack.used] * factor),
        quality=np.concatenate([stack.quality] * factor),
        background=None if stack.background is None else np.concatenate([stack.background] * factor),
    )


def more_pixels(stack: PixelStack, factor: int) -> PixelStack:
    """The stamp with copies of itself beyond its last column."""
    return replace(
        stack,
        flux=np.concatenate([stack.flux] * factor, axis=2),
        flux_err=None if stack.flux_err is None else np.concatenate([stack.flux_err] * factor, axis=2),
        aperture_mask=None
        if stack.aperture_mask is None
        else np.pad(stack.aperture_mask, ((0, 0), (0, stack.shape[1] * (factor - 1)))),
    )


def bench_memory() -> None:
    """Peak memory of the four checks, as a multiple of the flux array."""
    from btv_report.checks.run import run_pixel_checks
    from btv_report.ephemeris import Ephemeris

    stack = real_stack()
    ephemeris = Ephemeris(14.2423724, 3540.26317, 4.046)
    run_pixel_checks(stack, ephemeris)
    tracemalloc.start()
    run_pixel_checks(stack, ephemeris)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    print(
        f"{'memory of the four checks, beyond their input':<46}{peak / 1e6:10.1f} MB   "
        f"{'flux array':<22}{stack.flux.nbytes / 1e6:8.1f} MB   ratio {peak / stack.flux.nbytes:6.2f}  budget <= 6"
    )


def bench_weight() -> None:
    """Bytes of the showcase's dossiers, without copies of observers' files and the site's shared files."""
    from btv_report.dossier.publish import read_dossier

    for folder in sorted((ROOT / "site" / "tic").iterdir()):
        page, data = ((folder / name).read_bytes() for name in ("index.html", "dossier.json"))
        budget = 50 + 15 * len(read_dossier(data)["pixel_views"])
        name, total = f"dossier of TIC {folder.name}", (len(page) + len(data)) / 1000
        print(
            f"{name:<46}{total:10.1f} kB   {'page, dossier.json':<22}{len(page) / 1000:8.1f}, {len(data) / 1000:.1f} kB   "
            f"budget <= {budget} kB"
        )


def real_stack() -> PixelStack:
    """Pixels of the real sector-83 file as the pipeline prepares them."""
    from btv_report.stages.request import ReportRequest
    from btv_report.stages.sectors import find_and_read, read_pixels
    from btv_report.stages.target import open_archive

    request = ReportRequest(188646744, ROOT, (REAL_MIRROR,), offline=True, dry_run=True)
    found = find_and_read(request, open_archive(request))
    pixels = read_pixels(request, found, found.pixel_products[0])
    if pixels is None:
        raise SystemExit("the real target pixel file cannot be read")
    return pixels.stack


def bench_report() -> None:
    """The whole report: one target pixel file, four light curves, warm header index."""
    with tempfile.TemporaryDirectory() as workspace:
        words = ("TIC", "188646744", "--mirror", str(REAL_MIRROR), "--offline", *EPHEMERIS, "--workspace", workspace)
        seconds = best_of(5, process(sys.executable, "-m", "btv_report", *words))
        start_up = best_of(
            5, process(sys.executable, "-c", "import numpy, astropy.io.fits, astropy.wcs, duckdb, jinja2")
        )
        row("report of TIC 188646744, whole process", seconds, "its imports alone", start_up, "<= 2 s")
        peak_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        print(f"{'peak memory of the largest process':<46}{peak_mb:10.0f} MB{'':>43}  budget <= 400 MB")


def bench_fetch() -> None:
    """A FITS file from this machine itself: fetched, hashed and held against its sums, beside curl and sha256sum."""
    for size_mb in FETCH_MB:
        with tempfile.TemporaryDirectory() as folder:
            file, copy = Path(folder, "served"), Path(folder, "copy")
            write_fits(file, size_mb)
            server = subprocess.Popen([sys.executable, "-c", SERVE, str(file)], stdout=subprocess.PIPE, text=True)
            try:
                assert server.stdout is not None
                url = f"http://127.0.0.1:{int(server.stdout.readline())}/x"
                theirs = best_of(5, process("sh", "-c", f"curl -s -o {copy} {url} && sha256sum {copy}"))
                ours = subprocess.check_output([sys.executable, "-c", FETCH, url, str(copy)], text=True).split()
            finally:
                server.kill()
                server.communicate()
        row(f"fetch and verify {size_mb} MB", float(ours[0]), "curl, sha256sum", theirs, "<= 1.25")
        print(
            f"{'peak memory of that process':<46}{int(ours[1]) / 1024:10.0f} MB{'':>43}  budget: the same for each size"
        )


def write_fits(path: Path, size_mb: int) -> None:
    """An image of random numbers with the sums of its bytes."""
    from astropy.io import fits

    pixels = np.random.default_rng(1).integers(0, 255, (size_mb, 1_000_000), dtype=np.uint8)
    fits.PrimaryHDU(pixels).writeto(path, checksum=True)


def row(name: str, seconds: float, other: str, other_seconds: float, budget: str) -> None:
    """One line: absolute figures and their ratio."""
    print(
        f"{name:<46}{seconds * 1e3:10.1f} ms   {other:<22}{other_seconds * 1e3:8.1f} ms   "
        f"ratio {seconds / other_seconds:6.2f}  budget {budget}"
    )


def main() -> None:
    """Print the table."""
    print(f"{os.cpu_count()} cores, Python {sys.version.split()[0]}, numpy {np.__version__}; best of several runs")
    bench_help()
    bench_weight()
    if shutil.which("curl") and Path("/proc/self/status").exists():
        bench_fetch()
    else:
        print("fetch rows left out: no curl, or no /proc")
    if REAL_MIRROR.is_dir():
        bench_checks()
        bench_growth()
        bench_memory()
        bench_report()
    else:
        print("real pixel rows left out: no data folder beside the checkout")


if __name__ == "__main__":
    main()
