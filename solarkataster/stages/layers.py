"""Finishing 1: the tiles' results become the municipality's tables and rasters."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from solarkataster.columns import Column
from solarkataster.grid import Grid
from solarkataster.io.rasters import MosaicWriter
from solarkataster.io.results import (
    Layer,
    beside_own,
    replace_layers,
    typed,
    write_geopackage,
    write_geoparquet,
)
from solarkataster.io.webtiles import CLASS_COLOURS, IRRADIATION_COLOURS
from solarkataster.io.webtiles_facades import WALL_COLOURS
from solarkataster.layers import (
    BLOCK_COLUMNS,
    BUILDING_COLUMNS,
    ELEMENT_COLUMNS,
    FACADE_COLUMNS,
    MODULE_COLUMNS,
    POA_MONTH_RASTER,
    POA_YEAR_RASTER,
    RASTERS,
    ROOF_COLUMNS,
    SIDE_COLUMNS,
    SKY_VIEW_RASTER,
    STOREY_COLUMNS,
    SUPERSTRUCTURE_COLUMNS,
)
from solarkataster.quality import (
    NO_FAR_TERRAIN,
    REMOVED_MARK,
    WINTER_FLIGHT,
    edge_marks,
    joined_marks,
)
from solarkataster.stages.plan import Plan
from solarkataster.tiling import Tile, tiles_of
from solarkataster.units import MONTHS

#: Rows of a tile that are put into the rasters at a time; bounds memory for large tiles.
_STRIP_ROWS = 1024

#: Columns of the cell tables behind each raster's bands.
_BANDS = {
    POA_YEAR_RASTER.name: ["poa_global_year_kwh_m2"],
    POA_MONTH_RASTER.name: [f"poa_global_{month}_kwh_m2" for month in MONTHS],
    SKY_VIEW_RASTER.name: ["sky_view_factor"],
}

#: Layers that a rating changes.
RATED = ("roofs", "buildings", "facades", "facade_storeys")

#: Layers beside roofs, walls and buildings.
BESIDE = {
    "facade_storeys": STOREY_COLUMNS,
    "facade_elements": ELEMENT_COLUMNS,
    "modules": MODULE_COLUMNS,
    "superstructures": SUPERSTRUCTURE_COLUMNS,
    "sides": SIDE_COLUMNS,
    "blocks": BLOCK_COLUMNS,
}


@dataclass(frozen=True)
class Tables:
    """The municipality's layers, in the order of the input."""

    roofs: gpd.GeoDataFrame
    buildings: gpd.GeoDataFrame
    facades: gpd.GeoDataFrame
    facade_storeys: gpd.GeoDataFrame
    facade_elements: gpd.GeoDataFrame
    modules: gpd.GeoDataFrame
    superstructures: gpd.GeoDataFrame
    sides: gpd.GeoDataFrame
    blocks: gpd.GeoDataFrame


def tables_of(plan: Plan, reports: Mapping[str, Any], faults: Mapping[str, str]) -> Tables:
    """
    Join the tiles' tables; every footprint of the input is in ``buildings``.

    Parameters
    ----------
    plan : Plan
    reports : mapping
        Tiles that are done.
    faults : mapping
        Tiles that failed, and why.
    """
    ids = plan.checked.footprints["building_id"].to_numpy()
    results = _read_all(plan, reports, "buildings")
    at = pd.Index(ids).get_indexer(results["building_id"]) if len(results) else []
    results.index = pd.Index(at)
    results = results.reindex(range(len(ids)))
    results["building_id"] = ids
    reason = results["reason"] if "reason" in results else pd.Series("", index=results.index)
    reason = reason.astype(object).fillna("")
    for tile, owned in zip(plan.tiles, plan.owned, strict=True):
        if tile.name in faults:
            reason.iloc[owned] = f"tile failed: {faults[tile.name]}"
    for building_id, _ in plan.checked.changes.removed:
        reason[ids == building_id] = REMOVED_MARK
    results["reason"] = reason
    results["data_quality"] = _quality(plan, results)
    tables = {
        name: _rows(plan, reports, results["building_id"], name, columns)
        for name, columns in BESIDE.items()
    }
    return Tables(
        _surfaces(plan, reports, results, "roofs", ROOF_COLUMNS),
        _buildings(plan, results),
        _surfaces(plan, reports, results, "facades", FACADE_COLUMNS),
        **tables,
    )


def no_value_note(plan: Plan, reports: Mapping[str, Any]) -> list[str]:
    """One note if no building of the finished tiles has a value, with the most frequent reason."""
    if not reports or any(report["n_roofs"] for report in reports.values()):
        return []
    reasons = _read_all(plan, reports, "buildings").get("reason", pd.Series(dtype=object))
    counts = reasons[reasons != ""].value_counts(sort=True)
    if counts.empty:
        return ["no building has a value"]
    return [
        f"no building has a value: the most frequent reason, of {counts.iloc[0]} of "
        f"{len(reasons)} buildings, is: {counts.index[0]}"
    ]


def _read_all(plan: Plan, reports: Mapping[str, Any], name: str) -> pd.DataFrame:
    """One table of all finished tiles, in the order of the tiles."""
    paths = [
        plan.folder.tile(tile.name) / f"{name}.parquet"
        for tile in plan.tiles
        if tile.name in reports
    ]
    tables = [pq.read_table(path) for path in paths]
    tables = [table for table in tables if table.num_rows]
    if not tables:
        return pd.DataFrame({"building_id": pd.Series(dtype="str")})
    return pa.concat_tables(tables, promote_options="permissive").to_pandas()


def _quality(plan: Plan, results: pd.DataFrame) -> list[str]:
    checked = plan.checked
    edges = edge_marks(
        checked.footprints.geometry.to_numpy(), checked.grid, checked.config.horizon.reach_m
    )
    is_bare = checked.config.trees.flight_season == "winter"
    of_run = [NO_FAR_TERRAIN, *([WINTER_FLIGHT] if is_bare else [])]
    seen = results["data_quality"] if "data_quality" in results else pd.Series("", results.index)
    return [
        joined_marks(checked.marks.get(building_id, ()), text.split("; "), [edge], of_run)
        for building_id, text, edge in zip(
            results["building_id"], seen.astype(object).fillna(""), edges, strict=True
        )
    ]


def _surfaces(
    plan: Plan,
    reports: Mapping[str, Any],
    buildings: pd.DataFrame,
    name: str,
    columns: Sequence[Column],
) -> gpd.GeoDataFrame:
    """Roof planes or walls with the remarks on their building, then their own."""
    table = _in_order(_read_all(plan, reports, name), buildings["building_id"])
    at = pd.Index(buildings["building_id"]).get_indexer(table["building_id"])
    of_building = buildings["data_quality"].to_numpy()[at]
    own = table["data_quality"] if "data_quality" in table else np.zeros(0, dtype=object)
    table["data_quality"] = [
        joined_marks(text.split("; "), mark.split("; "))
        for text, mark in zip(of_building, own, strict=True)
    ]
    return _placed(plan, table.assign(**_dates(plan)), columns)


def _rows(
    plan: Plan, reports: Mapping[str, Any], ids: pd.Series, name: str, columns: Sequence[Column]
) -> gpd.GeoDataFrame:
    """A table of the tiles in the order of the buildings."""
    return _placed(plan, _in_order(_read_all(plan, reports, name), ids), columns)


def _in_order(table: pd.DataFrame, ids: pd.Series) -> pd.DataFrame:
    """Rows in the order of the buildings; a tile keeps each building's own order."""
    order = np.argsort(pd.Index(ids).get_indexer(table["building_id"]), kind="stable")
    return table.iloc[order].reset_index(drop=True)


def _placed(plan: Plan, table: pd.DataFrame, columns: Sequence[Column]) -> gpd.GeoDataFrame:
    shapes = table["geometry"] if "geometry" in table else pd.Series(dtype=object)
    return gpd.GeoDataFrame(
        typed(table, columns),
        geometry=shapely.from_wkb(shapes.to_numpy(dtype=object)),
        crs=plan.checked.footprints.crs,
    )


def _dates(plan: Plan) -> dict[str, str]:
    inputs = plan.checked.config.inputs
    return {
        "surface_model_date": inputs.surface_model_date or "",
        "footprint_date": inputs.footprint_date or "",
    }


def _buildings(plan: Plan, results: pd.DataFrame) -> gpd.GeoDataFrame:
    footprints = plan.checked.footprints
    inputs = footprints.drop(columns=["building_id", footprints.geometry.name])
    own = typed(results.assign(**_dates(plan)), BUILDING_COLUMNS)
    inputs = beside_own(inputs.reset_index(drop=True), BUILDING_COLUMNS)
    return gpd.GeoDataFrame(
        pd.concat([own, inputs], axis=1),
        geometry=footprints.geometry.to_numpy(),
        crs=footprints.crs,
    )


def write_tables(folder: Path, tables: Tables, more: Mapping[str, Layer] | None = None) -> None:
    """
    GeoParquet for programs, one GeoPackage for QGIS, with more layers on top.

    Walls lie over the roofs, whose eaves reach beyond them in plan.
    """
    for name in ("roofs", "buildings", "facades", *BESIDE):
        if name == "facade_elements" and tables.facade_elements.empty:
            continue  # only if the config wants them
        write_geoparquet(folder / f"{name}.parquet", getattr(tables, name))
    write_geopackage(folder / "solarkataster.gpkg", {**(more or {}), **geopackage_layers(tables)})


def write_rated_tables(
    folder: Path, tables: Tables, old: Path, more: Mapping[str, Layer] | None = None
) -> None:
    """
    The layers that a rating changes; the GeoPackage keeps the others of an older one.

    Parameters
    ----------
    folder : Path
        Of the new files.
    tables : Tables
    old : Path
        Folder of the finished run.
    more : mapping of str to Layer, optional
    """
    for name in RATED:
        write_geoparquet(folder / f"{name}.parquet", getattr(tables, name))
    layers = geopackage_layers(tables)
    name = "solarkataster.gpkg"
    rated = {**(more or {}), **{one: layers[one] for one in RATED}}
    replace_layers(folder / name, rated, old / name)


def geopackage_layers(tables: Tables) -> dict[str, Layer]:
    """Layers of the GeoPackage with their styles, the top one first."""
    column, classes = "poa_global_year_kwh_m2", dict(CLASS_COLOURS)
    points = Layer(
        tables.facade_elements, column, WALL_COLOURS, "Points of walls with a value", shape="point"
    )
    roofs, walls = IRRADIATION_COLOURS, WALL_COLOURS
    return {
        **({} if tables.facade_elements.empty else {"facade_elements": points}),
        "modules": Layer(tables.modules, column, roofs, "Modules", outline_mm=0.05),
        "superstructures": Layer(tables.superstructures, "", (), "Superstructures of roofs"),
        "facades": Layer(tables.facades, column, walls, "Walls", shape="upright", classes=classes),
        "facade_storeys": Layer(
            tables.facade_storeys, column, walls, "Storeys of walls", shape="line", classes=classes
        ),
        "roofs": Layer(tables.roofs, column, roofs, "Roof planes", classes=classes),
        "buildings": Layer(tables.buildings, column, roofs, "Buildings", classes=classes),
        "blocks": Layer(tables.blocks, "", (), "Blocks of light outside all footprints"),
        "sides": Layer(
            tables.sides, "", (), "Sides of the footprints with their eaves", shape="line"
        ),
    }


def write_rasters(
    folder: Path, plan: Plan, reports: Mapping[str, Any], advance: Callable[[float], None]
) -> None:
    """
    Write the run's rasters, block by block; no array of the municipality's size exists.

    Parameters
    ----------
    folder : Path
    plan : Plan
    reports : mapping
        Tiles that are done.
    advance : callable
        Called with 1 for every tile that holds roof cells.
    """
    grid = plan.checked.grid
    done = [tile for tile in plan.tiles if tile.name in reports]
    with ExitStack() as stack:
        writers = {
            raster.name: stack.enter_context(
                MosaicWriter(folder / raster.filename, grid, raster.bands, raster.unit)
            )
            for raster in RASTERS
        }
        # Roofs that hang over the edge of their tile may lie in a tile that owns no building.
        for tile, cells in _cells_by_core(plan, done, reports):
            for block, values in _blocks(tile.core, cells):
                for name, columns in _BANDS.items():
                    writers[name].write(block, values(columns))
            advance(1.0)


def _cells_by_core(
    plan: Plan, done: list[Tile], reports: Mapping[str, Any]
) -> Iterator[tuple[Tile, pd.DataFrame]]:
    """Roof cells of every tile of the raster: its own, and those that spill in from others."""
    spills = [(tile, reports[tile.name]["spill_bounds"]) for tile in done]
    spills = [(tile, bounds) for tile, bounds in spills if bounds is not None]
    own = {tile.name for tile in done}
    for tile in tiles_of(plan.checked.grid, plan.checked.config.tiles.size_m):
        top, left = tile.core.first_row, tile.core.first_col
        bottom, right = top + tile.core.shape[0] - 1, left + tile.core.shape[1] - 1
        parts = []
        if tile.name in own:
            parts.append(_read_cells(plan, tile, "cells"))
        for other, (row0, col0, row1, col1) in spills:
            if row0 <= bottom and row1 >= top and col0 <= right and col1 >= left:
                spill = _read_cells(plan, other, "spill")
                is_here = spill["row"].between(top, bottom) & spill["col"].between(left, right)
                parts.append(spill[is_here])
        parts = [part for part in parts if len(part)]
        if parts:
            yield tile, pd.concat(parts, ignore_index=True)


def _read_cells(plan: Plan, tile: Tile, name: str) -> pd.DataFrame:
    return pq.read_table(plan.folder.tile(tile.name) / f"{name}.parquet").to_pandas()


def _blocks(core: Grid, cells: pd.DataFrame) -> Iterator[tuple[Grid, Callable[..., np.ndarray]]]:
    """Strips of a tile, each with a function that fills the bands of some columns."""
    # Where footprints overlap, the building that comes first in the input is written last.
    cells = cells.sort_values("building_index", ascending=False, kind="stable")
    row = cells["row"].to_numpy() - core.first_row
    col = cells["col"].to_numpy() - core.first_col
    for start in range(0, core.shape[0], _STRIP_ROWS):
        height = min(_STRIP_ROWS, core.shape[0] - start)
        block = core.window(start, 0, height, core.shape[1])
        is_here = np.flatnonzero((row >= start) & (row < start + height))
        if is_here.size == 0:
            continue

        def values(columns: list[str], block=block, at=is_here, first=start) -> np.ndarray:
            bands = np.full((len(columns), *block.shape), np.nan, dtype=np.float32)
            for band, column in zip(bands, columns, strict=True):
                band[row[at] - first, col[at]] = cells[column].to_numpy()[at]
            return bands

        yield block, values
