"""What a surface sees of the sky: the share of its area that does, by azimuth and elevation."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from solarkataster.canopy import DECIDUOUS, EVERGREEN
from solarkataster.kernels import visibility as kernel
from solarkataster.receivers import Receivers
from solarkataster.sky_table import N_STEP

#: Steps of the sky table at which a record has its edges: 0.6° apart low down, where houses end the
#: view, to 3° at the zenith. Rows of an hour's patches of sky begin at some of them.
EDGE_STEP = np.concatenate(
    [np.arange(0, 24, 2), np.arange(24, 60, 3), np.arange(60, 140, 4), np.arange(140, 181, 8)]
)
N_EDGE = len(EDGE_STEP)

#: What a tangent in single precision may be off its step.
_ROUNDING = 0.01

#: Layers of a record: all sky over what is solid; of it what lies behind deciduous crowns, behind
#: evergreen ones, behind both.
VISIBLE, BOTH = 0, 3
LAYERS = (VISIBLE, DECIDUOUS, EVERGREEN, BOTH)


def _places() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Horizon and middles of the bins, as `kernels.visibility.add_borders` asks for them."""
    place = np.concatenate([[0.0], (EDGE_STEP[1:] + EDGE_STEP[:-1]) / 2.0])
    per = np.append(1.0 / np.diff(place), 0.0)
    place_of = np.searchsorted(place, np.arange(2 * N_STEP + 1) / 2.0, "right") - 1
    return place_of.astype(np.int32), place.astype(np.float32), per.astype(np.float32)


_PLACES = _places()


def edge_tangents() -> np.ndarray:
    """Tangent of the elevation at each edge, (N_EDGE,); infinite at the last."""
    with np.errstate(divide="ignore"):
        return EDGE_STEP / (N_STEP - EDGE_STEP)


@dataclass(frozen=True, eq=False)
class SkyRecord:
    """
    What surfaces see of the sky.

    Parameters
    ----------
    surface_tilt, grid_azimuth : ndarray, shape (n,)
        Of each surface; the azimuth clockwise from grid north. [°]
    n_sector : int
        Sectors of the horizon; the middle of the first lies in grid north.
    first_sector : ndarray, shape (n,), int64
        First of the sectors that are kept of each surface, clockwise: of upright ones those in
        front.
    visible : ndarray, shape (n, n_slot, N_EDGE), uint8
        Share of the surface's area that sees the sky at each edge, of 255; even in q between. The
        surface's own plane is not in it: the cosine of incidence tells what lies behind.
    behind_row : ndarray, shape (3, n, n_slot), int32
        Row of ``behind`` with what of it is seen behind deciduous crowns, evergreen ones, both; -1
        for nothing. Of length 0 where no crowns stand.
    behind : ndarray, shape (n_row, N_EDGE), uint8
    convergence_deg : float
        Azimuth of grid north from true north. [°]
    """

    surface_tilt: np.ndarray
    grid_azimuth: np.ndarray
    n_sector: int
    first_sector: np.ndarray
    visible: np.ndarray
    behind_row: np.ndarray
    behind: np.ndarray
    convergence_deg: float

    def __len__(self) -> int:
        return len(self.surface_tilt)

    def part(self, which: slice | np.ndarray) -> SkyRecord:
        """The record of some of the surfaces."""
        return replace(
            self,
            surface_tilt=self.surface_tilt[which],
            grid_azimuth=self.grid_azimuth[which],
            first_sector=self.first_sector[which],
            visible=self.visible[which],
            behind_row=self.behind_row[:, which],
        )

    def layer(self, which: int) -> np.ndarray:
        """
        A layer in full.

        Parameters
        ----------
        which : int
            One of :data:`LAYERS`.

        Returns
        -------
        ndarray, shape (n, n_slot, N_EDGE), uint8
        """
        if which == VISIBLE:
            return self.visible
        out = np.zeros_like(self.visible)
        if len(self.behind_row):
            row = self.behind_row[which - 1]
            out[row >= 0] = self.behind[row[row >= 0]]
        return out


def open_record(
    surface_tilt, grid_azimuth, n_sector: int = 72, convergence_deg: float = 0.0
) -> SkyRecord:
    """
    The record of planes with an open horizon.

    Parameters
    ----------
    surface_tilt, grid_azimuth : array_like, shape (n,)
        [°]
    n_sector : int
    convergence_deg : float
        [°]

    Returns
    -------
    SkyRecord
    """
    tilt = np.atleast_1d(np.asarray(surface_tilt, dtype=np.float64))
    azimuth = np.broadcast_to(np.asarray(grid_azimuth, dtype=np.float64), tilt.shape)
    first, n_slot = _sectors_kept(tilt, azimuth, n_sector)
    return SkyRecord(
        tilt, azimuth, n_sector, first, np.full((len(tilt), n_slot, N_EDGE), 255, np.uint8),
        np.full((0, len(tilt), n_slot), -1, np.int32), np.zeros((0, N_EDGE), np.uint8),
        float(convergence_deg),
    )  # fmt: skip


def _sectors_kept(tilt: np.ndarray, azimuth: np.ndarray, n_sector: int) -> tuple[np.ndarray, int]:
    """First sector of each surface, and how many: the front half if all stand upright."""
    if not len(tilt) or tilt.min() < 90.0 or n_sector // 2 + 2 >= n_sector:
        return np.zeros(len(tilt), np.int64), n_sector
    # Sectors reach half a width to both sides of their middles.
    first = np.floor((azimuth - 90.0) / (360.0 / n_sector) + 0.5).astype(np.int64)
    return first % n_sector, n_sector // 2 + 2


class SkyRecorder:
    """
    Keeps what receivers see of the sky while their light is summed; see `irradiance.light`.

    Parameters
    ----------
    receivers : Receivers
    n_sector : int
        Sectors of the sky table that lights them.
    convergence_deg : float
        Of the same table. [°]
    unit : ndarray, shape (n_surface,), int, optional
        Row of the record that each surface counts in, so that surfaces of one facing share a row;
        -1 for none. By default every surface has its own.
    weight : ndarray, shape (n,), optional
        Area that each receiver stands for; equal ones without it. [m²]
    """

    def __init__(
        self,
        receivers: Receivers,
        n_sector: int,
        convergence_deg: float,
        *,
        unit: np.ndarray | None = None,
        weight: np.ndarray | None = None,
    ) -> None:
        n_surface = len(receivers.surface_tilt)
        self._unit = np.arange(n_surface, dtype=np.int32) if unit is None else unit.astype(np.int32)
        if weight is None:
            weight = np.ones(len(receivers))
        self._weight = np.asarray(weight, dtype=np.float32)
        n = int(self._unit.max(initial=-1)) + 1
        of_receiver = self._unit[receivers.surface]
        is_in = of_receiver >= 0
        self._total = np.bincount(of_receiver[is_in], self._weight[is_in], n).astype(np.float64)
        at = np.zeros(n, np.int64)
        counted = np.flatnonzero(self._unit >= 0)
        at[self._unit[counted[::-1]]] = counted[::-1]  # the first surface of each row
        tilt, azimuth = receivers.surface_tilt[at], receivers.grid_azimuth[at]
        first, n_slot = _sectors_kept(tilt, azimuth, n_sector)
        self._record = SkyRecord(
            tilt, azimuth, n_sector, first, np.zeros((n, n_slot, N_EDGE), np.uint8),
            np.zeros((0, n, n_slot), np.int32), np.zeros((0, N_EDGE), np.uint8),
            float(convergence_deg),
        )  # fmt: skip
        self._histogram: dict[int, np.ndarray] = {VISIBLE: np.zeros((n, N_EDGE + 1), np.float32)}
        self._order = self._ordered = np.zeros(0)
        self._behind_row: np.ndarray | None = None
        self._behind: list[np.ndarray] = []
        self._n_behind = 0

    def add(
        self,
        layer: int,
        order: np.ndarray,
        surface: np.ndarray,
        low: np.ndarray,
        begin: np.ndarray,
        end: np.ndarray,
        sign: float = 1.0,
    ) -> None:
        """
        Add what points see in the sector at hand.

        Parameters
        ----------
        layer : int
            One of :data:`LAYERS`.
        order, surface : ndarray, shape (n,)
            Number of each point among the receivers, and its surface.
        low : ndarray, shape (n_surface,), int32
            Step of the sky table at which the own plane begins to see the sector.
        begin, end : ndarray, shape (n,), float32
            Tangents between which the sky is seen; ``begin`` inf for nothing; ``end`` inf, or
            empty, for no upper limit.
        sign : float
            1 to add, -1 to take away.
        """
        if layer not in self._histogram:
            self._histogram[layer] = np.zeros((len(self._record), N_EDGE + 1), np.float32)
        if order is not self._order:  # the next face
            self._order, self._ordered = order, self._weight[order]
        over = low + _ROUNDING
        low_tangent = (over / np.maximum(N_STEP - over, 1e-3)).astype(np.float32)
        for tangent, part in ((begin, sign), (end, -sign)):
            if tangent.size:
                kernel.add_borders(
                    tangent, np.float32(part), surface, self._unit, self._ordered, low_tangent,
                    N_STEP, *_PLACES, self._histogram[layer],
                )  # fmt: skip

    def close(self, i: int) -> None:
        """Take over what has been added as the i-th sector."""
        record = self._record
        n, n_slot, _ = record.visible.shape
        slot = (i - record.first_sector) % record.n_sector
        slot[slot >= n_slot] = -1
        seen = np.empty(n, np.bool_)
        kernel.close_sector(self._histogram[VISIBLE], self._total, slot, record.visible, seen)
        for layer in LAYERS[1:]:
            if layer not in self._histogram:
                continue
            of_sector = np.zeros((n, 1, N_EDGE), np.uint8)
            here = np.where(slot >= 0, 0, -1)
            kernel.close_sector(self._histogram[layer], self._total, here, of_sector, seen)
            at = np.flatnonzero(seen)
            if not at.size:
                continue
            if self._behind_row is None:
                self._behind_row = np.full((3, n, n_slot), -1, np.int32)
            self._behind_row[layer - 1, at, slot[at]] = self._n_behind + np.arange(at.size)
            self._behind.append(of_sector[at, 0])
            self._n_behind += at.size

    def record(self) -> SkyRecord:
        """What has been seen."""
        if self._behind_row is None:
            return self._record
        return replace(
            self._record, behind_row=self._behind_row, behind=np.concatenate(self._behind)
        )
