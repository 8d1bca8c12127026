"""The hash of percentages and variants: the published function, spread evenly, and independent where it must be."""

import itertools
import random
import uuid

import mmh3
import numpy as np
import pytest

from modules.flags.answers import Context
from modules.flags.document import SCALE, Rules, Variant
from modules.flags.ladder import IN_ROLLOUT, answer, bucket, compiled
from tests.modules.flags.generating import AT

TENTHS = 10
PLACES = 100
# What one in a thousand even, independent tables exceeds: chi-square with 99 and with 81 degrees of freedom.
EVEN, INDEPENDENT = 148.2, 126.1
CHANCE = random.Random(11)
UNITS = {
    "public ids": [str(uuid.UUID(int=CHANCE.getrandbits(128), version=4)) for _ in range(40_000)],
    "numbers": [str(number) for number in range(40_000)],
    "names": [f"person-{number}@example.com" for number in range(40_000)],
}


@pytest.mark.parametrize(
    ("text", "seed", "expected"),
    [
        (b"", 0, 0),
        (b"", 1, 0x514E28B7),
        (b"", 0xFFFFFFFF, 0x81F16F39),
        (b"\xff\xff\xff\xff", 0, 0x76293B50),
        (b"\x21\x43\x65\x87", 0, 0xF55B516B),
        (b"\x21\x43\x65\x87", 0x5082EDEE, 0x2362F9DE),
        (b"\x21\x43\x65", 0, 0x7E4A8634),
        (b"\x21\x43", 0, 0xA0F7B07A),
        (b"\x21", 0, 0x72661CF4),
        (b"\x00\x00\x00\x00", 0, 0x2362F9DE),
        (b"\x00\x00\x00", 0, 0x85F0B427),
        (b"\x00\x00", 0, 0x30F4C306),
        (b"\x00", 0, 0x514E28B7),
        (b"test", 0, 0xBA6BD213),
        (b"Hello, world!", 0, 0xC0363E43),
        (b"Hello, world!", 0x9747B28C, 0x24884CBA),
        (b"aaaa", 0x9747B28C, 0x5A97808A),
        (b"aaa", 0x9747B28C, 0x283E0130),
        (b"aa", 0x9747B28C, 0x5D211726),
        (b"a", 0x9747B28C, 0x7FA09EA6),
        (b"abcd", 0x9747B28C, 0xF0478627),
        (b"abc", 0x9747B28C, 0xC84A62DD),
        (b"ab", 0x9747B28C, 0x74875592),
        ("ππππππππ".encode(), 0x9747B28C, 0xD58063C1),
        (b"a" * 256, 0x9747B28C, 0x37405BDC),
    ],
)
def test_the_hash_gives_the_published_vectors(text, seed, expected):
    assert mmh3.hash(text, seed, signed=False) == expected


def test_the_hash_passes_the_verification_of_its_author():
    """SMHasher's: texts of every length up to 255, each with a seed of its own, and the hash of all these hashes."""
    hashes = (mmh3.hash(bytes(range(length)), 256 - length, signed=False) for length in range(256))

    assert mmh3.hash(b"".join(one.to_bytes(4, "little") for one in hashes), 0, signed=False) == 0xB0F57EE3


def defined(text: bytes) -> int:
    """MurmurHash3 x86 32-bit with seed 0, written down from its definition."""

    def mixed(block: int) -> int:
        block = block * 0xCC9E2D51 & 0xFFFFFFFF
        return (block << 15 | block >> 17) * 0x1B873593 & 0xFFFFFFFF

    whole = len(text) // 4 * 4
    state = 0
    for start in range(0, whole, 4):
        state ^= mixed(int.from_bytes(text[start : start + 4], "little"))
        state = ((state << 13 | state >> 19) * 5 + 0xE6546B64) & 0xFFFFFFFF
    state ^= mixed(int.from_bytes(text[whole:], "little")) ^ len(text)
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        state = (state ^ state >> shift) * factor & 0xFFFFFFFF
    return state ^ state >> 16


@pytest.mark.parametrize("salt", ["f", "export_functionality", "Preis-Übersicht", "価格", "🙂", "\x00", "a:b"])
def test_the_bucket_is_the_scaled_hash_by_its_definition(salt):
    for unit in itertools.chain(UNITS["public ids"][:300], ("", "é", "🙂" * 9)):
        assert bucket(salt, unit) == defined(f"{salt}:{unit}".encode()) * SCALE // 2**32


def buckets(salt: str, units: list[str]) -> np.ndarray:
    return np.array([bucket(salt, unit) for unit in units])


def variants(salt: str, units: list[str]) -> np.ndarray:
    """Which of ten variants of the same weight each unit gets, 0 to 9."""
    shares = tuple(Variant(f"v{number}", number, 1) for number in range(TENTHS))
    flag = compiled(Rules("f", salt=salt, value_type="integer", off_value=-1, variants=shares), AT)
    return np.array([answer(flag, IN_ROLLOUT, Context(organisation=unit))[0] for unit in units])


def unevenness(counted: np.ndarray) -> float:
    """Chi-square against the same number everywhere."""
    return float(((counted - counted.mean()) ** 2 / counted.mean()).sum())


def dependence(first: np.ndarray, second: np.ndarray) -> float:
    """Chi-square of two choices out of ten against chance."""
    together = np.bincount(first * TENTHS + second, minlength=TENTHS**2).reshape(TENTHS, TENTHS)
    expected = together.sum(axis=1, keepdims=True) * together.sum(axis=0, keepdims=True) / together.sum()
    return float(((together - expected) ** 2 / expected).sum())


@pytest.mark.parametrize("units", UNITS)
@pytest.mark.parametrize("salt", ["market_edge_v2", "sector_specific_insights", "a", "b"])
def test_buckets_are_spread_evenly(salt, units):
    places = buckets(salt, UNITS[units]) * PLACES // SCALE

    assert unevenness(np.bincount(places, minlength=PLACES)) < EVEN


@pytest.mark.parametrize("units", UNITS)
@pytest.mark.parametrize("salts", [("a", "b"), ("flag1", "flag2"), ("flag1", "flag11"), ("f:variant", "f")])
def test_two_flags_choose_independently_of_each_other(salts, units):
    first, second = (buckets(salt, UNITS[units]) * TENTHS // SCALE for salt in salts)

    assert dependence(first, second) < INDEPENDENT


@pytest.mark.parametrize("units", UNITS)
@pytest.mark.parametrize("salt", ["market_edge_v2", "colour", "a"])
def test_the_variant_is_independent_of_the_percentage(salt, units):
    inside = buckets(salt, UNITS[units]) * TENTHS // SCALE

    assert dependence(inside, variants(salt, UNITS[units])) < INDEPENDENT


def test_a_hash_that_serves_two_purposes_would_be_seen():
    inside = buckets("a", UNITS["numbers"]) * TENTHS // SCALE

    assert dependence(inside, inside) > INDEPENDENT
    assert unevenness(np.bincount(inside[inside < 9], minlength=TENTHS)) > EVEN
