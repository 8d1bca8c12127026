"""Answers of the provider's addresses that are none: each could hold the truth, if one read it carelessly."""

import gzip
import json
import socket
import time
from collections.abc import Callable
from functools import cache
from typing import Any

from tests.accounts import lying
from tests.accounts.lies.conftest import as_json
from tests.accounts.lies.forged_tokens import attackers_key, curve_key, encoded
from tests.accounts.lies.world import Truth
from tests.accounts.talking import answer, drips, says

Bends = Callable[[bytes], Any]  # from the honest JSON to a conversation or a raw answer

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@cache
def bomb() -> bytes:
    """Twenty megabytes of spaces in twenty kilobytes."""
    return gzip.compress(b" " * 20_000_000)


def with_status(status: int, more: bytes = b"") -> Bends:
    return lambda honest: answer(honest, f"{status} Answer", more=more)


def as_kind(kind: str) -> Bends:
    return lambda honest: answer(honest, kind=kind)


def instead(body: bytes, kind: str = "application/json") -> Bends:
    return lambda honest: answer(body, kind=kind)


def raw(make: Callable[[bytes], bytes]) -> Bends:
    return make


def recoded(codec: str) -> Bends:
    return lambda honest: answer(honest.decode().encode(codec), kind=f"application/json; charset={codec}")


def length(promised: str) -> Bends:
    return lambda honest: OK + f"Content-Length: {promised}\r\n\r\n".encode() + honest


def encoded_as(coding: str, pack: Callable[[bytes], bytes]) -> Bends:
    return lambda honest: answer(pack(honest), more=f"Content-Encoding: {coding}\r\n".encode())


STATUSES = [201, 202, 203, 204, 205, 206, 226, 300, 304, 400, 401, 403, 404, 405, 408, 409, 410, 418, 429, 451]
STATUSES += [500, 501, 502, 503, 504, 511, 599, 600, 999]
REDIRECTS = [301, 302, 303, 307, 308]
BROKEN: dict[str, Bends] = {
    **{f"status {status}": with_status(status) for status in STATUSES},
    **{f"redirect {status}": with_status(status, b"Location: /elsewhere\r\n") for status in REDIRECTS},
    "redirect to another site": with_status(302, b"Location: http://evil.example/\r\n"),
    "status zero": with_status(0),
    "no status": lambda honest: b"HTTP/1.1\r\n\r\n" + honest,
    "no protocol": lambda honest: honest,
    "another protocol": lambda honest: b"220 mail.example ESMTP\r\n" + honest,
    "HTTP/2's greeting": lambda honest: b"\x00\x00\x12\x04\x00\x00\x00\x00\x00" + honest,
    "nothing": lambda honest: b"",
    "only interim answers": lambda honest: b"HTTP/1.1 100 Continue\r\n\r\n" * 3,
    "HTML": instead(b"<html><title>Sign in</title></html>", "text/html"),
    "HTML that says it is JSON": instead(b"<html><title>Sign in</title></html>"),
    "XML": instead(b"<token/>", "application/xml"),
    "a form": instead(b"id_token=x&access_token=y", "application/x-www-form-urlencoded"),
    "empty": instead(b""),
    "a space": instead(b" "),
    "a list": lambda honest: answer(b"[" + honest + b"]"),
    "a text": lambda honest: answer(json.dumps(honest.decode()).encode()),
    "a number": instead(b"5"),
    "null": instead(b"null"),
    "true": instead(b"true"),
    "NaN": instead(b"NaN"),
    "an empty object": instead(b"{}"),
    "with NaN inside": lambda honest: answer(honest[:-1] + b', "x": NaN}'),
    "with a tail": lambda honest: answer(honest + b"{}"),
    "with a comment": lambda honest: answer(b"/**/" + honest),
    "in single quotes": lambda honest: answer(honest.replace(b'"', b"'")),
    "said to be cross-site proof": lambda honest: answer(b")]}',\n" + honest),
    "cut off in the middle": lambda honest: answer(honest[: len(honest) // 2]),
    "cut off before the promised length": length("999999"),
    "longer than promised": length("5"),
    "of negative length": length("-5"),
    "of a length in words": length("many"),
    "of two lengths": lambda honest: OK + b"Content-Length: 5\r\nContent-Length: 9000\r\n\r\n" + honest,
    "in chunks that are none": lambda honest: OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n" + honest,
    "in chunks without end": lambda honest: OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\n" + honest[:5],
    "three megabytes": lambda honest: answer(honest[:-1] + b', "x": "' + b"x" * 3_000_000 + b'"}'),
    "nested without end": instead(b'{"x":' * 50_000),
    "a number of five thousand digits": lambda honest: answer(honest[:-1] + b', "x": ' + b"9" * 5000 + b"}"),
    "a gzip bomb": lambda honest: answer(bomb() + gzip.compress(honest), more=b"Content-Encoding: gzip\r\n"),
    "gzip": encoded_as("gzip", gzip.compress),
    "gzip that is none": encoded_as("gzip", bytes),
    "deflate that is none": encoded_as("deflate", bytes),
    "an encoding that nobody knows": encoded_as("br", bytes),
    "a header of a megabyte": lambda honest: OK + b"X: " + b"x" * 1_000_000 + b"\r\n\r\n" + honest,
    "a thousand headers": lambda honest: OK + b"X: x\r\n" * 1000 + b"\r\n" + honest,
    "in UTF-16": recoded("utf-16"),
    "in UTF-32": recoded("utf-32"),
    "with a mark of its encoding": lambda honest: answer(b"\xef\xbb\xbf" + honest),
    "not in UTF-8": lambda honest: answer(honest[:-1] + b', "x": "\xff"}'),
    "as text": as_kind("text/plain"),
    "as HTML": as_kind("text/html"),
    "as a script": as_kind("text/javascript"),
    "as nothing": as_kind(""),
    "as a picture": as_kind("image/png"),
}


def token_as(value: Any) -> Callable[[Truth], Any]:
    return lambda truth: as_json({**truth.body(), "id_token": value})


def without_token(**more: Any) -> Callable[[Truth], Any]:
    def make(truth: Truth) -> bytes:
        body = {name: value for name, value in truth.body().items() if name != "id_token"}
        return as_json({**body, **{name: truth.token() for name in more}})

    return make


TOKENS: dict[str, Callable[[Truth], Any]] = {
    "missing": without_token(),
    "in a field called token": without_token(token=1),
    "in a field called jwt": without_token(jwt=1),
    "in a field called ID_TOKEN": without_token(ID_TOKEN=1),
    "in a field called idToken": without_token(idToken=1),
    "as the access token": without_token(access_token=1),
    "null": token_as(None),
    "a number": token_as(5),
    "true": token_as(True),
    "empty": token_as(""),
    "an object": token_as({"alg": "RS256"}),
    "in a list": lambda truth: as_json({**truth.body(), "id_token": [truth.token()]}),
    "in an object": lambda truth: as_json({**truth.body(), "id_token": {"token": truth.token()}}),
    "in an object of its own": lambda truth: as_json({"data": truth.body()}),
    "said twice": lambda truth: as_json(
        json.dumps(truth.body()).encode()[:-1] + f', "id_token": "{truth.token()}"}}'.encode()
    ),
    "beside an access token that is a number": lambda truth: as_json({**truth.body(), "access_token": 5}),
}


def keys_with(**changes: Any) -> Callable[[Truth], Any]:
    """One key of the right name, which is not one that may have signed."""
    return lambda truth: as_json({"keys": [lying.jwk(**changes)]})


def listed(value: Any) -> Callable[[Truth], Any]:
    return lambda truth: as_json({"keys": value})


def oct_key() -> dict[str, Any]:
    return {"kty": "oct", "k": encoded(b"s" * 32), "kid": lying.KID, "alg": "HS256", "use": "sig"}


def ec_key() -> dict[str, Any]:
    point = curve_key().public_key().public_numbers()
    x, y = (encoded(number.to_bytes(32, "big")) for number in (point.x, point.y))
    return {"kty": "EC", "crv": "P-256", "x": x, "y": y, "kid": lying.KID, "use": "sig"}


KEYS: dict[str, Callable[[Truth], Any]] = {
    "null": listed(None),
    "a text": listed("first"),
    "a number": listed(5),
    "an object": lambda truth: listed({lying.KID: lying.jwk()})(truth),
    "none": listed([]),
    "nulls": listed([None, None]),
    "texts": listed(["first"]),
    "empty objects": listed([{}]),
    "of another name": keys_with(kid="second"),
    "of a name that is a number": keys_with(kid=5),
    "of a name in a list": keys_with(kid=["first"]),
    "another key of the same name": lambda truth: as_json({"keys": [lying.jwk(attackers_key())]}),
    "two of the same name": lambda truth: as_json({"keys": [lying.jwk(attackers_key()), lying.jwk()]}),
    "a shared secret": lambda truth: as_json({"keys": [oct_key()]}),
    "a curve": lambda truth: as_json({"keys": [ec_key()]}),
    "for encryption": keys_with(use="enc"),
    "for no use that is known": keys_with(use="x"),
    "for another algorithm": keys_with(alg="RS512"),
    "for a shared secret's algorithm": keys_with(alg="HS256"),
    "for no algorithm": keys_with(alg="none"),
    "for signing": keys_with(key_ops=["sign"]),
    "with an exponent of one": keys_with(e="AQ"),
    "with an exponent of zero": keys_with(e="AA"),
    "with an even exponent": keys_with(e="Ag"),
    "without exponent": keys_with(e=None),
    "without modulus": keys_with(n=None),
    "with an empty modulus": keys_with(n=""),
    "with a modulus that is a number": keys_with(n=5),
    "with a modulus that is no base64": keys_with(n="***"),
    "with a modulus of another": lambda truth: keys_with(n=lying.jwk(attackers_key())["n"])(truth),
    "with a huge modulus": keys_with(n="A" * 100_000),
    "of a kind that is a number": keys_with(kty=5),
    "of no kind": keys_with(kty=None),
    "in an object of its own": lambda truth: as_json({"data": truth.keys()}),
    "a list without its object": lambda truth: as_json([lying.jwk()]),
    "the key alone": lambda truth: as_json(lying.jwk()),
}


def silent(seconds: float = 4) -> Callable[[socket.socket], None]:
    """Hears the question and says nothing."""
    return lambda line: time.sleep(seconds)


def stops(beginning: bytes, seconds: float = 4) -> Callable[[socket.socket], None]:
    def conversation(line: socket.socket) -> None:
        line.sendall(beginning)
        time.sleep(seconds)

    return conversation


SLOW: dict[str, Bends] = {
    "silent": lambda honest: silent(),
    "half a status": lambda honest: stops(b"HTTP/1.1 20"),
    "half its headers": lambda honest: stops(OK),
    "half its body": lambda honest: stops(answer(honest)[:-10]),
    "headers drop by drop": lambda honest: drips(OK, b"X: x\r\n"),
    "its body drop by drop": lambda honest: drips(OK + b"Content-Length: 9000\r\n\r\n", b" "),
    "chunks drop by drop": lambda honest: drips(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    "interim answers drop by drop": lambda honest: drips(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "a letter at a time": lambda honest: says(*(bytes([letter]) for letter in answer(honest)), pause=0.02),
}
