"""Stock: how many units of each SKU are on hand, how many are reserved, and when that is low."""
