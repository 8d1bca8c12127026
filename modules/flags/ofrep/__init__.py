"""Flags for clients outside, by the OpenFeature Remote Evaluation Protocol (OFREP 0.3) under /ofrep/v1/."""
