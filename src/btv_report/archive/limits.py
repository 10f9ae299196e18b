"""
The hard limits of everything that comes over a network, in one place; those that keep a machine safe are never raised.

Time-outs, tries and Retry-After are those of the contracts; sizes those that a TESS product, a table or a note can have with
room to spare.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

MB = 1_000_000


@dataclass(frozen=True)
class Limits:
    """
    What is waited for, how long and how often, and how much is taken.

    Attributes
    ----------
    connect_timeout_s, read_timeout_s : until a connection stands; between two pieces of an answer
    table_deadline_s, file_deadline_s, run_deadline_s : one table or JSON answer, one file, one run, all tries included
    least_rate_bytes_per_s, rate_window_s : a transfer slower than this over this time is given up
    tries, backoff_s : requests in all; the n-th wait is drawn evenly from 0 to backoff_s x 2**n (full jitter)
    retry_after_cap_s : the longest wait that a server may ask for; beyond it the answer is THROTTLED
    redirects : hops
    table_bytes, json_bytes, product_bytes, file_bytes, target_files_bytes : a table; a JSON answer; one FITS product; one ExoFOP
        file; all of a target
    decoded_ratio : a compressed answer may grow to this many times its limit
    zip_members, zip_ratio, zip_bytes : members of an archive; expansion of one; expansion of all
    note_bytes, shown_note_bytes : of an observer's note: kept; shown
    image_pixels : of an observer's picture that is opened
    shown_name_length : characters of a file's name

    Raises
    ------
    ValueError
        If a limit that keeps the machine safe is higher than its default.
    """

    connect_timeout_s: float = 10.0
    read_timeout_s: float = 90.0
    table_deadline_s: float = 300.0
    file_deadline_s: float = 900.0
    run_deadline_s: float = 7200.0
    least_rate_bytes_per_s: float = 1000.0
    rate_window_s: float = 60.0
    tries: int = 5
    backoff_s: float = 2.0
    retry_after_cap_s: float = 120.0
    redirects: int = 5
    table_bytes: int = 64 * MB
    json_bytes: int = 32 * MB
    product_bytes: int = 1000 * MB
    file_bytes: int = 256 * MB
    target_files_bytes: int = 2000 * MB
    decoded_ratio: int = 8
    zip_members: int = 5000
    zip_ratio: int = 200
    zip_bytes: int = 2000 * MB
    note_bytes: int = 1 * MB
    shown_note_bytes: int = 20_000
    image_pixels: int = 50_000_000
    shown_name_length: int = 120

    def __post_init__(self) -> None:
        raised = [
            item.name for item in fields(self) if _keeps_safe(item.name) and getattr(self, item.name) > item.default
        ]
        if raised:
            raise ValueError(f"A limit may be lowered, and not raised: {', '.join(raised)}.")


def _keeps_safe(name: str) -> bool:
    """Whether more than the default could exhaust a machine, or hold a run up for a server's sake; patience is free."""
    return name.endswith(("_bytes", "_ratio", "_members", "_pixels", "_length", "_cap_s")) or name == "redirects"
