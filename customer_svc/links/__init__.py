"""Links in mails, with which customers verify an e-mail address or reset a password."""
