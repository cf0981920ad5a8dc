"""
Roofs of single buildings, from heights to planes, outlines and what stands on them.

In the order of the data: :mod:`planes` (cells → planes), :mod:`overhang` (how far eaves reach),
:mod:`outlines` (labels → polygons), :mod:`superstructures`; :mod:`model` puts them together.
"""
