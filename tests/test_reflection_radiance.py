"""Direct, sky and once reflected light on walls against ray tracing of exact scenes by Radiance."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import radiance_scenes as scenes
from radiance_scenes import GOLDEN, GROUND, ROOF, SCENES, WALL

from solarkataster.irradiance import light
from solarkataster.reflection import Albedos, bounce, lit_reflectors
from solarkataster.sky_table import sky_table


def golden():
    return pd.read_csv(GOLDEN, comment="#")


@pytest.fixture(scope="module")
def hours(demo_weather):
    return scenes.hours_of(demo_weather, scenes.DAYS)


@pytest.fixture(scope="module")
def compared(demo_weather, hours):
    """Radiance's values of all sensors beside the package's."""
    year = sky_table(scenes.sources_of(scenes.hours_of(demo_weather)), 0.0, n_azimuth=120)
    days, few = (sky_table(scenes.sources_of(hours), 0.0, n_azimuth=n) for n in (120, 24))
    albedos = Albedos(np.full(12, GROUND), ROOF, WALL)
    parts = []
    for scene in SCENES:
        grid, surface_m, footprints = scenes.raster(scene)
        walls = scenes.receivers(scene.sensors(), grid)
        of_year = light(surface_m, grid.cell_size_m, walls, year)
        of_days = light(surface_m, grid.cell_size_m, walls, days)
        reflectors = lit_reflectors(surface_m, grid, footprints, walls, few, albedos=albedos)
        back = bounce(reflectors, walls, of_days)
        open_ground = GROUND * days.ghi_kwh_m2.sum() * of_days.ground_view_factor
        parts.append(
            pd.DataFrame(
                {
                    "our_direct": of_year.poa_direct_year_kwh_m2,
                    "our_sky_diffuse": of_year.poa_sky_diffuse_year_kwh_m2,
                    "our_reflected": back.poa_ground_diffuse_year_kwh_m2,
                    "open_ground": open_ground,
                }
            )
        )
    table = pd.concat([golden(), pd.concat(parts, ignore_index=True)], axis=1)
    return table.assign(reflected=table["reflected_sun"] + table["reflected_sky"])


def error(table, part, ours):
    """Bias and root mean square of the error, as shares of the mean."""
    off = (table[ours] - table[part]) / table[part].mean()
    return off.mean(), np.sqrt((off**2).mean())


@pytest.mark.parametrize(
    ("part", "bias", "rmse"),
    [("direct", 0.007, 0.025), ("sky_diffuse", 0.008, 0.027), ("reflected", 0.05, 0.06)],
)
def test_light_on_walls_is_that_of_rays(compared, figure, part, bias, rmse):
    for name, of_scene in compared.groupby("scene"):
        found = "bias {:+.2%}, RMSE {:.2%}".format(*error(of_scene, part, f"our_{part}"))
        figure(f"{part} against Radiance, {name}", found)
    found = error(compared, part, f"our_{part}")
    figure(f"{part} against Radiance, all scenes", "bias {:+.2%}, RMSE {:.2%}".format(*found))
    assert abs(found[0]) <= bias
    assert found[1] <= rmse


def test_sky_light_is_right_whatever_a_wall_faces(compared, figure):
    quarter = (compared["azimuth_deg"] / 90.0).round() % 4
    for name, of_facing in compared.groupby(quarter):
        bias, _ = error(of_facing, "sky_diffuse", "our_sky_diffuse")
        figure(f"sky light of {len(of_facing)} sensors that face {90 * name:.0f}°", f"{bias:+.2%}")
        assert abs(bias) <= 0.01


def test_the_reflected_part_is_right_scene_by_scene(compared, figure):
    for name, of_scene in compared.groupby("scene"):
        bias, _ = error(of_scene, "reflected", "our_reflected")
        assert abs(bias) <= 0.10, name
        before, _ = error(of_scene, "reflected", "open_ground")
        higher = of_scene["higher"].sum() / of_scene["reflected"].sum()
        figure(
            f"{name}", f"open ground instead of a bounce {before:+.0%}; higher orders {higher:.0%}"
        )
        assert before > 3 * abs(bias)


def test_radiance_still_says_what_is_stored(hours):
    pr = pytest.importorskip("pyradiance", reason="needs the extra `radiance`")
    scene = SCENES[2]
    stored = golden().query("scene == @scene.name").iloc[::9]
    some = scene.sensors()[::9]
    np.testing.assert_allclose(stored[["east_m", "north_m"]], some[:, :2], atol=1e-3)
    found = scenes.ray_traced(scene, hours, hours, some, pr, n_ray=512)
    for part in ("reflected_sun", "reflected_sky"):
        # A few hundred random rays; those stored are of more.
        off = (found[part].to_numpy() - stored[part].to_numpy()) / stored[part].mean()
        assert abs(off.mean()) <= 0.06, part
        assert np.abs(off).max() <= 0.3, part
