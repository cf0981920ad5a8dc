"""Dask: where the work of a step happens, one file a step."""
