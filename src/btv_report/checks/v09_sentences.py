"""What V09 says of the place of a transit signal, in sentences."""

from __future__ import annotations

import math

import numpy as np

from btv_report.checks import thresholds
from btv_report.checks.difference_image import PixelMeasurement
from btv_report.checks.elimination import Located, is_one_star, is_with_displaced_star
from btv_report.checks.inputs import StackStar
from btv_report.checks.region import outline, sigma_of_delta
from btv_report.checks.reporting import few_transits_note, p_words, pixel_scale_arcsec, sky_offset_arcsec, transit_words
from btv_report.checks.scene import Scene
from btv_report.checks.transit_agreement import TransitAgreement


def distance_arcsec(measurement: PixelMeasurement, d_row: float, d_column: float) -> float:
    """Length of an offset on the sky; with the nominal pixel scale where there is no WCS."""
    sky = sky_offset_arcsec(measurement, d_row, d_column)
    if sky is None:
        return math.hypot(d_row, d_column) * pixel_scale_arcsec(measurement)
    return math.hypot(*sky)


def region_words(outside: bool, sigma: float) -> str:
    """Whether a position is in the source's region; its sigma is that of the region, not of the distance's error."""
    return f"{'outside' if outside else 'inside'} its 3-sigma region ({sigma:.1f} sigma in two dimensions)"


def region_reach_arcsec(measurement: PixelMeasurement, scene: Scene, located: Located) -> float:
    """How far from the target the region of the source reaches: a star up to there may be the source as well."""
    corners = outline(located.region)
    return max(
        (distance_arcsec(measurement, row - scene.row, column - scene.column) for row, column in corners), default=0.0
    )


def star_name(star: StackStar) -> str:
    """A star in a sentence."""
    return "the target" if star.star_id == "target" else star.star_id


def sentence(measurement: PixelMeasurement, scene: Scene, located: Located, agreement: TransitAgreement) -> str:
    """The finding of one sector."""
    fit, n, sector = located.fit, measurement.n_transits, measurement.stack.sector
    distances = [distance_arcsec(measurement, fit.row - s.row, fit.column - s.column) for s in located.stars]
    place = (
        "catalogue position" if scene.from_catalogue else "control centroid (its catalogue position cannot be placed)"
    )
    sigma = sigma_of_delta(float(located.delta_chi2[0]))
    outside = located.delta_chi2[0] > thresholds.value("region_delta_chi2")
    where = f"{distances[0]:.1f} arcsec from the target's {place}, {region_words(outside, sigma)}"
    nearest = int(np.argmin(distances))
    # A difference image that no single star makes names none: the fitted place is that of no star.
    single = is_one_star(fit)
    if not single:
        text = (
            f"The missing light cannot be placed on one star in sector {sector} ({transit_words(n)}); the best place of a single "
            f"source is {where}."
        )
    elif outside:
        text = f"The source of the signal lies away from the target: {where}, {transit_words(n)} in sector {sector}."
    else:
        reach = region_reach_arcsec(measurement, scene, located)
        text = (
            f"The source of the signal is consistent with the target: {where}, {transit_words(n)} in sector {sector}. Stars "
            f"up to {reach:.0f} arcsec from the target cannot be told from it at this SNR."
        )
    if single and (nearest or measurement.stack.neighbours_known):
        text += f" The nearest star is {star_name(located.stars[nearest])}, {distances[nearest]:.1f} arcsec from it."
    if is_with_displaced_star(scene, located):
        away = distance_arcsec(measurement, scene.source_row - scene.row, scene.source_column - scene.column)
        text += (
            f" The target's own light stands {away:.0f} arcsec from its catalogue position in the control image, and the signal "
            "with it: the file's coordinates may be wrong, or an uncatalogued star outshines the target there."
        )
    if fit.snr < thresholds.value("snr_strong"):
        text += f" The signal is weak (SNR {fit.snr:.1f}), so its place is uncertain."
    if located.hosts and located.hosts.likeliest != 0:
        likeliest = located.hosts.likeliest
        other = "a source in no catalogue" if likeliest is None else star_name(located.stars[likeliest])
        text += f" By position and needed depth, {other} is a likelier host than the target."
    if not single:
        text += (
            f" The difference image is not clearly that of one star (correlation {fit.quality:.2f}), so none is named."
        )
    if fit.at_edge:
        text += " The best position lies on the border of the search, so the true source may lie beyond it."
    if agreement.disagree and agreement.p_value is not None:
        text += (
            f" The transits do not agree with each other: their missing light at that place differs by more than its error "
            f"({p_words(agreement.p_value)})."
        )
    return text + few_transits_note(n)
