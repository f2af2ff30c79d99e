"""A page in a process of its own, and a visitor without a browser."""

import contextlib
import dataclasses
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import urllib.request

ROOT = pathlib.Path(__file__).parents[2]


@dataclasses.dataclass
class Served:
    """A page that is served.

    Attributes:
        address: Of the page.
        ended: Once it has ended: its exit code, and what it has printed after its address.
    """

    address: str
    ended: tuple[int, str, str] | None = None


@contextlib.contextmanager
def serve(*flags, program=("experiments/page.py",), host="127.0.0.1", **environment):
    """Runs the command while the block runs, then ends it by SIGTERM."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    flags = flags if host == "127.0.0.1" else (*flags, f"--host={host}")  # the default is tested
    process = subprocess.Popen(
        [sys.executable, *program, *flags, f"--port={port}", "--nobrowser"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        shown = f"[{host}]" if ":" in host else host
        line = process.stdout.readline()
        if line != f"The page is at http://{shown}:{port}/ until Ctrl-C.\n":
            process.kill()
            raise AssertionError(f"{line}{process.communicate()}")
        page = Served(f"http://{shown}:{port}/")
        yield page
        process.send_signal(signal.SIGTERM)
        output, errors = process.communicate(timeout=60)
        page.ended = process.returncode, output, errors
    finally:
        process.kill()
        process.communicate()


class Visitor:
    """Uploads, starts and waits, as a browser does.

    Args:
        address: Of the page.
        name: Of the visitor, unlike all others.
    """

    def __init__(self, address, name):
        self.session, self._api = name, f"{address}gradio_api"
        with urllib.request.urlopen(f"{address}config") as response:
            self.config = json.load(response)
        self._names = {c["id"]: c["props"].get("elem_id") for c in self.config["components"]}
        self._values = {c["id"]: c["props"].get("value") for c in self.config["components"]}

    def upload(self, path):
        """Returns the file as events take it."""
        response = self.try_upload(path)
        assert response.status_code == 200, response.text
        return as_file(response.json()[0])

    def try_upload(self, path):
        import httpx

        with open(path, "rb") as file:
            return httpx.post(f"{self._api}/upload", files={"files": (path.name, file)})

    def start(self, **values):
        """Presses Paint and returns the response; values by the names of the controls."""
        import httpx

        event = next(
            event
            for event in self.config["dependencies"]
            if any(self._names.get(target) == "start" for target, _ in event["targets"])
        )
        data = [values.get(self._names[c], self._values[c]) for c in event["inputs"]]
        body = {"data": data, "fn_index": event["id"], "session_hash": self.session}
        return httpx.post(f"{self._api}/queue/join", json=body)

    def wait(self):
        """Returns what became of the start: the page's new values, or an error."""
        import httpx

        url = f"{self._api}/queue/data?session_hash={self.session}"
        with httpx.stream("GET", url, timeout=120) as response:
            for line in response.iter_lines():
                message = json.loads(line.removeprefix("data: ")) if line else {}
                if message.get("msg") == "process_completed":
                    return message["output"]
        raise AssertionError("the event had no end")


def as_file(path):
    """Returns a path as a browser sends it."""
    return {"path": path, "meta": {"_type": "gradio.FileData"}}
