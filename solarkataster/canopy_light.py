"""What tree crowns keep of the light behind them."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from scipy import ndimage

from solarkataster.canopy import DECIDUOUS, EVERGREEN, Canopy, Transmissivity
from solarkataster.errors import InputError
from solarkataster.horizon import Face, faces
from solarkataster.kernels import canopy as crowns
from solarkataster.kernels import light as kernel
from solarkataster.receivers import Receivers
from solarkataster.sectors import Sector, Surfaces
from solarkataster.sky_table import DIRECT_LANE, N_LANE, SkyTable
from solarkataster.visibility import BOTH, SkyRecorder

#: The sky is seen below the undersides of crowns up to here; farther ones reach to the ground. [m]
NEAR_CROWNS_M = 12.0

#: Rows and columns to the next cell ahead, and aside, of rays to north, east, south and west.
_AXES = (((-1, 0), (0, 1)), ((0, 1), (1, 0)), ((1, 0), (0, -1)), ((0, -1), (-1, 0)))


class _Kept:
    """Light behind crowns, to be weighted by what they keep of each month."""

    def __init__(self, sky: SkyTable, month_weights: np.ndarray, n: int) -> None:
        self.weights = month_weights
        self.slices = sky.sums.copy()
        self.slices[..., DIRECT_LANE] = sky.direct_weighted(month_weights)
        self.sums = np.zeros((n, N_LANE), dtype=np.float32)
        self.of_face = self.sums[:0]


class _Kind:
    """
    Crowns of one kind: their skylines, and the sky below those that are near.

    Their surface holds nothing but crowns, because solids have a skyline of their own: walks along
    its hulls are short.
    """

    def __init__(self, which: int, surface_m, canopy: Canopy, receivers: Receivers, n_near: int):
        self.which, self.canopy, self.n_near = which, canopy, n_near
        is_kind = canopy.kind == which
        # Beside crowns one cell more, whatever stands there: heights are linear between cells.
        top_m = np.where(is_kind, canopy.top_m, np.float32(-np.inf))
        beside_m = ndimage.maximum_filter(top_m, 3, mode="constant", cval=-np.inf)
        surface_m = np.fmax(surface_m, np.minimum(canopy.top_m, beside_m))
        self.surface_m = np.where(beside_m > -np.inf, surface_m, np.float32(np.nan))
        base_m = np.where(is_kind, canopy.base_m, np.float32(-np.inf))
        self.near = _below(base_m, receivers, n_near) | _in_crown(is_kind, receivers)
        self.of_face = np.zeros(0, dtype=np.int64)

    def hidden(
        self, face: Face, receivers: Receivers, quadrant: int, deviation_deg: float, solid
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """
        Tangents between which crowns stand: their skyline, and the gap below the near ones.

        Returns
        -------
        skyline, gap_low, gap_high : ndarray, shape (n,) or (0,), float32
            In the order of the face; empty gaps hold equal tangents.
        """
        skyline = face.far_tangents(deviation_deg, solid.copy())
        at = self.of_face
        if at.size == 0:
            return face.near_tangents(deviation_deg, skyline), solid[:0], solid[:0]
        farther = skyline[at]
        face.near_tangents(deviation_deg, skyline)
        who = face.order[at]
        underside, is_under = np.empty_like(farther), np.empty(at.size, dtype=np.bool_)
        slope = math.tan(math.radians(deviation_deg))
        crowns.near_crowns(
            self.canopy.top_m, self.canopy.base_m, self.canopy.kind, self.which,
            receivers.row[who], receivers.col[who], receivers.elevation_m[who],
            *_AXES[quadrant][0], *_AXES[quadrant][1], slope, self.n_near,
            face.cell_size_m * math.hypot(1.0, slope), farther, underside, is_under,
        )  # fmt: skip
        skyline[at[is_under]] = np.inf
        low, high = np.full_like(skyline, np.inf), np.full_like(skyline, np.inf)
        low[at], high[at] = farther, np.minimum(underside, skyline[at])
        return skyline, low, high


class CrownLight:
    """
    What crowns keep of the light of receivers, summed azimuth by azimuth beside the light itself.

    Parameters
    ----------
    surface_m : ndarray, shape (ny, nx)
        The solid surface. [m]
    cell_size_m : float
        Edge of one cell. [m]
    receivers : Receivers
    surfaces : Surfaces
        Those of the receivers.
    sky : SkyTable
    canopy : Canopy
        Crowns in the same cells.
    transmissivity : Transmissivity
    n_near : int
        Crossings marched exactly for the solid surface.

    Raises
    ------
    InputError
        If the canopy has other cells than the surface.

    Notes
    -----
    A ray is stopped by what is solid, and weakened by the deciduous and by the evergreen crowns it
    meets, by each kind once however many there are. With S the light above the skyline of solids
    and D, E, B what of it lies behind deciduous crowns, behind evergreen ones and behind both,

        H = S - (1 - τd) D - (1 - τe) E + (1 - τd) (1 - τe) B,

    month by month. Behind crowns lies the sky between the skyline of solids and the one of solids
    with crowns, less the gap under crowns nearer than `NEAR_CROWNS_M`: from what stands farther out
    up to where the ray meets their underside. Under a crown its skyline is the zenith.
    """

    def __init__(
        self,
        surface_m: np.ndarray,
        cell_size_m: float,
        receivers: Receivers,
        surfaces: Surfaces,
        sky: SkyTable,
        canopy: Canopy,
        transmissivity: Transmissivity,
        n_near: int,
    ) -> None:
        if canopy.shape != np.shape(surface_m):
            raise InputError(
                f"the canopy has {canopy.shape} cells",
                expected=f"{np.shape(surface_m)}, as the surface",
            )
        self.cell_size_m, self.receivers, self.surfaces, self.sky = (
            cell_size_m, receivers, surfaces, sky
        )  # fmt: skip
        self.n_near = max(n_near, math.ceil(NEAR_CROWNS_M / cell_size_m))
        weights = {
            DECIDUOUS: 1.0 - np.array(transmissivity.deciduous),
            EVERGREEN: 1.0 - np.array(transmissivity.evergreen),
        }
        present = [which for which in weights if (canopy.kind == which).any()]
        n = len(receivers)
        self.kinds = [_Kind(k, surface_m, canopy, receivers, self.n_near) for k in present]
        self.kept = [_Kept(sky, weights[which], n) for which in present]
        self.layers = [*present, BOTH] if len(present) == 2 else present
        if len(present) == 2:
            self.kept.append(_Kept(sky, -weights[DECIDUOUS] * weights[EVERGREEN], n))

    def faces(self, reach_m: float, first_row: int, first_col: int) -> Iterator[tuple[Face, ...]]:
        """The faces of the surfaces with crowns, quadrant by quadrant, as `horizon.faces` does."""
        where = self.receivers.row, self.receivers.col, self.receivers.elevation_m
        sets = [
            faces(
                kind.surface_m, self.cell_size_m, *where, self.sky.azimuths_deg, reach_m=reach_m,
                first_row=first_row, first_col=first_col, n_near=self.n_near,
            )
            for kind in self.kinds
        ]  # fmt: skip
        for group in zip(*sets, strict=True):
            yield tuple(face for face, _ in group)

    def begin(self, face: Face) -> None:
        """Prepare for the azimuths of a face."""
        n, self.order = face.order.size, face.order
        for kept in self.kept:
            kept.of_face = np.zeros((n, N_LANE), dtype=np.float32)
        for kind in self.kinds:
            kind.of_face = np.flatnonzero(kind.near[face.order])

    def add(
        self,
        group: tuple[Face, ...],
        quadrant: int,
        deviation_deg: float,
        i: int,
        at: Sector,
        surface: np.ndarray,
        solid: np.ndarray,
        limit: np.ndarray,
        recorder: SkyRecorder | None = None,
    ) -> None:
        """
        Add the light of one azimuth that lies behind crowns.

        Parameters
        ----------
        group : tuple of Face
        quadrant, deviation_deg : int, float
            Of the azimuth. [°]
        i : int
            Its place in the sky's table.
        at : Sector
            The same sector as the surfaces see it.
        surface : ndarray, shape (n,), int32
        solid : ndarray, shape (n,), float32
            Tangents of the skyline of solids.
        limit : ndarray, shape (n,) or (0,), float32
            Tangents from which an edge above hides the sky.
        recorder : SkyRecorder, optional
            Told which sky it is.
        """
        seen = [
            kind.hidden(face, self.receivers, quadrant, deviation_deg, solid)
            for kind, face in zip(self.kinds, group, strict=True)
        ]
        intervals = [[(skyline, solid, 1.0), (high, low, -1.0)] for skyline, low, high in seen]
        if len(seen) == 2:
            intervals.append(_behind_both(solid, *seen))
        for kept, layer, of_region in zip(self.kept, self.layers, intervals, strict=True):
            there = None
            for high, low, sign in of_region:
                begin, end = np.empty_like(low), np.empty_like(low)
                if limit.size and low.size:
                    low, high = np.minimum(low, limit), np.minimum(high, limit)
                if crowns.between(low, high, begin, end) == 0:
                    continue
                if recorder is not None:
                    recorder.add(layer, self.order, surface, at.low, begin, end, sign)
                if there is None:
                    there = self.surfaces.under_other_light(at, kept.slices[i])
                for tangent, part in ((begin, sign), (end, -sign)):
                    self.surfaces.add(
                        tangent, surface, there, self.sky.band_share, kept.of_face, part
                    )

    def end(self, face: Face) -> None:
        """Take over the sums of a face."""
        for kept in self.kept:
            kernel.gather(face.order, kept.of_face, kept.sums)
            kept.of_face = kept.sums[:0]

    def take_from(self, sums: np.ndarray) -> None:
        """Take what the crowns keep away from the sums of the receivers, in place."""
        for kept in reversed(self.kept):  # first what had been counted twice
            kernel.absorb(kept.sums, kept.weights, self.sky.band_kwh_m2, sums)


def _behind_both(solid, deciduous, evergreen) -> list[tuple[np.ndarray, np.ndarray, float]]:
    """Intervals (high, low, sign) of the sky behind crowns of both kinds."""
    top = np.minimum(deciduous[0], evergreen[0])
    gaps = [
        [np.minimum(edge, top) for edge in (low, high)]
        for _, low, high in (deciduous, evergreen)
        if low.size
    ]
    if len(gaps) == 2:
        crowns.join_gaps(*gaps[0], *gaps[1])
    return [(top, solid, 1.0), *((high, low, -1.0) for low, high in gaps)]


def _below(base_m: np.ndarray, receivers: Receivers, n_near: int) -> np.ndarray:
    """Receivers near crowns whose underside is higher, and a few more; (n,) bool."""
    size = n_near + 1
    ny, nx = base_m.shape
    padded = np.full((-(-ny // size) * size, -(-nx // size) * size), np.float32(-np.inf))
    padded[:ny, :nx] = base_m
    blocks = padded.reshape(len(padded) // size, size, -1, size).max(axis=(1, 3))
    edged = np.pad(blocks, 1, constant_values=np.float32(-np.inf))
    highest = np.max(
        [edged[r : r + len(blocks), c : c + blocks.shape[1]] for r in range(3) for c in range(3)],
        axis=0,
    )
    row, col = _own_cells(receivers, base_m.shape)
    return highest[row // size, col // size] > receivers.elevation_m


def _in_crown(is_crown: np.ndarray, receivers: Receivers) -> np.ndarray:
    """Receivers in cells with a crown, (n,) bool."""
    return is_crown[_own_cells(receivers, is_crown.shape)]


def _own_cells(receivers: Receivers, shape) -> tuple[np.ndarray, np.ndarray]:
    """Row and column of the cells that receivers lie in."""
    row, col = (
        np.clip(np.floor(place + 0.5).astype(np.int64), 0, n - 1)
        for place, n in ((receivers.row, shape[0]), (receivers.col, shape[1]))
    )
    return row, col
