"""Open every input of a config and say all that is wrong, before anything is computed."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np

from solarkataster.checks.canopy import Greenery, check_greenery, with_parts
from solarkataster.checks.footprints import (
    bad_footprints_fault,
    building_marks,
    footprint_states,
    repaired,
)
from solarkataster.checks.lod2 import lod2_faults
from solarkataster.checks.models import covered_area, model_faults
from solarkataster.checks.points import point_faults
from solarkataster.checks.rating import COLUMN_KEYS, RatingInputs, check_rating
from solarkataster.checks.rules import (
    check_profile,
    check_rules,
    duty_notes,
    reach_notes,
    yield_notes,
)
from solarkataster.checks.settings import unused_notes, use_notes
from solarkataster.config import Config
from solarkataster.crs import (
    convergence_deg,
    longitude_latitude,
    transformation_note,
)
from solarkataster.errors import InputError, InputErrors, collected
from solarkataster.grid import Grid
from solarkataster.io.citymodels import CityModelSource, open_citymodels
from solarkataster.io.footprints import id_texts, read_footprints
from solarkataster.io.pointclouds import PointSource, open_points
from solarkataster.io.rasters import RasterSource, open_rasters
from solarkataster.io.weather import read_weather
from solarkataster.rating.monuments import is_monument
from solarkataster.rules.book import RuleBook
from solarkataster.scenario import Changes
from solarkataster.sky import SkySources, report_notes, sky_sources
from solarkataster.weather_site import far_site_fault, site_distance_km

if TYPE_CHECKING:
    from solarkataster.weather import Weather


@dataclass(frozen=True)
class CheckedInputs:
    """
    Inputs that may be computed with.

    Parameters
    ----------
    config : Config
    dsm, dtm : RasterSource
    footprints : GeoDataFrame
        In the surface model's coordinate system, one row per row of the input: ``building_id``, its
        columns, ``geometry`` (repaired where it was invalid, None where there is none).
    weather : Weather
    sky : SkySources
        The light of the weather, sorted by the sky model of the config.
    is_monument : ndarray of bool, shape (n_building,)
        False for all if the config names no monuments.
    points : PointSource or None
        Laser points, if the config names any. What a tile depends on are the checksums of the files
        of ``points.touching(bounds)``.
    notes : list of str
        What the reader should know, of the inputs as a whole.
    marks : dict of list of str
        What is wrong with single outlines, by building id. Nodata and heights inside a
        footprint are for the tiles, which read every cell.
    lod2 : CityModelSource or None
        City model, if the config names any: the place of every building, not its surfaces.
    greenery : Greenery
        Tree cadastre, canopy heights and land cover, as far as the config names them.
    changes : Changes
        Of a what-if scenario; footprints are those after it.
    rating : RatingInputs
        What is known of buildings, and layers and lists beside them, for rating.
    book : RuleBook or None
        Rules of yield, money and classes; None if the config wants none of these.
    measured_share : ndarray, shape (35040,), or None
        Measured load profile in the clock of the weather, if the config names one. [–]
    """

    config: Config
    dsm: RasterSource
    dtm: RasterSource
    footprints: gpd.GeoDataFrame
    weather: Weather
    sky: SkySources
    is_monument: np.ndarray
    points: PointSource | None = None
    notes: list[str] = field(default_factory=list)
    marks: dict[str, list[str]] = field(default_factory=dict)
    lod2: CityModelSource | None = None
    greenery: Greenery = field(default_factory=Greenery)
    changes: Changes = field(default_factory=Changes)
    rating: RatingInputs = field(default_factory=RatingInputs)
    book: RuleBook | None = None
    measured_share: np.ndarray | None = None

    @property
    def grid(self) -> Grid:
        """The grid of the run: the surface model's."""
        return self.dsm.grid

    @cached_property
    def convergence_deg(self) -> float:
        """Meridian convergence at the raster's centre: true azimuth less grid azimuth. [°]"""
        return convergence_deg(self.grid.crs, *self.grid.centre)

    @cached_property
    def latitude_deg(self) -> float:
        """Of the raster's centre. [°]"""
        return longitude_latitude(self.grid.crs, *self.grid.centre)[1]

    @cached_property
    def weather_distance_km(self) -> float:
        """From the raster's centre to the weather site. [km]"""
        return site_distance_km(self.grid, self.weather)

    @cached_property
    def checksums(self) -> dict[str, str]:
        """SHA-256 of every input file and of what it refers to, by path."""
        inputs = self.config.inputs
        files = [
            file for source in (self.dsm, self.dtm, *self.greenery.rasters) for file in source.files
        ]
        paths = [part for file in files for part in file.parts]
        paths += [file.path for file in self.points.files] if self.points else []
        paths += [file.path for file in self.lod2.files] if self.lod2 else []
        paths += [*self.greenery.paths, *with_parts(inputs.footprints), *self.rating.paths]
        more = [inputs.weather, inputs.load_profile, self.config.rules.file]
        paths = list(dict.fromkeys([*paths, *(path for path in more if path is not None)]))
        # hashlib lets other threads work while it digests.
        with ThreadPoolExecutor(2) as pool:
            return dict(zip(map(str, paths), pool.map(_sha256, paths), strict=True))


def check_inputs(config: Config) -> CheckedInputs:
    """
    Open and check all inputs.

    Headers, all footprints and all weather are read, and the rasters in blocks spread over their
    area; memory does not grow with the municipality, except for the footprints.

    Parameters
    ----------
    config : Config

    Returns
    -------
    CheckedInputs

    Raises
    ------
    InputErrors
        With every fault that was found.
    """
    inputs, limits = config.inputs, config.limits
    faults: list[InputError] = []
    notes: list[str] = []
    opened = _opened(config, faults)
    dsm, dtm, table, weather = opened.dsm, opened.dtm, opened.table, opened.weather
    if dsm and weather:
        faults += _site_faults(config, dsm.grid, weather, notes)
    outlines = np.zeros(0, dtype=object)
    if table is not None:
        delivered = table.geometry.to_numpy()
        states = footprint_states(delivered)
        fault = bad_footprints_fault(
            str(inputs.footprints), states, limits.max_bad_footprints_fraction
        )
        faults += [fault] if fault else []
        outlines = repaired(delivered)
    found, looks = model_faults(config, dsm, dtm, outlines, notes)
    faults += found
    if opened.points is not None and dsm is not None:
        # Heights that are in doubt themselves are no measure for others.
        measure = None if found else looks.get("dsm")
        with collected(faults):
            faults += point_faults(config.points, opened.points, dsm, measure, outlines, notes)
    lod2_marks: dict[str, list[str]] = {}
    if opened.lod2 is not None and dsm is not None and table is not None:
        measure = None if found else looks.get("dsm")
        ids = table["building_id"].to_numpy()
        with collected(faults):
            faults += lod2_faults(opened.lod2, dsm, measure, ids, outlines, notes, lod2_marks)
    greenery = Greenery()
    if dsm is not None:
        terrain = None if found else dtm
        greenery, wrong = check_greenery(config, dsm, terrain, covered_area(dsm), outlines, notes)
        faults += wrong
    rating, rating_marks, wrong = check_rating(
        config,
        dsm.grid.crs if dsm else None,
        table,
        outlines,
        covered_area(dsm) if dsm else None,
        notes,
    )
    faults += wrong
    book = check_rules(config, faults)
    measured = check_profile(config, weather, notes, faults)
    if faults:
        raise InputErrors(faults)
    assert dsm is not None
    assert dtm is not None
    assert table is not None
    assert weather is not None
    marks = building_marks(
        table["building_id"].to_numpy(),
        delivered,
        outlines,
        covered_area(dsm),
        limits.min_footprint_area_m2,
        limits.min_overlap_m2,
    )
    for building_id, texts in [*lod2_marks.items(), *rating_marks.items()]:
        marks.setdefault(building_id, []).extend(texts)
    if "transformed_from" in table.attrs:
        note = transformation_note(table.attrs["transformed_from"], dsm.grid.crs)
        notes += [f"{inputs.footprints}: {note}"] if note else []
    table = table.set_geometry(gpd.GeoSeries(outlines, index=table.index, crs=table.crs))
    sky = sky_sources(weather, config.irradiation.sky)
    marked = is_monument(outlines, rating.monument_shapes)
    if inputs.monuments:
        n_monuments = len(rating.monument_shapes)
        notes.append(
            f"{inputs.monuments}: {n_monuments} monuments mark {int(marked.sum())} buildings"
        )
    told = [*weather.notes, *report_notes(sky.report)]
    notes += [f"{inputs.weather.name}: {note}" for note in told]
    use = None if inputs.footprint_use is None else id_texts(table[inputs.footprint_use])
    notes += unused_notes(config, use)
    notes += use_notes(rating.buildings["use"], book)
    notes += yield_notes(book, weather)
    notes += duty_notes(config, book)
    notes += reach_notes(config, book, sky, convergence_deg(dsm.grid.crs, *dsm.grid.centre))
    return CheckedInputs(
        config, dsm, dtm, table, weather, sky, marked, opened.points, notes, marks, opened.lod2,
        greenery, rating=rating, book=book, measured_share=measured,
    )  # fmt: skip


@dataclass
class _Opened:
    """Inputs one by one; None where a fault was found."""

    dsm: RasterSource | None = None
    dtm: RasterSource | None = None
    table: gpd.GeoDataFrame | None = None
    weather: Weather | None = None
    points: PointSource | None = None
    lod2: CityModelSource | None = None


def _opened(config: Config, faults: list[InputError]) -> _Opened:
    """Open each input, and put what is wrong with it alone to the faults."""
    inputs, opened = config.inputs, _Opened()
    with collected(faults):
        opened.dsm = open_rasters(inputs.dsm, "dsm")
    with collected(faults):
        opened.dtm = open_rasters(inputs.dtm, "dtm")
    crs = opened.dsm.grid.crs if opened.dsm else None
    with collected(faults):
        opened.table = read_footprints(
            inputs.footprints, inputs.footprint_id, inputs.footprint_layer, crs,
            named={key: getattr(inputs, key) for key in COLUMN_KEYS},
        )  # fmt: skip
    with collected(faults):
        opened.weather = read_weather(inputs.weather, config.weather)
    if inputs.points:
        with collected(faults):
            opened.points = open_points(inputs.points, crs=config.points.crs, expected_crs=crs)
    if inputs.lod2:
        with collected(faults):
            opened.lod2 = open_citymodels(inputs.lod2, crs=config.lod2.crs, expected_crs=crs)
    return opened


def _sha256(path: Path) -> str:
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _site_faults(
    config: Config, grid: Grid, weather: Weather, notes: list[str]
) -> list[InputError]:
    fault = far_site_fault(
        grid,
        weather,
        config.inputs.weather,
        config.weather.max_distance_km,
        "max_distance_km in [weather]",
    )
    if fault is not None:
        return [fault]
    notes.append(
        f"weather site is {site_distance_km(grid, weather):.0f} km away ({weather.source})"
    )
    return []
