"""A pass over finished tiles: yield of every surface hour by hour, balance of every building."""

from __future__ import annotations

import shutil
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from solarkataster.io.runfolder import RunFolder, read_json, write_json, write_permit
from solarkataster.io.visibility import StoredRecords, read_sky_records
from solarkataster.layout.reasons import Demand
from solarkataster.load.demand import annual_demand
from solarkataster.load.load_profiles import MEASURED
from solarkataster.pv.plant import missing_weather
from solarkataster.pv.plant_parts import facade_modules, facade_parts, roof_parts
from solarkataster.pv.surface_yields import part_columns, part_rows, part_yields, surface_columns
from solarkataster.pv.uncertainty import (
    orientation_slopes,
    own_sigma_fraction,
    p90,
    surface_sigma_fraction,
)
from solarkataster.stages.building_energy import (
    YIELD_MONTHS,
    allocated_surfaces,
    building_energy,
    building_sums,
)
from solarkataster.stages.sky_records import NAME
from solarkataster.stages.yield_basis import YieldBasis
from solarkataster.surface_records import RACK, ROOF, WALL


@dataclass(frozen=True)
class YieldJob:
    """
    One tile of the pass.

    Parameters
    ----------
    name : str
    folder : RunFolder
    token : str
        Shown when the tile writes.
    power_stamp, balance_stamp : str
        Digest of what the hourly yield depends on; of what the balance depends on besides.
    buildings : DataFrame
        Rows of :class:`solarkataster.checks.rating.RatingInputs` of the tile's buildings, and
        ``footprint_area_m2``.
    """

    name: str
    folder: RunFolder
    token: str
    power_stamp: str
    balance_stamp: str
    buildings: pd.DataFrame = field(repr=False)


def yields_stage(job: YieldJob, basis: YieldBasis) -> dict[str, Any]:
    """
    Work out a tile's yields and balances, as far as they are not stamped as done.

    Returns
    -------
    dict
        The tile's report.
    """
    tile = _Tile(job, basis)
    done = read_json(job.folder.yields(job.name) / "yields.json") or {}
    tables: dict[str, pa.Table] = {}
    if done.get("power_stamp") == job.power_stamp and (tile.kept / "hourly.parquet").is_file():
        laid = pd.read_parquet(tile.kept / "laid.parquet")
        hours = _hours_of(pq.read_table(tile.kept / "hourly.parquet"))
    else:
        laid, hours = tile.yields()
        # As they are kept, so that a rating made again gives the same.
        np.round(hours.roofs, out=hours.roofs)
        np.round(hours.walls, out=hours.walls)
    surfaces, of_buildings = tile.balances(laid, hours)
    for name, table in (("laid", laid), ("surfaces", surfaces), ("energy", of_buildings)):
        tables[name] = pa.Table.from_pandas(table, preserve_index=False)
    if basis.keeps_hours:
        tables["hourly"] = _hourly_table(of_buildings["building_id"], hours, basis.weather.times[0])
    report = {
        "power_stamp": job.power_stamp,
        "balance_stamp": job.balance_stamp,
        "n_surfaces": int(surfaces["yield_year_kwh"].notna().sum()),
    }
    with write_permit(job.folder, job.token):
        _write(tile.kept, tables, report)
    return report


@dataclass(frozen=True, eq=False)
class _Hours:
    """Yield of buildings by hour, roofs and walls, each (n_building, n_hour), float32. [W]"""

    roofs: np.ndarray
    walls: np.ndarray


class _Tile:
    """A tile's stored physics, and what becomes of it."""

    def __init__(self, job: YieldJob, basis: YieldBasis) -> None:
        self.job, self.basis = job, basis
        self.kept = job.folder.yields(job.name)
        self.physics = job.folder.tile(job.name)

    def _table(self, name: str) -> pd.DataFrame:
        table = pq.read_table(self.physics / f"{name}.parquet")
        wanted = [one for one in table.column_names if one != "geometry"]
        return table.select(wanted).to_pandas()

    def yields(self) -> tuple[pd.DataFrame, _Hours]:
        """Every roof plane and wall with its yield or why there is none; the buildings' hours."""
        basis = self.basis
        roofs, facades = self._table("roofs"), self._table("facades")
        surfaces = [self._roofs(roofs), self._walls(facades)]
        parts = [
            roof_parts(roofs, self._table("modules")),
            facade_parts(facades, surfaces[1]["n_modules"].to_numpy(), basis.module_kwp)
            if len(facades)
            else roof_parts(roofs[:0], roofs[:0]),
        ]
        ids = pd.Index(self._table("buildings")["building_id"])
        hours = _Hours(*np.zeros((2, len(ids), len(basis.weather.times)), dtype=np.float32))
        columns = []
        if missing_weather(basis.weather):
            hours.roofs[:] = hours.walls[:] = np.nan  # unknown, which is not nothing
        else:
            path = self.physics / f"{NAME}.parquet"
            for of_kind, kinds, out in zip(
                parts, ((ROOF, RACK), (WALL,)), (hours.roofs, hours.walls), strict=True
            ):
                if len(of_kind):
                    kept = read_sky_records(path, kinds)
                    columns.append(self._of_parts(of_kind, kept, ids, out))
        table = pd.concat(surfaces, ignore_index=True)
        if columns:
            table = table.merge(pd.concat(columns), on="surface_id", how="left")
        return self._banded(table), hours

    def _of_parts(
        self, parts: pd.DataFrame, kept: StoredRecords, ids: pd.Index, out: np.ndarray
    ) -> pd.DataFrame:
        """Yields of the surfaces of one kind; adds to the hours of their buildings."""
        basis, done = self.basis, []
        building = ids.get_indexer(pd.Index(parts["building_id"]))
        kwp = parts["dc_power_kwp"].to_numpy(dtype=np.float32)
        rows = part_rows(parts, kept.surface_id, kept.records)
        for some in part_yields(
            parts, rows, kept.records, basis.suns, basis.weather, basis.plant, basis.transmissivity
        ):
            for i, part in enumerate(some.part):
                out[building[part]] += some.output.ac_w_per_kwp[i] * kwp[part]
            done.append(some.without_hours())
        return surface_columns(parts, part_columns(parts, done)).reset_index()

    def _roofs(self, roofs: pd.DataFrame) -> pd.DataFrame:
        """What is told of roof planes beside their yield."""
        columns = [
            "building_id", "surface_tilt", "surface_azimuth", "shading_loss_fraction",
            "n_modules", "dc_power_kwp", "reason",
        ]  # fmt: skip
        return roofs.reindex(columns=columns).assign(
            surface_id=roofs.get("roof_id", pd.Series(dtype=object)), is_wall=False
        )

    def _walls(self, facades: pd.DataFrame) -> pd.DataFrame:
        """Walls with the modules they hold, by the rules."""
        basis = self.basis
        names = [
            "building_id", "surface_tilt", "surface_azimuth", "shading_loss_fraction", "reason",
            "usable_area_m2", "poa_global_year_kwh_m2", "poa_global_year_low_kwh_m2",
            "poa_global_year_high_kwh_m2",
        ]  # fmt: skip
        table = facades.reindex(columns=names)
        rules = basis.facade
        limits = Demand(
            rules.limits.least_module_area_m2,
            rules.limits.least_irradiation_fraction * basis.best_wall_kwh_m2,
        )
        held = facade_modules(table, basis.module_area_m2, rules.modules.module_fraction, limits)
        return table.drop(columns=["usable_area_m2"]).assign(
            surface_id=facades.get("facade_id", pd.Series(dtype=object)),
            is_wall=True,
            n_modules=held["n_modules"],
            dc_power_kwp=held["n_modules"] * basis.module_kwp,
            reason=held["reason"],
        )

    def _banded(self, table: pd.DataFrame) -> pd.DataFrame:
        """With the uncertainty of each yield."""
        basis = self.basis
        for name in ("yield_year_kwh", *YIELD_MONTHS):
            if name not in table:
                table[name] = np.nan
        is_wall = table["is_wall"].to_numpy(dtype=bool)
        band = tuple(
            table.get(name, pd.Series(np.nan, table.index)).to_numpy(dtype=np.float64)
            for name in (
                "poa_global_year_kwh_m2",
                "poa_global_year_low_kwh_m2",
                "poa_global_year_high_kwh_m2",
            )
        )
        slopes = orientation_slopes(
            basis.open_year_kwh_m2,
            table["surface_tilt"].to_numpy(dtype=np.float64),
            table["surface_azimuth"].to_numpy(dtype=np.float64),
        )
        own = own_sigma_fraction(
            basis.uncertainty,
            table["shading_loss_fraction"].to_numpy(dtype=np.float64),
            slopes,
            is_wall,
            (band[0], band[1], band[2]),
        )
        has_yield = table["yield_year_kwh"].notna().to_numpy()
        table["yield_sigma_own_fraction"] = np.where(has_yield, own, np.nan)
        table["yield_sigma_common_fraction"] = np.where(has_yield, basis.sigma_common, np.nan)
        sigma = surface_sigma_fraction(np.full_like(own, basis.sigma_common), own)
        table["yield_p90_year_kwh"] = p90(table["yield_year_kwh"].to_numpy(), sigma)
        return table.drop(columns=[name for name in table.columns if name.startswith("poa_global")])

    def balances(self, laid: pd.DataFrame, hours: _Hours) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Surfaces as they are allocated; yield, demand, balance and heat of the buildings."""
        basis, buildings = self.basis, self._table("buildings")
        ids = pd.Index(buildings["building_id"])
        given = self.job.buildings.set_index("building_id").reindex(ids)
        given["height_m"] = buildings["height_m"].to_numpy()
        if basis.has_measured:
            given["load_profile"] = np.where(given["annual_demand_kwh"].notna(), MEASURED, "")
        demand = annual_demand(given, basis.demand)
        surfaces, heat = allocated_surfaces(laid, self._table("roofs"), ids, given, demand, basis)
        sigmas = (basis.sigma_common, basis.uncertainty.plant.plant_fraction)
        table = building_sums(surfaces, ids, *sigmas)
        left = _share(table["yield_year_kwh"], building_sums(laid, ids, *sigmas)["yield_year_kwh"])
        energy = building_energy(table, hours.roofs, left, given, demand, basis)
        return surfaces, pd.concat([energy.assign(pv_fraction=left), heat], axis=1)


def _share(part: pd.Series, whole: pd.Series) -> np.ndarray:
    """Share of the laid modules' yield that is left, 1 where there is none."""
    return (part.fillna(0.0) / whole).fillna(1.0).to_numpy()


def _hourly_table(ids: pd.Series, hours: _Hours, first: pd.Timestamp) -> pa.Table:
    """One row per building, whole watts; when the first hour begins stands in the metadata."""
    n_hour = hours.roofs.shape[1]
    columns = {"building_id": pa.array(ids.to_numpy(dtype=object), pa.string())}
    for name, values in (("roofs_w", hours.roofs), ("facades_w", hours.walls)):
        flat = pa.array(values.ravel(), pa.float32())
        columns[name] = pa.FixedSizeListArray.from_arrays(flat, n_hour)
    return pa.table(columns, metadata={"first_hour": first.isoformat(), "hours": "mean power"})


def _hours_of(table: pa.Table) -> _Hours:
    def hours(name: str) -> np.ndarray:
        flat = table.column(name).combine_chunks().flatten().to_numpy(zero_copy_only=False)
        return flat.reshape(len(table), -1).astype(np.float32)

    return _Hours(hours("roofs_w"), hours("facades_w"))


def _write(target: Path, tables: dict[str, pa.Table], report: dict[str, Any]) -> None:
    """Write aside, then take the place of an earlier pass."""
    aside = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}.tmp")
    aside.mkdir(parents=True)
    try:
        for name, table in tables.items():
            pq.write_table(
                table,
                aside / f"{name}.parquet",
                compression="zstd",
                compression_level=1,
                use_byte_stream_split=["roofs_w.list.element", "facades_w.list.element"]
                if name == "hourly"
                else False,
                use_dictionary=name != "hourly",
            )
        write_json(aside / "yields.json", report)
        shutil.rmtree(target, ignore_errors=True)
        aside.rename(target)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
