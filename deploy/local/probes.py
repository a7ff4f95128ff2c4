"""Check a process on this machine, bypassing any proxy that the environment names.

Each function returns what is wrong, in words; an empty text if nothing is.
"""

import http.client
import socket
from urllib.parse import urlsplit

from deploy.local.errors import first_line


def connection_problem(address: str) -> str:
    """Connect to ``host:port``."""
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=5):
            return ""
    except OSError as error:
        return first_line(error)


def http_problem(url: str) -> str:
    """GET a URL; any status but 200 is a problem."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=5)
    try:
        connection.request("GET", parts.path)
        response = connection.getresponse()
        body = response.read(500).decode("utf-8", "replace")
    except (OSError, http.client.HTTPException) as error:
        return first_line(error)
    finally:
        connection.close()
    return "" if response.status == 200 else f"{response.status} {body}"
