"""Runs every measurement, one after the other."""

from tests.benchmarks import flags, observation, startup

flags.run()
startup.run()
observation.run()
