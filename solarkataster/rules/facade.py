"""Rules for modules on walls."""

from __future__ import annotations

from solarkataster.rules.base import Fraction, NotNegative, Rules, SourcedTable


class FacadeModules(SourcedTable):
    """How much of a wall holds modules."""

    module_fraction: Fraction
    """Share of the usable area (without windows, doors, balconies) that modules cover."""


class FacadeLimits(SourcedTable):
    """Which walls are worth it."""

    least_module_area_m2: NotNegative
    """Least module area on one wall. [m²]"""

    least_irradiation_fraction: Fraction
    """Least share of what the best open wall at the site gets."""


class FacadeRules(Rules):
    """Modules on walls."""

    modules: FacadeModules
    limits: FacadeLimits
