"""Stage 5: a tile's roofs, buildings and roof cells, written whole."""

from __future__ import annotations

import errno
import os
import shutil
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from solarkataster.io.runfolder import write_json, write_permit
from solarkataster.potential import best_plane, building_sums, surface_potential
from solarkataster.quality import joined_marks
from solarkataster.stages.facade_tables import facade_sums, facade_tables
from solarkataster.stages.job import (
    TileFacades,
    TileJob,
    TileLayout,
    TileLight,
    TileRoofs,
    TileScene,
)
from solarkataster.stages.roof_things import (
    block_table,
    module_table,
    roof_ids,
    side_table,
    superstructure_table,
)
from solarkataster.stages.sky_records import NAME, tile_records
from solarkataster.units import MONTHS, W_PER_KW

#: Columns of a tile's cells that hold values; the bands of the rasters.
CELL_COLUMNS = (
    "poa_global_year_kwh_m2",
    *(f"poa_global_{month}_kwh_m2" for month in MONTHS),
    "sky_view_factor",
)


def tables_stage(
    job: TileJob,
    roofs: TileRoofs,
    scene: TileScene,
    facades: TileFacades | None,
    light: TileLight,
    layout: TileLayout,
    seconds: dict[str, float],
) -> dict[str, Any]:
    """
    Write the tile's results under the client's lock.

    Returns
    -------
    dict
        What run.json says about the tile.
    """
    roof_table = _roof_table(job, roofs, light, layout)
    cells, spill = _cell_tables(job, roofs, light)
    walls = facade_tables(job, facades, light)
    buildings = _building_table(job, roofs, light, layout, roof_table)
    tables = {
        "roofs": roof_table,
        "buildings": _with_walls(job, buildings, facades, walls.facades),
        "facades": walls.facades,
        "facade_storeys": walls.storeys,
        "facade_elements": walls.elements,
        "modules": module_table(job, roofs, layout),
        "superstructures": superstructure_table(job, roofs),
        "sides": side_table(job, roofs),
        "blocks": block_table(job, scene),
        "cells": cells,
        "spill": spill,
        NAME: tile_records(job, roofs, facades, light),
    }
    report = {
        "stamp": job.stamp,
        "state": "done",
        "n_buildings": len(job.building_ids),
        "n_roofs": len(roof_table),
        "n_facades": 0 if facades is None else len(facades),
        "n_modules": len(layout.roof),
        "n_receivers": 0 if roofs.receivers is None else len(roofs.receivers),
        "n_wall_receivers": 0 if facades is None else len(facades.wall),
        "n_failed_buildings": roofs.n_failed + (0 if facades is None else len(facades.failed)),
        "window_cells": list(job.window.shape),
        "spill_bounds": _bounds(spill),
        "seconds": seconds,
    }
    with write_permit(job.folder, job.token):
        _write(job, tables, report)
    return report


def _write(
    job: TileJob, tables: dict[str, pd.DataFrame | pa.Table], report: dict[str, Any]
) -> None:
    """
    Write into a folder of another name, then give it the tile's name.

    The other name is this attempt's own: a worker that the scheduler gave up may still be writing
    the same tile.
    """
    target = job.folder.tile(job.name)
    aside = _own_name(target)
    aside.mkdir(parents=True)
    try:
        for name, table in tables.items():
            if isinstance(table, pd.DataFrame):
                table = pa.Table.from_pandas(table, preserve_index=False)
            pq.write_table(
                table,
                aside / f"{name}.parquet",
                compression="zstd",
                compression_level=1,
            )
        write_json(aside / "tile.json", report)
        _take_place(aside, target)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _own_name(target: Path) -> Path:
    """A name beside the tile that no other attempt has, and that the next client sweeps."""
    return target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}.tmp")


def _take_place(aside: Path, target: Path) -> None:
    """
    Rename a whole folder to the tile's name; one of the same name is renamed away before.

    For an instant there may be no tile, never half of one. If another attempt at the same tile
    gets there in between, its folder holds the same results and stays.
    """
    old = _own_name(target)
    with suppress(FileNotFoundError):
        os.replace(target, old)
    try:
        os.replace(aside, target)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
    finally:
        shutil.rmtree(old, ignore_errors=True)


def _with_walls(
    job: TileJob, buildings: pd.DataFrame, facades: TileFacades | None, walls: pd.DataFrame
) -> pd.DataFrame:
    """Buildings with the sums of their walls, and a remark where walls failed."""
    if facades is None:
        return buildings
    table = pd.concat([buildings, facade_sums(walls, facades.building, len(buildings))], axis=1)
    quality = table["data_quality"].to_numpy(dtype=object)
    for building, fault in facades.failed:
        quality[building] = joined_marks([quality[building], fault])
    table["data_quality"] = quality
    return table


def _roof_table(
    job: TileJob, roofs: TileRoofs, light: TileLight, layout: TileLayout
) -> pd.DataFrame:
    if roofs.receivers is None or light.seen is None or light.open_sky is None:
        return pd.DataFrame({"building_id": np.zeros(0, dtype=object)})
    n_roof = len(roofs)
    tilt = roofs.receivers.surface_tilt[:n_roof]
    # Grid north lies convergence_deg east of true north.
    azimuth = (roofs.receivers.grid_azimuth[:n_roof] + job.convergence_deg) % 360.0
    area_m2 = shapely.area(roofs.outline) / np.cos(np.radians(tilt))
    head = pd.DataFrame(
        {
            "building_id": np.array(job.building_ids, dtype=object)[roofs.building],
            "roof_id": roof_ids(job, roofs),
            "surface_tilt": tilt,
            "surface_azimuth": np.where(roofs.is_level, np.nan, azimuth),
            "kind": np.array(roofs.kind, dtype=object),
            "area_m2": area_m2,
            "usable_area_m2": layout.usable_area_m2,
            "n_modules": layout.n_modules,
            "dc_power_kwp": layout.n_modules * job.config.layout.module_power_wp / W_PER_KW,
            "module_tilt": layout.module_tilt,
            "module_azimuth": (layout.module_grid_azimuth + job.convergence_deg) % 360.0,
            "reason": np.array(layout.reason, dtype=object),
            "data_quality": np.array(roofs.quality, dtype=object),
        }
    )
    if roofs.view is not None:
        head["monument_visible"] = roofs.view[0]
    on_roof = slice(0, roofs.n_on_roof)
    values = surface_potential(
        light.seen.part(on_roof),
        light.open_sky.poa_global_year_kwh_m2[:n_roof],
        roofs.receivers.surface[on_roof],
        area_m2,
    )
    geometry = pd.Series(shapely.to_wkb(roofs.outline), dtype=object, name="geometry")
    return pd.concat([head, values, geometry], axis=1)


def _building_table(
    job: TileJob,
    roofs: TileRoofs,
    light: TileLight,
    layout: TileLayout,
    roof_table: pd.DataFrame,
) -> pd.DataFrame:
    n_building = len(job.building_ids)
    head = pd.DataFrame(
        {
            "building_id": np.array(job.building_ids, dtype=object),
            "height_m": roofs.height_m,
            "overhang_m": roofs.overhang_m,
            "monument": job.is_monument,
            "reason": np.array(roofs.reason, dtype=object),
            "data_quality": np.array(["; ".join(marks) for marks in roofs.marks], dtype=object),
        }
    )
    if roofs.view is not None:
        head["monument_visible"] = roofs.view[1]
    if light.open_sky is None or roof_table.empty:
        head["n_roofs"] = np.int32(0)
        return head
    best = best_plane(roof_table, roofs.building, n_building)
    has_roof = best >= 0
    reason = head["reason"].to_numpy()
    reason[has_roof] = roof_table["reason"].to_numpy()[best[has_roof]]
    head["reason"] = reason
    open_year = light.open_sky.poa_global_year_kwh_m2[: len(roofs)]
    sums = building_sums(
        roof_table, open_year * roof_table["area_m2"].to_numpy(), roofs.building, n_building
    )
    return pd.concat([head, sums], axis=1)


def _cell_tables(
    job: TileJob, roofs: TileRoofs, light: TileLight
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """
    Roof cells inside the tile's core, and those of its buildings beyond it.

    Rows and columns count on the lattice of the data, which no change of the extent moves.
    """
    if roofs.receivers is None or light.seen is None:
        empty = pd.DataFrame({"row": np.zeros(0, np.int32), "col": np.zeros(0, np.int32)})
        return empty, empty
    on_roof = slice(0, roofs.n_on_roof)
    seen = light.seen.part(on_roof)
    values = np.column_stack(
        [seen.poa_global_year_kwh_m2, seen.poa_global_month_kwh_m2, seen.sky_view_factor]
    ).astype(np.float32)
    cells = pd.DataFrame(values, columns=list(CELL_COLUMNS))
    row = np.round(roofs.receivers.row[on_roof] + job.window.first_row).astype(np.int32)
    col = np.round(roofs.receivers.col[on_roof] + job.window.first_col).astype(np.int32)
    index = job.building_index[roofs.building[roofs.receivers.surface[on_roof]]]
    cells.insert(0, "row", row)
    cells.insert(1, "col", col)
    cells.insert(2, "building_index", index.astype(np.int32))
    top, left = job.core.first_row, job.core.first_col
    is_inside = (
        (row >= top)
        & (row < top + job.core.shape[0])
        & (col >= left)
        & (col < left + job.core.shape[1])
    )
    return cells[is_inside], cells[~is_inside]


def _bounds(cells: pd.DataFrame) -> list[int] | None:
    """First row and column and last row and column of some cells; None without any."""
    if cells.empty:
        return None
    low, high = cells[["row", "col"]].min(), cells[["row", "col"]].max()
    return [int(low["row"]), int(low["col"]), int(high["row"]), int(high["col"])]
