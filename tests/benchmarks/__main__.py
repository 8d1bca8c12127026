"""Runs every measurement, one after the other."""

from tests.benchmarks import startup

startup.run()
