"""Amendments: changing the lines or addresses of an order before it is shipped."""
