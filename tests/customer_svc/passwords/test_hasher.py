"""Password hashes."""

import asyncio

import pytest

from customer_svc.passwords.hasher import PasswordHasher

HASHER = PasswordHasher()


async def test_only_the_right_password_matches_a_hash() -> None:
    stored = await HASHER.hash("correct horse battery")
    assert await HASHER.matches("correct horse battery", stored)
    assert not await HASHER.matches("correct horse batterz", stored)
    assert not await HASHER.matches("", stored)


async def test_no_password_matches_without_an_account() -> None:
    assert not await HASHER.matches("nobody's password", None)


async def test_a_hash_contains_algorithm_and_cost_and_is_salted() -> None:
    hashes = await asyncio.gather(*(HASHER.hash("correct horse battery") for _ in range(2)))
    assert all(one.startswith("$argon2id$v=19$m=19456,t=2,p=1$") for one in hashes)
    assert hashes[0] != hashes[1]


@pytest.mark.parametrize("password", ["\x00" * 10, "пароль-пароль", "🔐" * 200, " " * 10])
async def test_a_password_can_contain_anything(password: str) -> None:
    assert await HASHER.matches(password, await HASHER.hash(password))


async def test_hashing_leaves_the_event_loop_free() -> None:
    hashing = asyncio.gather(*(HASHER.hash("correct horse battery") for _ in range(8)))
    turns = 0
    while not hashing.done():
        await asyncio.sleep(0)
        turns += 1
    assert len(await hashing) == 8
    assert turns > 8


async def test_a_log_in_does_not_wait_for_all_registrations() -> None:
    stored = await HASHER.hash("correct horse battery")
    registrations = [asyncio.create_task(HASHER.hash_for_registration("correct horse battery")) for _ in range(24)]
    await asyncio.sleep(0)
    assert await HASHER.matches("correct horse battery", stored)
    assert sum(one.done() for one in registrations) < 12
    await asyncio.gather(*registrations)


async def test_a_log_in_does_not_wait_for_passwords_that_are_set_with_links() -> None:
    stored = await HASHER.hash("correct horse battery")
    resets = [asyncio.create_task(HASHER.hash_for_link("correct horse battery")) for _ in range(24)]
    await asyncio.sleep(0)
    assert await HASHER.matches("correct horse battery", stored)
    assert sum(one.done() for one in resets) < 12
    await asyncio.gather(*resets)
