"""The services of ExoFOP that are asked, what each wants to be called with, and where its answer is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

MIN_INTERVAL_S = 0.5
MAX_PARALLEL = 2
"""ExoFOP states no limit; it answers with nothing when it is pushed, so it is asked slowly."""

FILE_LIST = "download_filelist.php"
TARGET = "target.php"
ONE_FILE = "get_file.php"
ALL_FILES = "download_files_zip.php"
NAMES = "gototicid.php"
TOI = "download_toi.php"
CTOI = "download_ctoi.php"
UPLOADS = "download_uploads.php"


@dataclass(frozen=True)
class Endpoint:
    """
    A service that answers with a table about one star.

    Attributes
    ----------
    name : of the service
    table : what `tables.read_table` calls it
    file : where the answer is kept in the target's folder, relative
    key : the parameter that takes the TIC number; a wrong one gives an empty table, no error
    output : the format that is asked for; None where the service has but one
    sentinel : a star on which the service is known to have rows; None where none is known, or the page of a star has the same
    """

    name: str
    table: str
    file: str
    key: str
    output: str | None = "csv"
    sentinel: int | None = None

    def query(self, tic_id: int) -> Mapping[str, str]:
        """The parameters of the request."""
        asked = {self.key: str(tic_id)}
        return asked if self.output is None else {**asked, "output": self.output}


FILES = Endpoint(FILE_LIST, "filelist", "filelist.csv", "id")

SUMMARIES = (
    Endpoint("download_spect.php", "spect", "summaries/spect.csv", "target"),
    Endpoint("download_imaging.php", "imaging", "summaries/imaging.csv", "target"),
    Endpoint("download_tseries.php", "tseries", "summaries/tseries.csv", "target"),
    Endpoint("download_obsnotes.php", "obsnotes", "summaries/obsnotes.csv", "tid", sentinel=68646526),
    # These two always answer with pipes, whatever is asked for.
    Endpoint("download_stellar.php", "stellar", "summaries/stellar.pipe", "id", None),
    Endpoint("download_planet.php", "planet", "summaries/planet.pipe", "id", None),
    Endpoint(UPLOADS, "uploads", "summaries/uploads.csv", "target", sentinel=365938305),
)
"""The summary tables, in the order in which they are asked."""

TOI_TABLE = Endpoint(TOI, "toi", "summaries/toi.csv", "toi")
CTOI_TABLE = Endpoint(CTOI, "ctoi", "summaries/ctoi.csv", "ctoi")
"""Rows of TESS objects of interest, and of those that the community proposed; both are asked by their number, without prefix."""

TARGET_FILE = "target.json"
