"""
Surface and terrain model of a scene that has laser points only, and the config to run it.

    python benchmarks/delft_rasters.py DATA/delft_ahn3_bgt --weather FILE --out DIR
    solarkataster run DIR/config.toml --out DIR/run

The surface keeps the highest last echo of each cell of 0.5 m and takes one that has none from the
cells beside it; the terrain is interpolated between the ground points. Roofs come from the points.
Weather of another place serves to run the chain: of such a run only the geometry counts.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import laspy
import numpy as np
import rasterio
from scipy import ndimage
from scipy.interpolate import LinearNDInterpolator, NearestNDInterpolator

CRS = "EPSG:28992"
CELL_M = 0.5
#: Artefacts, and water, whose few echoes are spray and ducks.
NOT_SURFACE = (9, 26)
GROUND = 2
NODATA = -9999.0

CONFIG = """\
[municipality]
name = "Delft"

[inputs]
dsm = "{out}/dsm.tif"
dtm = "{out}/dtm.tif"
footprints = "{scene}/bgt_pand.gpkg"
footprint_id = "identificatiebagpnd"
points = "{scene}/ahn3_cropped_*.laz"
weather = "{weather}"
attribution = ["AHN", "BGT, Kadaster", "Deutscher Wetterdienst"]

[points]
crs = "{crs}"

[weather]
max_distance_km = 1000.0
"""


def read_laser(scene: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Places (n, 3) [m], classes, and which are the last echo of their pulse."""
    parts = [laspy.read(path) for path in sorted(scene.glob("ahn3_cropped_*.laz"))]
    xyz = np.concatenate([np.stack([part.x, part.y, part.z], axis=1) for part in parts])
    classes = np.concatenate([np.asarray(part.classification) for part in parts])
    is_last = np.concatenate(
        [np.asarray(part.return_number) == np.asarray(part.number_of_returns) for part in parts]
    )
    return xyz, classes, is_last


def surface_of(xyz: np.ndarray, west_m: float, north_m: float, shape: tuple[int, int]):
    """Highest point of each cell; a cell without any takes the mean of those beside it."""
    col = ((xyz[:, 0] - west_m) / CELL_M).astype(int)
    row = ((north_m - xyz[:, 1]) / CELL_M).astype(int)
    heights = np.full(shape, -np.inf)
    np.maximum.at(heights, (row, col), xyz[:, 2])
    known = np.isfinite(heights)
    sums = ndimage.convolve(np.where(known, heights, 0.0), np.ones((3, 3)), mode="constant")
    counts = ndimage.convolve(known.astype(float), np.ones((3, 3)), mode="constant")
    beside = np.where(counts > 0, sums / np.maximum(counts, 1), NODATA)
    return np.where(known, heights, beside)


def terrain_of(ground: np.ndarray, west_m: float, north_m: float, shape: tuple[int, int]):
    """Ground between the ground points; beyond the outermost ones the nearest."""
    east, north = np.meshgrid(
        (np.arange(shape[1]) + 0.5) * CELL_M, north_m - (np.arange(shape[0]) + 0.5) * CELL_M
    )
    # Few enough for a triangulation of seconds; a cell has about four.
    ground = ground[::4]
    places = ground[:, :2] - [west_m, 0.0]
    heights = LinearNDInterpolator(places, ground[:, 2])(east, north)
    nearest = NearestNDInterpolator(places, ground[:, 2])(east, north)
    return np.where(np.isnan(heights), nearest, heights)


def write_raster(path: Path, heights: np.ndarray, west_m: float, north_m: float) -> None:
    with rasterio.open(
        path, "w", driver="GTiff", height=heights.shape[0], width=heights.shape[1], count=1,
        dtype="float32", crs=CRS, nodata=NODATA, compress="deflate",
        transform=rasterio.Affine(CELL_M, 0, west_m, 0, -CELL_M, north_m),
    ) as target:  # fmt: skip
        target.write(heights.astype("float32"), 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("scene", type=Path, help="folder with ahn3_cropped_*.laz and bgt_pand.gpkg")
    parser.add_argument("--weather", type=Path, required=True, help="any test reference year")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    out = arguments.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    xyz, classes, is_last = read_laser(arguments.scene)
    west_m, south_m = np.floor(xyz[:, :2].min(axis=0))
    east_m, north_m = np.ceil(xyz[:, :2].max(axis=0) + 1e-6)
    shape = round((north_m - south_m) / CELL_M), round((east_m - west_m) / CELL_M)
    of_surface = xyz[is_last & ~np.isin(classes, NOT_SURFACE)]
    write_raster(out / "dsm.tif", surface_of(of_surface, west_m, north_m, shape), west_m, north_m)
    ground = xyz[classes == GROUND]
    write_raster(out / "dtm.tif", terrain_of(ground, west_m, north_m, shape), west_m, north_m)
    names = {"out": out, "scene": arguments.scene.resolve(), "weather": arguments.weather.resolve()}
    (out / "config.toml").write_text(CONFIG.format(crs=CRS, **names), encoding="utf-8")
    print(out / "config.toml")


if __name__ == "__main__":
    main()
