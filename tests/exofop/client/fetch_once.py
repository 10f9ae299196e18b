"""
Fetch TOI 1262 in a process of its own; says how many requests it made.

Called as `python -m tests.exofop.client.fetch_once URL CACHE`.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.doubles.exofop_toi_1262 import TIC_ID
from tests.exofop.client.conftest import LIMITS

from btv_report.exofop.client import ExoFopClient

if __name__ == "__main__":
    client = ExoFopClient(cache_dir=Path(sys.argv[2]), base_url=sys.argv[1], limits=LIMITS, min_interval_s=0.0)
    result = client.fetch(target=TIC_ID)
    print(result.n_connections, len(result.files_downloaded), len(result.errors))
