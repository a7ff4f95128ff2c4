"""How long the machines search.

``MODEL_EXAMPLES=20000 make test ARGS=tests/model`` searches longer, and differently each time.
"""

import os
from unittest.mock import patch

from hypothesis import Phase, settings
from hypothesis.internal.conjecture.providers import HypothesisProvider
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test
from structlog.testing import capture_logs

RANDOM_EXAMPLES = int(os.environ.get("MODEL_EXAMPLES", "0"))
"""If set, this many random examples; otherwise a few, always the same ones."""


def explore(machine: type[RuleBasedStateMachine], examples: int, *phases: Phase) -> None:
    """Run a machine until it finds an error, and raise that, shrunk if that is among the phases."""
    chosen = settings(
        max_examples=RANDOM_EXAMPLES or examples,
        stateful_step_count=40,
        phases=phases or (Phase.generate, Phase.shrink),
        derandomize=not RANDOM_EXAMPLES,
        database=None,
        deadline=None,
        report_multiple_bugs=False,
    )
    # Hypothesis also draws constants of those of our modules that are imported. Without, the examples are the same in
    # every process. And the consumer logs every batch that fails, and many do here.
    with patch.object(HypothesisProvider, "_maybe_draw_constant", return_value=None), capture_logs():
        run_state_machine_as_test(machine, settings=chosen)
