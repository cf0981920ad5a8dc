"""
Walls of a building: where they stand, what is seen of them, and points that collect their light.

``segments`` groups the sides of a footprint into walls, ``walls`` gives them foot, top and what
neighbours hide, ``receivers`` puts points on them, ``surface`` is what these points look at.
"""
