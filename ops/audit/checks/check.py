"""The type of a check."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Check:
    """``code`` is stable; ``rule`` says what must be true."""

    code: str
    rule: str
    contradictions: str
