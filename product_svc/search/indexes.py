"""The indexes that searches read, by name; ``search.store`` and ``catalogue.store`` declare them."""

BY_PRODUCT, BY_NAME, BY_PRICE = "by_product", "by_name", "by_price"
WITH_FIRST = (BY_PRODUCT, BY_NAME)
"""Those in which the first offer of each product is apart."""
BY_TERM = "by_term"
