"""What a check is."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Check:
    """``code`` is stable; ``rule`` says what should be."""

    code: str
    rule: str
    contradictions: str
