"""The audit block: which run, by which code, with which parameters; and how to cite what the page shows."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from btv_report.dossier import links
from btv_report.dossier.header import is_simulated
from btv_report.dossier.links import Link
from btv_report.dossier.results import plain_value
from btv_report.dossier.tables import Column, Table, code_cell, text_cell
from btv_report.record import RunRecord

TESS_ACKNOWLEDGEMENT = (
    "This paper includes data collected with the TESS mission, obtained from the Mikulski Archive for Space Telescopes (MAST) "
    "at the Space Telescope Science Institute (STScI). Funding for the TESS mission is provided by the NASA Explorer Program. "
    "STScI is operated by the Association of Universities for Research in Astronomy, Inc., under NASA contract NAS 5-26555."
)
SPOC_ACKNOWLEDGEMENT = (
    "Resources supporting this work were provided by the NASA High-End Computing (HEC) Program through the NASA Advanced "
    "Supercomputing (NAS) Division at Ames Research Center for the production of the SPOC data products."
)
EXOFOP_ACKNOWLEDGEMENT = (
    "This research has made use of the Exoplanet Follow-up Observation Program (ExoFOP; DOI: 10.26134/ExoFOP5) website, "
    "which is operated by the California Institute of Technology, under contract with the National Aeronautics and Space "
    "Administration under the Exoplanet Exploration Program."
)
_REFERENCES = {
    "SPOC": Link("Jenkins et al. 2016, Proc. SPIE 9913, 99133E", links.doi("10.1117/12.2233418")),
    "TESS-SPOC": Link(
        "Caldwell et al. 2020, RNAAS 4, 201; data doi:10.17909/t9-wpz1-8s54", links.doi("10.17909/t9-wpz1-8s54")
    ),
    "QLP": Link("Huang et al. 2020, RNAAS 4, 204; data doi:10.17909/t9-r086-e880", links.doi("10.17909/t9-r086-e880")),
    "TGLC": Link("Han & Brandt 2023, AJ 165, 71; data doi:10.17909/610m-9474", links.doi("10.17909/610m-9474")),
    "TESScut": Link("Brasseur et al. 2019, ascl:1905.007", None),
}
RELEASE_YEAR = 2026
SOFTWARE = "The btv-report developers ({year}): btv-report: dossiers of TESS planet candidates, version {version}"
REQUEST = "If a dossier of btv-report entered your work, please cite the software and the run id of the dossier."
METHODS = (
    Link("Bryson et al. 2013, PASP 125, 889", links.doi("10.1086/671767")),
    Link("Twicken et al. 2018, PASP 130, 064502", links.doi("10.1088/1538-3873/aab694")),
)
_MISSION = Link("Ricker et al. 2015, JATIS 1, 014003", links.doi("10.1117/1.JATIS.1.1.014003"))


@dataclass(frozen=True)
class Citation:
    """How to cite the dossier and its data."""

    request: str
    text: str
    methods: tuple[Link, ...]
    references: tuple[Link, ...]
    acknowledgements: tuple[str, ...]


@dataclass(frozen=True)
class Audit:
    """What is needed to verify the page."""

    run_id: str
    record_sha256: str
    started_at: str
    command: str
    status: str
    versions: Table
    parameters: Table


def build_audit(run_id: str, record_sha256: str, record: RunRecord) -> Audit:
    """Collect the audit block."""
    run = record["run"]
    versions = tuple((text_cell(name), code_cell(run["versions"][name])) for name in sorted(run["versions"]))
    parameters = tuple(
        (text_cell(name.replace("_", " ")), text_cell(plain_value(run["parameters"][name]), reason="empty"))
        for name in sorted(run["parameters"])
    )
    return Audit(
        run_id,
        record_sha256,
        run["started_at"],
        shlex.join(run["command"]),
        record["status"],
        Table("versions", "Versions", (Column("Package"), Column("Version")), versions),
        Table("parameters", "Parameters of the run", (Column("Parameter"), Column("Value")), parameters),
    )


def build_citation(run_id: str, record_sha256: str, record: RunRecord) -> Citation:
    """Say how to cite; simulated data are not to be cited as observations."""
    version = record["run"]["versions"].get("btv-report", "version not recorded")
    name = f"TIC {record['target']['tic_id']}"
    software = SOFTWARE.format(year=RELEASE_YEAR, version=version)
    text = f"{software}. Dossier of {name}, run {run_id}, record SHA-256 {record_sha256}."
    methods = METHODS if record["checks"] else ()
    if is_simulated(record):
        return Citation(REQUEST, f"SIMULATED data: not to be cited as an observation. {text}", methods, (), ())
    pipelines = sorted({product["pipeline"] for product in record["products"] if product["used"]})
    references = (_MISSION, *(_REFERENCES[pipeline] for pipeline in pipelines if pipeline in _REFERENCES))
    acknowledgements = [TESS_ACKNOWLEDGEMENT] if pipelines else []
    if {"SPOC", "TESS-SPOC"} & set(pipelines):
        acknowledgements.append(SPOC_ACKNOWLEDGEMENT)
    if record["exofop"]["state"] in {"OK", "STALE", "EMPTY"}:
        acknowledgements.append(EXOFOP_ACKNOWLEDGEMENT)
    return Citation(REQUEST, text, methods, references if pipelines else (), tuple(acknowledgements))
