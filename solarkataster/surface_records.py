"""What hourly light of roofs, racks and walls is made of: sky records with their light by month."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solarkataster.irradiance import Light
from solarkataster.potential import plane_means
from solarkataster.visibility import SkyRecord

#: Kinds of rows: a roof plane, what of it carries racks in one facing, a straight chord of a wall.
ROOF, RACK, WALL = "roof", "rack", "wall"


@dataclass(frozen=True, eq=False)
class SurfaceRecords:
    """
    Sky records of surfaces of one run or tile, with what the light table has of them.

    Parameters
    ----------
    record : SkyRecord, n surfaces
    kind : ndarray of str, shape (n,)
        `ROOF`, `RACK` or `WALL`.
    owner : ndarray, shape (n,), int64
        Roof plane or wall that each row belongs to.
    part : ndarray, shape (n,), int64
        Of a rack its facing, of a wall's chord its place along the wall, from 0.
    weight : ndarray, shape (n,)
        Share of the wall that a chord stands for; 1 for the rest. [–]
    poa_global_month_kwh_m2, poa_ground_diffuse_month_kwh_m2 : ndarray, shape (n, 12)
        Of the light table, mean of the surface; NaN for one without a receiver. [kWh/m²]
    """

    record: SkyRecord
    kind: np.ndarray
    owner: np.ndarray
    part: np.ndarray
    weight: np.ndarray
    poa_global_month_kwh_m2: np.ndarray
    poa_ground_diffuse_month_kwh_m2: np.ndarray

    def __len__(self) -> int:
        return len(self.owner)

    def of(self, which: slice | np.ndarray) -> SurfaceRecords:
        """Some of the rows."""
        return SurfaceRecords(
            self.record.part(which),
            self.kind[which],
            self.owner[which],
            self.part[which],
            self.weight[which],
            self.poa_global_month_kwh_m2[which],
            self.poa_ground_diffuse_month_kwh_m2[which],
        )


def month_means(
    seen: Light, row: np.ndarray, n_row: int, area_m2: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """
    Light of a table by month, mean of each row of a record.

    Parameters
    ----------
    seen : Light, n receivers
    row : ndarray, shape (n,), int
        Row of each receiver; -1 for none.
    n_row : int
    area_m2 : ndarray, shape (n,), optional
        Area that each stands for; equal ones without it. [m²]

    Returns
    -------
    poa_global, poa_ground_diffuse : ndarray, shape (n_row, 12)
        NaN for a row without receivers. [kWh/m²]
    """
    at = np.flatnonzero(row >= 0)
    weight = None if area_m2 is None else area_m2[at]
    total, ground = (
        plane_means(values[at], row[at], n_row, weight)
        for values in (seen.poa_global_month_kwh_m2, seen.poa_ground_diffuse_month_kwh_m2)
    )
    return total, ground
