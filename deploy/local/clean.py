"""Remove the data of a local run: ``python -m deploy.local.clean``; works without the virtual environment, too."""

import sys

from deploy.local.errors import LocalError
from deploy.local.home import clean, shop_home


def main() -> None:
    """Remove everything that runs have written to SHOP_HOME; exit non-zero while one is still active there."""
    home = shop_home()
    try:
        found = clean(home)
    except (LocalError, OSError) as error:
        sys.exit(f"✗ {error}")
    print(f"removed the data in {home}" if found else f"nothing to remove in {home}")


if __name__ == "__main__":
    main()
