"""What `btv-report report` answers: one JSON object, or a few lines of text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from shutil import get_terminal_size
from textwrap import wrap
from typing import Any

from btv_report.archive.addresses import public_url
from btv_report.archive.mast_types import ArchiveProduct
from btv_report.errors import BtvReportError
from btv_report.record import SCHEMA_VERSION, CheckValue, ExoFopValue, ProductValue, RunRecord

_PRODUCT_FIELDS = (
    "kind", "sector", "pipeline", "exptime_s", "uri", "file", "sha256", "fits_sum", "state", "used", "reason",
)  # fmt: skip
_MEASURED = {"sha256", "fits_sum"}
_CHECK_FIELDS = ("check_id", "candidate", "sector", "verdict", "summary", "reason", "metrics", "flags")
_SYMBOLS = {"pass": "✓ pass", "warn": "! warn", "fail": "✗ fail", "not_run": "– not run"}


def report_answer(
    record: RunRecord,
    *,
    run_id: str | None,
    page: str | None,
    manifest: Path | None,
    to_fetch: Sequence[ArchiveProduct] = (),
    source: str = "",
) -> dict[str, Any]:
    """
    The answer of `report --json` as the contracts fix it.

    Parameters
    ----------
    record : RunRecord
    run_id, page : None in a dry run; `page` is relative to the workspace
    manifest : the ExoFOP manifest (private, absolute), None when there is none
    to_fetch, source : in a dry run, what would be fetched, and from where
    """
    plan = {"to_fetch": _plan(to_fetch, source)} if to_fetch else {}
    return {
        "schema_version": SCHEMA_VERSION,
        "run_id": run_id,
        "tic_id": record["target"]["tic_id"],
        "status": record["status"],
        "page": page,
        "products": [_product(product) for product in record["products"]],
        "candidates": record["candidates"],
        "checks": check_rows(record["checks"]),
        "transits": record["transits"],
        "exofop": _exofop(record["exofop"], manifest),
        "warnings": record["warnings"],
        **plan,
    }


def _exofop(exofop: ExoFopValue, manifest: Path | None) -> dict[str, Any]:
    """ExoFOP's part: files as the page counts them, and rows of the file list, absent where they are not known."""
    n_locked = len(exofop["files"]) - exofop["n_files"]
    listed = {"n_listed": max(exofop["n_listed"] - n_locked, exofop["n_files"])} if "n_listed" in exofop else {}
    return {
        "state": exofop["state"],
        "n_files": exofop["n_files"],
        **listed,
        "manifest": str(manifest) if manifest else None,
    }


def _product(product: ProductValue) -> dict[str, Any]:
    """A product as the contracts fix it; what was not measured, because its bytes are not here, is absent."""
    return {
        name: product[name]  # type: ignore[literal-required]
        for name in _PRODUCT_FIELDS
        if name not in _MEASURED or product[name] is not None  # type: ignore[literal-required]
    }


def _plan(products: Sequence[ArchiveProduct], source: str) -> dict[str, Any]:
    """What a dry run would fetch: how many files, how many bytes as far as the archive lists them, from where."""
    listed = [product.n_bytes for product in products if product.n_bytes is not None]
    return {
        "n_files": len(products),
        "bytes": sum(listed),
        "n_files_of_unknown_size": len(products) - len(listed),
        "from": public_url(source),
    }


def check_rows(checks: Sequence[CheckValue], *, stamps: bool = False) -> list[dict[str, Any]]:
    """Check results as the contracts fix them; with `stamps` each carries its images, where there are any."""
    return [
        {name: check[name] for name in _CHECK_FIELDS}  # type: ignore[literal-required]
        | ({"stamps": check["stamps"]} if stamps and check["stamps"] else {})
        for check in checks
    ]


def nothing_answer(error: BtvReportError) -> dict[str, Any]:
    """The answer when no dossier could be made; the sentence stands in `warnings`, stars that answer to a name in `matches`."""
    matches = [
        {"tic_id": tic_id, "separation_arcsec": separation, **({} if tmag is None else {"tmag": tmag})}
        for tic_id, separation, tmag in getattr(error, "matches", ())
    ]
    return {
        "schema_version": SCHEMA_VERSION,
        "run_id": None,
        "tic_id": error.tic_id,
        "status": "nothing",
        "page": None,
        "products": [_product(product) for product in error.products],
        "candidates": [],
        "checks": [],
        "transits": [],
        "exofop": {"state": "SKIPPED", "n_files": 0, "manifest": None},
        "warnings": [str(error)],
        **({"matches": matches} if matches else {}),
    }


def report_text(answer: dict[str, Any], *, page: Path | None) -> str:
    """The answer for a reader at a terminal."""
    lines = [f"TIC {answer['tic_id']}: {_counted(answer['products'])}"]
    if answer["page"] is None:
        lines += [_product_line(product) for product in answer["products"]]
        return "\n".join([*lines, *_plan_lines(answer), "Dry run: nothing was written."])
    for candidate in answer["candidates"]:
        lines.append(f"Candidate {candidate['name']}:")
        for check in answer["checks"]:
            if check["sector"] is None and check["candidate"] == candidate["name"]:
                lines += check_lines(check)
    if not answer["candidates"]:
        lines.append("  checks not run: no ephemeris (give --period, --epoch and --duration)")
    lines.append(f"Run {answer['run_id']}, {answer['status']}.")
    return "\n".join([*lines, f"Page: {page}"])


def _plan_lines(answer: dict[str, Any]) -> list[str]:
    plan = answer.get("to_fetch")
    if plan is None:
        return []
    unknown, number = plan["n_files_of_unknown_size"], plan["n_files"]
    files = "1 file" if number == 1 else f"{number} files"
    listed = f"{plan['bytes'] / 1e6:.1f} MB" if number > unknown else "no size listed"
    more = (
        f" and {unknown} cut-out{'' if unknown == 1 else 's'} of unlisted size" if unknown and number > unknown else ""
    )
    return [f"Would fetch {files} ({listed}{more}) from {plan['from']}."]


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
    if not used:
        return (
            "no product is at hand yet" if any(_would_fetch(product) for product in products) else "no product is used"
        )
    return (
        f"{curves} light curve{'' if curves == 1 else 's'} and {pixels} pixel file{'' if pixels == 1 else 's'} used, "
        f"sector{'' if len(sectors) == 1 else 's'} {', '.join(map(str, sectors)) or 'unknown'}"
    )


def _product_line(product: dict[str, Any]) -> str:
    mark = "use  " if product["used"] else "fetch" if _would_fetch(product) else "skip "
    reason = f": {product['reason']}" if product["reason"] else ""
    return f"  {mark} {product['kind']} sector {product['sector']} {product['pipeline']} {product['file']}{reason}"


def _would_fetch(product: dict[str, Any]) -> bool:
    return bool(product["state"] == "SKIPPED" and product["reason"].startswith("it would be fetched"))
