"""Sky records of a tile and of a run: what counts in which row, and what the rows belong to."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from solarkataster.io.visibility import SCHEMA, RecordsWriter, records_table
from solarkataster.irradiance import Light
from solarkataster.layout.racks import HEIGHT_FRACTIONS
from solarkataster.sky_table import SkyTable
from solarkataster.stages.facade_tables import facade_ids
from solarkataster.stages.job import TileFacades, TileJob, TileLight, TileRoofs
from solarkataster.stages.plan import Plan
from solarkataster.stages.roof_things import roof_ids
from solarkataster.surface_records import RACK, ROOF, WALL, SurfaceRecords, month_means
from solarkataster.visibility import SkyRecorder

#: Name of the table, of a tile and of a run.
NAME = "sky_visibility"

#: Rows of the run's table that are put in order together; bounds memory for large runs.
_GROUP_ROWS = 8192


class RoofRecords:
    """Records of a tile's roof planes, then of their racks, by facing."""

    def __init__(self, roofs: TileRoofs, sky: SkyTable) -> None:
        assert roofs.receivers is not None
        self.roofs, n_roof = roofs, len(roofs)
        surface = np.arange(len(roofs.receivers.surface_tilt))
        # The heights on a module face one way; a cell stands for one of them, in turns.
        of_rack = n_roof + (surface - n_roof) // len(HEIGHT_FRACTIONS)
        self.unit = np.where(surface < n_roof, surface, of_rack)
        self.recorder = SkyRecorder(
            roofs.receivers, len(sky.azimuths_deg), sky.convergence_deg, unit=self.unit
        )

    def of(self, seen: Light) -> SurfaceRecords:
        """The records, with the light that the same receivers got."""
        receivers, n_roof = self.roofs.receivers, len(self.roofs)
        assert receivers is not None
        record = self.recorder.record()
        n = len(record)
        owner, part = np.arange(n), np.zeros(n, dtype=np.int64)
        for i, racks in enumerate(self.roofs.racks):
            if racks is not None:
                facings = np.arange(len(racks.azimuths_deg))
                first = n_roof + (self.roofs.rack_surface[i] - n_roof) // len(HEIGHT_FRACTIONS)
                owner[first + facings], part[first + facings] = i, facings
        kind = np.array([ROOF] * n_roof + [RACK] * (n - n_roof), dtype=object)
        months = month_means(seen, self.unit[receivers.surface], n)
        return SurfaceRecords(record, kind, owner, part, np.ones(n), *months)


class WallRecords:
    """Records of the chords of a tile's walls; balcony plants have none."""

    def __init__(self, facades: TileFacades, sky: SkyTable) -> None:
        assert facades.receivers is not None
        receivers, n = facades.receivers, facades.n_on_wall
        surface = receivers.surface[:n]
        chords, first = np.unique(surface, return_index=True)
        order = np.lexsort((chords, facades.wall[first]))  # wall by wall
        chords, first = chords[order], first[order]
        unit = np.full(len(receivers.surface_tilt), -1)
        unit[chords] = np.arange(len(chords))
        self.area_m2 = np.zeros(len(receivers))
        self.area_m2[:n] = facades.point_area_m2
        self.wall = facades.wall[first].astype(np.int64)
        self.row = np.full(len(receivers), -1)
        self.row[:n] = unit[surface]
        self.recorder = SkyRecorder(
            receivers, len(sky.azimuths_deg), sky.convergence_deg, unit=unit, weight=self.area_m2
        )

    def of(self, seen: Light) -> SurfaceRecords:
        """The records, with the light that the same receivers got."""
        wall, n = self.wall, len(self.wall)
        on_wall = self.row >= 0
        area_m2 = np.bincount(self.row[on_wall], self.area_m2[on_wall], n)
        of_wall = np.bincount(wall, area_m2)[wall]
        part = np.arange(n) - np.searchsorted(wall, wall)
        kind = np.array([WALL] * n, dtype=object)
        months = month_means(seen, self.row, n, self.area_m2)
        return SurfaceRecords(self.recorder.record(), kind, wall, part, area_m2 / of_wall, *months)


def tile_records(
    job: TileJob, roofs: TileRoofs, facades: TileFacades | None, light: TileLight
) -> pa.Table:
    """The tile's roof planes and racks, then the chords of its walls, as they are stored."""
    tables = [SCHEMA.empty_table()]
    if light.roof_records is not None:
        owner = light.roof_records.owner
        building = np.array(job.building_ids, dtype=object)[roofs.building]
        ids = np.array(roof_ids(job, roofs), dtype=object)
        tables.append(records_table(building[owner], ids[owner], light.roof_records))
    if light.wall_records is not None and facades is not None:
        owner = light.wall_records.owner
        building, ids = facade_ids(job, facades)
        tables.append(records_table(building[owner], ids[owner], light.wall_records))
    joined = pa.concat_tables(tables)
    return joined.replace_schema_metadata(tables[-1].schema.metadata)


def write_sky_visibility(folder: Path, plan: Plan, reports: Mapping[str, Any]) -> None:
    """
    Join the tiles' sky records in the order of the input, some thousand rows at a time.

    Parameters
    ----------
    folder : Path
        Of the final files.
    plan : Plan
    reports : mapping
        Tiles that are done.
    """
    paths = [plan.folder.tile(one.name) / f"{NAME}.parquet" for one in plan.tiles]
    paths = [path for one, path in zip(plan.tiles, paths, strict=True) if one.name in reports]
    ids = pd.Index(plan.checked.footprints["building_id"].to_numpy())
    of_tiles = [
        ids.get_indexer(pq.read_table(path, columns=["building_id"])["building_id"].to_pandas())
        for path in paths
    ]
    tile = np.repeat(np.arange(len(paths)), [len(one) for one in of_tiles])
    row = np.concatenate([*(np.arange(len(one)) for one in of_tiles), np.zeros(0, np.int64)])
    # A tile keeps each building's own order.
    building = np.concatenate([*of_tiles, np.zeros(0, np.int64)])
    order = np.lexsort((row, tile, building))
    with RecordsWriter(folder / f"{NAME}.parquet", plan.checked.convergence_deg) as writer:
        for begin in range(0, max(len(order), 1), _GROUP_ROWS):
            at = order[begin : begin + _GROUP_ROWS]
            parts, places = [SCHEMA.empty_table()], [np.zeros(0, np.int64)]
            for i in np.unique(tile[at]):
                here = np.flatnonzero(tile[at] == i)
                table = pq.read_table(paths[i]).replace_schema_metadata(None)
                parts.append(table.take(row[at[here]]))
                places.append(here)
            back = np.argsort(np.concatenate(places))
            writer.write(pa.concat_tables(parts).combine_chunks().take(back))
