"""A package to pytest, so that the platform ends with the last of its tests, and not with those of all."""
