"""How Shopstream is put to work: topics, images, and the local servers of the quick start."""
