"""Search: lists of products, by words, filters and availability, and the counts that narrow them down (facets)."""
