"""Ask a process on this machine whether it is well, past any proxy that the environment names."""

import http.client
from urllib.parse import urlsplit

from deploy.local.errors import first_line


def http_trouble(url: str) -> str:
    """GET a URL: empty if the answer is 200, else what it was."""
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
