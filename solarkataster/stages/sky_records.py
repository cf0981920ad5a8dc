"""Sky records of a tile: which receivers count in which row, and what the rows belong to."""

from __future__ import annotations

import numpy as np

from solarkataster.irradiance import Light
from solarkataster.layout.racks import HEIGHT_FRACTIONS
from solarkataster.sky_table import SkyTable
from solarkataster.stages.job import TileFacades, TileRoofs
from solarkataster.surface_records import RACK, ROOF, WALL, SurfaceRecords, month_means
from solarkataster.visibility import SkyRecorder


class RoofRecords:
    """Records of a tile's roof planes, then of their racks, by facing."""

    def __init__(self, roofs: TileRoofs, sky: SkyTable) -> None:
        assert roofs.receivers is not None
        self.roofs, n_roof = roofs, len(roofs)
        surface = np.arange(len(roofs.receivers.surface_tilt))
        # The heights on a module face one way; a cell stands for one of them, in turns.
        of_rack = n_roof + (surface - n_roof) // len(HEIGHT_FRACTIONS)
        self.unit = np.where(surface < n_roof, surface, of_rack)
        self.recorder = SkyRecorder(
            roofs.receivers, len(sky.azimuths_deg), sky.convergence_deg, unit=self.unit
        )

    def of(self, seen: Light) -> SurfaceRecords:
        """The records, with the light that the same receivers got."""
        receivers, n_roof = self.roofs.receivers, len(self.roofs)
        assert receivers is not None
        record = self.recorder.record()
        n = len(record)
        owner, part = np.arange(n), np.zeros(n, dtype=np.int64)
        for i, racks in enumerate(self.roofs.racks):
            if racks is not None:
                facings = np.arange(len(racks.azimuths_deg))
                first = n_roof + (self.roofs.rack_surface[i] - n_roof) // len(HEIGHT_FRACTIONS)
                owner[first + facings], part[first + facings] = i, facings
        kind = np.array([ROOF] * n_roof + [RACK] * (n - n_roof), dtype=object)
        months = month_means(seen, self.unit[receivers.surface], n)
        return SurfaceRecords(record, kind, owner, part, np.ones(n), *months)


class WallRecords:
    """Records of the chords of a tile's walls; balcony plants have none."""

    def __init__(self, facades: TileFacades, sky: SkyTable) -> None:
        assert facades.receivers is not None
        receivers, n = facades.receivers, facades.n_on_wall
        surface = receivers.surface[:n]
        chords, first, row = np.unique(surface, return_index=True, return_inverse=True)
        unit = np.full(len(receivers.surface_tilt), -1)
        unit[chords] = np.arange(len(chords))
        self.area_m2 = np.zeros(len(receivers))
        self.area_m2[:n] = facades.point_area_m2
        self.wall = facades.wall[first].astype(np.int64)
        self.row = np.full(len(receivers), -1)
        self.row[:n] = row
        self.recorder = SkyRecorder(
            receivers, len(sky.azimuths_deg), sky.convergence_deg, unit=unit, weight=self.area_m2
        )

    def of(self, seen: Light) -> SurfaceRecords:
        """The records, with the light that the same receivers got."""
        wall, n = self.wall, len(self.wall)
        on_wall = self.row >= 0
        area_m2 = np.bincount(self.row[on_wall], self.area_m2[on_wall], n)
        of_wall = np.bincount(wall, area_m2)[wall]
        order = np.argsort(wall, kind="stable")
        part = np.empty(n, dtype=np.int64)
        part[order] = np.arange(n) - np.searchsorted(wall[order], wall[order])
        kind = np.array([WALL] * n, dtype=object)
        months = month_means(seen, self.row, n, self.area_m2)
        return SurfaceRecords(self.recorder.record(), kind, wall, part, area_m2 / of_wall, *months)
