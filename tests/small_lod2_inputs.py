"""A city model of the small municipality, which each test moves or breaks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from small_citymodels import CRS_NAME, gml, gml_boundaries, gml_building
from small_inputs import WEST_M, outlines, terrain, write_config

HEIGHT_M = 8.0


def houses() -> dict[str, list[tuple[str, np.ndarray]]]:
    """The small municipality's flat houses of 5 x 5 m, as rings by id."""
    table, ground_m = outlines(), terrain()
    found = {}
    for own, plan in zip(table["gml_id"], table.geometry, strict=True):
        corners = np.array(plan.exterior.normalize().coords)[::-1][:-1]
        low = float(ground_m[0, int(corners[:, 0].mean() - WEST_M)])
        foot, top = (np.column_stack([corners, np.full(4, z)]) for z in (low, low + HEIGHT_M))
        walls = [
            ("wall", np.array([foot[k], foot[(k + 1) % 4], top[(k + 1) % 4], top[k]]))
            for k in range(4)
        ]
        found[own] = [("ground", foot[::-1]), *walls, ("roof", top)]
    return found


def write_model(folder: Path, model, settings="", name="model.gml", crs=CRS_NAME, pattern="*.gml"):
    """The model as CityGML, and a config that names it."""
    members = "".join(gml_building(own, gml_boundaries(rings, own)) for own, rings in model.items())
    (folder / name).write_text(gml(members, crs=crs), encoding="utf-8")
    write_config(folder, f"[lod2]\n{settings}" if settings else "", lod2=pattern)


def moved(model, east_m=0.0, north_m=0.0, up_m=0.0, factor=1.0, prefix=""):
    """Every house elsewhere, with heights times a factor, and other ids."""
    shift, scale = np.array([east_m, north_m, up_m]), np.array([1.0, 1.0, factor])
    return {
        prefix + own: [(kind, ring * scale + shift) for kind, ring in rings]
        for own, rings in model.items()
    }
