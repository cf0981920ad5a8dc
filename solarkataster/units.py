"""Conversions and physical constants, each with its unit and source."""

from __future__ import annotations

#: Radius of the GRS80 ellipsoid's volume sphere (Moritz 2000, J. Geodesy 74). [m]
EARTH_RADIUS_M = 6_371_000.8

#: Share of the curvature that refraction takes back on long sights (Gauss; usual in surveying). [–]
REFRACTION_COEFFICIENT = 0.13

#: Radius of a sphere on which sight lines are straight although the air bends them. [m]
EFFECTIVE_EARTH_RADIUS_M = EARTH_RADIUS_M / (1.0 - REFRACTION_COEFFICIENT)

#: No ground on Earth lies farther from the datum (Everest 8849 m, shores of the Dead Sea -430 m);
#: values beyond are the remains of a lost nodata tag, or no metres. [m]
MAX_HEIGHT_M = 9000.0

WH_PER_KWH = 1000.0
KWH_PER_MWH = 1000.0
W_PER_KW = 1000.0
KG_PER_T = 1000.0
G_PER_KG = 1000.0
CT_PER_EUR = 100.0

#: Light at which modules are rated (IEC 60904-3, standard test conditions). [W/m²]
STC_W_M2 = 1000.0
MONTHS = tuple(f"{month:02d}" for month in range(1, 13))
