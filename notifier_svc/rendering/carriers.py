"""The public tracking pages of carriers."""

from collections.abc import Mapping
from urllib.parse import quote

NUMBER = "{number}"
"""Stands for the tracking number in a URL."""

TRACKING_PAGES: Mapping[str, str] = {
    "Australia Post": "https://auspost.com.au/mypost/track/details/{number}",
    "Canada Post": "https://www.canadapost-postescanada.ca/track-reperage/en#/search?searchFor={number}",
    "Colissimo": "https://www.laposte.fr/outils/suivre-vos-envois?code={number}",
    "DHL": "https://www.dhl.com/global-en/home/tracking.html?tracking-id={number}",
    "DPD": "https://www.dpdgroup.com/be/mydpd/my-parcels/search?parcelNumber={number}",
    "Evri": "https://www.evri.com/track/parcel/{number}",
    "FedEx": "https://www.fedex.com/fedextrack/?trknbr={number}",
    "GLS": "https://gls-group.com/track/{number}",
    "Hermes": "https://www.myhermes.de/empfangen/sendungsverfolgung/sendungsinformation#{number}",
    "La Poste": "https://www.laposte.fr/outils/suivre-vos-envois?code={number}",
    "Royal Mail": "https://www.royalmail.com/track-your-item#/tracking-results/{number}",
    "Swiss Post": "https://service.post.ch/ekp-web/ui/entry/search/{number}",
    "UPS": "https://www.ups.com/track?tracknum={number}",
    "USPS": "https://tools.usps.com/go/TrackConfirmAction?tLabels={number}",
}
"""Carrier → its page about a parcel, as in November 2026."""


class TrackingPages:
    """The pages that are known, and those of the settings, which replace them."""

    def __init__(self, pages: Mapping[str, str] = {}) -> None:
        self._pages = {_plain(carrier): url for carrier, url in {**TRACKING_PAGES, **pages}.items()}

    def url(self, carrier: str, number: str) -> str | None:
        """The page about a parcel; None for an unknown carrier, and for a number that was removed."""
        page = self._pages.get(_plain(carrier))
        known = page and any(character.isalnum() for character in number)
        return page.replace(NUMBER, quote(number, safe="")) if page and known else None


def _plain(carrier: str) -> str:
    """A name as staff may write it: ``DHL``, ``dhl``, ``Royal-Mail``."""
    return "".join(character for character in carrier.casefold() if character.isalnum())
