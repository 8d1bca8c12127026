"""The authorization endpoint: who is asking, whom to be, and the way back with a code or an error."""

from accounts.demonstration import PEOPLE, DemonstrationPerson
from accounts.local_provider import pages
from accounts.local_provider.checks import problem_of
from accounts.local_provider.messages import Answer, Request, redirect
from accounts.local_provider.state import Grant, State, is_member, organisation_of
from accounts.local_provider.tokens import Session

Asked = dict[str, str]


def authorize(state: State, request: Request) -> Answer:
    """Show whom to be. Nobody is sent anywhere before the client and its address are proven."""
    asked = request.query if request.method == "GET" else request.form
    if asked.get("client_id") != state.settings.client_id:
        return Answer(400, pages.message("Unknown client", "The client_id is not known here."))
    if asked.get("redirect_uri") not in state.settings.redirect_uris:
        return Answer(400, pages.message("Unknown address", "The redirect_uri is not on the client's list."))
    if problem := problem_of(asked) or _problem_of_names(state, asked):
        return send_back(state, asked, *problem)
    session = state.session(request.session_key, asked)
    if asked.get("prompt") == "none":
        return _without_a_page(state, asked, session)
    return Answer(200, pages.choice(state.pending.keep(asked), asked, session.person if session else None))


def choose(state: State, request: Request) -> Answer:
    """The page's form: a `subject`, or `cancel`, under the random `pending` that only the page knows."""
    asked = state.pending.take(request.form.get("pending", ""))
    person = next((person for person in PEOPLE if person.subject == request.form.get("subject")), None)
    if asked is None:
        words = "This page was used already. Go back to the product and sign in again."
        return Answer(400, pages.message("Too old", words))
    if "cancel" in request.form:
        return send_back(state, asked, "access_denied", "Sign-in was cancelled.")
    if person is None:
        return Answer(400, pages.message("Nobody", "Nobody here has this subject."))
    if outsider := _outsider(person, asked):
        return send_back(state, asked, "access_denied", outsider)
    key, session = _sign_in(state, request, asked, person)
    return send_code(state, asked, session, set_cookie=key)


def send_code(state: State, asked: Asked, session: Session, set_cookie: str | None = None) -> Answer:
    code = state.grants.keep(Grant(asked, session))
    return redirect(asked["redirect_uri"], {"code": code, **_state_and_issuer(state, asked)}, set_cookie)


def send_back(state: State, asked: Asked, error: str, words: str) -> Answer:
    parameters = {"error": error, "error_description": words, **_state_and_issuer(state, asked)}
    return redirect(asked["redirect_uri"], parameters)


def _state_and_issuer(state: State, asked: Asked) -> Asked:
    """RFC 9207: a client of several providers sees which of them answers."""
    return {"state": asked.get("state", ""), "iss": state.settings.issuer}


def _problem_of_names(state: State, asked: Asked) -> tuple[str, str] | None:
    """As Auth0: an audience or an organisation that is not known here."""
    if "audience" in asked and asked["audience"] not in state.settings.audiences:
        return "access_denied", f"Service not found: {asked['audience']}"
    if "organization" in asked and organisation_of(asked) is None:
        return "invalid_request", "parameter organization is invalid"
    return None


def _without_a_page(state: State, asked: Asked, session: Session | None) -> Answer:
    if session is None:
        return send_back(state, asked, "login_required", "Nobody is signed in, or not recently enough.")
    if outsider := _outsider(session.person, asked):
        return send_back(state, asked, "access_denied", outsider)
    return send_code(state, asked, session)


def _outsider(person: DemonstrationPerson, asked: Asked) -> str:
    """Why the person cannot sign in to the organisation that is asked for, or ""."""
    organisation = organisation_of(asked)
    if organisation is None or is_member(person, organisation):
        return ""
    return f"user {person.subject} is not part of the {organisation.auth0_id} organization"


def _sign_in(state: State, request: Request, asked: Asked, person: DemonstrationPerson) -> tuple[str, Session]:
    """The session that goes on when the same person continues, else a new one in its place."""
    session = state.session(request.session_key, asked)
    if session and session.person == person:
        return request.session_key, session
    return state.begin_session(person, instead_of=request.session_key)
