"""Files as observers upload them, small, with numbers of our own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from btv_report.errors import ProductRefusedError

SHARED_DATA = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "exofop"

GEMINI = """\
# objectname: TOI9000
# Telescope: Gemini North
# Date of obs.: 2024-02-19
# camera: r
# wavelength: 832nm
# annulus range&center vs. measured relative mag. limit:
0.050000 0.150000 0.100000 4.100000
0.150000 0.200000 0.175000 4.700000
0.200000 0.250000 0.225000 5.200000
0.250000 0.300000 0.275000 5.500000
# fit of angular separation vs. relative mag. limit:
0.000000 0.000000
0.017460 0.000000
0.020000 0.130000
0.060000 2.250000
0.100000 4.250000
0.100000 4.250000
0.110000 4.310000
0.300000 5.625000
"""
"""Two sections; the fit holds five limits: two rows of zeros and one repetition."""

PHARO = """\
Target = TOI9000
Date_Obs [UT] = 2023-06-08
Telescope = Palomar-5m
Instrument = PHARO
Filter = Hcont
Pixel_Scale [arsec/pix] = 0.025
PI: Somebody
arcsec, dmag, dmrms
0.000, 0.000, 0.000
0.179, 2.425, 0.296
0.333, 4.189, 0.297
0.488, 5.428, 0.221
9.625, 7.651, 0.100
"""

HAND_MADE = "0.00, 0.00\n0.07, 1.00\n0.20, 4.50\n0.25, 5.50\n2.20, 6.50\n\n\n"

CLEANED_CSV = """\
ang_sep,delta_mag,sep,M_jup
0.0,0.0,0.0,964.07
0.03,0.251098,3.985671,927.76
0.1,4.484246,13.285505,330.72
0.1,4.484246,13.285505,330.72
1.17,6.631786,155.440414,149.37
1.18,6.632100,156.768964,149.36
"""

CONTRAST_FILES = {"gemini": GEMINI, "pharo": PHARO, "hand-made": HAND_MADE, "csv": CLEANED_CSV}

MUSCAT = """\
BJD_TDB,Flux,Err,Airmass,DX(pix),Peak(ADU)
2459761.754680,1.01606,0.01402,1.0516,0.69,2790
2459761.756014,1.01010,0.01190,1.0520,-2.42,3003
2459761.757348,0.99010,0.01210,1.0524,-2.10,2900
2459761.758682,0.98732,0.01091,1.0529,0.17,2377
"""

ASTROIMAGEJ_NAMES = (
    "Label slice J.D.-2400000 JD_UTC BJD_TDB AIRMASS "
    "rel_flux_T1 rel_flux_C2 rel_flux_err_T1 rel_flux_err_C2 X(IJ)_T1 X(IJ)_C2"
)


def astroimagej(names: str = ASTROIMAGEJ_NAMES, n_rows: int = 5) -> str:
    """A measurements table of AstroImageJ; the airmass of its second row is not known."""
    rows = [names.split()]
    for n in range(1, n_rows + 1):
        utc, tdb = 2460029.68 + n / 200, 2460029.685 + n / 200
        airmass = "NaN" if n == 2 else f"{1.6 - n / 50:.4f}"
        times = [f"n{n:04d}.fits", str(n), f"{utc - 2_400_000:.6f}", f"{utc:.6f}", f"{tdb:.9f}", airmass]
        rows.append([*times, f"{0.2389 + n / 9000:.10f}", "0.31", "0.0011817166", "0.0015", f"{2437.3 + n:.3f}", "885"])
    return "".join("\t".join(row) + "\n" for row in rows)


KEPLERCAM = """\
#\tLabel\tBJD_TDB\trel_flux_T2\trel_flux_err_T2\tAIRMASS
1\tfl.0107.fits\t2459738.651826\t0.047652\t0.000117\t1.021632
2\tfl.0108.fits\t2459738.654164\t0.047006\t0.000113\t1.019618
3\tfl.0109.fits\t2459738.656502\t0.047106\t0.000113\t1.018618
4\tfl.0110.fits\t2459738.658840\t0.047206\t0.000113\t1.017618
"""

HEADERLESS = """\
2460075.3860414065 1.00168310 0.01240661
2460075.3866533004 1.00301986 0.01240661
2460075.3872653758 0.99950545 0.01240661
2460075.3878774512 0.99850545 0.01240661
"""

NUMBERED = """\
# Observed on a night
# Telescope: Somewhere 1m
# Instrument: CAM  (gain 2.4)
# Filter = V
# The columns are:
# 1. BJD / days (TDB_MID)
# 2. Differential flux
# 3. Error in differential flux
#    (formal, not scaled)
# 4. Airmass
#
2459430.37659518\t1.0047597585\t0.0028058110\t1.15981653496\t
2459430.37682677\t1.0010093300\t0.0028121059\t1.15960249661\t
2459430.37705825\t1.0025559604\t0.0028181498\t1.15938987319\t
""".replace("\n", "\r\n")

LIGHT_CURVE_FILES = {
    "muscat": MUSCAT,
    "astroimagej": astroimagej(n_rows=4),
    "keplercam": KEPLERCAM,
    "headerless": HEADERLESS,
    "numbered": NUMBERED,
}

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a file of this text or these bytes under a name."""

    def to(content: str | bytes, name: str = "upload.dat") -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return to


@pytest.fixture
def shared_exofop() -> Path:
    """The real ExoFOP files beside the checkout."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the real ExoFOP files are not beside this checkout (../shared/data/exofop)")
    return SHARED_DATA


def reason_of(load: Callable[[Path], object], path: Path) -> str:
    """Why a file is refused; the message is a sentence that names the file, and says what to do next."""
    with pytest.raises(ProductRefusedError) as refusal:
        load(path)
    error = refusal.value
    assert error.message.startswith(f"{path.name} ")
    assert error.message.endswith(".")
    assert error.hint
    assert error.path == path
    return error.message.split(": ", 1)[1]
