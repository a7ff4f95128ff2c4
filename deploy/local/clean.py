"""Remove the data of a local run: ``python -m deploy.local.clean``, also without the virtual environment."""

import sys

from deploy.local.errors import LocalError
from deploy.local.home import clean, shop_home


def main() -> None:
    """Remove everything a run has written to SHOP_HOME; end the process non-zero if a run still works there."""
    home = shop_home()
    try:
        found = clean(home)
    except (LocalError, OSError) as error:
        sys.exit(f"✗ {error}")
    print(f"removed the data in {home}" if found else f"nothing to remove in {home}")


if __name__ == "__main__":
    main()
