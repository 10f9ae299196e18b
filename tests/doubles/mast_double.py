"""
A loopback MAST: answers what lightkurve 2.6 and astroquery 0.4.11 really send, from a small archive that a test fills.

    with MastDouble() as mast:
        mast.add_star(TicRow(365938305, 180.7, 74.06, tmag=9.6))
        mast.add_product(Product(365938305, 14, "SPOC", 120, "tess...-s_lc.fits", content))
        ... run with BTV_REPORT_MAST_URL=mast.url ...

Faults are scripted on the server beneath (`mast.server.play`): routes played later come first.
"""

from __future__ import annotations

import io
import json
import math
import zipfile
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import parse_qs

from tests.doubles.scripted_server import Reply, Request, ScriptedServer

_CAOM_COLUMNS = (
    "intentType", "obs_collection", "provenance_name", "instrument_name", "project", "filters", "target_name", "obs_id",
    "dataproduct_type", "sequence_number", "obsid", "dataRights",
)  # fmt: skip
_CAOM_NUMBERS = ("t_min", "t_max", "t_exptime", "s_ra", "s_dec", "distance")
_TIC_TEXT = ("ID", "GAIA", "objType", "version", "disposition", "duplicate_id")
_TIC_NUMBERS = (
    "ra", "dec", "Tmag", "GAIAmag", "pmRA", "pmDEC", "Teff", "logg", "rad", "mass", "lum", "MH", "d", "contratio", "plx",
    "dstArcSec", "RUWE",
)  # fmt: skip


@dataclass(frozen=True)
class TicRow:
    """A row of the catalogue; `more` holds columns by their TIC names."""

    tic_id: int
    ra: float
    dec: float
    tmag: float | None = None
    gaia: str | None = None
    pmra: float | None = None
    pmdec: float | None = None
    disposition: str | None = None
    more: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Product:
    """A file of the archive; `listed_bytes` lies about its size when set."""

    tic_id: int
    sector: int
    pipeline: str
    exptime_s: float
    file: str
    content: bytes
    listed_bytes: int | None = None
    data_rights: str = "PUBLIC"
    target_name: str | None = None
    description: str | None = None
    obs_id: str | None = None

    @property
    def uri(self) -> str:
        """The archive's address of it."""
        folder = "TESS/product" if self.pipeline == "SPOC" else f"HLSP/{self.pipeline.lower()}"
        return f"mast:{folder}/{self.file}"

    @property
    def observation(self) -> str:
        """The observation it belongs to."""
        return self.obs_id or self.file.rsplit("_", 1)[0]


class MastDouble:
    """The archive and its server; `url` goes where MAST's address goes."""

    def __init__(self) -> None:
        self.server = ScriptedServer()
        self.stars: list[TicRow] = []
        self.products: list[Product] = []
        self.cutouts: dict[tuple[int, int, int], bytes] = {}
        self.names: dict[str, tuple[float, float]] = {}
        self.server.play("POST", r"/portal/Mashup/Mashup\.asmx/columnsconfig", self._columns)
        self.server.play("POST", r"/api/v0/invoke", self._invoke)
        self.server.play("GET", r"/api/v0\.1/Download/file", self._download)
        self.server.play("*", r"/tesscut/api/v0\.1/sector", self._sectors)
        self.server.play("GET", r"/tesscut/api/v0\.1/astrocut", self._cutout)

    @property
    def url(self) -> str:
        """Its address."""
        return self.server.url

    @property
    def n_connections(self) -> int:
        """How many connections were opened since it began."""
        return self.server.n_connections

    def add_star(self, *stars: TicRow) -> None:
        """Put stars into the catalogue."""
        self.stars += stars

    def add_product(self, *products: Product) -> None:
        """Put files into the archive."""
        self.products += products

    def add_cutout(self, sector: int, camera: int, ccd: int, content: bytes) -> None:
        """Let full-frame images of a sector hold every position, and give this FITS file for a cut-out."""
        self.cutouts[sector, camera, ccd] = content

    def services(self) -> list[str]:
        """The services that were invoked, in order."""
        return [_question(request)["service"] for request in self.server.asked("/api/v0/invoke")]

    def fetched(self) -> list[str]:
        """The files that were fetched, in order, with repetitions."""
        return [request.query["uri"].rsplit("/", 1)[-1] for request in self.server.asked(r"/api/v0\.1/Download/file")]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *problem: object) -> None:
        self.server.close()

    def _columns(self, request: Request) -> Reply:
        name = parse_qs(request.body.decode())["colConfigId"][0]
        if "Catalogs" in name:
            columns: dict[str, Any] = {column: {"text": column, "type": "string"} for column in _TIC_TEXT}
            columns |= {column: {"text": column, "type": "numeric"} for column in _TIC_NUMBERS}
        else:
            columns = {column: {"text": column, "vot.datatype": "char"} for column in _CAOM_COLUMNS}
            columns |= {column: {"text": column, "vot.datatype": "double"} for column in _CAOM_NUMBERS}
        return _json(columns)

    def _invoke(self, request: Request) -> Reply:
        question = _question(request)
        answer = {
            "Mast.Caom.Filtered": self._observations,
            "Mast.Caom.Products": self._product_rows,
            "Mast.Catalogs.TIC.Cone": self._cone,
            "Mast.Catalogs.Tic.Cone": self._cone,
            "Mast.Catalogs.Filtered.Tic.Rows": self._by_number,
            "Mast.Catalogs.All.Tic": _histograms,
            "Mast.Name.Lookup": self._lookup,
        }.get(question["service"])
        if answer is None:
            return _json({"status": "ERROR", "msg": f"no service {question['service']}"})
        return _json(answer(question.get("params", {})))

    def _observations(self, params: dict[str, Any]) -> dict[str, Any]:
        wanted = {item["paramName"]: item["values"] for item in params["filters"]}
        rows, seen = [], set()
        for number, product in enumerate(self.products):
            target = product.target_name or str(product.tic_id)
            if "target_name" in wanted and str(product.tic_id) not in wanted["target_name"]:
                continue
            if "provenance_name" in wanted and product.pipeline not in wanted["provenance_name"]:
                continue
            if "sequence_number" in wanted and str(product.sector) not in map(str, wanted["sequence_number"]):
                continue
            if product.observation in seen:
                continue
            seen.add(product.observation)
            rows.append(
                {
                    "project": "TESS",
                    "provenance_name": product.pipeline,
                    "target_name": target,
                    "obs_id": product.observation,
                    "obsid": str(1000 + number),
                    "sequence_number": product.sector,
                    "t_min": 58000.0 + 27.4 * product.sector,
                    "t_exptime": product.exptime_s,
                    "dataproduct_type": "timeseries",
                    "dataRights": product.data_rights,
                }
            )
        return _table(rows, ints={"sequence_number"}, floats={"t_min", "t_exptime"})

    def _product_rows(self, params: dict[str, Any]) -> dict[str, Any]:
        numbers = {int(text) - 1000 for text in str(params["obsid"]).split(",")}
        observations = {self.products[number].observation for number in numbers}
        rows = [
            {
                "obs_collection": "TESS" if product.pipeline == "SPOC" else "HLSP",
                "obs_id": product.observation,
                "description": product.description or ("Light curves" if "lc.fits" in product.file else "Pixel files"),
                "dataURI": product.uri,
                "productFilename": product.file,
                "size": product.listed_bytes if product.listed_bytes is not None else len(product.content),
                "obsID": str(1000 + self.products.index(product)),
                "dataRights": product.data_rights,
            }
            for product in self.products
            if product.observation in observations
        ]
        return _table(rows, ints={"size"})

    def _cone(self, params: dict[str, Any]) -> dict[str, Any]:
        ra, dec, radius = float(params["ra"]), float(params["dec"]), float(params["radius"]) * 3600
        rows = []
        for star in self.stars:
            apart = _arcsec(ra, dec, star)
            if apart <= radius:
                rows.append({**_tic_values(star), "dstArcSec": apart})
        return _table(rows, floats=set(_TIC_NUMBERS))

    def _by_number(self, params: dict[str, Any]) -> dict[str, Any]:
        wanted = {str(value) for item in params["filters"] if item["paramName"] == "ID" for value in item["values"]}
        return _table(
            [_tic_values(star) for star in self.stars if str(star.tic_id) in wanted], floats=set(_TIC_NUMBERS)
        )

    def _lookup(self, params: dict[str, Any]) -> dict[str, Any]:
        place = self.names.get(params["input"].lower())
        found = [] if place is None else [{"ra": place[0], "decl": place[1], "searchString": params["input"].lower()}]
        return {"resolvedCoordinate": found, "status": ""}

    def _download(self, request: Request) -> Reply:
        product = next((item for item in self.products if item.uri == request.query.get("uri")), None)
        return Reply(b"not found", 404) if product is None else Reply(product.content)

    def _sectors(self, request: Request) -> Reply:
        del request
        results = [
            {
                "sectorName": f"tess-s{s:04d}-{camera}-{ccd}",
                "sector": f"{s:04d}",
                "camera": str(camera),
                "ccd": str(ccd),
            }
            for s, camera, ccd in self.cutouts
        ]
        return _json({"results": results})

    def _cutout(self, request: Request) -> Reply:
        sector = int(request.query["sector"])
        for (number, camera, ccd), content in self.cutouts.items():
            if number == sector:
                stream = io.BytesIO()
                with zipfile.ZipFile(stream, "w") as archive:
                    archive.writestr(f"tess-s{sector:04d}-{camera}-{ccd}_astrocut.fits", content)
                return Reply(stream.getvalue(), headers={"Content-Type": "application/zip"})
        return Reply(b"no such sector", 404)


def _question(request: Request) -> dict[str, Any]:
    question = json.loads(parse_qs(request.body.decode())["request"][0])
    assert isinstance(question, dict)
    return question


def _tic_values(star: TicRow) -> dict[str, Any]:
    values: dict[str, Any] = dict.fromkeys((*_TIC_TEXT, *_TIC_NUMBERS))
    values |= {"ID": str(star.tic_id), "ra": star.ra, "dec": star.dec, "Tmag": star.tmag, "GAIA": star.gaia}
    values |= {"pmRA": star.pmra, "pmDEC": star.pmdec, "disposition": star.disposition, "objType": "STAR"}
    return values | star.more


def _table(rows: list[dict[str, Any]], *, ints: Collection[str] = (), floats: Collection[str] = ()) -> dict[str, Any]:
    names = list(rows[0]) if rows else ["ID"]
    kinds = {name: "int" if name in ints else "float" if name in floats else "string" for name in names}
    fields = [{"name": name, "type": kinds[name]} for name in names]
    paging = {
        "page": 1,
        "pageSize": 50000,
        "pagesFiltered": 1,
        "rows": len(rows),
        "rowsFiltered": len(rows),
        "rowsTotal": len(rows),
    }
    return {"status": "COMPLETE", "msg": "", "fields": fields, "data": rows, "paging": paging}


def _histograms(params: dict[str, Any]) -> dict[str, Any]:
    del params
    properties: dict[str, Any] = {"discreteHistogram": {}, "continuousHistogram": {}}
    return {"status": "COMPLETE", "data": {"Tables": [{"ExtendedProperties": properties}]}}


def _json(value: Any) -> Reply:
    return Reply(json.dumps(value, ensure_ascii=False).encode(), headers={"Content-Type": "application/json"})


def _arcsec(ra: float, dec: float, star: TicRow) -> float:
    return math.hypot((star.ra - ra) * math.cos(math.radians(dec)), star.dec - dec) * 3600
