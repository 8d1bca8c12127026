"""An OpenID provider by Authlib and joserfc: another reading of the standard than ours, and strict."""

import json
import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from authlib.oauth2.rfc6749 import AuthorizationServer, ClientMixin, InvalidRequestError, OAuth2Error, grants
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload, OAuth2Request
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc9207 import IssuerParameter
from authlib.oidc.core import OpenIDCode, UserInfo
from joserfc.jwk import KeySet, RSAKey

Claims = dict[str, Any]


@dataclass(frozen=True)
class Client(ClientMixin):
    """Ours, with one redirect address and one way to say who it is."""

    client_id: str
    secret: str
    redirect_uri: str

    def get_client_id(self) -> str:
        return self.client_id

    def get_default_redirect_uri(self) -> None:
        return None

    def get_allowed_scope(self, scope: str) -> str:
        return " ".join(word for word in scope.split() if word in {"openid", "profile", "email"})

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri == self.redirect_uri

    def check_client_secret(self, client_secret: str) -> bool:
        return secrets.compare_digest(client_secret, self.secret)

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method in {"client_secret_basic", "client_secret_post"}

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == "authorization_code"


@dataclass
class Code:
    """An authorization code and the question that it answers."""

    code: str
    question: Claims
    scope: str
    auth_time: int = field(default_factory=lambda: int(time.time()))

    def get_redirect_uri(self) -> str:
        return self.question["redirect_uri"]

    def get_scope(self) -> str:
        return self.scope

    def get_nonce(self) -> str | None:
        return self.question.get("nonce")

    def get_auth_time(self) -> int:
        return self.auth_time

    def get_acr(self) -> None:
        return None

    def get_amr(self) -> None:
        return None

    @property
    def code_challenge(self) -> str | None:
        return self.question.get("code_challenge")

    @property
    def code_challenge_method(self) -> str | None:
        return self.question.get("code_challenge_method")


class Request(OAuth2Request):
    """The query and the form of a WSGI request."""

    def __init__(self, environ: dict[str, Any]) -> None:
        super().__init__(environ["REQUEST_METHOD"], f"https://{environ['HTTP_HOST']}{environ['PATH_INFO']}")
        length = int(environ.get("CONTENT_LENGTH") or 0)
        self._args = dict(parse_qsl(environ.get("QUERY_STRING", "")))
        self._form = dict(parse_qsl(environ["wsgi.input"].read(length).decode()))
        self.payload = BasicOAuth2Payload({**self._args, **self._form})
        self.headers = {"Authorization": environ.get("HTTP_AUTHORIZATION", "")}

    @property
    def args(self) -> Claims:
        return self._args

    @property
    def form(self) -> Claims:
        return self._form


class PkceAlways(CodeChallenge):
    """Authlib's, refusing what does not use S256."""

    SUPPORTED_CODE_CHALLENGE_METHOD = ["S256"]

    def validate_code_challenge(self, grant: Any, redirect_uri: str) -> None:
        if "code_challenge" not in grant.request.payload.data:
            raise InvalidRequestError("Missing 'code_challenge'")
        super().validate_code_challenge(grant, redirect_uri)


class IndependentProvider(AuthorizationServer):
    """A WSGI application at Auth0's paths; `person` is who signs in, `issuer` is set once the port is known."""

    def __init__(self, client: Client, person: Claims) -> None:
        super().__init__(scopes_supported=["openid", "profile", "email"])
        self.client, self.person, self.issuer = client, person, ""
        self.keys = [new_key()]
        self.codes: dict[str, Code] = {}
        self.nonces: set[str] = set()
        self.alters: Callable[[Claims], Claims] = lambda claims: claims
        self.register_token_generator("default", bearer_token)
        self.register_grant(grant_for(self), [id_tokens_of(self), PkceAlways(required=True)])
        self.register_extension(issuer_parameter_of(self))

    def rotate(self) -> None:
        """Sign with a new key, and publish that alone."""
        self.keys = [new_key()]

    def query_client(self, client_id: str) -> Client | None:
        return self.client if client_id == self.client.client_id else None

    def save_token(self, token: Claims, request: OAuth2Request) -> None:
        """Nobody asks for it again."""

    def send_signal(self, name: str, *arguments: Any, **options: Any) -> None:
        """Nobody listens."""

    def create_oauth2_request(self, request: Any) -> OAuth2Request:
        return request

    def handle_response(self, status: int, body: Any, headers: Any) -> "Answer":
        return Answer(status, body if isinstance(body, str) else json.dumps(body), dict(headers))

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        answer = self.answer(Request(environ))
        start_response(f"{answer.status} Answer", list(answer.headers.items()))
        return [answer.body.encode()]

    def answer(self, request: Request) -> "Answer":
        path = request.uri.split("/", 3)[3]
        if path == "authorize":
            return self.authorize(request)
        if path == "oauth/token":
            return self.create_token_response(request)
        if path == ".well-known/jwks.json":
            return self.handle_response(200, KeySet([*self.keys]).as_dict(private=False), JSON)
        return self.handle_response(404, {}, JSON)

    def authorize(self, request: Request) -> "Answer":
        try:
            grant = self.get_consent_grant(request, end_user=self.person)
        except OAuth2Error as error:
            return self.handle_error_response(request, error)
        return self.create_authorization_response(request, grant_user=self.person, grant=grant)


@dataclass
class Answer:
    status: int
    body: str
    headers: dict[str, str]

    @property
    def location(self) -> str:
        return self.headers.get("Location", "")

    @location.setter
    def location(self, address: str) -> None:
        self.headers["Location"] = address


JSON = [("Content-Type", "application/json")]


def new_key() -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": secrets.token_hex(8), "use": "sig", "alg": "RS256"})


def bearer_token(**asked: Any) -> Claims:
    scope = asked["client"].get_allowed_scope(asked["scope"])
    return {"access_token": secrets.token_urlsafe(24), "token_type": "Bearer", "expires_in": 600, "scope": scope}


def grant_for(provider: IndependentProvider) -> type[grants.AuthorizationCodeGrant]:
    class Grant(grants.AuthorizationCodeGrant):
        TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_basic", "client_secret_post"]

        def save_authorization_code(self, code: str, request: Any) -> None:
            provider.codes[code] = Code(code, dict(request.payload.data), request.payload.scope)
            provider.nonces.add(request.payload.data.get("nonce", ""))

        def query_authorization_code(self, code: str, client: Client) -> Code | None:
            return provider.codes.get(code)

        def delete_authorization_code(self, authorization_code: Code) -> None:
            del provider.codes[authorization_code.code]

        def authenticate_user(self, authorization_code: Code) -> Claims:
            return provider.person

    return Grant


def id_tokens_of(provider: IndependentProvider) -> OpenIDCode:
    class IdTokens(OpenIDCode):
        def exists_nonce(self, nonce: str, request: Any) -> bool:
            return nonce in provider.nonces

        def resolve_client_private_key(self, client: Client) -> RSAKey:
            return provider.keys[0]

        def get_encode_header(self, client: Client) -> Claims:
            return {"alg": "RS256", "kid": provider.keys[0].kid, "typ": "JWT"}

        def get_client_claims(self, client: Client) -> Claims:
            return {"iss": provider.issuer, "aud": [client.client_id], "azp": client.client_id, "sid": "session-1"}

        def get_authorization_code_claims(self, authorization_code: Any) -> Claims:
            return provider.alters(super().get_authorization_code_claims(authorization_code))

        def generate_user_info(self, user: Claims, scope: str) -> UserInfo:
            return UserInfo(**user).filter(scope)

    return IdTokens(require_nonce=True)


def issuer_parameter_of(provider: IndependentProvider) -> Callable[[AuthorizationServer], IssuerParameter]:
    class ThisIssuer(IssuerParameter):
        def get_issuer(self) -> str:
            return provider.issuer

    def extension(server: AuthorizationServer) -> IssuerParameter:
        parameter = ThisIssuer()
        parameter(server)
        return parameter

    return extension
