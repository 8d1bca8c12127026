"""A server that stands in for the web server or the provider: it answers everything with 200.

`stand_in.py PORT`; without, the port is in the environment.
"""

import os
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()


if __name__ == "__main__":
    port = int(sys.argv[1] if len(sys.argv) > 1 else os.environ["PORT"])
    HTTPServer(("127.0.0.1", port), Handler).serve_forever()
