"""`python -m btv_report.exofop fetch ...`: the same as `btv-report exofop fetch ...`."""

from __future__ import annotations

import sys

from btv_report.__main__ import main

if __name__ == "__main__":
    sys.argv.insert(1, "exofop")
    main()
