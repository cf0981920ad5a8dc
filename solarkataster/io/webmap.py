"""The map folder of a run: a static site that needs a web server with byte ranges, no network."""

from __future__ import annotations

import json
import logging
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np

from solarkataster.errors import InputError
from solarkataster.io.webtiles import (
    CLASS_COLOURS,
    DETAIL_ZOOM,
    IRRADIATION_COLOURS,
    write_building_tiles,
    write_raster_tiles,
    write_roof_tiles,
)
from solarkataster.io.webtiles_facades import (
    WALL_COLOURS,
    WALL_ZOOM,
    write_facade_tiles,
    write_storey_tiles,
)
from solarkataster.io.webtiles_parking import write_parking_tiles
from solarkataster.io.webtiles_roof_things import (
    ROOF_THING_ZOOM,
    write_module_tiles,
    write_superstructure_tiles,
)

log = logging.getLogger(__name__)

#: What the page says about the data; every key but ``municipality`` may be missing.
META_KEYS = (
    "municipality",
    "weather",
    "surface_model_date",
    "footprint_date",
    "sources",
    "attribution",
    "version",
    "rating",
)


@dataclass(frozen=True)
class MapWalls:
    """
    Walls of a map.

    Parameters
    ----------
    facades, storeys : GeoDataFrame, shape (n_facade,) and (n_storey,)
        Columns of :data:`solarkataster.layers.FACADE_COLUMNS` and ``STOREY_COLUMNS``.
    storey_height_m : float
        Floor to floor, as the storeys were counted. [m]
    """

    facades: gpd.GeoDataFrame
    storeys: gpd.GeoDataFrame
    storey_height_m: float


def write_map(
    map_folder: Path,
    roofs: gpd.GeoDataFrame,
    buildings: gpd.GeoDataFrame,
    year_raster: Path,
    meta: dict,
    *,
    modules: gpd.GeoDataFrame | None = None,
    superstructures: gpd.GeoDataFrame | None = None,
    walls: MapWalls | None = None,
    parking: gpd.GeoDataFrame | None = None,
    keep: Path | None = None,
) -> Path:
    """
    Write the web map of a run, whole or not at all.

    Parameters
    ----------
    map_folder : Path
        Folder to write, usually ``<run>/map``; an older map there is replaced at the end.
    roofs, buildings : GeoDataFrame, shape (n_roof,) and (n_building,)
        Columns of :data:`solarkataster.layers.ROOF_COLUMNS` and ``BUILDING_COLUMNS``; ``reason`` in
        German, ``reason_en`` in English.
    year_raster : Path
        ``poa_global_year_kwh_m2.tif`` of the run. [kWh/m²]
    meta : dict
        ``municipality`` (str), and where known ``weather`` (str), ``surface_model_date``,
        ``footprint_date`` (str), ``sources`` (list of str), ``attribution`` (str: names that the
        licences of the input demand on the map), ``version`` (str), ``rating`` (dict: what
        ratings were made with, for the legend and the cards; without it there are no classes).
    modules, superstructures, parking : GeoDataFrame, optional
        Columns of :data:`solarkataster.layers.MODULE_COLUMNS`, ``SUPERSTRUCTURE_COLUMNS`` and
        :data:`solarkataster.rating.parking.PARKING_COLUMNS`; without them the map has no such
        layer.
    walls : MapWalls, optional
        Without them the map has no walls.
    keep : Path, optional
        Folder of an older map of the same surfaces: what a rating does not change is taken from
        there if it is there, not made again.

    Returns
    -------
    Path
        The page, ``<map_folder>/index.html``.

    Raises
    ------
    InputError
        If there is no building with a geometry, a column is missing, or ``meta`` has an
        unknown key or no municipality.
    """
    unknown = sorted(set(meta) - set(META_KEYS))
    if unknown or not meta.get("municipality"):
        found = f"unknown {', '.join(unknown)}" if unknown else "no municipality"
        raise InputError(found, where="meta of the map", expected=", ".join(META_KEYS))
    map_folder = Path(map_folder)
    aside = map_folder.with_name(f".{map_folder.name}.writing")
    shutil.rmtree(aside, ignore_errors=True)
    map_folder.parent.mkdir(parents=True, exist_ok=True)
    with as_file(files("solarkataster") / "web") as site:
        shutil.copytree(site, aside)
    n_buildings = write_building_tiles(aside / "buildings.pmtiles", buildings)
    if not n_buildings:
        raise InputError("no building has a geometry", where="layer buildings")
    counts = {
        "n_roofs": write_roof_tiles(aside / "roofs.pmtiles", roofs, buildings),
        "n_buildings": n_buildings,
        "n_facades": 0,
        "n_parking": 0,
    }
    if walls is not None:
        counts["n_facades"] = write_facade_tiles(
            aside / "facades.pmtiles", walls.facades, walls.storeys
        )
    if parking is not None:
        counts["n_parking"] = write_parking_tiles(aside / "parking.pmtiles", parking)
    raster, n_unrated = _unrated(
        aside, keep, Path(year_raster), roofs, buildings, modules, superstructures, walls
    )
    page = _page(roofs, buildings, raster, meta) | counts | n_unrated
    text = json.dumps(page, ensure_ascii=False, indent=1, allow_nan=False)
    (aside / "map.json").write_text(text + "\n", encoding="utf-8")
    _replace_folder(aside, map_folder)
    return map_folder / "index.html"


def _unrated(
    aside: Path,
    keep: Path | None,
    year_raster: Path,
    roofs: gpd.GeoDataFrame,
    buildings: gpd.GeoDataFrame,
    modules: gpd.GeoDataFrame | None,
    superstructures: gpd.GeoDataFrame | None,
    walls: MapWalls | None,
) -> tuple[dict | None, dict[str, int]]:
    """Archives that no rating changes, taken from an older map or made; what they hold."""
    old = _older_page(keep)

    def taken(name: str, key: str, write: Callable[[Path], Any]) -> Any:
        path = aside / f"{name}.pmtiles"
        if keep is not None and key in old:
            if (keep / path.name).is_file():
                shutil.copyfile(keep / path.name, path)
            return old[key]
        return write(path)

    def raster_tiles(path: Path) -> dict | None:
        made = write_raster_tiles(path, year_raster)
        return None if made is None else {"min_zoom": made.min_zoom, "max_zoom": made.max_zoom}

    counts = {"n_modules": 0, "n_superstructures": 0, "n_storeys": 0}
    if modules is not None:
        counts["n_modules"] = taken(
            "modules", "n_modules", lambda path: write_module_tiles(path, modules, buildings)
        )
    if superstructures is not None:
        counts["n_superstructures"] = taken(
            "superstructures",
            "n_superstructures",
            lambda path: write_superstructure_tiles(path, superstructures, roofs, buildings),
        )
    if walls is not None:
        tables = walls.facades, walls.storeys, buildings, walls.storey_height_m
        counts["n_storeys"] = taken(
            "storeys", "n_storeys", lambda path: write_storey_tiles(path, *tables)
        )
    return taken("irradiation", "raster", raster_tiles), counts


def _older_page(keep: Path | None) -> dict[str, Any]:
    if keep is None or not (keep / "map.json").is_file():
        return {}
    page: dict[str, Any] = json.loads((keep / "map.json").read_text(encoding="utf-8"))
    return page


def _page(
    roofs: gpd.GeoDataFrame, buildings: gpd.GeoDataFrame, raster: dict | None, meta: dict
) -> dict:
    """What the page must know before it draws: place, colours, layers, sources."""
    has_value = np.isfinite(buildings["poa_global_year_kwh_m2"].astype("float64").to_numpy())
    # Buildings without a value may lie far off the raster (a wrong footprint); the view that
    # opens shows the cadastre, not the mistake.
    shown = buildings[has_value] if has_value.any() else buildings
    if shown.geometry.is_empty.all():
        shown = roofs
    west, south, east, north = shown.geometry.dropna().to_crs("EPSG:4326").total_bounds
    return {
        **{key: meta[key] for key in META_KEYS if meta.get(key)},
        "bounds": [round(float(value), 6) for value in (west, south, east, north)],
        "colours": [list(stop) for stop in IRRADIATION_COLOURS],
        "wall_colours": [list(stop) for stop in WALL_COLOURS],
        "detail_zoom": DETAIL_ZOOM,
        "wall_zoom": WALL_ZOOM,
        "roof_thing_zoom": ROOF_THING_ZOOM,
        "class_colours": dict(CLASS_COLOURS),
        "raster": raster,
    }


def _replace_folder(new: Path, old: Path) -> None:
    """Put a finished folder in the place of an older one; two renames, nothing half written."""
    retired = old.with_name(f".{old.name}.retired")
    shutil.rmtree(retired, ignore_errors=True)
    if old.exists():
        os.replace(old, retired)
    os.replace(new, old)
    shutil.rmtree(retired, ignore_errors=True)
