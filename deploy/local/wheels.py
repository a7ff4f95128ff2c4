"""Programs inside Python wheels, found without an import: importing some of these wheels has side effects."""

from importlib.metadata import PackageNotFoundError, distribution

from deploy.local.errors import PrerequisiteMissing


def wheel_program(wheel: str, path: str, alternative: str) -> str:
    """Return the path of a program in a wheel; raise ``PrerequisiteMissing``, with the alternative to it."""
    try:
        found = distribution(wheel).locate_file(path)
    except PackageNotFoundError:
        raise PrerequisiteMissing(
            f"the wheel {wheel} is not installed: use 'make run' (or pip install '.[local]'), or {alternative}"
        ) from None
    return str(found)
