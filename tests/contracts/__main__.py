"""``python -m tests.contracts``: write the pages about the contracts anew."""

from tests.contracts.pages import PAGES

if __name__ == "__main__":
    for path, make in PAGES.items():
        path.write_text(make(), encoding="utf-8")
