"""Deployment: the system map, topics, the image, and the local servers of the quick start."""
