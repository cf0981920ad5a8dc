"""Roofs seen from public space: a gabled house, brute force, and what windows must not change."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from test_rating import RULES

from solarkataster.errors import InputError
from solarkataster.grid import Grid
from solarkataster.rating.public_view import monument_view, public_eyes, seen_points
from solarkataster.receivers import plane_receivers
from solarkataster.stages.monument_view import monument_view_stage
from solarkataster.surface import Surface

CELL_M = 0.5
GRID = Grid((120, 120), 400_000.0, 5_500_000.0, CELL_M, "EPSG:25832")
SLOPE = 1.0
#: Rows of a house of 10 m: eaves at 5 m, ridge between rows 59 and 60.
NORTH, SOUTH = range(50, 60), range(60, 70)


def gabled_town() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Surface with one gabled house (ridge from west to east), terrain, and labels of planes."""
    terrain_m = np.zeros(GRID.shape)
    surface_m, labels = terrain_m.copy(), np.zeros(GRID.shape, dtype=np.int32)
    for rows, label in ((NORTH, 1), (SOUTH, 2)):
        for row in rows:
            surface_m[row, 40:80] = 10.0 - abs(row - 59.5) * CELL_M * SLOPE
            labels[row, 40:80] = label
    return surface_m, terrain_m, labels


def points_of(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Points of both planes, as the run has them."""
    north, south = (np.array([0.0, 0.0]), np.array([-SLOPE, SLOPE]))
    at_origin = 10.0 + np.array([-1.0, 1.0]) * 59.5 * CELL_M * SLOPE
    receivers = plane_receivers(labels, north, south, at_origin, CELL_M, 0.1)
    plane = receivers.surface
    points = np.column_stack(
        [receivers.row, receivers.col, receivers.elevation_m, north[plane], south[plane]]
    )
    return points, plane


def street(first_row: int, last_row: int) -> shapely.Geometry:
    """A street from west to east over whole rows."""
    top, bottom = (GRID.north_m - row * CELL_M for row in (first_row, last_row))
    return shapely.box(GRID.west_m, bottom, GRID.east_m, top)


def view(surface_m, labels, *streets, is_asked=True):
    points, plane = points_of(labels)
    eyes = public_eyes(
        np.array(streets, dtype=object),
        GRID,
        surface_m,
        np.zeros(GRID.shape),
        eye_height_m=1.6,
        spacing_m=2.0,
    )
    planes, buildings = monument_view(
        points, plane, np.zeros(2, dtype=int), np.array([is_asked]), surface_m, CELL_M, eyes,
        radius_m=40.0,
    )  # fmt: skip
    return planes.tolist(), buildings.tolist()


# Known answers


def test_side_of_a_gabled_house_towards_the_street_is_seen_and_the_back_is_not():
    surface_m, _, labels = gabled_town()
    behind = street(100, 112)
    before = street(8, 20)
    assert view(surface_m, labels, behind) == (["nicht sichtbar", "sichtbar"], ["sichtbar"])
    assert view(surface_m, labels, before) == (["sichtbar", "nicht sichtbar"], ["sichtbar"])
    assert view(surface_m, labels, behind, before) == (["sichtbar"] * 2, ["sichtbar"])


def test_wall_before_the_street_hides_the_roof():
    """Eyes at 1.6 m, 15 m behind a wall of 12 m that stands 5 m from a ridge of 10 m."""
    surface_m, _, labels = gabled_town()
    surface_m[80:82] = 12.0
    assert view(surface_m, labels, street(110, 116))[1] == ["nicht sichtbar"]
    surface_m[80:82] = 3.0
    assert view(surface_m, labels, street(110, 116))[1] == ["sichtbar"]


def test_flat_roof_is_not_seen_from_the_street_but_from_a_hill():
    labels = np.zeros(GRID.shape, dtype=np.int32)
    labels[50:70, 40:80] = 1
    surface_m = np.where(labels > 0, 6.0, 0.0)
    rows, cols = np.nonzero(labels)
    points = np.column_stack([rows, cols, np.full(len(rows), 6.1), 0 * rows, 0 * rows])
    for eye_m, is_seen in ((1.6, False), (6.0, False), (12.0, True)):
        eyes = np.array([[100.0, 60.0, eye_m]])
        assert seen_points(surface_m, CELL_M, eyes, points, radius_m=60.0).any() == is_seen


def test_tall_building_is_seen_over_the_line_of_sight():
    """Eye at 0, a wall of 4 m at 10 m, a point at 20 m: seen from 8 m on."""
    surface_m = np.zeros((1, 60))
    surface_m[0, 20] = 4.0
    heights_m = np.array([7.9, 8.1])
    points = np.column_stack([np.zeros(2), [40, 40], heights_m, np.full(2, 10.0), np.zeros(2)])
    eyes = np.array([[0.0, 0.0, 0.0]])
    facing_the_eye = seen_points(surface_m, CELL_M, eyes, points, radius_m=30.0)
    assert facing_the_eye.tolist() == [False, True]
    points[:, 3] = -10.0
    assert not seen_points(surface_m, CELL_M, eyes, points, radius_m=30.0).any()


def test_eyes_beyond_the_radius_see_nothing():
    surface_m, points = np.zeros((1, 60)), np.array([[0.0, 40.0, 5.0, 1.0, 0.0]])
    eyes = np.array([[0.0, 0.0, 1.6]])
    assert seen_points(surface_m, CELL_M, eyes, points, radius_m=20.0).all()
    assert not seen_points(surface_m, CELL_M, eyes, points, radius_m=19.9).any()


def test_nobody_stands_in_crowns_houses_or_where_no_ground_is_known():
    surface_m, terrain_m = np.zeros(GRID.shape), np.zeros(GRID.shape)
    surface_m[:, 40:80] = 8.0
    terrain_m[:, 80:] = np.nan
    eyes = public_eyes(
        np.array([street(0, 120)], dtype=object), GRID, surface_m, terrain_m,
        eye_height_m=1.6, spacing_m=CELL_M,
    )  # fmt: skip
    assert sorted(set(eyes[:, 1])) == list(range(40))
    assert (eyes[:, 2] == 1.6).all()
    assert len(eyes) == 120 * 40


def test_unknown_is_told_with_its_reason():
    surface_m, _, labels = gabled_town()
    points, plane = points_of(labels)

    def answers(points, plane, eyes):
        return monument_view(
            points, plane, np.array([0, 0, 1]), np.array([True, True]), surface_m, CELL_M, eyes,
            radius_m=40.0,
        )[1].tolist()  # fmt: skip

    far = np.array([[60.0, 500.0, 1.6]])
    assert answers(points, plane, None) == ["unbekannt: öffentliche Flächen fehlen"] * 2
    assert answers(points, plane, far) == [
        "unbekannt: keine öffentliche Fläche im Umkreis",
        "unbekannt: Dachfläche fehlt",
    ]
    assert answers(points[:0], plane[:0], far) == ["unbekannt: Dachfläche fehlt"] * 2


def test_houses_that_are_no_monuments_are_not_asked_about():
    surface_m, _, labels = gabled_town()
    assert view(surface_m, labels, street(100, 112), is_asked=False) == (["", ""], [""])


def test_tile_answers_for_its_planes_and_buildings():
    surface_m, terrain_m, labels = gabled_town()
    points, plane = points_of(labels)
    receivers = SimpleNamespace(
        row=points[:, 0], col=points[:, 1], elevation_m=points[:, 2], surface=plane
    )
    roofs = SimpleNamespace(
        receivers=receivers, n_on_roof=len(plane), building=np.zeros(2, dtype=np.int32),
        slope_east=np.zeros(2), slope_north=np.array([-SLOPE, SLOPE]),
    )  # fmt: skip
    job = SimpleNamespace(window=GRID, is_monument=np.array([True, False]))
    surface = Surface(surface_m.astype(np.float32), np.isnan(surface_m), terrain_m)
    asked = (job, surface, roofs)
    planes, buildings = monument_view_stage(
        *asked, np.array([street(100, 112)], dtype=object), RULES.visibility
    )
    assert planes.tolist() == ["nicht sichtbar", "sichtbar"]
    assert buildings.tolist() == ["sichtbar", ""]
    unknown = "unbekannt: öffentliche Flächen fehlen"
    assert monument_view_stage(*asked, None, RULES.visibility)[1].tolist() == [unknown, ""]


# Laws


def seen_slowly(surface_m, eyes, points) -> list[bool]:
    """Line of sight against the surface at each crossing, as the notes say it, without haste."""

    def is_free(point, eye):
        (row, col, z), (eye_row, eye_col, eye_z) = point[:3], eye
        along_rows = abs(eye_row - row) >= abs(eye_col - col)
        a, b = (row, eye_row) if along_rows else (col, eye_col)
        c, d = (col, eye_col) if along_rows else (row, eye_row)
        length = np.hypot(eye_row - row, eye_col - col)
        for k in range(int(np.floor(min(a, b))) + 1, int(np.ceil(max(a, b)))):
            t = (k - a) / (b - a)
            line = surface_m[k] if along_rows else surface_m[:, k]
            height = np.interp(c + t * (d - c), np.arange(len(line)), line)
            if min(t, 1 - t) * length > 1.5 and height > z + t * (eye_z - z):
                return False
        return True

    def is_before(point, eye):
        run_east, run_north = (eye[1] - point[1]) * CELL_M, (point[0] - eye[0]) * CELL_M
        return eye[2] > point[2] + point[3] * run_east + point[4] * run_north

    return [any(is_before(p, e) and is_free(p, e) for e in eyes) for p in points]


surfaces_m = arrays(np.float64, (12, 15), elements=st.integers(0, 12).map(float))
seeds = st.integers(0, 2**32 - 1)


def someone(seed: int, surface_m: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Eyes and points at random places, also between cells."""
    rng = np.random.default_rng(seed)
    ny, nx = surface_m.shape

    def places(n):
        return np.column_stack([rng.uniform(0, ny - 1, n), rng.uniform(0, nx - 1, n)])

    eyes = np.column_stack([places(4), rng.uniform(0, 14, 4)])
    points = np.column_stack([places(10), rng.uniform(0, 14, 10), rng.uniform(-1, 1, (10, 2))])
    points[:3, :2] = np.round(points[:3, :2])
    eyes[0, :2] = np.round(eyes[0, :2])
    return eyes, points


@settings(deadline=None, max_examples=40)
@given(surfaces_m, seeds)
def test_what_is_seen_is_what_brute_force_sees(surface_m, seed):
    eyes, points = someone(seed, surface_m)
    seen = seen_points(surface_m, CELL_M, eyes, points, radius_m=100.0)
    assert seen.tolist() == seen_slowly(surface_m, eyes, points)


@settings(deadline=None, max_examples=40)
@given(surfaces_m, seeds)
def test_turning_the_town_changes_no_view_and_raising_it_shows_nothing_new(surface_m, seed):
    eyes, points = someone(seed, surface_m)
    seen = seen_points(surface_m, CELL_M, eyes, points, radius_m=100.0)
    ny = surface_m.shape[0]
    turned = [  # clockwise: what looked east looks south
        np.column_stack([one[:, 1], ny - 1 - one[:, 0], one[:, 2:]]) for one in (eyes, points)
    ]
    turned[1][:, 3:] = np.column_stack([points[:, 4], -points[:, 3]])
    again = seen_points(np.rot90(surface_m, k=-1), CELL_M, *turned, radius_m=100.0)
    assert again.tolist() == seen.tolist()
    higher = seen_points(surface_m + 1.0, CELL_M, eyes, points, radius_m=100.0)
    assert not (higher & ~seen).any()


def test_windows_of_one_raster_have_the_same_eyes():
    areas = np.array([street(10, 100)], dtype=object)
    ground = np.zeros(GRID.shape)

    def eyes_of(window, ground):
        eyes = public_eyes(areas, window, ground, ground, eye_height_m=1.6, spacing_m=2.5)
        row, col = GRID.offset_of(window)
        return {(r + row, c + col) for r, c, _ in eyes}

    whole = eyes_of(GRID, ground)
    part = eyes_of(GRID.window(7, 3, 60, 50), ground[7:67, 3:53])
    assert part == {(r, c) for r, c in whole if 7 <= r < 67 and 3 <= c < 53}
    assert part


def test_impossible_numbers_are_refused():
    point = np.array([[0.0, 0.0, 1.0, 0.0, 0.0]])
    with pytest.raises(InputError, match="eyes hold numbers"):
        seen_points(np.zeros((3, 3)), CELL_M, np.array([[0, 0, np.nan]]), point, radius_m=10.0)
    with pytest.raises(InputError, match="radius 0"):
        seen_points(np.zeros((3, 3)), CELL_M, np.zeros((1, 3)), point, radius_m=0.0)
    with pytest.raises(InputError, match="eyes at 0 m"):
        public_eyes(
            np.zeros(0, dtype=object), GRID, np.zeros(GRID.shape), np.zeros(GRID.shape),
            eye_height_m=0.0, spacing_m=1.0,
        )  # fmt: skip
