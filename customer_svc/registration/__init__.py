"""Registration: opening an account and verifying its e-mail address."""
