"""gunicorn's own messages, in the same lines as the product's: starts, stops, workers that end, faults of its own."""

import logging
import threading
from typing import Any

from gunicorn.glogging import Logger

from marketedge import log_lines
from marketedge.settings import LOGGING

logger = logging.getLogger(__name__)


class ServerLog(Logger):
    def setup(self, cfg: Any) -> None:
        self.cfg = cfg
        self.loglevel = self.LOG_LEVELS.get(cfg.loglevel.lower(), logging.INFO)
        # The product writes the line of each request; this one would have the address in it.
        self._access_log_enabled = False
        log_lines.configure(LOGGING)
        self.error_log.setLevel(self.loglevel)
        self.error_log.propagate = True
        # What Python writes past the log, secrets included.
        logging.captureWarnings(True)
        threading.excepthook = log_end_of_thread


def log_end_of_thread(ended: Any) -> None:
    name = ended.thread.name if ended.thread else "?"
    fault = (ended.exc_type, ended.exc_value, ended.exc_traceback)
    logger.error("The thread %s was ended by a fault", name, exc_info=fault)
