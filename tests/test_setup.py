"""The page on a package index, and the links of README and docs."""

import pathlib
import re
import runpy

import pytest

ROOT = pathlib.Path(__file__).parents[1]
LINK = re.compile(r"(!?)\[[^]]*\]\(([^)]+)\)")


@pytest.fixture
def describe(monkeypatch):
    """Returns the description that setup.py gives."""

    def describe():
        given = {}
        monkeypatch.setattr("setuptools.setup", lambda **options: given.update(options))
        runpy.run_path(str(ROOT / "setup.py"))
        return given["long_description"]

    return describe


def anchors_of(page):
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", name.lower()).replace(" ", "-") for name in headings}


@pytest.mark.parametrize("page", ["README.md", "docs/scaling.md"])
def test_links_lead_to_files_and_headings(page):
    page = ROOT / page
    targets = [target for _, target in LINK.findall(page.read_text(encoding="utf-8"))]
    relative = [target for target in targets if not target.startswith("http")]
    assert len(relative) > 3
    for target in relative:
        path, _, anchor = target.partition("#")
        other = page.parent / path if path else page
        assert other.exists(), target
        assert not anchor or anchor in anchors_of(other), target


def test_links_on_a_package_index_are_absolute(describe, monkeypatch):
    monkeypatch.setenv("REPOSITORY_URL", "https://example.org/a/b")
    links = LINK.findall(describe())
    assert all(target.startswith(("http", "#")) for _, target in links)
    assert ("!", "https://example.org/a/b/raw/HEAD/docs/contact_sheet.jpg") in links
    assert ("", "https://example.org/a/b/blob/HEAD/stylegan_transfer/MODEL_CARD.md") in links


def test_without_a_repository_the_description_is_readme(describe, monkeypatch):
    monkeypatch.delenv("REPOSITORY_URL", raising=False)
    assert describe() == (ROOT / "README.md").read_text(encoding="utf-8")
