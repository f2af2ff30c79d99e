"""The page as it is served: to visitors without a browser, to several at once, by the command."""

import io
import logging
import os
import pathlib
import socket
import sys
import time
import urllib.request

import pytest
from pages import Visitor, as_file, serve

from stylegan_transfer import samples
from stylegan_transfer.commands import page
from stylegan_transfer.commands.paging.options import PageOptions
from stylegan_transfer.commands.paging.serving import surroundings, tracebacks_shortened
from stylegan_transfer.pictures.files import load_image, save_image

pytest.importorskip("gradio")
from starlette.requests import ClientDisconnect

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    save_image(samples.draw_content("harbour", 96)[:80], folder / "photo.png")
    save_image(samples.draw_style("swirls", 64), folder / "painting.png")
    return folder / "photo.png", folder / "painting.png"


def test_a_visitor_uploads_paints_and_downloads(pictures, tmp_path):
    """And makes mistakes, which are messages on the page and nothing in the terminal."""
    (tmp_path / "broken.png").write_bytes(b"nothing")
    (tmp_path / "large.png").write_bytes(bytes(1_100_000))
    with serve("--sample_size=32", "--max_mb=1") as served:
        visitor = Visitor(served.address, "anna")
        photograph, painting = map(visitor.upload, pictures)
        visitor.start(photograph=photograph, painting=painting)
        compared, download, verdict, _ = visitor.wait()["data"]
        assert len(compared) == 2 and verdict == ""
        with urllib.request.urlopen(download["value"]["url"]) as response:
            result = response.read()
        assert result.startswith(b"\x89PNG")
        assert load_image(result).shape == (80, 96, 3)

        assert visitor.try_upload(tmp_path / "large.png").status_code == 413
        for photograph, words in (
            (None, "Expected a photograph"),
            (visitor.upload(tmp_path / "broken.png"), "broken.png"),
            (as_file("http://example.org/a.png"), "Expected an uploaded file. Received: an addr"),
        ):
            visitor.start(photograph=photograph, painting=painting)
            assert words in visitor.wait()["error"]

        folder = pathlib.Path(painting["path"]).parents[1]
        assert folder.exists()
        assert not visitor.config["analytics_enabled"]
        assert {event["api_visibility"] for event in visitor.config["dependencies"]} == {"private"}
    assert served.ended == (0, "", "")
    assert not folder.exists()


COUNTING = """
import pathlib, sys, time
from stylegan_transfer.commands import launch, page
from stylegan_transfer.commands.paging.studio import Studio

folder, paint = pathlib.Path({folder!r}), Studio.paint

def paint_when_told(self, *args):
    (folder / str(time.monotonic_ns())).touch()
    while not (folder / "go").exists():
        time.sleep(0.05)
    return paint(self, *args)

Studio.paint = paint_when_told
sys.exit(launch.run(page.main, ["page", *sys.argv[1:]]))
"""


@pytest.mark.slow
def test_so_many_paint_at_once_others_wait_and_more_are_turned_away(pictures, tmp_path):
    program = "-c", COUNTING.format(folder=str(tmp_path))

    def wait_for_begun(count):
        deadline = time.monotonic() + 100
        while len(list(tmp_path.iterdir())) < count:
            assert time.monotonic() < deadline
            time.sleep(0.05)

    flags = "--sample_size=0", "--painters=2", "--queue_size=1"
    with serve(*flags, program=program) as served:
        visitors = [Visitor(served.address, f"visitor{i}") for i in range(4)]
        files = dict(
            zip(("photograph", "painting"), map(visitors[0].upload, pictures), strict=True)
        )
        for number, visitor in enumerate(visitors[:2]):
            assert visitor.start(**files).status_code == 200
            wait_for_begun(number + 1)
        assert visitors[2].start(**files).status_code == 200
        turned_away = visitors[3].start(**files)
        assert turned_away.status_code == 503 and "full" in turned_away.text
        assert len(list(tmp_path.iterdir())) == 2  # the third one waits
        (tmp_path / "go").touch()
        for visitor in visitors[:3]:
            assert len(visitor.wait()["data"]) == 4
        assert len(list(tmp_path.iterdir())) == 4
    assert served.ended == (0, "", "")


WITHOUT = """
import importlib.util, sys
from stylegan_transfer.commands import launch, page

names, find_spec = ("tensorflow", "keras", "h5py", "tensorflow_datasets"), importlib.util.find_spec
importlib.util.find_spec = lambda name, *args: None if name in names else find_spec(name, *args)
sys.modules.update(dict.fromkeys(names))  # whoever imports one gets an ImportError
sys.exit(launch.run(page.main, ["page", *sys.argv[1:]]))
"""


@pytest.mark.slow
def test_without_tensorflow_it_paints_fast(pictures):
    pytest.importorskip("onnxruntime")
    with serve("--sample_size=0", program=("-c", WITHOUT)) as served:
        visitor = Visitor(served.address, "anna")
        props = [component["props"] for component in visitor.config["components"]]
        (choices,) = [p["choices"] for p in props if p.get("elem_id") == "quality"]
        assert choices == [["Fast", "fast"]]
        photograph, painting = map(visitor.upload, pictures)
        visitor.start(photograph=photograph, painting=painting)
        assert len(visitor.wait()["data"]) == 4
        visitor.start(photograph=photograph, painting=painting, quality="fine")
        assert "Expected TensorFlow for a quality other than fast" in visitor.wait()["error"]
    assert served.ended == (0, "", "")


@pytest.mark.slow
def test_it_listens_at_ipv6_and_asks_no_proxy_for_itself():
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("needs IPv6")
    nowhere = "http://127.0.0.1:9"
    with serve("--sample_size=0", host="::1", HTTP_PROXY=nowhere, http_proxy=nowhere) as served:
        assert Visitor(served.address, "anna").config["components"]
    assert served.ended == (0, "", "")


def test_the_surroundings_are_as_before_afterwards(monkeypatch):
    monkeypatch.setenv("SET", "before")
    monkeypatch.delenv("UNSET", raising=False)
    with surroundings(SET="now", UNSET="now"):
        assert os.environ["SET"] == os.environ["UNSET"] == "now"
    assert os.environ["SET"] == "before" and "UNSET" not in os.environ


def test_it_listens_at_this_machine_alone_by_default():
    assert PageOptions().host == "127.0.0.1"


@pytest.mark.parametrize(
    ("flag", "words"),
    [
        ("--port=0", "Expected port: at least 1"),
        ("--host=", "Expected host: not empty"),
        ("--sample_size=8", "Expected sample_size: 0, or at least 32"),
        ("--painters=0", "Expected painters: at least 1"),
        ("--time_limit=0", "Expected time_limit: "),
        ("--generator=none.keras", "Expected a trained generator"),
        ("--host=192.0.2.1", "Expected a host and a free port"),
    ],
)
def test_wrong_flags_are_one_line(run_command, assert_user_error, flag, words):
    process = run_command(page, flag, "--nobrowser")
    assert_user_error(process, f"Error: {words}")
    assert len(process.stderr.splitlines()) == 1


def test_a_port_that_is_taken_is_one_line(run_command, assert_user_error):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = run_command(page, f"--port={port}", "--nobrowser")
    assert_user_error(process, "Error: Expected a host and a free port", f"port={port}")


def test_without_gradio_the_message_says_what_to_install(run_command, monkeypatch):
    monkeypatch.setitem(sys.modules, "gradio", None)
    process = run_command(page, "--nobrowser")
    assert process.returncode == 1
    assert process.stderr.startswith(
        'Error: Expected Gradio: pip install "stylegan_transfer[page]". Received: '
    )


@pytest.mark.parametrize(
    ("error", "expected"),
    [(ClientDisconnect(), ""), (KeyError("a"), "Exception in ASGI application: KeyError('a')\n")],
)
def test_failed_requests_are_one_line_and_visitors_that_left_are_none(error, expected):
    written = io.StringIO()
    handler, logger = logging.StreamHandler(written), logging.getLogger("uvicorn.error")
    logger.addHandler(handler)
    with tracebacks_shortened():
        logger.error("Exception in ASGI application\n", exc_info=error)
    logger.removeHandler(handler)
    assert written.getvalue() == expected
