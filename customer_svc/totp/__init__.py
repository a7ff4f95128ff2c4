"""One-time codes (TOTP, RFC 6238) as a second factor: enrolment, removal, recovery codes."""
