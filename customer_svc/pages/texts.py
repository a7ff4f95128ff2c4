"""The texts of the pages, in every language that mails are written in."""

from collections.abc import Mapping

TEXTS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "verify-email": "Confirm your e-mail address",
        "verify-email.why": "Confirm that you receive our mails at this address.",
        "verify-email.do": "Confirm",
        "verify-email.done": "Your e-mail address is confirmed. You can close this page.",
        "reset-password": "Set a new password",
        "reset-password.why": "This logs you out on all devices.",
        "reset-password.do": "Set password",
        "reset-password.done": "Your new password is set. You can now log in with it.",
        "new": "New password, at least 12 characters",
        "again": "Repeat the new password",
        "name": "Your name",
        "contested": "This address was registered more than once. Enter your name and choose a password.",
        "differ": "The passwords do not match.",
        "incomplete": "This link is incomplete. Copy the whole link from the mail into the address bar.",
        "invalid": "This link was already used or has expired. Request a new mail.",
        "failed": "Something went wrong. Try again in a moment.",
        "script": "This page needs JavaScript to use the link in your mail.",
    },
    "de": {
        "verify-email": "E-Mail-Adresse bestätigen",
        "verify-email.why": "Bestätigen Sie, dass Sie unsere Mails unter dieser Adresse erhalten.",
        "verify-email.do": "Bestätigen",
        "verify-email.done": "Ihre E-Mail-Adresse ist bestätigt. Sie können diese Seite schließen.",
        "reset-password": "Neues Passwort setzen",
        "reset-password.why": "Sie werden dabei auf allen Geräten abgemeldet.",
        "reset-password.do": "Passwort setzen",
        "reset-password.done": "Ihr neues Passwort ist gesetzt. Sie können sich jetzt damit anmelden.",
        "new": "Neues Passwort, mindestens 12 Zeichen",
        "again": "Neues Passwort wiederholen",
        "name": "Ihr Name",
        "contested": "Diese Adresse wurde mehrmals registriert. Geben Sie Ihren Namen und ein neues Passwort ein.",
        "differ": "Die Passwörter stimmen nicht überein.",
        "incomplete": "Dieser Link ist unvollständig. Kopieren Sie den ganzen Link aus der Mail in die Adresszeile.",
        "invalid": "Dieser Link wurde schon benutzt oder ist abgelaufen. Fordern Sie eine neue Mail an.",
        "failed": "Es ist ein Fehler aufgetreten. Versuchen Sie es gleich noch einmal.",
        "script": "Diese Seite braucht JavaScript, um den Link aus Ihrer Mail zu verwenden.",
    },
}
"""Language (ISO 639-1) → key → text."""
