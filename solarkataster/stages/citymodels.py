"""The buildings of a city model that stand on a tile's footprints."""

from __future__ import annotations

from solarkataster.facades.city_match import CityBuilding, buildings_on
from solarkataster.io.citymodels import read_city_surfaces
from solarkataster.stages.job import TileJob


def city_buildings(job: TileJob) -> dict[int, CityBuilding]:
    """
    What the city model has on each footprint of a tile.

    Only buildings near the tile's footprints are read.

    Parameters
    ----------
    job : TileJob

    Returns
    -------
    dict of int to CityBuilding
        By position in the job, all of them; empty if the config names no city model.

    Raises
    ------
    InputError
        If a file has changed since it was opened.
    """
    if job.lod2 is None:
        return {}
    found = buildings_on(job.building_ids, job.footprints, read_city_surfaces(job.lod2))
    return dict(enumerate(found))
