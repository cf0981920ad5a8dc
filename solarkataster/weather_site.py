"""How far the weather was measured from the place it is used for."""

from __future__ import annotations

from pathlib import Path

from solarkataster.crs import distance_km, longitude_latitude
from solarkataster.errors import InputError
from solarkataster.grid import Grid
from solarkataster.weather import Weather


def site_distance_km(grid: Grid, weather: Weather) -> float:
    """Length of the geodesic from a raster's centre to the weather site. [km]"""
    longitude, latitude = longitude_latitude(grid.crs, *grid.centre)
    return distance_km(longitude, latitude, weather.longitude, weather.latitude)


def far_site_fault(
    grid: Grid, weather: Weather, path: Path, limit_km: float, option: str
) -> InputError | None:
    """
    Why the weather cannot be used at a place, or None.

    Parameters
    ----------
    grid : Grid
        The surface model's.
    weather : Weather
    path : Path
        The weather's file, for the message.
    limit_km : float
        Farthest allowed distance. [km]
    option : str
        Where the user sets the limit, for the message.
    """
    away_km = site_distance_km(grid, weather)
    if away_km <= limit_km:
        return None
    longitude, latitude = longitude_latitude(grid.crs, *grid.centre)
    return InputError(
        f"weather site at {weather.latitude:.2f}° N {weather.longitude:.2f}° E is "
        f"{away_km:.0f} km from the surface model at {latitude:.2f}° N {longitude:.2f}° E",
        where=str(path),
        expected=f"at most {limit_km:g} km ({option})",
        remedy="Take the file of a nearer site, or raise the limit if the climate is the same.",
    )
