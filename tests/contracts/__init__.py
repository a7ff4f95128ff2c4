"""A package to pytest, so that the fronts end with the last of its tests, and not with those of all."""
