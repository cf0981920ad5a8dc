"""Columns of what surfaces see of the sky, and of the run's own weather."""

from __future__ import annotations

from solarkataster.columns import Column
from solarkataster.units import MONTHS

_SHARES = (
    "Bytes, sector by sector clockwise from first_sector, each with the share (of 255) of the "
    "surface that sees the sky at every edge of elevation; the edges, as q = t / (1 + t) with t "
    "the tangent, stand in the file's metadata. "
)

#: Rows of ``sky_visibility.parquet``.
VISIBILITY_COLUMNS = (
    Column("building_id", "str", "–", "The input's id as text."),
    Column("surface_id", "str", "–", "roof_id or facade_id."),
    Column(
        "kind",
        "str",
        "–",
        "roof; rack: the modules on a flat roof that face one way; wall: a straight chord of one.",
    ),
    Column("part", "int32", "–", "Facing of the rack, or chord along the wall, from 0."),
    Column("surface_tilt", "float64", "°", "Tilt from the horizontal."),
    Column("surface_azimuth", "float64", "°", "Clockwise from true north; of level ones any."),
    Column("weight", "float64", "–", "Share of the wall that the chord stands for; else 1."),
    Column("n_sector", "int32", "–", "Sectors of the horizon; the first one's middle: grid north."),
    Column("first_sector", "int32", "–", "First sector that is kept, from 0; of walls the front."),
    Column("visible", "binary", "–", _SHARES + "The surface's own plane is not part of it."),
    Column("through_deciduous", "binary", "–", "The same behind deciduous crowns; empty if none."),
    Column("through_evergreen", "binary", "–", "The same behind evergreen crowns."),
    Column("through_both", "binary", "–", "The same behind crowns of both kinds."),
    *(
        Column(
            f"poa_global_{month}_kwh_m2",
            "float64",
            "kWh/m²",
            f"Global irradiation of the row's own plane, month {month}.",
        )
        for month in MONTHS
    ),
    *(
        Column(
            f"poa_ground_diffuse_{month}_kwh_m2",
            "float64",
            "kWh/m²",
            f"Of it reflected by what lies below the horizon, month {month}.",
        )
        for month in MONTHS
    ),
)

#: Rows of ``weather.parquet``, hour by hour.
WEATHER_COLUMNS = (
    Column("time", "timestamp", "–", "Start of the hour, in the clock of the weather file."),
    Column("ghi", "float64", "W/m²", "Global light on the horizontal, mean of the hour."),
    Column("dhi", "float64", "W/m²", "Diffuse light on the horizontal."),
    Column("bhi", "float64", "W/m²", "Direct light on the horizontal."),
    Column("temp_air", "float64", "°C", "Air temperature; empty if the file has none."),
    Column("wind_speed", "float64", "m/s", "Wind speed; empty if the file has none."),
)
