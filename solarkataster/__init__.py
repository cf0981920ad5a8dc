"""Open solar cadastre: roofs, light and maps from surface models, footprints and weather."""

__version__ = "0.1.0"
