"""Light on walls under eaves of known depth against ray tracing of exact scenes by Radiance."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import radiance_eaves as eaves
import radiance_scenes as scenes
from radiance_eaves import EAVES_SCENES, GOLDEN, PARTS

from solarkataster.irradiance import light
from solarkataster.sky_table import sky_table


def golden():
    return pd.read_csv(GOLDEN, comment="#")


@pytest.fixture(scope="module")
def compared(demo_weather):
    """Radiance's values of all places beside the package's, with eaves and without."""
    year = sky_table(scenes.sources_of(scenes.hours_of(demo_weather)), 0.0, n_azimuth=120)
    parts = []
    for scene in EAVES_SCENES:
        found = eaves.found(scene)
        columns = dict(zip(("east", "north", "height", "azimuth"), found.places.T, strict=True))
        ignored = replace(found.points, top_tangent=np.full(len(found.points), np.inf))
        for name, points, surface_m in (
            ("known", found.points, found.surface_m),
            ("ignored", ignored, found.surface_m),
            ("raw", ignored, found.measured_m),
        ):
            lit = light(surface_m, found.grid.cell_size_m, points, year, n_near=32)
            columns[f"{name}_direct"] = lit.poa_direct_year_kwh_m2
            columns[f"{name}_sky_diffuse"] = lit.poa_sky_diffuse_year_kwh_m2
        columns |= opposite_kept(found, year)
        columns["made_for_each"] = found.made_for_each
        parts.append(pd.DataFrame(columns))
    return pd.concat([golden(), pd.concat(parts, ignore_index=True)], axis=1)


def opposite_kept(found, year):
    """Light of the same points if other walls keep the eaves that the raster shows."""
    direct, sky_diffuse = np.full((2, len(found.places)), np.nan)
    for wall in found.lines:
        of_wall = np.flatnonzero(found.points.surface == wall)
        points = eaves.picked(found.points, of_wall)
        lit = light(found.before(wall), found.grid.cell_size_m, points, year, n_near=32)
        direct[of_wall] = lit.poa_direct_year_kwh_m2
        sky_diffuse[of_wall] = lit.poa_sky_diffuse_year_kwh_m2
    return {"opposite_direct": direct, "opposite_sky_diffuse": sky_diffuse}


def error(table, part, ours):
    """Bias and root mean square of the error, as shares of the mean; all scenes count alike."""
    off = (table[f"{ours}_{part}"] - table[part]) / table[part].mean()
    return off.mean(), np.sqrt((off**2).mean())


def by_wall_area(table, part, ours):
    """The same with every scene counting as much as it has walls."""
    weight = table["made_for_each"] / table["made_for_each"].mean()
    off = (table[f"{ours}_{part}"] - table[part]) / (weight * table[part]).mean()
    return (weight * off).mean(), np.sqrt((weight * off**2).mean())


def told(found):
    return "bias {:+.2%}, RMSE {:.2%}".format(*found)


def test_points_stand_where_the_rays_start(compared):
    # Else points are placed anew, and tests/radiance_eaves.py is to be run again.
    for ours, stored in (("east", "east_m"), ("north", "north_m"), ("height", "height_m")):
        np.testing.assert_allclose(compared[ours], compared[stored], atol=1e-3)
    turned = (compared["azimuth"] - compared["azimuth_deg"] + 180.0) % 360.0 - 180.0
    assert np.abs(turned).max() <= 1e-2


@pytest.mark.parametrize(
    ("part", "bias", "rmse"), [("direct", 0.02, 0.05), ("sky_diffuse", 0.02, 0.04)]
)
def test_light_under_known_eaves_is_near_that_of_rays(compared, figure, part, bias, rmse):
    """
    The target for direct light is 1 % of bias and 4 % of root mean square; all scenes together
    miss it, since the walls look at a surface without the eaves opposite (see below).
    """
    for name, of_scene in compared.groupby("scene"):
        figure(f"{part} under eaves, {name}", told(error(of_scene, part, "known")))
    found = error(compared, part, "known")
    figure(f"{part} under eaves, all scenes alike", told(found))
    figure(f"{part} under eaves, by wall area", told(by_wall_area(compared, part, "known")))
    assert abs(found[0]) <= bias
    assert found[1] <= rmse


@pytest.mark.parametrize("name", ["L-shape", "tower beside low houses"])
@pytest.mark.parametrize("part", PARTS)
def test_where_no_eaves_are_opposite_near_by_the_target_holds(compared, name, part):
    bias, rmse = error(compared.query("scene == @name"), part, "known")
    assert abs(bias) <= 0.01
    assert rmse <= 0.04


@pytest.mark.parametrize("part", PARTS)
def test_with_the_eaves_opposite_the_target_holds_in_all_scenes(compared, figure, part):
    """The limit by a wall's own eaves is right: what is missing is the eaves of the others."""
    for name, of_scene in compared.groupby("scene"):
        figure(f"{part}, eaves opposite kept, {name}", told(error(of_scene, part, "opposite")))
    bias, rmse = error(compared, part, "opposite")
    figure(f"{part}, eaves opposite kept, all scenes alike", told((bias, rmse)))
    assert abs(bias) <= 0.01
    assert rmse <= 0.04


@pytest.mark.parametrize("part", PARTS)
def test_without_eaves_the_same_points_are_far_off(compared, figure, part):
    found = error(compared, part, "ignored")
    figure(f"{part}, eaves ignored, all scenes alike", told(found))
    for name, of_scene in compared.groupby("scene"):
        figure(f"{part}, eaves ignored, {name}", told(error(of_scene, part, "ignored")))
    raw = error(compared, part, "raw")
    figure(f"{part}, raw surface, points below its eaves, all scenes alike", told(raw))
    assert found[0] >= 0.05
    assert found[1] >= 0.10
    assert raw[0] <= -0.10


def test_radiance_still_says_what_is_stored(demo_weather):
    pr = pytest.importorskip("pyradiance", reason="needs the extra `radiance`")
    scene = EAVES_SCENES[2]
    stored = golden().query("scene == @scene.name").iloc[::30]
    places = stored[["east_m", "north_m", "height_m", "azimuth_deg"]].to_numpy()
    found = eaves.direct_light(scene, scenes.hours_of(demo_weather), places, pr)
    off = (found - stored["direct"].to_numpy()) / stored["direct"].mean()
    assert np.abs(off).max() <= 0.01
