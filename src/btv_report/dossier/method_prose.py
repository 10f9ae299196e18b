"""The methods in prose: windows, noise, what sigma means, and how the checks were tested. Numbers come from the code."""

from __future__ import annotations

from dataclasses import dataclass

from btv_report.checks import matched_windows, transits
from btv_report.checks.thresholds import value
from btv_report.dossier.figures.centroid import DISTANCES, SHARES
from btv_report.dossier.numbers import exact, fixed, integer
from btv_report.ephemeris import Ephemeris
from btv_report.quality import ANOMALY_MASK, flags_in


@dataclass(frozen=True)
class Prose:
    """Paragraphs under a heading."""

    anchor: str
    title: str
    paragraphs: tuple[str, ...]


def build_prose() -> tuple[Prose, ...]:
    """The sections, in the order of the page."""
    return (
        Prose("windows-and-noise", "Windows and noise", (_windows(), _drops(), _noise())),
        Prose("sigma", "What sigma means here", _sigma()),
        Prose("tests", "How the checks are tested", _tests()),
    )


def _windows() -> str:
    """Where the windows lie, measured on the code's own windows of a transit of one day."""
    day = Ephemeris(period_days=100.0, epoch_btjd=0.0, duration_hours=24.0)
    short, long = transits.window_shape(day, 1e-9), transits.window_shape(day, 1.0)
    buffer, cadences, control = short.inner_days - 0.5, long.inner_days - 0.5, short.outer_days - short.inner_days
    return (
        "All windows are set in time. Around a transit of duration T (first to last contact), cadences count as in transit "
        f"within {exact(round(short.in_half_days, 6))} T of its middle. The control is {exact(round(control, 6))} T on each "
        f"side, after a buffer of {exact(round(cadences, 6))} cadences or {exact(round(buffer, 6))} T, whichever is longer, "
        "beyond T/2. The difference of a transit is the mean of its two controls minus the mean in transit. Cadences that "
        "the quality mask removes, that have no time or no flux, or that lie in a transit of another candidate are used "
        "nowhere."
    )


def _drops() -> str:
    """What drops a transit."""
    named = ", ".join(flag.meaning for flag in flags_in(ANOMALY_MASK))
    return (
        f"A transit is dropped, and the table of transits says why, when a gap of more than {exact(value('gap_minutes'))} "
        f"minutes beyond one cadence falls into its windows or ended less than {exact(value('gap_settling_days'))} d before "
        f"them; when a cadence in them carries one of these quality bits: {named}; when less than "
        f"{exact(100 * value('window_completeness'))} % of the cadences of a stretch are usable; and when its two controls "
        f"differ by more than {exact(value('side_cut_sigma'))} sigma, in flux or in pointing. A single masked "
        "cadence drops no transit. Pixels that hold no finite value in more than "
        f"{exact(100 - 100 * transits.PIXEL_COMPLETENESS)} % of the cadences are left out and counted; where more than "
        f"{exact(100 * value('target_light_missing'))} % of the target's light falls on them, a check abstains."
    )


def _noise() -> str:
    """Matched windows and the probability they give."""
    return (
        "The noise is measured, not assumed: windows of the transit's own shape are laid every "
        f"T/{matched_windows.STEPS_PER_DURATION} wherever no transit, gap or cut forbids. They hold all correlated noise that "
        "star, pointing and background really had. As many of them as there are usable transits are drawn at random, "
        f"{integer(matched_windows.N_DRAWS)} times, and the measured statistic is held against those draws. Windows overlap, "
        "so the number of independent ones is smaller than their count; with fewer than "
        f"{exact(value('min_independent_windows'))} a check abstains. The probability p is the share of draws that reach the "
        "measured value; where none does, or where few independent windows make that share too optimistic, it is that of "
        "Hotelling's T². The seeds of the draws follow from the version of the methods, so the same file gives the same p."
    )


def _sigma() -> tuple[str, ...]:
    """Sigma in probabilities and in regions."""
    shares = " and ".join(f"{exact(share)} %" for share in SHARES)
    distances = " and ".join(fixed(distance, 2) for distance in DISTANCES)
    warn, fail = (exact(round(matched_windows.sigma_of_p(value(name)), 2)) for name in ("p_warn", "p_fail"))
    return (
        "Every probability p is also written as sigma: the deviation of a normal distribution that is exceeded on either side "
        f"with probability p. So p = {exact(value('p_warn'))} is {warn} sigma and p = {exact(value('p_fail'))} is {fail} sigma, "
        "whatever the number of dimensions. The shift of a centroid and the place of a source have two dimensions; their sigma "
        "is therefore not the length divided by its error.",
        f"Regions on a picture follow the same rule: ellipses and outlines hold {shares} of the probability in two dimensions, "
        f"which a distance of {distances} standard deviations from the centre does. A place on the outer outline is 3 sigma "
        "away.",
    )


def _tests() -> tuple[str, ...]:
    """What the test-suite holds the checks to."""
    return (
        "The test-suite of btv-report runs the checks on simulated scenes whose truth is known: a planet on the target, an "
        "eclipsing binary two pixels away, a ghost with momentum dumps, a single transit. False alarms of the centroid shift "
        "are counted on simulated cubes without a signal, with and without correlated jitter of the pointing: at most one of "
        "40 may exceed 3 sigma, and their p must be uniform by a Kolmogorov-Smirnov test.",
        "On real pixels it holds the checks to a weak TESS signal of two transits (depths, peak pixels, and that no check "
        "fails it) and to a Kepler star whose signal comes from a neighbour, which must be placed off the target. These tests "
        "measure the checks on those data; they are no rate of false alarms over the sky.",
    )
