"""Programs that come inside Python wheels: found without importing them, some of which do things then."""

from importlib.metadata import PackageNotFoundError, distribution

from deploy.local.errors import Prerequisite


def program(wheel: str, path: str, setting: str) -> str:
    """Return the path of a wheel's program; raise ``Prerequisite``, naming the setting that spares it."""
    try:
        found = distribution(wheel).locate_file(path)
    except PackageNotFoundError:
        raise Prerequisite(
            f"the wheel {wheel} is not installed: use 'make run' (or pip install '.[local]'), or set {setting}"
        ) from None
    return str(found)
