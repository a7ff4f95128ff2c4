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
        "change-email": "Confirm your new e-mail address",
        "change-email.why": "This logs you out on all devices. From then on, you log in with the new address.",
        "change-email.do": "Confirm",
        "change-email.done": "Your new e-mail address is confirmed. You can now log in with it.",
        "revert-email-change": "Take your account back",
        "revert-email-change.why": "Your account gets this e-mail address again, and you are logged out on all"
        " devices. Choose a password that you use nowhere else.",
        "revert-email-change.do": "Take my account back",
        "revert-email-change.done": "Your account has its earlier e-mail address and your new password. You can now"
        " log in with them. Look at your orders and addresses: somebody else may have changed them.",
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
        "change-email": "Neue E-Mail-Adresse bestätigen",
        "change-email.why": "Sie werden dabei auf allen Geräten abgemeldet. Danach melden Sie sich mit der neuen"
        " Adresse an.",
        "change-email.do": "Bestätigen",
        "change-email.done": "Ihre neue E-Mail-Adresse ist bestätigt. Sie können sich jetzt damit anmelden.",
        "revert-email-change": "Konto zurückholen",
        "revert-email-change.why": "Ihr Konto bekommt wieder diese E-Mail-Adresse, und Sie werden auf allen Geräten"
        " abgemeldet. Wählen Sie ein Passwort, das Sie nirgends sonst benutzen.",
        "revert-email-change.do": "Konto zurückholen",
        "revert-email-change.done": "Ihr Konto hat wieder seine frühere E-Mail-Adresse und Ihr neues Passwort. Sie"
        " können sich jetzt damit anmelden. Sehen Sie Ihre Bestellungen und Adressen durch: Jemand anderes kann sie"
        " geändert haben.",
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
