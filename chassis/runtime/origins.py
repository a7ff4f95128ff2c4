"""Origins of web pages, as browsers name them in the header ``Origin`` (RFC 6454 §6.2)."""

from urllib.parse import urlsplit

from pydantic_core import Url

SCHEMES = ("http", "https")


def parse_origins(text: str) -> tuple[str, ...]:
    """Return the origins in a list with commas; raise ``ValueError``, naming the first that is none.

    They are compared with what browsers send, letter by letter: another spelling would allow nothing, and nobody
    would know why.
    """
    return tuple(_checked(part.strip()) for part in text.split(",")) if text.strip() else ()


def _checked(text: str) -> str:
    if "*" in text:
        raise ValueError(f"{text!r} is a pattern: name every origin")
    try:
        found = urlsplit(str(Url(text)))
    except ValueError:
        raise ValueError(f"{text!r} is no origin, such as https://shop.example") from None
    if found.scheme not in SCHEMES or "@" in text:
        raise ValueError(f"{text!r} is no origin, such as https://shop.example")
    origin = f"{found.scheme}://{found.netloc}"
    if text != origin:
        raise ValueError(f"{text!r} is not what browsers send: {origin!r} is")
    return origin


def origin_of(url: Url) -> str:
    """The origin of the pages below a URL."""
    found = urlsplit(str(url))
    return f"{found.scheme}://{found.netloc}"
