"""What `btv-report report` answers: one JSON object, or a few lines of text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from shutil import get_terminal_size
from textwrap import wrap
from typing import Any

from btv_report.errors import BtvReportError
from btv_report.record import SCHEMA_VERSION, CheckValue, RunRecord

_PRODUCT_FIELDS = (
    "kind", "sector", "pipeline", "exptime_s", "uri", "file", "sha256", "fits_sum", "state", "used", "reason",
)  # fmt: skip
_CHECK_FIELDS = ("check_id", "candidate", "sector", "verdict", "summary", "reason", "metrics", "flags")
_SYMBOLS = {"pass": "✓ pass", "warn": "! warn", "fail": "✗ fail", "not_run": "– not run"}


def report_answer(record: RunRecord, *, run_id: str | None, page: str | None, manifest: Path | None) -> dict[str, Any]:
    """
    The answer of `report --json` as the contracts fix it.

    Parameters
    ----------
    record : RunRecord
    run_id, page : None in a dry run; `page` is relative to the workspace
    manifest : the ExoFOP manifest (private, absolute), None when there is none
    """
    return {
        "schema_version": SCHEMA_VERSION,
        "run_id": run_id,
        "tic_id": record["target"]["tic_id"],
        "status": record["status"],
        "page": page,
        "products": [{name: product[name] for name in _PRODUCT_FIELDS} for product in record["products"]],  # type: ignore[literal-required]
        "candidates": record["candidates"],
        "checks": check_rows(record["checks"]),
        "transits": record["transits"],
        "exofop": {
            "state": record["exofop"]["state"],
            "n_files": record["exofop"]["n_files"],
            "manifest": str(manifest) if manifest else None,
        },
        "warnings": record["warnings"],
    }


def check_rows(checks: Sequence[CheckValue], *, stamps: bool = False) -> list[dict[str, Any]]:
    """Check results as the contracts fix them; with `stamps` each carries its images, where there are any."""
    return [
        {name: check[name] for name in _CHECK_FIELDS}  # type: ignore[literal-required]
        | ({"stamps": check["stamps"]} if stamps and check["stamps"] else {})
        for check in checks
    ]


def nothing_answer(error: BtvReportError) -> dict[str, Any]:
    """The answer when no dossier could be made; the sentence stands in `warnings`."""
    return {
        "schema_version": SCHEMA_VERSION,
        "run_id": None,
        "tic_id": error.tic_id,
        "status": "nothing",
        "page": None,
        "products": [
            {name: product[name] for name in _PRODUCT_FIELDS}  # type: ignore[literal-required]
            for product in error.products
        ],
        "candidates": [],
        "checks": [],
        "transits": [],
        "exofop": {"state": "SKIPPED", "n_files": 0, "manifest": None},
        "warnings": [str(error)],
    }


def report_text(answer: dict[str, Any], *, page: Path | None) -> str:
    """The answer for a reader at a terminal."""
    lines = [f"TIC {answer['tic_id']}: {_counted(answer['products'])}"]
    if answer["page"] is None:
        lines += [_product_line(product) for product in answer["products"]]
        return "\n".join([*lines, "Dry run: nothing was written."])
    for candidate in answer["candidates"]:
        lines.append(f"Candidate {candidate['name']}:")
        for check in answer["checks"]:
            if check["sector"] is None and check["candidate"] == candidate["name"]:
                lines += check_lines(check)
    if not answer["candidates"]:
        lines.append("  checks not run: no ephemeris (give --period, --epoch and --duration)")
    lines.append(f"Run {answer['run_id']}, {answer['status']}.")
    return "\n".join([*lines, f"Page: {page}"])


def check_lines(check: dict[str, Any]) -> list[str]:
    """Verdict and sentence of a result, wrapped."""
    return wrapped(f"  {check['check_id']} {_SYMBOLS[check['verdict']]:<9} ", check["summary"])


def wrapped(head: str, text: str) -> list[str]:
    """Lines of a text behind a head, as wide as reads well at this terminal."""
    return wrap(text, width=_text_width(), initial_indent=head, subsequent_indent=" " * len(head))


def _text_width() -> int:
    """Columns of the terminal, within what reads well; 100 where there is none."""
    return min(max(get_terminal_size((100, 24)).columns, 40), 100)


def _counted(products: list[dict[str, Any]]) -> str:
    used = [product for product in products if product["used"]]
    curves = sum(product["kind"] == "light_curve" for product in used)
    pixels = sum(product["kind"] in {"target_pixel_file", "cutout"} for product in used)
    data = [product for product in used if product["kind"] != "dv_report"]
    sectors = sorted({product["sector"] for product in data if product["sector"] is not None})
    return (
        f"{curves} light curve{'' if curves == 1 else 's'} and {pixels} pixel file{'' if pixels == 1 else 's'} used, "
        f"sector{'' if len(sectors) == 1 else 's'} {', '.join(map(str, sectors)) or 'unknown'}"
    )


def _product_line(product: dict[str, Any]) -> str:
    mark = "use " if product["used"] else "skip"
    reason = f": {product['reason']}" if product["reason"] else ""
    return f"  {mark} {product['kind']} sector {product['sector']} {product['pipeline']} {product['file']}{reason}"
