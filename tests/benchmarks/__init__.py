"""Measurements, run by `make bench`: ratios against a baseline in the same run, never asserted in tests."""
