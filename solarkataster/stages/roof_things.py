"""Tables of a tile beside its roofs: modules, superstructures, sides of the walls."""

from __future__ import annotations

import numpy as np
import pandas as pd
import shapely
from scipy import ndimage

from solarkataster.footprint_cells import cell_boxes
from solarkataster.stages.job import TileJob, TileLayout, TileRoofs, TileScene
from solarkataster.units import W_PER_KW


def roof_ids(job: TileJob, roofs: TileRoofs) -> np.ndarray:
    """``<building_id>/r<n>`` of every plane, (n_roof,)."""
    return _numbered(_building_ids(job, roofs.building), "r", roofs.number)


def _building_ids(job: TileJob, building: np.ndarray) -> np.ndarray:
    return np.array(job.building_ids, dtype=object)[building]


def _numbered(ids: np.ndarray, letter: str, number: np.ndarray) -> np.ndarray:
    text = [f"{one}/{letter}{n}" for one, n in zip(ids, number.tolist(), strict=True)]
    return np.array(text, dtype=object)


def module_table(job: TileJob, roofs: TileRoofs, layout: TileLayout) -> pd.DataFrame:
    """One row per module, in the order of the planes."""
    number = np.arange(len(layout.roof)) - np.searchsorted(layout.roof, layout.roof) + 1
    ids = roof_ids(job, roofs)[layout.roof]
    return pd.DataFrame(
        {
            "building_id": _building_ids(job, roofs.building[layout.roof]),
            "roof_id": ids,
            "module_id": _numbered(ids, "m", number),
            "row": layout.row,
            "column": layout.column,
            "orientation": np.where(layout.is_portrait, "portrait", "landscape").astype(object),
            "module_tilt": layout.tilt,
            "module_azimuth": (layout.grid_azimuth + job.convergence_deg) % 360.0,
            "dc_power_kwp": np.full(len(ids), job.config.layout.module_power_wp / W_PER_KW),
            "poa_global_year_kwh_m2": layout.poa_global_year_kwh_m2,
            "geometry": shapely.to_wkb(shapely.polygons(layout.corners)),
        }
    )


def superstructure_table(job: TileJob, roofs: TileRoofs) -> pd.DataFrame:
    """One row per superstructure, in the order of the buildings."""
    above = roofs.superstructures
    ids = _building_ids(job, above.building)
    return pd.DataFrame(
        {
            "building_id": ids,
            "roof_id": roof_ids(job, roofs)[above.roof],
            "superstructure_id": _numbered(ids, "o", above.number),
            "kind": np.array(above.kind, dtype=object),
            "height_m": above.height_m,
            "plan_area_m2": shapely.area(above.polygon),
            "geometry": shapely.to_wkb(above.polygon),
        }
    )


def block_table(job: TileJob, scene: TileScene) -> pd.DataFrame:
    """One row per thing outside all footprints that is no plant, if its middle is the tile's."""
    blocks = scene.blocks
    if blocks is None or len(blocks) == 0:
        return pd.DataFrame({"building_id": np.zeros(0, dtype=object)})
    row = np.floor(blocks.row + 0.5).astype(np.int64) + job.window.first_row - job.core.first_row
    col = np.floor(blocks.col + 0.5).astype(np.int64) + job.window.first_col - job.core.first_col
    is_here = (row >= 0) & (row < job.core.shape[0]) & (col >= 0) & (col < job.core.shape[1])
    where = ndimage.find_objects(blocks.label)
    shapes = []
    for k in np.flatnonzero(is_here):
        rows, cols = where[k]
        at = np.nonzero(blocks.label[rows, cols] == k + 1)
        shapes.append(cell_boxes(job.window, at[0] + rows.start, at[1] + cols.start))
    return pd.DataFrame(
        {
            "building_id": np.full(len(shapes), "", dtype=object),
            "area_m2": blocks.area_m2[is_here],
            "height_m": blocks.height_m[is_here],
            "geometry": shapely.to_wkb(np.array(shapes, dtype=object)),
        }
    )


def side_table(job: TileJob, roofs: TileRoofs) -> pd.DataFrame:
    """One row per straight side of a footprint whose eaves were looked for."""
    sides = roofs.sides
    ids = _building_ids(job, sides.building)
    east_m, north_m = (sides.end - sides.start).T
    # Outside lies on the right of start to end: a quarter turn clockwise from the direction.
    facing_deg = np.degrees(np.arctan2(east_m, north_m)) + 90.0
    return pd.DataFrame(
        {
            "building_id": ids,
            "side_id": _numbered(ids, "s", sides.number),
            "length_m": np.hypot(east_m, north_m),
            "surface_azimuth": (facing_deg + job.convergence_deg) % 360.0,
            "overhang_m": sides.overhang_m,
            "overhang_source": np.array(sides.source, dtype=object),
            "geometry": shapely.to_wkb(
                shapely.linestrings(np.stack([sides.start, sides.end], axis=1))
            ),
        }
    )
