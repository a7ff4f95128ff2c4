"""Ask a process on this machine whether it is well, past any proxy that the environment names.

The functions say what is in the way, in words; nothing if nothing is.
"""

import http.client
import socket
from urllib.parse import urlsplit

from deploy.local.errors import first_line


def connection_trouble(address: str) -> str:
    """Connect to ``host:port``."""
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=5):
            return ""
    except OSError as error:
        return first_line(error)


def http_trouble(url: str) -> str:
    """GET a URL; any answer but 200 is trouble."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=5)
    try:
        connection.request("GET", parts.path)
        answer = connection.getresponse()
        body = answer.read(500).decode("utf-8", "replace")
    except (OSError, http.client.HTTPException) as error:
        return first_line(error)
    finally:
        connection.close()
    return "" if answer.status == 200 else f"{answer.status} {body}"
