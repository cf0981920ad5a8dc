"""The built-in town: made up, deterministic, with exact truth to compare results with."""

from solarkataster.demo.overhang import TrueSide
from solarkataster.demo.planes import TruePlane
from solarkataster.demo.roofshapes import Building
from solarkataster.demo.superstructures import TrueSuperstructure
from solarkataster.demo.town import Town, make_town, truth_receivers
from solarkataster.demo.trees import Tree

__all__ = [
    "Building",
    "Town",
    "Tree",
    "TruePlane",
    "TrueSide",
    "TrueSuperstructure",
    "make_town",
    "truth_receivers",
]
