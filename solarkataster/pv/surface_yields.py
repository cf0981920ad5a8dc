"""Yield of roof planes and walls from plant parts, hour by hour, with the band around it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from solarkataster.canopy import Transmissivity
from solarkataster.hourly_light import SunPath, hourly_light, joined_units, scaled_to
from solarkataster.pv.incidence import incidence_table
from solarkataster.pv.plant import PlantModel, PlantOutput, plant_output
from solarkataster.pv.plant_parts import RACK, ROOF_PARALLEL
from solarkataster.surface_records import RACK as RACK_ROW
from solarkataster.surface_records import ROOF as ROOF_ROW
from solarkataster.surface_records import SurfaceRecords
from solarkataster.units import MONTHS
from solarkataster.weather import Weather

#: Plant parts that are worked out together: their hours fit into a processor's cache no more, but
#: pvlib is called as seldom.
_BLOCK = 48

#: Facings of a rack in module and record agree to this. [°]
_SAME_FACING_DEG = 0.01

#: Losses that differ from surface to surface, by column of the tables.
LOSS_COLUMNS = {
    "loss_incidence_fraction": ("incidence",),
    "loss_temperature_fraction": ("low_light", "temperature"),
    "loss_shading_mismatch_fraction": ("shading_mismatch",),
    "loss_inverter_fraction": ("inverter", "clipping"),
}


@dataclass(frozen=True, eq=False)
class PartRows:
    """
    Rows of sky records that plant parts look from.

    Parameters
    ----------
    part, row : ndarray, shape (n,), int64
        Part and its row; parts of walls with several chords have several rows.
    weight : ndarray, shape (n,)
        Share of the part. [–]
    """

    part: np.ndarray
    row: np.ndarray
    weight: np.ndarray


def part_rows(parts: pd.DataFrame, surface_id: np.ndarray, records: SurfaceRecords) -> PartRows:
    """
    Find the sky records of plant parts.

    Parameters
    ----------
    parts : DataFrame, n_part rows
        Columns of :mod:`solarkataster.pv.plant_parts`.
    surface_id : ndarray of str, shape (n_row,)
        Roof plane or wall of each record.
    records : SurfaceRecords, n_row rows

    Returns
    -------
    PartRows
        By part; racks take the record of their facing, modules in the plane that of the roof.
    """
    record = records.record
    rows = pd.DataFrame(
        {
            "surface_id": surface_id,
            "row": np.arange(len(records)),
            "kind": records.kind,
            "facing": (record.grid_azimuth + record.convergence_deg) % 360.0,
            "weight": records.weight,
        }
    )
    table = parts[["surface_id", "mounting", "surface_azimuth"]].reset_index(drop=True)
    table["part"] = np.arange(len(table))
    both = table.merge(rows, on="surface_id", how="inner").sort_values(["part", "row"])
    mounting, kind = both["mounting"].to_numpy(), both["kind"].to_numpy()
    off = np.abs((both["surface_azimuth"] - both["facing"] + 180.0) % 360.0 - 180.0)
    on_rack = (mounting == RACK) & (kind == RACK_ROW) & (off.to_numpy() < _SAME_FACING_DEG)
    in_plane = (mounting == ROOF_PARALLEL) & (kind == ROOF_ROW)
    on_wall = (mounting != RACK) & (mounting != ROOF_PARALLEL)
    both = both[on_rack | in_plane | on_wall]
    return PartRows(
        both["part"].to_numpy(dtype=np.int64),
        both["row"].to_numpy(dtype=np.int64),
        both["weight"].to_numpy(dtype=np.float64),
    )


@dataclass(frozen=True, eq=False)
class PartYields:
    """
    Yields of some plant parts.

    Parameters
    ----------
    part : ndarray, shape (n,), int64
        Which of the parts; those without a sky record are left out.
    output : PlantOutput, n plants
    """

    part: np.ndarray
    output: PlantOutput

    def without_hours(self) -> PartYields:
        """The same without the hours, which are large."""
        return PartYields(
            self.part, replace(self.output, ac_w_per_kwp=np.zeros((0, 0), dtype=np.float32))
        )


def part_yields(
    parts: pd.DataFrame,
    rows: PartRows,
    records: SurfaceRecords,
    suns: Callable[[int], SunPath],
    weather: Weather,
    model: PlantModel,
    transmissivity: Transmissivity,
) -> Iterator[PartYields]:
    """
    Yields of plant parts, some at a time.

    Parameters
    ----------
    parts : DataFrame, n_part rows
    rows : PartRows
    records : SurfaceRecords
        All with as many sectors.
    suns : callable
        Suns of the year for records with so many sectors.
    weather : Weather
    model : PlantModel
    transmissivity : Transmissivity
        Of crowns.

    Yields
    ------
    PartYields
        In the order of the parts.

    Notes
    -----
    Hourly light of a surface is scaled month by month to its light table, then as a whole to the
    light on its modules, which lie on its brighter parts.
    """
    iam, tilt = incidence_table(model.glass), parts["surface_tilt"].to_numpy(dtype=np.float64)
    mounting = parts["mounting"].to_numpy(dtype=object)
    module_year = parts["module_poa_year_kwh_m2"].to_numpy(dtype=np.float64)
    sun_path = suns(records.record.n_sector)
    known, first = np.unique(rows.part, return_index=True)
    ends = np.append(first[1:], len(rows.part))
    for begin in range(0, len(known), _BLOCK):
        which = known[begin : begin + _BLOCK]
        at = slice(first[begin], ends[begin + len(which) - 1])
        row, unit, weight = rows.row[at], rows.part[at], rows.weight[at]
        unit = np.searchsorted(which, unit)
        ground = records.poa_ground_diffuse_month_kwh_m2[row]
        light = hourly_light(
            sun_path, records.record.part(row), ground, transmissivity=transmissivity, iam=iam
        )
        if len(row) > len(which):
            light = joined_units(light, unit, weight, len(which))
        months = _weighted(records.poa_global_month_kwh_m2[row], unit, weight, len(which))
        year = months.sum(axis=1)
        months *= (module_year[which] / np.where(year > 0.0, year, 1.0))[:, None]
        light = scaled_to(light, months, sun_path.sky.month)
        yield PartYields(which, plant_output(light, tilt[which], mounting[which], weather, model))


def _weighted(values: np.ndarray, unit: np.ndarray, weight: np.ndarray, n: int) -> np.ndarray:
    """Means of the rows of each unit, (n, n_column)."""
    total = np.bincount(unit, weight, n)
    columns = [np.bincount(unit, column * weight, n) / total for column in values.T]
    return np.stack(columns, axis=1)


def part_columns(parts: pd.DataFrame, yields: list[PartYields]) -> pd.DataFrame:
    """
    Yields of plant parts as a table.

    Parameters
    ----------
    parts : DataFrame, n_part rows
    yields : list of PartYields

    Returns
    -------
    DataFrame, n_part rows
        ``yield_year_kwh``, ``yield_01_kwh`` …, ``module_poa_year_kwh_m2``, the columns of
        :data:`LOSS_COLUMNS`; NaN for parts without a sky record.
    """
    n, kwp = len(parts), parts["dc_power_kwp"].to_numpy(dtype=np.float64)
    columns = {
        name: np.full(n, np.nan)
        for name in (
            "yield_year_kwh",
            *(f"yield_{month}_kwh" for month in MONTHS),
            "module_poa_year_kwh_m2",
            *LOSS_COLUMNS,
        )
    }
    for some in yields:
        at, out = some.part, some.output
        columns["yield_year_kwh"][at] = out.specific_yield_kwh_per_kwp * kwp[at]
        for i, month in enumerate(MONTHS):
            of_month = out.specific_yield_month_kwh_per_kwp[:, i]
            columns[f"yield_{month}_kwh"][at] = of_month * kwp[at]
        columns["module_poa_year_kwh_m2"][at] = out.module_poa_year_kwh_m2
        for name, losses in LOSS_COLUMNS.items():
            left = np.prod([1.0 - out.loss_fractions[loss] for loss in losses], axis=0)
            columns[name][at] = 1.0 - left
    return pd.DataFrame(columns, index=parts.index)


def surface_columns(parts: pd.DataFrame, of_parts: pd.DataFrame) -> pd.DataFrame:
    """
    Yields of surfaces from those of their plant parts.

    Parameters
    ----------
    parts : DataFrame, n_part rows
    of_parts : DataFrame, n_part rows
        Of :func:`part_columns`.

    Returns
    -------
    DataFrame
        One row per surface with modules, by ``surface_id``: sums of yields; light, losses by rated
        power; ``specific_yield_kwh_per_kwp`` and the implied ``performance_ratio``.
    """
    table = pd.concat([parts[["surface_id", "dc_power_kwp"]], of_parts], axis=1)
    kwp = table["dc_power_kwp"]
    means = ["module_poa_year_kwh_m2", *LOSS_COLUMNS]
    table[means] = table[means].mul(kwp, axis=0)
    # Of a surface whose parts are known in part only, nothing is told.
    sums = table.groupby("surface_id", sort=False).sum(min_count=1)
    is_known = table.notna().all(axis=1).groupby(table["surface_id"], sort=False).all()
    sums[means] = sums[means].div(sums["dc_power_kwp"], axis=0)
    specific = sums["yield_year_kwh"] / sums["dc_power_kwp"]
    sums["specific_yield_kwh_per_kwp"] = specific
    sums["performance_ratio"] = specific / sums["module_poa_year_kwh_m2"]
    return sums.drop(columns="dc_power_kwp").where(is_known)
