"""Runs every measurement, one after the other."""

from tests.benchmarks import observation, startup

startup.run()
observation.run()
