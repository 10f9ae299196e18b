"""TIC 365938305 (TOI 1262.01) in a loopback ExoFOP: the real TOI row of 2025; the rest is composed."""

from __future__ import annotations

import math
import struct
import zlib

from tests.doubles.exofop_double import ExoFopDouble
from tests.doubles.exofop_kit import TOI_1262_01

TIC_ID = 365938305

_SPECTRA = [
    ("2019-11-08 10:41:07", "31.2"), ("2019-11-27 11:02:45", "29.8"), ("2020-01-13 09:30:12", "33.0"),
    ("2020-02-04 08:15:33", "27.4"), ("2020-02-29 07:55:01", "30.5"),
]  # fmt: skip
_NOTE_HTML = (
    "<!DOCTYPE html><html><body><p>Two exposures with TRES.</p><p>No secondary lines&nbsp;&amp; no large velocity "
    "variation; write to observer@example.org.</p></body></html>"
)
_NOTE_PIPE = "ingress 5 min late | egress on time | airmass 1.1 to 1.9"
_NOTE_TFOPWG = "TOI1262.01:[P=20.87744] no field stars within 1 arcmin; Master Disp: PC, Phot Disp: PC"


def add_toi_1262(double: ExoFopDouble) -> None:
    """Put the star in, with six files, three notes, five spectra, two images, a companion and parameter rows."""
    double.add_target(
        TIC_ID,
        names=["HD 104654", "Gaia DR2 1625068456789012345", "2MASS J12025435+7403396"],
        toi_rows=[TOI_1262_01],
        spect=[_spectrum(date, snr) for date, snr in _SPECTRA],
        imaging=[_image("562nm", "2020-06-07 05:12:00"), _image("832nm", "2020-06-07 05:12:00")],
        stellarcomp=[
            {"Separation (arcsec)": "2.31", "Separation (arcsec) Error": ".02", "Pos Angle E of N (deg)": "118.4",
             "Filter": "832: 832 (40) nm", "Delta Mag": "6.72", "Observation Date (UT)": "2020-06-07",
             "Date": "2020-06-20 12:00:00", "User": "observer", "Group": "tfopwg", "Tag": "7652"}
        ],
        nearby=[
            {"RA": "180.72391", "Dec": "74.06345", "TESS Mag": "16.21", "GAIA DR2": "1625068456789012999",
             "Separation (arcsec)": "9.4", "Position Angle (deg E. of N.)": "341.5"}
        ],
        stellar=[_parameters("TIC", "5396", "4.50457"), _parameters("Stellar", "5420", "4.53")],
        planet=[_planet()],
        notes=[
            {"ID": "23001", "Username": "observer", "Lastmod": "2020-01-14 12:20:55", "notes": _NOTE_HTML},
            {"ID": "23002", "Username": "other", "Lastmod": "2020-03-01 08:00:00", "notes": _NOTE_PIPE},
            {"ID": "23003", "Username": "mlund", "Groupname": "tfopwg", "TAG ID": "3059", "Lastmod": "2021-07-29 12:01:54",
             "notes": _NOTE_TFOPWG},
        ],
    )  # fmt: skip
    _add_files(double)


def _add_files(double: ExoFopDouble) -> None:
    for number, (name, content, about) in enumerate(
        (("562_sensitivity.dat", contrast_curve(), "Sensitivity, 562 nm"), ("562_plot.png", png(), "Plot"))
    ):
        double.add_file(
            TIC_ID, f"TOI1262I-dc20200607-{name}", content, type="Image", file_id=441891 + number, tag="7652",
            group="tfopwg", date="2020-06-08", description=about,
        )  # fmt: skip
    for number, date in enumerate(("2019-11-08", "2020-01-13")):
        double.add_file(
            TIC_ID, f"TOI1262S-tres{date.replace('-', '')}.pdf", pdf(f"TRES {date}"), type="Spectrum",
            file_id=441893 + number, tag="1494", date=date,
        )  # fmt: skip
    double.add_file(
        TIC_ID, "TIC365938305-01_20240118_LCO-McD-1m0_ip_measurements.tbl", light_curve(), type="Light_Curve",
        file_id=441895, tag="9001", group="tfopwg", date="2024-01-19", toi="TOI 1262.01",
    )  # fmt: skip
    double.add_file(TIC_ID, "TIC365938305-01_notes.txt", b"Clear night, no gaps.\n", file_id=441896, date="2024-01-19")


def contrast_curve() -> bytes:
    """A speckle sensitivity file in two sections: measured annuli, then the fit, which begins with zero rows and a duplicate."""
    lines = ["# objectname: TOI1262", "# Telescope: Gemini North", "# Date of obs.: 2020-06-07", "# camera: b"]
    lines += ["# wavelength: 562nm", "# annulus range&center vs. measured relative mag. limit:"]
    edges = [0.05 + 0.05 * step for step in range(23)]
    lines += [f"{inner:f} {inner + 0.05:f} {inner + 0.025:f} {_limit(inner + 0.025):f}" for inner in edges]
    lines += ["# fit of angular separation vs. relative mag. limit:", "0.000000 0.000000", "0.010000 0.000000"]
    separations = [0.02, *(0.01 * step for step in range(2, 121))]
    return "\n".join([*lines, *(f"{apart:f} {_limit(apart):f}" for apart in separations), ""]).encode()


def _limit(separation_arcsec: float) -> float:
    return 5.1 * (1 - math.exp(-separation_arcsec / 0.08)) + 0.4 * separation_arcsec


def light_curve() -> bytes:
    """A table in the form of AstroImageJ: tabs, BJD_TDB, relative flux, airmass; a transit of 771 ppm over 3.562 h."""
    mid, half = 2460322.358008, 3.562 / 48
    names = ["", "Label", "slice", "JD_UTC", "BJD_TDB", "AIRMASS", "EXPTIME", "rel_flux_T1", "rel_flux_err_T1"]
    lines = ["\t".join(names)]
    for number in range(120):
        time = mid - 0.15 + 0.0025 * number
        flux = 1 - 771e-6 * (abs(time - mid) < half) + 2e-4 * math.sin(37.0 * number)
        airmass = 1.2 + 3 * (time - mid + 0.05) ** 2
        cells = [
            f"{number + 1}",
            f"image_{number:04d}.fits",
            "1",
            f"{time - 0.0021:.6f}",
            f"{time:.6f}",
            f"{airmass:.4f}",
        ]
        lines.append("\t".join([*cells, "30.0", f"{0.45 * flux:.6f}", "0.000090"]))
    return "\n".join([*lines, ""]).encode()


def png(width: int = 8, height: int = 8) -> bytes:
    """A grey picture."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = b"".join(b"\0" + bytes((row * 16) % 256 for _ in range(width)) for row in range(height))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def pdf(title: str) -> bytes:
    """A document of one empty page, with its cross-reference table."""
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 100 100] >>",
        b"<< /Title (" + title.encode("latin-1") + b") >>",
    ]
    content, places = b"%PDF-1.4\n", []
    for number, part in enumerate(objects, start=1):
        places.append(len(content))
        content += b"%d 0 obj\n%s\nendobj\n" % (number, part)
    table = b"xref\n0 5\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % place for place in places)
    return content + table + b"trailer\n<< /Size 5 /Root 1 0 R /Info 4 0 R >>\nstartxref\n%d\n%%%%EOF\n" % len(content)


def _spectrum(date: str, snr: str) -> dict[str, str]:
    return {
        "Telescope": "FLWO (1.5 m)", "Instrument": "TRES", "Spectral resolution": "44000",
        "Wavelength coverage": "3850 to 9096 Angstroms", "SNR/resolution": snr, "SNR wavelength": "5110 Angstroms",
        "Appropriate to PRV": "Yes", "Obs Date": date, "User": "observer", "Tag": "1494",
    }  # fmt: skip


def _image(band: str, date: str) -> dict[str, str]:
    return {
        "Telescope": "Gemini (8 m)", "Instrument": "'Alopeke", "Filter": band, "Image Type": "Speckle",
        "Pixel Scale": ".00995", "PSF": ".02", "Contrast": "4.2 mag at 0.1 arcsec", "Obs Date": date, "User": "observer",
        "Group": "tfopwg", "Tag": "7652",
    }  # fmt: skip


def _parameters(table: str, teff: str, logg: str) -> dict[str, str]:
    return {
        "Table": table, "Teff (K)": teff, "Teff (K) Error": "121.99", "log(g)": logg, "log(g) Error": ".0812179",
        "Radius (R_Sun)": ".9", "Radius (R_Sun) Error": ".05", "Mass (M_Sun)": ".94", "Mass (M_Sun) Error": ".11604",
        "Distance (pc)": "93.2276", "Distance (pc) Error": ".18145", "Date": "2019-04-15", "User": "TESS project",
    }  # fmt: skip


def _planet() -> dict[str, str]:
    copied = ("Epoch (BJD)", "Period (days)", "Duration (hours)", "Depth (mmag)", "Depth (ppm)")
    return {
        "Name": "TOI 1262.01", "TOI": "1262.01", "Disposition": "PC", "Table": "TOI", "Radius (R_Earth)": "2.16145",
        "Date": "2024-04-01", "User": "TESS project", **{name: TOI_1262_01[name] for name in copied},
    }  # fmt: skip
