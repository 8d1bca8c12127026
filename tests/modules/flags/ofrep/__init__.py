"""Tests of the door for clients outside."""
