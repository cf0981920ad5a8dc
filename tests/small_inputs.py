"""A good small municipality on disk, from which each test breaks one thing."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
import weather_files

from solarkataster.checks import CheckedInputs, check_inputs
from solarkataster.config import load_config
from solarkataster.errors import InputError, InputErrors

#: Near the site of the made-up weather (49.49° N, 8.46° E), in EPSG:25832.
WEST_M, NORTH_M = 461_000.0, 5_482_000.0
#: 120 x 120 m at 1 m; 12 x 12 houses of 5 x 5 m, one every 10 m.
N_CELLS = 120
CRS = "EPSG:25832"


def terrain() -> np.ndarray:
    """A plain of 100 m that rises 2 m to the east, shape (ny, nx), float32."""
    return np.tile(np.linspace(100.0, 102.0, N_CELLS, dtype="float32"), (N_CELLS, 1))


def surface() -> np.ndarray:
    """The terrain with flat houses 8 m high."""
    heights_m = terrain()
    for row in range(3, N_CELLS, 10):
        for col in range(3, N_CELLS, 10):
            heights_m[row : row + 5, col : col + 5] += 8.0
    return heights_m


def outlines() -> gpd.GeoDataFrame:
    """The houses, from north-west; ``gml_id`` H000 to H143, storeys as another column."""
    boxes = [
        shapely.box(WEST_M + col, NORTH_M - row - 5, WEST_M + col + 5, NORTH_M - row)
        for row in range(3, N_CELLS, 10)
        for col in range(3, N_CELLS, 10)
    ]
    ids = [f"H{i:03d}" for i in range(len(boxes))]
    return gpd.GeoDataFrame({"gml_id": ids, "storeys": 2}, geometry=boxes, crs=CRS)


def write_raster(path: Path, heights_m: np.ndarray, **profile) -> Path:
    """A GeoTIFF at the place of the town, unless the profile says otherwise."""
    profile = {
        "driver": "GTiff",
        "height": heights_m.shape[0],
        "width": heights_m.shape[1],
        "count": 1,
        "dtype": str(heights_m.dtype),
        "crs": CRS,
        "transform": rasterio.Affine(1.0, 0.0, WEST_M, 0.0, -1.0, NORTH_M),
        "nodata": -9999.0,
        **profile,
    }
    with rasterio.open(path, "w", **profile) as target:
        for band in range(1, profile["count"] + 1):
            target.write(heights_m, band)
    return path


@cache
def weather_text() -> str:
    return weather_files.try_text(weather_files.made_up_year())


def write_inputs(folder: Path) -> Path:
    """All inputs and their config; returns the config's path."""
    folder.mkdir(parents=True, exist_ok=True)
    write_raster(folder / "dsm.tif", surface())
    write_raster(folder / "dtm.tif", terrain())
    outlines().to_file(folder / "footprints.gpkg", engine="pyogrio")
    weather_files.write(folder, "weather.dat", weather_text())
    return write_config(folder)


def write_config(folder: Path, extra: str = "", **inputs) -> Path:
    """The smallest config; ``inputs`` replace its values, ``extra`` is put behind."""
    values = {
        "dsm": "dsm.tif",
        "dtm": "dtm.tif",
        "footprints": "footprints.gpkg",
        "footprint_id": "gml_id",
        "weather": "weather.dat",
        **inputs,
    }
    lines = [f'{key} = "{value}"' for key, value in values.items() if value is not None]
    text = '[municipality]\nname = "Musterstadt"\n[inputs]\n' + "\n".join(lines) + f"\n{extra}\n"
    path = folder / "config.toml"
    path.write_text(text, encoding="utf-8")
    return path


def check(folder: Path) -> CheckedInputs:
    """What `check` and `run` do first."""
    return check_inputs(load_config(folder / "config.toml"))


def faults(folder: Path) -> list[InputError]:
    """Every fault found; each says where, what, what was expected and what to do."""
    with pytest.raises(InputErrors) as caught:
        check(folder)
    for fault in caught.value.errors:
        assert fault.where, fault
        assert fault.found, fault
        assert fault.expected, fault
        assert fault.remedy, fault
    return caught.value.errors


def one_fault(folder: Path) -> InputError:
    """The only fault: breaking one thing gives one message."""
    (fault,) = faults(folder)
    return fault


def rewrite_footprints(folder: Path, table: gpd.GeoDataFrame) -> None:
    """Put other footprints in place of the good ones."""
    (folder / "footprints.gpkg").unlink()
    table.to_file(folder / "footprints.gpkg", engine="pyogrio")
