"""How far the machines look.

``MODEL_EXAMPLES=20000 make test ARGS=tests/model`` looks further, and elsewhere each time.
"""

import os

from hypothesis import Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test
from structlog.testing import capture_logs

AT_RANDOM = int(os.environ.get("MODEL_EXAMPLES", "0"))
"""So many examples, new ones each time; otherwise a few, and always the same."""


def explore(machine: type[RuleBasedStateMachine], examples: int, *phases: Phase) -> None:
    """Run a machine until it finds something, and raise that, in its smallest form where that is among the phases."""
    chosen = settings(
        max_examples=AT_RANDOM or examples,
        stateful_step_count=40,
        phases=phases or (Phase.generate, Phase.shrink),
        derandomize=not AT_RANDOM,
        database=None,
        deadline=None,
        report_multiple_bugs=False,
    )
    # The consumer logs every batch that fails, and here many do.
    with capture_logs():
        run_state_machine_as_test(machine, settings=chosen)
