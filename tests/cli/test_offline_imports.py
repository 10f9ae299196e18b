"""A run that asks nobody does not load what asks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from btv_report.simulation.fits_files import WrittenScene

CODE = """
import sys
from click.testing import CliRunner
from btv_report.cli.main import cli
ran = CliRunner().invoke(cli, sys.argv[1:])
print(ran.exit_code, sorted({"requests", "urllib3", "astroquery", "lightkurve"} & set(sys.modules)))
"""


def test_offline_run_loads_no_library_of_the_network(star: WrittenScene, tmp_path: Path) -> None:
    words = ("9000000077", "--mirror", str(star.light_curves[0].parent), "--offline", "--workspace", str(tmp_path))
    done = subprocess.run([sys.executable, "-c", CODE, *words], capture_output=True, text=True, check=True)
    assert done.stdout.split(maxsplit=1) == ["0", "[]\n"]
