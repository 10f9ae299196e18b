"""Colour maps: even steps, light and dark the right way round, and the same colours in picture and Plotly."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from btv_report.dossier.figures.colours import (
    DIVERGING,
    N_LEVELS,
    SEQUENTIAL,
    ColourScale,
    diverging,
    rgb,
    sequential_asinh,
)


def _lab(colours: tuple[str, ...]) -> NDArray[np.float64]:
    """CIE L*a*b* (D65) of sRGB colours: another colour space than the one the maps were made in."""
    srgb = np.array([rgb(c) for c in colours]) / 255
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    xyz = linear @ to_xyz.T / np.array([0.9505, 1.0, 1.089])
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    lab: NDArray[np.float64] = np.stack(
        [116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], axis=1
    )
    return lab


def test_the_sequential_map_rises_in_even_steps_of_lightness() -> None:
    steps = np.diff(_lab(SEQUENTIAL)[:, 0])
    assert steps.min() > 5
    assert steps.max() / steps.min() < 2


def test_the_diverging_map_falls_alike_from_its_middle_to_both_ends() -> None:
    light = _lab(DIVERGING)[:, 0]
    assert light.argmax() == len(DIVERGING) // 2
    assert (np.diff(light[:6]) > 4).all()
    assert (np.diff(light[5:]) < -4).all()
    assert np.abs(light - light[::-1]).max() < 6


def test_without_red_and_green_told_apart_the_two_ends_still_differ() -> None:
    # Blue against yellow is b* in L*a*b*: what deuteranopes keep.
    b = _lab(DIVERGING)[:, 2]
    assert (b[:5] < -10).all()
    assert (b[6:] > 10).all()


@pytest.mark.parametrize("asinh", [False, True])
def test_a_value_and_its_place_are_inverse(asinh: bool) -> None:
    scale = ColourScale(SEQUENTIAL, -20.0, 9000.0, asinh=asinh)
    places = np.linspace(0, 1, 21)
    values = np.array([scale.value(place) for place in places])
    np.testing.assert_allclose(scale.fraction(values), places, atol=1e-12)


def test_zero_is_the_middle_of_a_diverging_scale_and_positive_is_warm() -> None:
    scale = diverging(np.array([[-3.0, 0.0, 12.0]]))
    assert (scale.minimum, scale.maximum) == (-12.0, 12.0)
    palette = scale.palette()
    red, _, blue = palette[int(scale.levels(np.array([10.0]))[0])]
    assert red > blue
    red, _, blue = palette[int(scale.levels(np.array([-10.0]))[0])]
    assert blue > red


def test_gaps_have_no_level() -> None:
    levels = diverging(np.array([[np.nan, 1.0]])).levels(np.array([[np.nan, 1.0]]))
    assert levels.tolist() == [[-1, N_LEVELS - 1]]


@pytest.mark.parametrize("scale", [diverging(np.array([-5.0, 8.0])), ColourScale(SEQUENTIAL, 0.0, 7.0)])
def test_plotly_interpolates_to_the_palette_of_the_picture(scale: ColourScale) -> None:
    stops = scale.plotly()
    places = [float(place) for place, _ in stops]
    colours = np.array([rgb(str(colour)) for _, colour in stops])
    at = np.linspace(0, 1, N_LEVELS)
    shown = np.stack([np.interp(at, places, colours[:, channel]) for channel in range(3)], axis=1)
    assert np.abs(shown - np.array(scale.palette())).max() < 1.0


def test_plotly_gets_the_stretch_in_its_stops() -> None:
    scale = sequential_asinh(np.array([0.0, 10000.0]))
    for place, colour in scale.plotly():
        value = float(place) * 10000
        index = SEQUENTIAL.index(str(colour))
        assert float(scale.fraction(np.array(value))) == pytest.approx(index / 10, abs=2e-3)


def test_ticks_of_a_stretched_scale_are_round_and_keep_their_distance() -> None:
    scale = sequential_asinh(np.array([-15.0, 12345.0]))
    ticks = scale.ticks()
    assert ticks == sorted(ticks)
    assert {100.0, 1000.0, 10000.0} <= set(ticks)
    assert np.diff(scale.fraction(np.array(ticks))).min() >= 0.11


@pytest.mark.parametrize("image", [np.zeros((2, 2)), np.full((1, 1), 7.0), np.array([[1e-30, 2e-30]])])
def test_f105_constant_images_have_a_scale(image: NDArray[np.float64]) -> None:
    for scale in (diverging(image), sequential_asinh(image)):
        assert scale.minimum < scale.maximum
        assert np.isfinite(scale.fraction(image)).all()
        assert all(np.isfinite(t) for t in scale.ticks())


def test_a_limit_clips_and_says_so() -> None:
    scale = diverging(np.array([5.0, 900.0]), 10.0)
    assert scale.clipped
    assert float(scale.fraction(np.array(900.0))) == 1.0
    assert not diverging(np.array([5.0, 9.0]), 10.0).clipped
