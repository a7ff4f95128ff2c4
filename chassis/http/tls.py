"""TLS for the clients of other services."""

import ssl
from functools import cache

import httpx


@cache
def tls_context() -> ssl.SSLContext:
    """The context that all clients of a process share: to read the trusted certificates takes 0.1 s each time."""
    return httpx.create_ssl_context()
