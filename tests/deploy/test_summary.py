"""What the runner prints in the end can be copied into a shell."""

import json
import shlex

from deploy.local.sample_order import Credentials, SampleOrder
from deploy.local.summary import next_order
from tests.deploy.installation import REST


def test_the_next_commands_survive_a_shell() -> None:
    customer = Credentials("ada@example.com", "it's $5 `now`")
    order = SampleOrder(customer, "id", [{"sku": "MUG-1", "quantity": 2}], {}, "")
    log_in, place, follow = next_order(REST, order).splitlines()
    words = shlex.split(log_in.removeprefix("TOKEN=$(").partition(" | ")[0])
    assert json.loads(words[words.index("-d") + 1]) == {"email": "ada@example.com", "password": "it's $5 `now`"}
    words = shlex.split(place)
    assert json.loads(words[words.index("-d") + 1])["lines"] == order.lines
    assert f"{REST['order']}/v1/orders/id/timeline" in follow
