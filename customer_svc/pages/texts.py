"""What the pages say, in each language that mails are written in."""

from collections.abc import Mapping

TEXTS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "verify-email": "Confirm your address",
        "verify-email.why": "One click, and we know that mail reaches you here.",
        "verify-email.do": "Confirm",
        "verify-email.done": "Your address is confirmed. You can close this page.",
        "reset-password": "Set a new password",
        "reset-password.why": "Every session that is open now will end.",
        "reset-password.do": "Set password",
        "reset-password.done": "Your new password is set. You can log in with it now.",
        "new": "New password, at least 10 characters",
        "again": "The same once more",
        "differ": "These are two different passwords.",
        "incomplete": "This link is not complete. Copy all of it from the mail into the address bar.",
        "spent": "This link was used already, or is too old. Ask for another mail.",
        "failed": "That did not work. Try again in a moment.",
        "script": "This page needs JavaScript to hand over what the link in your mail carries.",
    },
    "de": {
        "verify-email": "Adresse bestätigen",
        "verify-email.why": "Ein Klick, und wir wissen, dass Sie hier Post von uns erreicht.",
        "verify-email.do": "Bestätigen",
        "verify-email.done": "Ihre Adresse ist bestätigt. Sie können diese Seite schließen.",
        "reset-password": "Neues Passwort setzen",
        "reset-password.why": "Alle offenen Anmeldungen enden damit.",
        "reset-password.do": "Passwort setzen",
        "reset-password.done": "Ihr neues Passwort gilt. Sie können sich jetzt damit anmelden.",
        "new": "Neues Passwort, mindestens 10 Zeichen",
        "again": "Noch einmal dasselbe",
        "differ": "Das sind zwei verschiedene Passwörter.",
        "incomplete": "Dieser Link ist unvollständig. Kopieren Sie ihn ganz aus der Mail in die Adresszeile.",
        "spent": "Dieser Link ist schon benutzt oder zu alt. Lassen Sie sich eine neue Mail schicken.",
        "failed": "Das hat nicht geklappt. Versuchen Sie es gleich noch einmal.",
        "script": "Diese Seite braucht JavaScript, um weiterzugeben, was der Link in Ihrer Mail enthält.",
    },
}
"""Language (ISO 639-1) → what is said → text."""
