"""What a client of customer_svc can get wrong."""

from chassis.errors import Conflicting, Unauthenticated


class EmailTaken(Conflicting):
    """There is an account with this e-mail address."""

    code = "email_taken"


class WrongCredentials(Unauthenticated):
    """E-mail address or password is wrong."""

    code = "wrong_credentials"
