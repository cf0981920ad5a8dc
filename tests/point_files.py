"""Made-up laser scans of the small town, as files that each test can break."""

from __future__ import annotations

from pathlib import Path

import laspy
import numpy as np
import pyproj
from small_inputs import CRS, NORTH_M, WEST_M, surface, terrain

#: ASPRS classes.
GROUND, BUILDING = 2, 6


def town_scan(n: int = 60_000, seed: int = 0) -> dict[str, np.ndarray]:
    """Single echoes on roofs and ground of the small town, 4 a m²: x, y, z, classification."""
    rng = np.random.default_rng(seed)
    heights_m, ground_m = surface(), terrain()
    ny, nx = heights_m.shape
    col, row = rng.uniform(0.01, nx - 0.01, n), rng.uniform(0.01, ny - 0.01, n)
    cell = row.astype(int), col.astype(int)
    is_roof = heights_m[cell] > ground_m[cell] + 1.0
    return {
        "x": WEST_M + col,
        "y": NORTH_M - row,
        "z": heights_m[cell].astype(float),
        "classification": np.where(is_roof, BUILDING, GROUND),
    }


def write_las(
    path: Path,
    scan: dict[str, np.ndarray],
    crs: str | None = CRS,
    point_format: int = 6,
    scale: float = 0.001,
    **fields,
) -> Path:
    """A LAS file, or LAZ by its suffix; ``fields`` replace or add to those of the scan."""
    version = "1.4" if point_format >= 6 else "1.2"
    header = laspy.LasHeader(version=version, point_format=point_format)
    scan = {**scan, **fields}
    header.scales = np.full(3, scale)
    # Offsets differ from file to file, as they do in deliveries.
    header.offsets = np.floor([np.min(scan[axis]) if len(scan[axis]) else 0.0 for axis in "xyz"])
    if crs is not None:
        header.add_crs(pyproj.CRS.from_user_input(crs))
    las = laspy.LasData(header)
    las.x, las.y, las.z = scan["x"], scan["y"], scan["z"]
    n = len(scan["x"])
    given = {"return_number": 1, "number_of_returns": 1, **scan}
    for name in set(given) - {"x", "y", "z"}:
        setattr(las, name, np.broadcast_to(np.asarray(given[name]), n).astype(np.uint8))
    las.write(path)
    return path


def part(scan: dict[str, np.ndarray], which: np.ndarray | slice) -> dict[str, np.ndarray]:
    return {name: values[which] for name, values in scan.items()}
