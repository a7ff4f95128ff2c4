"""Pictures of the mails: ``python -m tests.pictures`` writes ``docs/pictures/`` and ``docs/mails.md``.

Every mail is rendered in both languages, with the width of a desktop and of a phone. Needs ``chromium`` on PATH.

``shown.json`` beside the pictures has digests of their sources, so that a test fails when a picture is outdated.
"""

import hashlib
import html
import json
import re
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

from pydantic import SecretStr

from chassis.testing import LINK_KEY
from notifier_svc.rendering.domain import OPTIONAL_TEMPLATES, TEMPLATES, Template
from notifier_svc.rendering.links import Links
from notifier_svc.rendering.locales import LANGUAGES
from notifier_svc.rendering.mime import MimeRenderer
from tests.notifier_svc.samples import NOW, customer, mail

DOCS = Path(__file__).parents[1] / "docs"
WIDTHS = (600, 375)
SCALE = 0.6
QUIET = ["--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--virtual-time-budget=3000"]
CHROMIUM = ["chromium", "--headless", *QUIET]

FAMILIES: Mapping[str, Sequence[Template]] = {
    "orders": ("receipt", "rejected", "cancelled"),
    "amendments": ("order_amended", "amendment_refused"),
    "shipments": ("shipped", "delivered", "return_received"),
    "returns": ("return_requested", "return_approved", "return_declined"),
    "parcels": ("remainder_cancelled", "tracking_corrected", "parcel_failed"),
    "links": ("welcome", "verification", "password_reset"),
    "notices": ("registration_repeated", "password_changed", "account_erased", "low_stock"),
    "addresses": ("email_change", "email_changed", "email_change_reverted"),
}
"""The mails that share a picture."""

SHEET = """<!doctype html><meta charset="utf-8"><style>
body {{ margin: 12px; background: #fff; font: 20px sans-serif; width: {width}px }}
div {{ display: flex; gap: 12px; align-items: flex-start; margin-bottom: 16px }}
iframe {{ border: 2px solid #b8c4cb }}
</style>{rows}<script>
onload = () => {{
  for (const frame of document.querySelectorAll("iframe"))
    frame.height = frame.contentDocument.documentElement.offsetHeight;
  document.body.dataset.height = document.documentElement.offsetHeight;
}};
</script>"""


def main() -> None:
    """Generate everything."""
    renderer = MimeRenderer("shop@example.com", Links("https://shop.example", SecretStr(LINK_KEY)))
    made = sheets(renderer)
    for family, drawn in made.items():
        draw(drawn, DOCS / "pictures" / f"{family}.png")
    remember("pictures", made)
    (DOCS / "mails.md").write_text(page(renderer), encoding="utf-8")


def sheets(renderer: MimeRenderer) -> Mapping[str, str]:
    """Name of a picture → the HTML page that it shows."""
    return {family: sheet(renderer, templates) for family, templates in FAMILIES.items()}


def remember(folder: str, shown: Mapping[str, str]) -> None:
    """Store the digests of what the pictures of a folder show."""
    digests = {name: _digest(source) for name, source in sorted(shown.items())}
    (DOCS / folder / "shown.json").write_text(json.dumps(digests, indent=2) + "\n", encoding="utf-8")


def outdated(folder: str, shown: Mapping[str, str]) -> list[str]:
    """The pictures of a folder that would look different now."""
    kept = json.loads((DOCS / folder / "shown.json").read_text(encoding="utf-8"))
    return [
        name for name in sorted(kept.keys() | shown) if name not in shown or kept.get(name) != _digest(shown[name])
    ]


def _digest(shown: str) -> str:
    return hashlib.sha256(shown.encode()).hexdigest()


def read_message(renderer: MimeRenderer, template: Template, language: str) -> EmailMessage:
    """A sample mail, parsed."""
    name = "Staff" if template == "low_stock" else "Ada Lovelace"
    read = message_from_bytes(renderer.render(mail(template).content, customer(language, name), NOW), policy=default)
    assert isinstance(read, EmailMessage)
    return read


def content(message: EmailMessage, kind: str) -> str:
    """The HTML or the plain text of a mail."""
    part = message.get_body((kind,))
    assert part is not None
    return str(part.get_content())


def sheet(renderer: MimeRenderer, templates: Sequence[Template]) -> str:
    """A page with a row for each mail, which has every language at every width."""
    views = [(language, width) for language in LANGUAGES for width in WIDTHS]
    rows = [[_frame(renderer, template, *view) for view in views] for template in templates]
    shown = "".join(f"<div>{''.join(row)}</div>" for row in rows)
    return SHEET.format(rows=shown, width=sum(width + 16 for _, width in views) + 20)


def _frame(renderer: MimeRenderer, template: Template, language: str, width: int) -> str:
    shown = html.escape(content(read_message(renderer, template, language), "html"))
    return f'<iframe width="{width}" srcdoc="{shown}"></iframe>'


def draw(sheet: str, picture: Path) -> None:
    """Have a browser make a picture of a whole page."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "sheet.html"
        source.write_text(sheet, encoding="utf-8")
        dump = subprocess.run([*CHROMIUM, "--dump-dom", source.as_uri()], capture_output=True, text=True, check=True)
        height = re.search(r'data-height="(\d+)"', dump.stdout)
        width = re.search(r"width: (\d+)px }", sheet)
        assert height
        assert width
        size = [f"--window-size={int(width[1]) + 24},{int(height[1]) + 60}", f"--force-device-scale-factor={SCALE}"]
        command = [*CHROMIUM, *size, f"--screenshot={picture}", source.as_uri()]
        subprocess.run(command, capture_output=True, check=True)


PAGE = """# The mails

Generated by `python -m tests.pictures` from the templates (`notifier_svc/rendering/template_files/`) and the texts
(`notifier_svc/rendering/texts/`). Each picture shows English and German, each 600 and 375 pixels wide.

The customer's locale determines the language: German for `de`, `de-AT` and so on, English for all others. The country
determines the format of amounts and dates: `fr-FR` is English as in France, with the day before the month. Every mail
also has a plain text part with the same texts.

| mail | subject | Betreff | can be switched off |
|---|---|---|---|
{rows}

Times are in the customer's time zone (`time_zone` of the profile), else in UTC. Mails that can be switched off have a
link that does so without a log-in, and the headers of RFC 8058 for mail programs with a button. The carriers whose
tracking pages are known are in `notifier_svc/rendering/carriers.py`; `TRACKING_URLS` adds others. Where the mail
program is dark, the mails are, too.

## A receipt in plain text

```
{receipt}
```
{pictures}"""


def page(renderer: MimeRenderer) -> str:
    """``docs/mails.md``."""
    rows = []
    for template in TEMPLATES:
        subjects = " | ".join(read_message(renderer, template, language)["Subject"] for language in LANGUAGES)
        rows.append(
            f"| `{template}` | {subjects} | {'yes (`order_updates`)' if template in OPTIONAL_TEMPLATES else 'no'} |"
        )
    pictures = "".join(
        f"\n## {family.capitalize()}\n\n![{', '.join(templates)}](pictures/{family}.png)\n"
        for family, templates in FAMILIES.items()
    )
    receipt = content(read_message(renderer, "receipt", "en"), "plain").strip()
    return PAGE.format(rows="\n".join(rows), receipt=receipt, pictures=pictures)


if __name__ == "__main__":
    main()
