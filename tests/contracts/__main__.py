"""``python -m tests.contracts``: generate the pages about the contracts."""

from tests.contracts.generated import PAGES

if __name__ == "__main__":
    for path, make in PAGES.items():
        path.write_text(make(), encoding="utf-8")
