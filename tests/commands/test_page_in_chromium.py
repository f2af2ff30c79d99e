"""The page in a real browser: Chromium without a window, driven by Selenium."""

import json
import shutil
import urllib.parse

import numpy as np
import pytest
from pages import serve

from stylegan_transfer import samples
from stylegan_transfer.pictures.files import load_image, save_image

pytest.importorskip("gradio")
webdriver = pytest.importorskip("selenium.webdriver")
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (CHROMIUM and DRIVER),
        reason="needs Chromium and its driver: apt-get install chromium chromium-driver",
    ),
]
SECONDS = 60  # to wait at most


@pytest.fixture(scope="module")
def served():
    with serve("--sample_size=64", "--max_mb=1") as page:
        yield page
    assert page.ended == (0, "", "")  # no traceback in the terminal


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in ("headless=new", "no-sandbox", "disable-dev-shm-usage", "window-size=1320,1000"):
        options.add_argument(f"--{flag}")
    options.set_capability("goog:loggingPrefs", {"performance": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(DRIVER))
    driver.downloads = tmp_path_factory.mktemp("downloads")
    behavior = {"behavior": "allow", "downloadPath": str(driver.downloads)}
    driver.execute_cdp_cmd("Browser.setDownloadBehavior", behavior)
    yield driver
    driver.quit()


class Page:
    """The page as its user sees it. Elements are named by their ids."""

    def __init__(self, driver, address):
        self.driver = driver
        driver.get_log("performance")  # forgets earlier requests
        driver.get(address)
        self.wait_for("#start")

    def find(self, selector):
        return self.driver.find_elements("css selector", selector)

    def wait(self, condition):
        """Returns what the condition gives as soon as it holds."""
        from selenium.common.exceptions import StaleElementReferenceException
        from selenium.webdriver.support.ui import WebDriverWait

        ignored = [StaleElementReferenceException]  # the page replaces its elements
        return WebDriverWait(self.driver, SECONDS, 0.1, ignored).until(lambda _: condition())

    def wait_for(self, selector):
        return self.wait(lambda: self.find(selector))[0]

    def upload(self, name, path):
        self.wait_for(f"#{name} input[type=file]").send_keys(str(path))

    def choose(self, photograph, painting):
        """Uploads both, and waits until they are shown."""
        for name, path in (("photograph", photograph), ("painting", painting)):
            self.upload(name, path)
            self.shown(name)

    def shown(self, name):
        """Waits for a picture of that part of the page; returns its address."""
        complete = "return arguments[0].complete && arguments[0].naturalWidth > 0"
        images = f"#{name} img"
        self.wait(lambda: [i for i in self.find(images) if self.driver.execute_script(complete, i)])
        return self.find(images)[0].get_attribute("src")

    def paint(self):
        """Presses Paint; waits for another result, and returns it as it is downloaded."""
        before = self.downloadable()
        self.find("#start")[0].click()
        self.wait(lambda: self.downloadable() not in (None, before))
        downloads = self.driver.downloads
        for path in downloads.iterdir():
            path.unlink()
        self.find("#download")[0].click()
        self.wait(lambda: list(downloads.glob("*.png")))
        return next(downloads.glob("*.png"))

    def downloadable(self):
        """The picture after painting: another one, another address."""
        images = [image.get_attribute("src") for image in self.find("#compared img")]
        return images[-1] if len(images) == 2 else None

    def message(self):
        """Waits for a message; returns its text."""
        return self.wait(lambda: " ".join(e.text for e in self.find(".toast-body"))).strip()

    def hosts(self):
        """The hosts that the browser asked for something since the page was opened."""
        logged = [json.loads(e["message"])["message"] for e in self.driver.get_log("performance")]
        asked = [m["params"] for m in logged if m["method"] == "Network.requestWillBeSent"]
        urls = [urllib.parse.urlsplit(request["request"]["url"]) for request in asked]
        return {url.netloc for url in urls if url.scheme not in ("data", "blob")}


@pytest.fixture
def page(chromium, served):
    return Page(chromium, served.address)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    save_image(samples.draw_content("harbour", 120)[:90], folder / "photo.png")
    save_image(samples.draw_style("swirls", 96), folder / "painting.png")
    return folder / "photo.png", folder / "painting.png"


def test_upload_paint_compare_and_download(page, pictures, served):
    page.choose(*pictures)
    result = page.paint()
    assert result.name == "photo_painted.png"
    assert load_image(result).shape == (90, 120, 3)
    before, after = page.find("#compared img")
    assert before.get_attribute("src") != after.get_attribute("src")
    assert page.hosts() == {urllib.parse.urlsplit(served.address).netloc}


def test_samples_are_there_to_try(page):
    photographs, paintings = page.find(".samples")
    for choice, name in ((photographs, "photograph"), (paintings, "painting")):
        choice.find_elements("css selector", "button")[1].click()
        page.shown(name)
    assert load_image(page.paint()).shape == (64, 64, 3)


def test_only_what_is_brushed_is_painted(page, pictures):
    from selenium.webdriver.common.action_chains import ActionChains

    page.choose(*pictures)
    page.find("button.label-wrap")[-1].click()
    canvas = page.wait_for("#brush canvas")
    page.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", canvas)
    stroke = ActionChains(page.driver).move_to_element_with_offset(canvas, -20, 0)
    stroke.click_and_hold().move_by_offset(20, 0).move_by_offset(20, 0).release().perform()
    page.wait_for("#brush button[aria-label=Undo]:not([disabled])")
    result, photograph = load_image(page.paint()), load_image(pictures[0])
    changed = np.abs(result - photograph).max(axis=-1) > 0.05
    assert changed[40:50, 50:70].mean() > 0.5  # the middle
    assert not changed[:20].any() and not changed[-20:].any()


def test_stop_ends_it_and_the_next_one_is_painted(page, pictures):
    page.choose(*pictures)
    page.find("#quality input")[-1].click()
    page.find("#start")[0].click()
    page.wait(lambda: "Refining" in page.find("#compared")[0].text)
    page.find("#stop")[0].click()
    page.wait(lambda: "Refining" not in page.find("#compared")[0].text)
    assert page.downloadable() is None
    page.find("#quality input")[0].click()
    assert load_image(page.paint()).shape == (90, 120, 3)


def test_a_broken_file_gives_a_message(page, tmp_path):
    (tmp_path / "broken.png").write_bytes(b"nothing")
    page.upload("photograph", tmp_path / "broken.png")
    assert "Expected an image file that can be read. Received: broken.png" in page.message()


def test_a_file_that_is_too_large_gives_a_message(page, tmp_path):
    (tmp_path / "large.png").write_bytes(bytes(1_100_000))
    page.upload("photograph", tmp_path / "large.png")
    assert "exceed" in page.message()


def test_without_pictures_the_message_says_what_is_missing(page):
    page.find("#start")[0].click()
    assert "Expected a photograph" in page.message()
