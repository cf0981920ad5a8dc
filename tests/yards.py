"""A yard of plain buildings for runs: one flat roof under the open sky, and one of each trouble."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
from run_folders import NO_YIELDS
from small_inputs import write_raster

from solarkataster import pipeline
from solarkataster.config import Config, load_config
from solarkataster.demo import make_town

SIZE_M, CELL_M, GROUND_M = 100, 0.5, 230.0
WEST_M, SOUTH_M = 410_000.0, 5_480_000.0
CRS = "EPSG:25832"

TABLES = ("roofs", "buildings", "modules", "superstructures", "sides")

#: West, south, east, north from the yard's corner. [m]
FOOTPRINTS = {
    "hall": (10, 55, 45, 80),
    "steep": (60, 70, 74, 80),
    "monument": (60, 40, 74, 50),
    "shed": (80, 10, 83, 13),
    "gone": (10, 10, 20, 20),
    "low": (10, 25, 40, 45),
    "tower": (22, 10, 30, 18),
    "lean": (30, 35, 70, 65),
}
#: Nothing here is higher than the roof of the hall.
OPEN_YARD = ("hall", "steep", "monument", "shed", "gone")
#: A flat roof with a tower to its south.
SHADED_YARD = ("low", "tower")
#: Flat roofs over the ground; what is gone has none. [m]
FLAT_M = {"hall": 8.0, "shed": 2.5, "low": 4.0, "tower": 20.0, "gone": 0.0}
#: A roof that rises to the south: height in the north, slope. [m, °]
LEAN_M, LEAN_DEG = 3.0, 5.0
#: Height of the eaves, tilt of the two slopes, overhang all around. [m, °, m]
GABLES = {"steep": (2.0, 50.0, 0.0), "monument": (3.0, 30.0, 0.6)}

_SETTINGS = """
[horizon]
reach_m = 100
n_azimuth = {n_azimuth}

[layout]
{layout}
[roofs]
overhang = {overhang}
"""


def footprint(name: str) -> shapely.Polygon:
    west_m, south_m, east_m, north_m = FOOTPRINTS[name]
    return shapely.box(WEST_M + west_m, SOUTH_M + south_m, WEST_M + east_m, SOUTH_M + north_m)


def write_yard(folder: Path, names=OPEN_YARD) -> Path:
    """Inputs of the yard, with the weather of the made-up town; the folder."""
    make_town(kind="courtyard", size_m=SIZE_M, n_trees=0).write(folder)
    transform = rasterio.Affine(CELL_M, 0.0, WEST_M, 0.0, -CELL_M, SOUTH_M + SIZE_M)
    write_raster(folder / "dsm.tif", _surface(names), transform=transform, crs=CRS)
    ground = np.full((SIZE_M, SIZE_M), GROUND_M, dtype=np.float32)
    transform = rasterio.Affine(1.0, 0.0, WEST_M, 0.0, -1.0, SOUTH_M + SIZE_M)
    write_raster(folder / "dtm.tif", ground, transform=transform, crs=CRS)
    (folder / "footprints.gpkg").unlink()
    table = gpd.GeoDataFrame(
        {"gml_id": list(names)}, geometry=[footprint(name) for name in names], crs=CRS
    )
    table.to_file(folder / "footprints.gpkg", engine="pyogrio")
    gpd.GeoDataFrame(geometry=[footprint("monument").buffer(2.0)], crs=CRS).to_file(
        folder / "monuments.gpkg", engine="pyogrio"
    )
    return folder


def yard_config(
    folder: Path, name="config", *, layout="", overhang=True, n_azimuth=24, reflection=True
) -> Config:
    """The yard's config with other settings, under another name."""
    inputs = (folder / "config.toml").read_text(encoding="utf-8").split("[horizon]")[0]
    inputs = inputs.replace("[weather]\n", 'monuments = "monuments.gpkg"\n\n[weather]\n', 1)
    settings = _SETTINGS.format(layout=layout, overhang=str(overhang).lower(), n_azimuth=n_azimuth)
    # These yards are about roofs and modules; walls and money would only take time.
    settings += f"\n[walls]\nenabled = false\n\n[reflection]\nenabled = {str(reflection).lower()}\n"
    settings += NO_YIELDS
    path = folder / f"of_{name}.toml"
    path.write_text(inputs + settings, encoding="utf-8")
    return load_config(path)


def tables_of_run(config: Config, out: Path, **options) -> dict[str, gpd.GeoDataFrame]:
    """Run a config, all but the map, and read its tables."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pipeline, "map_stage", lambda *_: None)  # half of a small run's time
        assert pipeline.run(config, out, **options).is_complete
    return {name: gpd.read_parquet(out / f"{name}.parquet") for name in TABLES}


def _surface(names) -> np.ndarray:
    """Heights at the centres of the cells, (ny, nx) float32."""
    n = round(SIZE_M / CELL_M)
    x = (np.arange(n) + 0.5) * CELL_M
    x, y = np.meshgrid(x, SIZE_M - x)

    def within(box, margin_m=0.0):
        west, south, east, north = np.add(box, (-margin_m, -margin_m, margin_m, margin_m))
        return (x > west) & (x < east) & (y > south) & (y < north)

    surface = np.full((n, n), GROUND_M)
    for name in names:
        if name == "lean":
            _, _, _, north = FOOTPRINTS[name]
            inside = within(FOOTPRINTS[name])
            rise_m = LEAN_M + np.tan(np.radians(LEAN_DEG)) * (north - y)
            surface[inside] = GROUND_M + rise_m[inside]
            continue
        if name in FLAT_M:
            surface[within(FOOTPRINTS[name])] += FLAT_M[name]
            continue
        eaves_m, tilt_deg, overhang_m = GABLES[name]
        _, south, _, north = box = FOOTPRINTS[name]
        inside = within(box, overhang_m)
        rise_m = (north - south) / 2 - np.abs(y - (south + north) / 2)
        height_m = eaves_m + np.tan(np.radians(tilt_deg)) * rise_m
        surface[inside] = GROUND_M + height_m[inside]
    return surface.astype(np.float32)
