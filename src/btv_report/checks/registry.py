"""
The checks: what each is called, means, measures and cannot say, and the function that runs it.

A new check is one new file and one line in `CHECKS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from types import MappingProxyType
from typing import Any

_BRYSON = "Bryson et al. 2013, PASP 125, 889: background false positives from pixel data"
_TWICKEN = "Twicken et al. 2018, PASP 130, 064502: Kepler and TESS Data Validation"


@dataclass(frozen=True)
class CheckInfo:
    """
    A check as readers meet it.

    Attributes
    ----------
    check_id : such as `V08`
    title : a short heading
    meaning : one sentence
    help_text : a paragraph: what it measures, what it cannot say
    references : papers
    entry_point : `module:function` within this package; takes (measurement, scene, store_plot_data=...)
    """

    check_id: str
    title: str
    meaning: str
    help_text: str
    references: tuple[str, ...]
    entry_point: str

    def load(self) -> Any:
        """The function that runs the check."""
        module, function = self.entry_point.split(":")
        return getattr(import_module(f"btv_report.checks.{module}"), function)


_V08 = CheckInfo(
    "V08",
    "Centroid shift",
    "Asks whether the centre of light in the aperture moves during transit.",
    "The flux-weighted centroid of the aperture pixels is taken before, during and after each transit. If the transit is on "
    "another source in the aperture, the centre of light moves away from that source in transit. The noise is measured in "
    "windows of the same shape placed where no transit is. A significant shift shows that the aperture holds light of other "
    "stars, or that the signal is not the target's; no shift does not show that the signal is the target's, because sources "
    "close to it, and sources beyond about 3 px, move the centroid little.",
    (_BRYSON, _TWICKEN),
    "v08_centroid_shift:check_centroid_shift",
)
_V09 = CheckInfo(
    "V09",
    "Difference image",
    "Locates the source of the transit signal and compares it with the target and its neighbours.",
    "The mean image in transit is subtracted from the mean image before and after. What remains is the star whose light goes "
    "missing. A model of a point source is fitted to it; the positions that the data allow are outlined, with a systematic "
    "floor of 2.5 arcsec for each component, and each catalogued star is held against them. Stars closer to each other than "
    "the size of that region cannot be told apart, and a star in no catalogue is only covered by the line 'none of these'.",
    (
        _BRYSON,
        _TWICKEN,
        "Bryson & Morton 2017, KSCI-19108: astrophysical positional probabilities",
        "Hadjigeorghiou & Armstrong 2024, MNRAS 527, 4018: true host star identification of TESS candidates",
    ),
    "v09_difference_image:check_difference_image",
)
_V10 = CheckInfo(
    "V10",
    "Aperture dependence",
    "Compares the transit depth in apertures of growing radius with what a signal on the target would give.",
    "Depths are measured in circles of 1.0 to 3.5 px about the catalogue position. Light of neighbours dilutes a transit on "
    "the target more in larger circles, so its depth is not expected to be constant: the expected curve comes from the "
    "control image. A depth that rises outwards more than expected comes from a source away from the target. The check cannot "
    "see sources within about one pixel of the target, and it is only as good as the catalogue that predicts the dilution.",
    (_BRYSON,),
    "v10_aperture_dependence:check_aperture_dependence",
)
_V20 = CheckInfo(
    "V20",
    "Ghost features",
    "Asks whether the signal is concentrated in the aperture or spread around it.",
    "The transit signal in the aperture (above the level of its surroundings) is compared with that in the one-pixel ring "
    "around it. Optical ghosts and scattered light of a variable bright star elsewhere spread over both; so does a source "
    "just outside the aperture. The check does not say which of these it is, and it needs the pipeline's aperture mask.",
    (_TWICKEN,),
    "v20_ghost_features:check_ghost_features",
)

CHECKS: Mapping[str, CheckInfo] = MappingProxyType({info.check_id: info for info in (_V08, _V09, _V10, _V20)})
"""Check id to CheckInfo, in the order in which they are shown."""

FLAG_MEANINGS: Mapping[str, str] = MappingProxyType(
    {
        "LOW_TRANSITS": "Fewer than three transits were used; the check cannot fail a candidate on them alone.",
        "SATURATED": "The target is flat-topped or bleeds along its column; numbers are shown without a verdict.",
        "LOW_SNR": "The signal is below SNR 8; its place is uncertain.",
        "PIXELS_MISSING": "Pixels of the aperture, or within 2 px of the target, lack values in many cadences and were left out.",
        "EDGE": "The target, or the fitted source, lies at the edge of the stamp or of the search.",
        "PRF_GAUSSIAN": "The PRF is a fitted Gaussian, because the star's own image is not clean enough.",
        "WCS_DISAGREES": "The coordinates in the file and the stars on the stamp contradict each other.",
        "NO_WCS": "No usable coordinates; positions are relative to the control centroid.",
        "APERTURE_SENSITIVE": "The result changes when the aperture is grown by one pixel.",
        "SHIFT_AS_ON_TARGET": "The centre of light moves as a signal on the target would move it among its known neighbours.",
        "MASK_SENSITIVE": "The verdict depends on which quality bits are masked; the table of masks shows how. (In records of "
        "method version pixel-checks-3: the result changes when the aperture is grown by one pixel.)",
        "NEIGHBOURS_UNKNOWN": "No catalogue of neighbouring stars was at hand.",
        "ONE_SECTOR": "The combined result rests on one sector.",
    }
)
"""Every flag a result can carry, explained."""
