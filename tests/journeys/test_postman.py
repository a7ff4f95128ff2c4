"""The Postman collection, run by newman against the whole platform."""

import asyncio

from customer_svc.bootstrap import Settings as BootstrapSettings
from customer_svc.bootstrap import appoint_account
from deploy.postman.newman import newman
from tests.contracts.pages import COLLECTION
from tests.contracts.postman.steps import ENVIRONMENT
from tests.stack import STAFF, Stack

OPS = ("ops@example.com", "the password of the ops")
SERVICES = ("customer", "product", "order", "notifier")


async def test_every_request_of_the_collection_is_answered_as_it_says(shop: Stack) -> None:
    accounts = shop.commands["customer"].env["POSTGRES_URL"]
    await appoint_account(BootstrapSettings(postgres_url=accounts, bootstrap_password=OPS[1]), OPS[0], "ops")
    people = {"staff_email": STAFF[0], "staff_password": STAFF[1], "ops_email": OPS[0], "ops_password": OPS[1]}
    told = ENVIRONMENT | people | {f"{service}_url": shop.urls[service] for service in SERVICES}
    told["mail_url"] = shop.mail_page
    variables = [part for name, value in told.items() for part in ("--env-var", f"{name}={value}")]
    command = [*await asyncio.to_thread(newman), "run", str(COLLECTION), *variables]
    pipe = asyncio.subprocess.PIPE
    running = await asyncio.create_subprocess_exec(
        *command, "--color", "off", "--disable-unicode", "--reporter-cli-no-success-assertions", stdout=pipe
    )
    output, _ = await running.communicate()
    assert running.returncode == 0, output.decode()
