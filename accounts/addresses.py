"""With which e-mail addresses can somebody sign in? Those in plain ASCII.

Ignoring case makes equals of K and the Kelvin sign, which only look alike, and a domain has two spellings beyond ASCII.
"""

LONGEST = 254
BEYOND_ASCII = "Nobody can sign in with an address beyond plain ASCII letters: take another of theirs."


def is_plain(address: str) -> bool:
    return address.isascii() and address.isprintable() and len(address) <= LONGEST
