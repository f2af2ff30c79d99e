"""What was chosen on the pairwise page, as a table of wins."""

import collections
import json
import pathlib
from collections.abc import Iterable, Mapping, Sequence

from stylegan_transfer.commands.evaluation.tables import escape
from stylegan_transfer.measuring.statistics import wilson_interval

_SIDES = "left", "right"


def read_choices(paths: Iterable[str]) -> list[dict]:
    """Returns all choices of files that the page has saved.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: A file is another one.
    """
    choices = []
    for path in paths:
        try:
            of_file = json.loads(pathlib.Path(path).read_text(encoding="utf-8"))["choices"]
            fits = all(
                choice["choice"] in (*_SIDES, "tie") and choice["left"] != choice["right"]
                for choice in of_file
            )
        except (ValueError, KeyError, TypeError):
            fits = False
        if not fits:
            raise ValueError(f"Expected choices that the pairwise page saved. Received: {path}")
        choices += of_file
    return choices


def count_wins(choices: Sequence[Mapping]) -> dict[tuple[str, str], dict[str, int]]:
    """Returns wins, ties and losses of the first of two rows against the second, by their names."""
    counts = collections.defaultdict(lambda: {"wins": 0, "ties": 0, "losses": 0})
    for choice in choices:
        names = tuple(sorted(choice[side] for side in _SIDES))
        winner = choice.get(choice["choice"])  # of a tie: None
        outcome = "ties" if winner is None else ("wins", "losses")[names.index(winner)]
        counts[names][outcome] += 1
    return dict(counts)


def render_table(choices: Sequence[Mapping]) -> str:
    """Returns the table of wins in Markdown.

    The share is wins / (wins + losses), with Wilson's 95 % interval: where it holds 50 %, the two
    may be equally good. Ties say nothing about which is better, so they do not count. It takes the
    choices for independent of each other, which those of several viewers of one page are not quite.
    """
    lines = ["| | wins | ties | losses | share of wins without ties |", "|---|---|---|---|---|"]
    for (name, other), count in count_wins(choices).items():
        wins, ties, losses = count["wins"], count["ties"], count["losses"]
        low, high = wilson_interval(wins, wins + losses)
        share = f"{100 * wins / (wins + losses):.0f} %" if wins + losses else "-"
        lines.append(
            f"| {escape(name)} against {escape(other)} | {wins} | {ties} | {losses} "
            f"| {share} [{100 * low:.0f} %, {100 * high:.0f} %] |"
        )
    return "\n".join(lines)
