"""How a fault is told to OpenFeature clients, below /ofrep/: in the words of their protocol (OFREP 0.3)."""

PREFIX = "/ofrep/"
FLAG = "/ofrep/v1/evaluate/flags/"
GENERAL, FLAG_NOT_FOUND = "GENERAL", "FLAG_NOT_FOUND"
PARSE_ERROR, INVALID_CONTEXT, TARGETING_KEY_MISSING = "PARSE_ERROR", "INVALID_CONTEXT", "TARGETING_KEY_MISSING"
OF_REQUESTS = {PARSE_ERROR, INVALID_CONTEXT, TARGETING_KEY_MISSING}


def fault(path: str, status: int, code: str, detail: str, incident: str = "") -> dict[str, str]:
    """Clients write `errorDetails` into their logs and nothing else, so the incident is in it too."""
    body = {
        "errorCode": _error_code(path, status, code),
        "errorDetails": f"{detail} Incident id: {incident}" if incident else detail,
    }
    body |= {"key": path.removeprefix(FLAG)} if path.startswith(FLAG) else {}
    return body | ({"incident": incident} if incident else {})


def _error_code(path: str, status: int, code: str) -> str:
    if status == 404 and path.startswith(FLAG):
        return FLAG_NOT_FOUND
    return code if code in OF_REQUESTS else GENERAL
