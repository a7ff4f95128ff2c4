"""Makes this folder a package for pytest, so that the platform stops after the last of its tests."""
