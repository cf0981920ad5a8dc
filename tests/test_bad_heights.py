"""Heights that cannot be what they are called: lost nodata tags, units, gaps, the wrong file."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from small_inputs import (
    check,
    one_fault,
    outlines,
    rewrite_footprints,
    surface,
    terrain,
    write_config,
    write_raster,
)


def test_surface_in_centimetres_is_told_from_a_lost_nodata_tag(folder):
    write_raster(folder / "dsm.tif", surface() * 100)
    fault = one_fault(folder)
    assert "100.0% of the heights are beyond ±9000 m" in fault.found
    assert "centimetres" in fault.remedy


def test_highest_ground_on_earth_passes(folder):
    write_raster(folder / "dsm.tif", surface() + 8740)
    write_raster(folder / "dtm.tif", terrain() + 8740)
    check(folder)


# Holes of the terrain


def with_holes(n_houses: int) -> np.ndarray:
    """The terrain with tagged nodata under the first houses of the first rows."""
    heights_m = terrain()
    for house in range(n_houses):
        row, col = 3 + house // 12 * 10, 3 + house % 12 * 10
        heights_m[row : row + 5, col : col + 5] = -9999.0
    return heights_m


def test_terrain_with_holes_under_a_quarter_of_the_footprints_stops(folder):
    write_raster(folder / "dtm.tif", with_holes(36))
    fault = one_fault(folder)
    assert fault.where == str(folder / "dtm.tif")
    assert "no data on 25.0% of the footprint cells" in fault.found
    assert "max_no_terrain_fraction" in fault.expected


def test_terrain_with_holes_under_one_percent_is_noted_and_the_config_may_allow_more(folder):
    write_raster(folder / "dtm.tif", with_holes(1))  # of 144 houses: 0.7 %
    told = "terrain model has no data on 0.7% of the footprint cells"
    assert told in check(folder).notes
    write_raster(folder / "dtm.tif", with_holes(2))  # 1.4 %
    one_fault(folder)
    write_config(folder, "[limits]\nmax_no_terrain_fraction = 0.02")
    check(folder)


def test_holes_of_the_terrain_where_the_surface_has_none_either_are_no_fault(folder):
    dsm_m = surface()
    dsm_m[:30] = -9999.0  # the edge of the delivered area
    dtm_m = terrain()
    dtm_m[:30] = -9999.0
    write_raster(folder / "dsm.tif", dsm_m)
    write_raster(folder / "dtm.tif", dtm_m)
    check(folder)


# Datum, unit, the wrong file


def test_surface_over_forty_metres_above_the_terrain_stops(folder):
    write_raster(folder / "dsm.tif", surface() + 39)
    check(folder)
    write_raster(folder / "dsm.tif", surface() + 41)
    fault = one_fault(folder)
    assert "41.0 m above the terrain model outside the footprints" in fault.found
    assert "datum or unit" in fault.remedy


def test_surface_in_centimetres_near_the_sea_stops(folder):
    write_raster(folder / "dsm.tif", (surface() - 95) * 100)
    write_raster(folder / "dtm.tif", terrain() - 95)
    assert "above the terrain model" in one_fault(folder).found


def test_exchanged_rasters_are_told_by_their_buildings(folder):
    write_raster(folder / "dsm.tif", terrain())
    write_raster(folder / "dtm.tif", surface())
    fault = one_fault(folder)
    assert "shows no buildings" in fault.found
    assert "-8.0 m" in fault.found
    assert "exchanged" in fault.remedy


def test_footprints_beside_the_houses_stop_but_two_of_them_do_not(folder):
    table = outlines()
    beside = table.set_geometry(table.translate(-5, 0))
    rewrite_footprints(folder, beside.iloc[:14:6])  # three
    assert "shows no buildings" in one_fault(folder).found
    rewrite_footprints(folder, beside.iloc[:12:6])
    check(folder)


def test_some_missing_houses_are_no_fault(folder):
    heights_m = surface()
    heights_m[:60] = terrain()[:60]  # the northern half is newer than the flight
    heights_m[60:70] = surface()[60:70]
    heights_m[3:8] = surface()[3:8]  # 84 of 144 stand
    write_raster(folder / "dsm.tif", heights_m)
    check(folder)


def test_surface_in_whole_metres_is_noted(folder):
    assert not any("whole metres" in note for note in check(folder).notes)
    write_raster(folder / "dsm.tif", np.round(surface()).astype("int16"))
    assert any("tilts of roofs are rough" in note for note in check(folder).notes)


# Commands for one raster


def typed(folder: Path, monkeypatch, *words: object) -> int:
    """Exit code of a command typed in the folder."""
    from solarkataster.cli import main

    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "argv", ["solarkataster", *map(str, words)])
    with pytest.raises(SystemExit) as left:
        main()
    return left.value.code


@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("horizon", []),
        ("irradiation", ["--weather", "weather.dat"]),
        ("sensors", ["--weather", "weather.dat", "--points", "points.csv"]),
    ],
)
@pytest.mark.parametrize(
    ("value", "told"), [(0.0, "exactly 0"), (9999.0, "9999"), (-32768.0, "-32768")]
)
def test_commands_for_one_raster_refuse_untagged_nodata(
    folder, monkeypatch, capsys, command, options, value, told
):
    heights_m = terrain()
    heights_m[20:30, 20:30] = value  # 100 of 14400 cells
    write_raster(folder / "dsm.tif", heights_m, nodata=None)
    (folder / "points.csv").write_text(
        "x,y,height_m,surface_tilt,surface_azimuth\n461060,5481940,1,30,180\n"
    )
    assert typed(folder, monkeypatch, command, "dsm.tif", *options, "--out", "out.bin") == 2
    message = capsys.readouterr().err
    assert told in message
    assert "dsm.tif" in message
    assert f"-a_nodata {value:g}" in message
    assert not (folder / "out.bin").exists()


def test_commands_for_one_raster_refuse_one_without_any_height(folder, monkeypatch, capsys):
    write_raster(folder / "dsm.tif", np.full((40, 40), -9999.0, "float32"))
    assert typed(folder, monkeypatch, "horizon", "dsm.tif", "--out", "out.tif") == 2
    assert "no cell has a value" in capsys.readouterr().err


def test_horizon_at_the_sea_and_on_a_plain_at_the_datum_runs(folder, monkeypatch):
    low_m = terrain() - 101.0
    low_m[:40] = 0.0
    write_raster(folder / "dsm.tif", low_m, nodata=None)
    assert typed(folder, monkeypatch, "horizon", "dsm.tif", "--out", "out.tif") == 0
