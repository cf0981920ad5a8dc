"""Finishing: the trees of the cadastre as they were used, with what was doubtful."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from solarkataster.canopy import DECIDUOUS, EVERGREEN
from solarkataster.checks import CheckedInputs
from solarkataster.io.results import Layer, typed, write_geoparquet
from solarkataster.layers import TREE_COLUMNS

_KINDS = {DECIDUOUS: "deciduous", EVERGREEN: "evergreen"}
_COLOUR = "#4d9221"


def tree_table(checked: CheckedInputs) -> gpd.GeoDataFrame | None:
    """
    One row per tree of the cadastre, with the outline of its crown; None without a cadastre.

    Trees that were left out come last, with the reason and without an outline; those outside the
    surface model are not listed.
    """
    trees, dropped = checked.greenery.trees, checked.greenery.dropped
    if trees is None:
        return None
    used = pd.DataFrame(
        {
            "tree_id": trees.tree_id,
            "is_used": True,
            "height_m": trees.height_m,
            "crown_diameter_m": trees.crown_diameter_m,
            "crown_base_m": trees.base_m,
            "kind": [_KINDS[int(kind)] for kind in trees.kind],
            "data_quality": list(trees.marks),
        }
    )
    left_out = pd.DataFrame(
        {"tree_id": list(dropped), "is_used": False, "data_quality": list(dropped.values())}
    )
    trunks = shapely.points(trees.easting_m, trees.northing_m)
    crowns = shapely.buffer(trunks, trees.crown_diameter_m / 2.0, quad_segs=6)
    rows = pd.concat([used, left_out], ignore_index=True) if dropped else used
    return gpd.GeoDataFrame(
        typed(rows, TREE_COLUMNS),
        geometry=np.append(crowns, np.full(len(dropped), None, dtype=object)),
        crs=checked.footprints.crs,
    )


def write_trees(folder: Path, checked: CheckedInputs) -> dict[str, Layer]:
    """Write ``trees.parquet`` if there is a cadastre; its layer for the GeoPackage."""
    table = tree_table(checked)
    if table is None:
        return {}
    write_geoparquet(folder / "trees.parquet", table)
    return {"trees": Layer(table, "", (), "Trees of the cadastre", colour=_COLOUR)}
