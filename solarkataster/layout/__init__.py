"""
Modules on roof planes.

In the order of the data: :mod:`racks` (what stands on flat roofs), :mod:`margins` (what is left of
a plane), :mod:`modules` (how many fit), :mod:`plan` (lit and judged), :mod:`reasons`.
"""
