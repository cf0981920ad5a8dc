"""Yields and balances of all tiles of a run: which are to be made anew, and their tables joined."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from solarkataster.errors import InputError
from solarkataster.io.runfolder import RunFolder, digest, read_json
from solarkataster.progress import Progress
from solarkataster.stages.cluster import ClientFor, in_this_process
from solarkataster.stages.tile_pass import pass_here, pass_on_cluster
from solarkataster.stages.yield_basis import YieldBasis
from solarkataster.stages.yields import YieldJob, yields_stage
from solarkataster.weather import Weather


def yield_jobs(
    folder: RunFolder,
    token: str,
    tile_stamps: Mapping[str, str],
    buildings: pd.DataFrame,
    basis: YieldBasis,
    code: str,
) -> list[YieldJob]:
    """
    What there is to do for each finished tile.

    Parameters
    ----------
    folder : RunFolder
    token : str
        Of the folder's lock.
    tile_stamps : mapping of str to str
        Stamps of the finished tiles, by name.
    buildings : DataFrame
        All buildings: rows of ``RatingInputs``, and ``footprint_area_m2``.
    basis : YieldBasis
    code : str
        Digest of the code and of the libraries.

    Returns
    -------
    list of YieldJob

    Raises
    ------
    InputError
        If a tile's results are gone.
    """
    rows = buildings.set_index("building_id", drop=False)
    power, balance = _power_settings(basis), _balance_settings(basis)
    jobs = []
    for name, stamp in sorted(tile_stamps.items()):  # not in the order in which tiles came
        path = folder.tile(name) / "buildings.parquet"
        if not path.is_file():
            raise InputError(
                "file not found",
                where=str(path),
                expected="results of the run's tiles (folder work)",
                remedy="Run it again: solarkataster run CONFIG",
            )
        ids = pq.read_table(path, columns=["building_id"])["building_id"].to_pylist()
        of_tile = rows.loc[ids].reset_index(drop=True)
        power_stamp = digest({"tile": stamp, "settings": power, "code": code})
        balance_stamp = digest({"settings": balance, "buildings": of_tile.to_csv()})
        jobs.append(YieldJob(name, folder, token, power_stamp, balance_stamp, of_tile))
    return jobs


def _power_settings(basis: YieldBasis) -> dict[str, Any]:
    config, book = basis.config, basis.book
    return {
        "plant": book.plant.model_dump(mode="json"),
        "facade": book.facade.model_dump(mode="json"),
        "layout": config.layout.model_dump(mode="json"),
        "irradiation": config.irradiation.model_dump(mode="json"),
        "deciduous": config.trees.deciduous_transmissivity,
        "evergreen": config.trees.evergreen_transmissivity,
        "weather": weather_digest(basis.weather),
    }


def _balance_settings(basis: YieldBasis) -> dict[str, Any]:
    money = basis.book.money
    cap = basis.book.eeg.at(money.commissioning.day).feed_in_cap
    return {
        "demand": basis.book.demand.model_dump(mode="json"),
        "heat": basis.book.heat.model_dump(mode="json"),
        "feed_in_cap": None if cap is None else cap.model_dump(mode="json"),
        "commissioning": money.commissioning.day.isoformat(),
        "smart_meters": money.smart_meters.model_dump(mode="json"),
        "measured": None
        if basis.measured_share is None
        else hashlib.sha256(basis.measured_share.tobytes()).hexdigest(),
        "keeps_hours": basis.keeps_hours,
    }


def weather_digest(weather: Weather) -> str:
    """SHA-256 of the numbers of a weather year."""
    total = hashlib.sha256(str(weather.times[0]).encode())
    for values in (weather.ghi, weather.dhi, weather.bhi, weather.temp_air, weather.wind_speed):
        total.update(b"-" if values is None else np.ascontiguousarray(values).tobytes())
    total.update(repr((weather.latitude, weather.longitude, weather.elevation_m)).encode())
    return total.hexdigest()


def is_done(job: YieldJob) -> bool:
    """Whether a tile's yields and balances are those of these stamps."""
    report = read_json(job.folder.yields(job.name) / "yields.json") or {}
    return (report.get("power_stamp"), report.get("balance_stamp")) == (
        job.power_stamp,
        job.balance_stamp,
    )


def work_out(
    jobs: list[YieldJob], basis: YieldBasis, client_for: ClientFor = in_this_process
) -> dict[str, str]:
    """
    Work out what is not done yet.

    Parameters
    ----------
    jobs : list of YieldJob
    basis : YieldBasis
    client_for : ClientFor
        Who works.

    Returns
    -------
    dict of str to str
        Tiles that failed, and why.
    """
    to_do = [job for job in jobs if not is_done(job)]
    if not to_do:
        return {}
    weights = {job.name: 1.0 + len(job.buildings) for job in to_do}
    faults: dict[str, str] = {}
    with Progress("yield and self-consumption", sum(weights.values())) as progress:
        done: dict[str, float] = {}

        def reached(name: str, share: float) -> None:
            done[name] = share
            progress.at(sum(share * weights[one] for one, share in done.items()))

        client = client_for(len(to_do))
        outcomes = (
            pass_here(yields_stage, to_do, basis, reached)
            if client is None
            else pass_on_cluster(yields_stage, client, to_do, basis, reached)
        )
        for outcome in outcomes:
            if outcome.report is None:
                faults[outcome.name] = outcome.fault
    return faults


@dataclass(frozen=True, eq=False)
class RunEnergy:
    """
    Yields and balances of a run.

    Parameters
    ----------
    surfaces : DataFrame, one row per roof plane and wall
        By ``surface_id``; see :mod:`solarkataster.stages.yields`.
    buildings : DataFrame, one row per building
    """

    surfaces: pd.DataFrame
    buildings: pd.DataFrame


@dataclass(frozen=True, eq=False)
class Energy:
    """
    The pass over a run's tiles: what they share, their jobs, and which of them failed, and why.
    """

    basis: YieldBasis
    jobs: list[YieldJob]
    faults: dict[str, str]

    @property
    def digest(self) -> str:
        """Of all that the hourly yields depend on."""
        stamps = [(job.name, job.power_stamp, job.balance_stamp) for job in self.jobs]
        return digest([stamps, self.faults])

    def read(self) -> RunEnergy:
        """Tables of all tiles that did not fail."""
        return read_energy(self.jobs, self.faults)


def read_energy(jobs: Iterable[YieldJob], faults: Mapping[str, str]) -> RunEnergy:
    """The tables of all tiles but those that failed, joined in the order of the jobs."""
    names = [job.folder.yields(job.name) for job in jobs if job.name not in faults]

    def joined(table: str) -> pd.DataFrame:
        parts = [pd.read_parquet(folder / f"{table}.parquet") for folder in names]
        parts = [part for part in parts if len(part)]
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()

    return RunEnergy(joined("surfaces"), joined("energy"))


def _as_allocated(hours: pa.Table, energy: Path) -> pa.Table:
    """Hours of roofs less what the modules yielded whose place collectors took."""
    left = pq.read_table(energy, columns=["pv_fraction"])["pv_fraction"].to_numpy()
    if (left == 1.0).all():
        return hours
    column = hours.schema.get_field_index("roofs_w")
    kind = hours.schema.field(column).type
    flat = hours["roofs_w"].combine_chunks().flatten().to_numpy()
    scaled = np.round(flat * np.repeat(left, kind.list_size)).astype(np.float32)
    return hours.set_column(
        column, "roofs_w", pa.FixedSizeListArray.from_arrays(pa.array(scaled), kind.list_size)
    )


def write_hours(path: Path, jobs: Iterable[YieldJob], faults: Mapping[str, str]) -> None:
    """
    Join the tiles' hourly yields into one file, tile by tile.

    Parameters
    ----------
    path : Path
        ``hourly_yield.parquet``: ``building_id``, ``roofs_w``, ``facades_w``, a list of the hours
        of the weather file each. [W]
    jobs : iterable of YieldJob
    faults : mapping
        Tiles without a result.
    """
    writer = None
    try:
        for job in jobs:
            part = job.folder.yields(job.name) / "hourly.parquet"
            if job.name in faults or not part.is_file():
                continue
            table = _as_allocated(pq.read_table(part), part.with_name("energy.parquet"))
            if writer is None:
                writer = pq.ParquetWriter(path, table.schema, compression="zstd")
            writer.write_table(table)
    finally:
        if writer is not None:
            writer.close()
