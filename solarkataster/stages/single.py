"""The commands for one raster: horizon, irradiation and sensors, without tiles or run folder."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from solarkataster.checks.heights import check_values, source_name
from solarkataster.config import WeatherConfig, load_config
from solarkataster.crs import convergence_deg
from solarkataster.errors import InputError
from solarkataster.footprint_cells import footprint_mask
from solarkataster.grid import Grid
from solarkataster.horizon import horizon_profile
from solarkataster.io.footprints import read_outlines
from solarkataster.io.rasters import MosaicWriter, open_rasters, read_window, write_cog
from solarkataster.io.runfolder import written_whole
from solarkataster.io.weather import read_weather
from solarkataster.irradiance import light
from solarkataster.layers import POA_YEAR_RASTER
from solarkataster.potential import light_columns
from solarkataster.progress import Progress
from solarkataster.sensors import cell_light, sensor_receivers, surface_under
from solarkataster.sky import sky_sources
from solarkataster.sky_table import SkyTable, sky_table
from solarkataster.stages.points import checked_points, height_notes, read_points
from solarkataster.stages.single_faults import check_out, remedies_of_a_command
from solarkataster.units import MONTHS
from solarkataster.weather import LABELS, Weather
from solarkataster.weather_site import far_site_fault

#: Horizons held at once before they are written. [byte]
_HELD_BYTES = 256e6


@dataclass(frozen=True)
class SkySettings:
    """Where the light comes from, as the commands take it."""

    weather: Path
    label: str | None
    model: str
    n_azimuth: int
    albedo: float
    reach_m: float | None
    max_distance_km: float


def horizon_raster(dsm: str, out: Path, n_azimuth: int, reach_m: float | None) -> None:
    """
    Write the skyline of every cell, one band per azimuth from true north.

    Raises
    ------
    InputError, InputErrors
        If the raster or a setting cannot be used.
    """
    _check_out(out, dsm)
    dsm_m, grid = _read(dsm)
    true_deg = np.arange(n_azimuth) * 360.0 / n_azimuth
    grid_deg = true_deg - _convergence(grid)
    at_once = max(1, int(_HELD_BYTES / (4 * dsm_m.size)))
    names = [f"{azimuth:g} deg" for azimuth in true_deg]
    with (
        MosaicWriter(out, grid, names, "°") as writer,
        Progress("horizon", n_azimuth) as progress,
    ):
        for first in range(0, n_azimuth, at_once):
            which = range(first, min(first + at_once, n_azimuth))
            profile = horizon_profile(dsm_m, grid.cell_size_m, grid_deg[which].tolist(), reach_m)
            writer.write(grid, profile, [i + 1 for i in which])
            progress.at(which.stop)


def irradiation_raster(
    dsm: str, out: Path, settings: SkySettings, footprints: Path | None = None
) -> None:
    """
    Write the light on every cell's own slope: the year, then the months.

    Raises
    ------
    InputError, InputErrors
        If an input or a setting cannot be used.
    """
    _check_out(out, dsm, footprints, *_weather_files(settings))
    dsm_m, grid = _read(dsm)
    sky = _sky(settings, grid)
    mask = None
    if footprints is not None:
        with remedies_of_a_command():
            outlines = read_outlines(footprints, grid.crs)
        mask = footprint_mask(outlines, grid)
        if not (mask & np.isfinite(dsm_m)).any():
            raise InputError(
                "no outline covers a cell with data",
                where=str(footprints),
                expected="outlines inside {:.0f} {:.0f} {:.0f} {:.0f}".format(*grid.bounds),
                remedy="compare the coordinates of both files",
            )
    with Progress("irradiation", 1.0) as progress:
        values = cell_light(
            dsm_m,
            grid.cell_size_m,
            sky,
            mask=mask,
            reach_m=settings.reach_m,
            first_row=grid.first_row,
            first_col=grid.first_col,
            albedo=settings.albedo,
            progress=lambda done, total: progress.at(done / total),
        )
        write_cog(out, values, grid, ["year", *MONTHS], POA_YEAR_RASTER.unit)


def sensors_csv(dsm: str, points: Path, out: Path, settings: SkySettings) -> list[str]:
    """
    Write a table of points with the light each gets added; points are taken as given.

    Returns
    -------
    list of str
        Notes about points that lie far under or over the surface.

    Raises
    ------
    InputError, InputErrors
        If an input, a point or a setting cannot be used.
    """
    _check_out(out, dsm, points, *_weather_files(settings))
    table = read_points(points)
    dsm_m, grid = _read(dsm)
    given = checked_points(points, table, dsm_m, grid)
    receivers = sensor_receivers(
        dsm_m,
        grid,
        given.x,
        given.y,
        given.surface_tilt,
        given.surface_azimuth,
        z=given.z,
        height_m=given.height_m,
        convergence_deg=_convergence(grid),
    )
    surface_m = surface_under(dsm_m, grid, given.x, given.y)
    notes = height_notes(given, receivers.elevation_m, surface_m)
    sky = _sky(settings, grid)
    whole_m = grid.cell_size_m * sum(grid.shape)
    reach_m = whole_m if settings.reach_m is None else settings.reach_m
    with Progress("sensors", 1.0) as progress:
        seen = light(
            dsm_m,
            grid.cell_size_m,
            receivers,
            sky,
            reach_m=reach_m,
            first_row=grid.first_row,
            first_col=grid.first_col,
            albedo=settings.albedo,
            progress=lambda done, total: progress.at(done / total),
        )
    columns = light_columns(seen) | {"sky_view_factor": seen.sky_view_factor}
    added = pd.DataFrame({name: np.round(values, 4) for name, values in columns.items()})
    kept = table.drop(columns=[name for name in added if name in table])
    with written_whole(out) as temporary:
        pd.concat([kept, added], axis=1).to_csv(temporary, index=False)
    return notes


def _read(dsm: str | Sequence[str]) -> tuple[np.ndarray, Grid]:
    source = open_rasters(dsm, "dsm")
    dsm_m = read_window(source, source.grid)
    check_values(source_name(source), dsm_m)
    return dsm_m, source.grid


def _convergence(grid: Grid) -> float:
    return convergence_deg(grid.crs, *grid.centre)


def _sky(settings: SkySettings, grid: Grid) -> SkyTable:
    """The sky table of a command; the weather's site must be near enough."""
    weather = _weather(settings)
    fault = far_site_fault(
        grid, weather, settings.weather, settings.max_distance_km, "--max-distance-km"
    )
    if fault is not None:
        raise fault
    sources = sky_sources(weather, settings.model)
    return sky_table(sources, _convergence(grid), n_azimuth=settings.n_azimuth)


def _weather(settings: SkySettings) -> Weather:
    """The weather file, or the weather of a config: only a config can say what a CSV means."""
    label = settings.label
    if label is not None and label not in LABELS:
        raise InputError(
            f"unknown label {label}", where="--label", expected="one of " + ", ".join(LABELS)
        )
    path, section = settings.weather, WeatherConfig()
    in_words_of: AbstractContextManager[None] = remedies_of_a_command()
    if path.suffix == ".toml":
        config = load_config(path)
        path, section, in_words_of = config.inputs.weather, config.weather, nullcontext()
    if label is not None:
        section = section.model_copy(update={"label": label})
        in_words_of = remedies_of_a_command()
    with in_words_of:
        return read_weather(path, section)


def _check_out(out: Path, dsm: str | Sequence[str], *others: Path | None) -> None:
    """Say before anything is computed that the result has no place, or that of an input."""
    with remedies_of_a_command():
        source = open_rasters(dsm, "dsm")
    parts = [part for file in source.files for part in file.parts]
    check_out(out, [*parts, *(path for path in others if path is not None)])


def _weather_files(settings: SkySettings) -> list[Path]:
    """The file given as weather and, where that is a config, the file it names."""
    if settings.weather.suffix != ".toml":
        return [settings.weather]
    return [settings.weather, load_config(settings.weather).inputs.weather]
