"""The pairwise page, and the table of what was chosen on it."""

import collections
import json
import re
import shutil
import subprocess

import numpy as np
import pytest
from scipy.stats import binomtest

from stylegan_transfer.commands import evaluate, launch
from stylegan_transfer.commands.evaluation import choices, report_files
from stylegan_transfer.commands.evaluation.pairwise import Comparisons

NAMES = ["harbour", "hills"], ["swirls", "mosaic", "cubism"]
ODD = "<b>mine</b> | $x_$"  # a name that HTML and Markdown would misread


def make_page(rows=("peer", ODD), count=100, seed=0):
    """The page's data; each picture is of another grey."""
    contents, styles = (
        [np.full((8, 8, 3), (90 + 2 * i + k) / 100) for i in range(len(n))]
        for k, n in enumerate(NAMES)
    )
    comparisons = Comparisons(contents, styles, NAMES, rows, count, seed)
    for k, row in enumerate([*rows, "another row"]):
        for i, j in np.ndindex(len(contents), len(styles)):
            comparisons.add(row, i, j, np.full((8, 8, 3), (10 + 20 * k + 3 * i + j) / 100))
    return comparisons.describe()


def test_each_pair_of_results_is_compared_once_with_pictures_of_its_own():
    page = make_page()
    compared = {(c["content"], c["style"]) for c in page["comparisons"]}
    assert len(page["comparisons"]) == len(compared) == 6
    for comparison in page["comparisons"]:
        assert {comparison["left"], comparison["right"]} == {"peer", ODD}
    assert len(page["pictures"]) == len(set(page["pictures"].values())) == 2 + 3 + 2 * 6
    used = [key for c in page["comparisons"] for key in c["pictures"].values()]
    assert set(used) == set(page["pictures"])
    assert all(uri.startswith("data:image/jpeg;base64,") for uri in page["pictures"].values())


def test_order_and_sides_are_random_and_the_same_for_one_seed():
    assert make_page() == make_page()
    pages = [make_page(seed=seed)["comparisons"] for seed in range(20)]
    assert len({page[0]["content"] + page[0]["style"] for page in pages}) > 3
    left = np.mean([c["left"] == "peer" for page in pages for c in page])
    assert 0.35 < left < 0.65


def test_of_many_comparisons_some_are_drawn_equally_for_all_rows():
    page = make_page(rows=("a", "b", "c"), count=9)
    counts = collections.Counter(frozenset((c["left"], c["right"])) for c in page["comparisons"])
    assert sorted(counts.values()) == [3, 3, 3]


def test_the_page_needs_nothing_else_and_does_not_show_whose_the_results_are(tmp_path):
    page = make_page()
    report_files.save_pairwise(page, tmp_path)
    text = (tmp_path / "pairwise.html").read_text(encoding="utf-8")
    assert not re.search(r"https?:|url\(|@import|<link|src=", text)
    markup = text.partition("<script>")[0]
    assert "peer" not in markup
    assert "<b>" not in text


# A browser's part that the page uses, in some lines.
BROWSER = """
const made = {}, saved = {};
const make = () => ({
  append(...cells) { this.children = cells },
  replaceChildren(...rows) { this.children = rows },
  click() {},
});
globalThis.document = { getElementById: id => made[id] ||= make(), createElement: make };
globalThis.localStorage = { getItem: k => saved[k] || null, setItem: (k, v) => { saved[k] = v } };
globalThis.Blob = class { constructor(parts) { made.file = parts.join("") } };
URL.createObjectURL = () => "";
const press = key => document.onkeydown({ key, preventDefault() {} });
"""


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node")
def test_keys_choose_and_undo_and_the_file_is_read_as_the_table_that_the_page_shows(tmp_path):
    page = make_page()
    report_files.save_pairwise(page, tmp_path)
    text = (tmp_path / "pairwise.html").read_text(encoding="utf-8")
    script = text.partition("<script>")[2].partition("</script>")[0]
    keys = ["1", "Backspace", "ArrowRight", "0", "2", "ArrowLeft", "x", "1", "ArrowDown", "1"]
    expected = ["right", "tie", "right", "left", "left", "tie"]  # there are six comparisons
    process = subprocess.run(
        ["node", "-"],
        input=f"""{BROWSER}{script}
        const shown = made.left.src;
        for (const key of {keys}) press(key);
        save();
        const table = made.table.children.map(row => row.children.map(cell => cell.textContent));
        const kept = JSON.parse(saved["pairwise-" + page.id]);
        const file = JSON.parse(made.file);
        console.log(JSON.stringify({{ shown, table, kept, file, hidden: made.question.hidden }}));
        """,
        capture_output=True,
        text=True,
        check=True,
    )
    result = json.loads(process.stdout)
    assert result["shown"] == page["pictures"][page["comparisons"][0]["pictures"]["left"]]
    assert result["kept"] == [c["choice"] for c in result["file"]["choices"]] == expected
    assert result["hidden"]
    for saved, comparison in zip(result["file"]["choices"], page["comparisons"], strict=True):
        assert all(saved[key] == comparison[key] for key in ("content", "style", "left", "right"))
    ((names, count),) = choices.count_wins(result["file"]["choices"]).items()
    name, *cells = result["table"][1]
    assert name == " against ".join(names)
    assert cells[:3] == [*count.values()]
    line = choices.render_table(result["file"]["choices"]).splitlines()[-1]
    assert cells[3] in line.replace("\\", "")


def make_choices(*outcomes):
    """Choices of `peer` (win), the other (loss) or none (tie), with `peer` on changing sides."""
    made = []
    for number, outcome in enumerate(outcomes):
        sides = ["peer", ODD][:: 1 if number % 2 else -1]
        winner = {"win": "peer", "loss": ODD}.get(outcome)
        choice = "tie" if winner is None else ("left", "right")[sides.index(winner)]
        made.append({"left": sides[0], "right": sides[1], "choice": choice})
    return made


def test_the_table_counts_wins_whatever_the_side_and_gives_wilsons_interval(tmp_path, capsys):
    files = {"a": ["win", "win", "tie", "loss"], "b": ["loss", "loss", "loss", "tie"]}
    flags = []
    for name, outcomes in files.items():
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps({"page": name, "choices": make_choices(*outcomes)}))
        flags.append(f"--choices={path}")
    assert launch.run(evaluate.main, ["evaluate", *flags]) == 0
    head, _, line = capsys.readouterr().out.splitlines()
    assert head == "| | wins | ties | losses | share of wins without ties |"
    expected = binomtest(4, 6).proportion_ci(method="wilson")  # the other's: names are sorted
    share = f"67 % [{100 * expected.low:.0f} %, {100 * expected.high:.0f} %]"
    assert line.endswith(f" against peer | 4 | 2 | 2 | {share} |")
    assert line.startswith("| \\<b\\>mine\\</b\\> \\| ")


def test_nothing_but_ties_leaves_the_share_open():
    line = choices.render_table(make_choices("tie", "tie")).splitlines()[-1]
    assert line.endswith("| 0 | 2 | 0 | - [0 %, 100 %] |")


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"choices": 3}', '{"choices": [{"left": "a", "right": "b", "choice": "c"}]}'],
)
def test_files_that_the_page_did_not_save_are_refused(tmp_path, text):
    (tmp_path / "some.json").write_text(text)
    with pytest.raises(ValueError, match=r"Expected choices .* Received: .*some.json"):
        choices.read_choices([str(tmp_path / "some.json")])
