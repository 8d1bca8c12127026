"""What a mutant is."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    """The guard's name, where it stands, its text, what stands there without it, and the tests that must notice."""

    guard: str
    path: str
    text: str
    without: str
    tests: str
