"""Makes this folder a package for pytest, so that the REST APIs stop after the last of its tests."""
