"""What the server itself and Python say goes through the log of the product."""

import threading

from marketedge import server_log
from tests.marketedge.logged import json_log


def test_a_thread_that_is_ended_by_a_fault_leaves_a_line_without_secrets(monkeypatch):
    def work() -> None:
        raise ValueError("password=hunter2")

    monkeypatch.setattr(threading, "excepthook", server_log.log_end_of_thread)
    with json_log() as log:
        thread = threading.Thread(target=work, name="worker of something")
        thread.start()
        thread.join()

    (line,) = log.lines
    assert (line["level"], line["message"]) == ("error", "The thread worker of something was ended by a fault")
    assert ("ValueError: password=[hidden]" in line["exception"], "hunter2" in log.text) == (True, False)
