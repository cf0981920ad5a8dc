"""The built-in town: made up, deterministic, with exact truth to compare results with."""

from solarkataster.demo.planes import TruePlane
from solarkataster.demo.raster import Tree
from solarkataster.demo.roofshapes import Building
from solarkataster.demo.town import Town, make_town, truth_receivers

__all__ = ["Building", "Town", "Tree", "TruePlane", "make_town", "truth_receivers"]
