"""Asks a server on this machine whether it is ready."""

import http.client


def problems_of(port: int, path: str) -> str:
    """Why this address does not answer 200 yet; empty when it does. No proxy of the environment is asked."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        said = answer.read(500).decode("utf-8", errors="replace")
    except (OSError, http.client.HTTPException) as fault:
        return f"no answer ({type(fault).__name__})"
    finally:
        connection.close()
    return "" if answer.status == 200 else f"answer {answer.status}, {said}"
