"""Asks a server on this machine whether it has started: `python -m marketedge.healthcheck`, for hosts without curl."""

import http.client
import os
import sys
from collections.abc import Mapping


def problems_of(port: int, path: str) -> str:
    """Why this address does not answer 200 yet; empty when it does. No proxy of the environment is asked."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=4)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        said = answer.read(500).decode("utf-8", errors="replace")
    except (OSError, http.client.HTTPException) as fault:
        return f"no answer ({type(fault).__name__})"
    finally:
        connection.close()
    return "" if answer.status == 200 else f"answer {answer.status}, {said}"


def port_of(variables: Mapping[str, str]) -> int:
    """Where the server listens, by the variables that tell the server itself."""
    address = variables.get("BIND", "").split(",")[0] or f":{variables.get('PORT', '').strip() or 8000}"
    return int(address.rpartition(":")[2])


def main() -> int:
    problem = problems_of(port_of(os.environ), "/healthz/startup")
    sys.stdout.write(f"{problem or 'started'}\n")
    return 1 if problem else 0


if __name__ == "__main__":
    sys.exit(main())
