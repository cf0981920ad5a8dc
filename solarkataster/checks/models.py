"""Surface and terrain model checked: their cells, their place, and what one says of the other."""

from __future__ import annotations

import numpy as np
import shapely

from solarkataster.checks.footprints import place_faults
from solarkataster.checks.heights import pair_faults, source_name, whole_metres_note
from solarkataster.checks.raster_looks import Looks, look_at
from solarkataster.checks.rasters import value_faults
from solarkataster.config import Config
from solarkataster.crs import crs_name, same_crs
from solarkataster.errors import InputError, collected
from solarkataster.io.raster_headers import truncated_file
from solarkataster.io.rasters import RasterSource


def covered_area(source: RasterSource) -> shapely.Geometry:
    """Ground plan of all files of a raster."""
    # Corners as the lattice has them: file headers are rounded and would leave gaps at the seams.
    cells = [
        source.grid.window(*source.grid.offset_of(f.grid), *f.grid.shape) for f in source.files
    ]
    return shapely.union_all([shapely.box(*grid.bounds) for grid in cells], grid_size=1e-6)


def model_faults(
    config: Config,
    dsm: RasterSource | None,
    dtm: RasterSource | None,
    outlines: np.ndarray,
    notes: list[str],
) -> tuple[list[InputError], dict[str, Looks]]:
    """
    Everything that needs the cells of the rasters, or both of them.

    Parameters
    ----------
    config : Config
    dsm, dtm : RasterSource or None
        None where opening failed already.
    outlines : ndarray of shapely geometry, shape (n_building,)
        Footprints; missing ones are None. [m]
    notes : list of str
        Added to.

    Returns
    -------
    faults : list of InputError
    looks : dict of Looks
        What was seen of each, by role.
    """
    faults: list[InputError] = []
    looks: dict[str, Looks] = {}
    for source in (dsm, dtm):
        if source is None:
            continue
        for file in source.files:
            with collected(faults):
                fault = truncated_file(file)
                faults += [fault] if fault else []
    if faults:
        return faults, looks  # reading on would only say the same again
    wrong: set[str] = set()
    for source in (dsm, dtm):
        if source is not None:
            with collected(faults):
                looks[source.role] = look_at(source)
                found = _value_faults(config, source, looks[source.role])
                wrong |= {source.role} if found else set()
                faults += found
    if dsm is None or dtm is None:
        return faults, looks
    place = _place_faults(config, dsm, dtm, outlines)
    notes += _pair_notes(dsm, dtm)
    notes += whole_metres_note(looks["dsm"].sample_m) if "dsm" in looks else []
    if place or "dtm" in wrong or len(looks) < 2:
        return faults + place, looks
    # Zeros that are missing values must not pass for low ground; but a height above ground is
    # zero on open ground too, and only this comparison tells it.
    heights = looks["dsm"].cleaned() if "dsm" in wrong else looks["dsm"]
    with collected(faults):
        faults += pair_faults(config.limits, dsm, dtm, heights, outlines, notes)
    return faults, looks


def _value_faults(config: Config, source: RasterSource, looks: Looks) -> list[InputError]:
    limits = config.limits
    sample_m = looks.sample_m
    return value_faults(
        source_name(source),
        looks.counts,
        sample_m[~np.isnan(sample_m)],
        limits.max_zero_fraction,
        limits.zero_floor_m,
    )


def _place_faults(
    config: Config, dsm: RasterSource, dtm: RasterSource, outlines: np.ndarray
) -> list[InputError]:
    """Coordinate systems and extents of the two rasters and the footprints."""
    if not same_crs(dsm.grid.crs, dtm.grid.crs):
        right = crs_name(dsm.grid.crs)
        return [
            InputError(
                f"coordinate system is {crs_name(dtm.grid.crs)}",
                where=source_name(dtm),
                expected=f"{right}, as the surface model has",
                remedy=f"Reproject it: gdalwarp -r bilinear -t_srs {right} FILE OUT",
            )
        ]
    surface, terrain = covered_area(dsm), covered_area(dtm)
    if shapely.intersection(surface, terrain).area == 0.0:
        return [
            InputError(
                f"does not overlap the surface model (terrain {dtm.grid.bounds}, "
                f"surface {dsm.grid.bounds})",
                where=source_name(dtm),
                expected="terrain and surface model of the same place",
                remedy="Take the files of one place.",
            )
        ]
    # Lattices of points and of cells differ by half a cell at the edge.
    terrain = shapely.buffer(terrain, dtm.grid.cell_size_m, join_style="mitre")
    return place_faults(
        str(config.inputs.footprints),
        outlines,
        surface,
        terrain,
        config.limits.max_off_raster_fraction,
    )


def _pair_notes(dsm: RasterSource, dtm: RasterSource) -> list[str]:
    notes = []
    size_m = dsm.grid.cell_size_m
    rows = (dsm.grid.north_m - dtm.grid.north_m) / size_m
    cols = (dtm.grid.west_m - dsm.grid.west_m) / size_m
    if dtm.grid.cell_size_m != size_m or abs(rows - round(rows)) + abs(cols - round(cols)) > 1e-6:
        notes.append(
            f"terrain model has cells of {dtm.grid.cell_size_m:g} m, the surface model of "
            f"{size_m:g} m: read bilinearly on the cells of the surface model"
        )
    for source in (dsm, dtm):
        total_m2 = sum(shapely.box(*file.grid.bounds).area for file in source.files)
        twice_m2 = total_m2 - covered_area(source).area
        if twice_m2 > size_m**2:
            notes.append(
                f"{source.role}: files overlap on {twice_m2:.0f} m²; the first by name counts"
            )
    return notes
