"""The token endpoint and /userinfo: codes become tokens once, and tokens tell who somebody is."""

from typing import Any

from accounts.local_provider.checks import is_same, misfit_of
from accounts.local_provider.messages import Answer, Request, as_json, refusal
from accounts.local_provider.state import Access, Grant, State, organisation_of
from accounts.local_provider.tokens import LIFETIME, access_token_claims, id_token_claims, profile_of


def token(state: State, request: Request) -> Answer:
    """Spend a code. It is gone even when the one who brings it does not fit."""
    if state.faults.token_status != 200:
        return Answer(state.faults.token_status, "out of order", "text/plain")
    if not _is_client(state, *request.client):
        return refusal("invalid_client", "The client could not be authenticated.", 401, 'Basic realm="clients"')
    if "grant_type" not in request.form:
        return refusal("invalid_request", "grant_type is missing.")
    if request.form["grant_type"] != "authorization_code":
        return refusal("unsupported_grant_type", "Only authorization_code.")
    code = request.form.get("code", "")
    grant = state.grants.take(code)
    if grant is None:
        _revoke_what_it_became(state, code)
        return refusal("invalid_grant", "The code is unknown, used or too old.")
    if misfit := misfit_of(request.form, grant.asked):
        return refusal("invalid_grant", misfit)
    return as_json(_tokens(state, code, grant))


def userinfo(state: State, request: Request) -> Answer:
    access = state.access.get(request.bearer)
    if access is None:
        words = "The access token is unknown or too old."
        return refusal("invalid_token", words, 401, 'Bearer error="invalid_token"')
    return as_json(profile_of(access.person, access.scope))


def _is_client(state: State, name: str, secret: str) -> bool:
    return name == state.settings.client_id and is_same(secret, state.settings.client_secret)


def _revoke_what_it_became(state: State, code: str) -> None:
    """RFC 6749 4.1.2: a code that comes a second time was stolen, by the first or by the second who brought it."""
    if access_token := state.spent.take(code):
        state.access.take(access_token)


def _tokens(state: State, code: str, grant: Grant) -> dict[str, Any]:
    access_token = _access_token(state, grant)
    claims = id_token_claims(
        grant.session,
        grant.asked,
        issuer=state.settings.issuer,
        access_token=access_token,
        organisation=organisation_of(grant.asked),
        now=state.clock(),
    )
    state.spent.keep(access_token, code)
    state.told.keep(grant.asked["client_id"], grant.session.sid)
    return {
        "access_token": access_token,
        "id_token": state.signer.sign(claims, state.faults),
        "token_type": "Bearer",
        "expires_in": LIFETIME,
        "scope": grant.asked["scope"],
    }


def _access_token(state: State, grant: Grant) -> str:
    """Without an audience it is good for /userinfo alone, and says nothing to anybody else."""
    access = Access(grant.session.person, grant.asked["scope"])
    if "audience" not in grant.asked:
        return state.access.keep(access)
    claims = access_token_claims(
        grant.session,
        grant.asked,
        issuer=state.settings.issuer,
        organisation=organisation_of(grant.asked),
        now=state.clock(),
    )
    return state.access.keep(access, state.signer.sign(claims, kind="at+jwt"))
