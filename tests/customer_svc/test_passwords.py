"""Passwords in and out of their hashes."""

import asyncio

import pytest

from customer_svc.passwords import Passwords

PASSWORDS = Passwords()


async def test_the_password_matches_its_hash_and_no_other_does() -> None:
    stored = await PASSWORDS.hashed("correct horse battery")
    assert await PASSWORDS.matches("correct horse battery", stored)
    assert not await PASSWORDS.matches("correct horse batterz", stored)
    assert not await PASSWORDS.matches("", stored)


async def test_nobodys_password_never_matches() -> None:
    assert not await PASSWORDS.matches("nobody's password", None)


async def test_a_hash_tells_algorithm_and_cost_and_never_twice_the_same() -> None:
    hashes = await asyncio.gather(*(PASSWORDS.hashed("correct horse battery") for _ in range(2)))
    assert all(one.startswith("$argon2id$v=19$m=19456,t=2,p=1$") for one in hashes)
    assert hashes[0] != hashes[1]


@pytest.mark.parametrize("password", ["\x00" * 10, "пароль-пароль", "🔐" * 200, " " * 10])
async def test_a_password_may_hold_anything(password: str) -> None:
    assert await PASSWORDS.matches(password, await PASSWORDS.hashed(password))


async def test_hashing_leaves_the_event_loop_free() -> None:
    hashing = asyncio.gather(*(PASSWORDS.hashed("correct horse battery") for _ in range(8)))
    turns = 0
    while not hashing.done():
        await asyncio.sleep(0)
        turns += 1
    assert len(await hashing) == 8
    assert turns > 8


async def test_a_log_in_does_not_wait_for_everybody_who_registers() -> None:
    stored = await PASSWORDS.hashed("correct horse battery")
    newcomers = [asyncio.create_task(PASSWORDS.hashed_for_newcomer("correct horse battery")) for _ in range(24)]
    await asyncio.sleep(0)
    assert await PASSWORDS.matches("correct horse battery", stored)
    assert sum(one.done() for one in newcomers) < 12
    await asyncio.gather(*newcomers)
