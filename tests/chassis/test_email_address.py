"""The one spelling of an e-mail address, and the one in ASCII."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import EmailStr, TypeAdapter, ValidationError

from chassis.email_address import ascii_domain, normalised_email

ADDRESS = TypeAdapter(EmailStr)
MUNICH = "u@m\u00fcnchen.de"

domains = st.lists(
    st.one_of(
        st.text(max_size=8),
        st.sampled_from(
            [
                "example",
                "XN--MNCHEN-3YA",
                "xn--mnchen-3ya",
                "xn--",
                "fa\u00df",
                "M\u00dcNCHEN",
                "mu\u0308nchen",
                "a_b",
            ]
        ),
    ),
    max_size=4,
).map(".".join)
addresses = st.one_of(st.text(max_size=20), st.builds("{}@{}".format, st.text(max_size=12), domains))


@pytest.mark.parametrize(
    ("given_address", "spelling"),
    [
        ("u@xn--mnchen-3ya.de", MUNICH),
        ("u@XN--Mnchen-3YA.DE", MUNICH),
        ("U@M\u00dcNCHEN.de", MUNICH),
        ("u@mu\u0308nchen.de", MUNICH),
        ("u@m\u00fcnchen\u3002de", MUNICH),
        ("u@\uff4d\u00fcnchen.de", MUNICH),
        # Other domains, and not ss.
        ("u@fa\u00df.de", "u@fa\u00df.de"),
        ("u@xn--fa-hia.de", "u@fa\u00df.de"),
        # No domains of IDNA: only lower case.
        ("u@A_b.xn--mnchen-3ya.de", "u@a_b.xn--mnchen-3ya.de"),
        ("u@xn--999999999.DE", "u@xn--999999999.de"),
        ("u@[127.0.0.1]", "u@[127.0.0.1]"),
        ("No Address", "no address"),
        ("", ""),
        ("a@b@Example.com", "a@b@example.com"),
    ],
)
def test_a_mailbox_has_one_spelling(given_address: str, spelling: str) -> None:
    assert normalised_email(given_address) == spelling


@given(addresses)
@settings(max_examples=60, deadline=None)
@example("\u0130@\u0130.example")
@example("a@" + "b" * 70 + ".example")
@example("a@" + "\u0661" * 260)
@example("\u1fb4\u0345@x")
def test_the_spelling_of_a_spelling_is_itself(address: str) -> None:
    once = normalised_email(address)
    assert normalised_email(once) == once


@given(addresses)
@settings(max_examples=60, deadline=None)
def test_both_forms_of_a_domain_are_one_mailbox(address: str) -> None:
    assert normalised_email(ascii_domain(address)) == normalised_email(address)


@given(addresses)
@settings(max_examples=60, deadline=None)
def test_an_address_that_can_be_registered_is_spelled_as_at_its_registration(address: str) -> None:
    try:
        registered = ADDRESS.validate_python(address)
    except ValidationError:
        return
    assert normalised_email(registered) == normalised_email(address)


@pytest.mark.parametrize(
    ("address", "in_ascii"),
    [
        (MUNICH, "u@xn--mnchen-3ya.de"),
        ("ada@example.com", "ada@example.com"),
        ("Ada@EXAMPLE.com", "Ada@example.com"),
        ("jos\u00e9@m\u00fcnchen.de", "jos\u00e9@xn--mnchen-3ya.de"),
        ("u@a_b", "u@a_b"),
        ("u@\u2028", "u@\u2028"),
    ],
)
def test_a_domain_has_a_form_in_ascii(address: str, in_ascii: str) -> None:
    assert ascii_domain(address) == in_ascii
