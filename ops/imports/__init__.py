"""Files of products: read as programs write them, sent to product_svc part by part, and exported from it."""
