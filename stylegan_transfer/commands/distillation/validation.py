"""How well distilled features agree with their teacher on pictures that they never saw."""

from collections.abc import Callable, Mapping

import numpy as np
from keras import ops

from stylegan_transfer.commands.distillation.student import LAYERS, unexplained_variance
from stylegan_transfer.measuring.distances import content_distances, gram_distances
from stylegan_transfer.pictures.files import list_images, load_image
from stylegan_transfer.pictures.inputs import resize_image

_SHALLOW = LAYERS[:3]


def validate(distiller: Callable, photos: np.ndarray, paintings: np.ndarray) -> dict[str, dict]:
    """Returns how well the student agrees with its teacher, by layer and for their means.

    `explained_variance`: of the teacher's maps by the heads. `gram_correlation` and
    `content_correlation`: Spearman's, between the student's and the teacher's distances over all
    pairs of a photograph and a painting; for "relu1_1 to relu3_1" between the layers' mean
    distances.

    Args:
        distiller: A `Distiller`.
        photos: Images `(number, size, size, 3)` in [0, 1].
        paintings: The same, of the same size.

    Raises:
        ImportError: SciPy is missing.
    """
    from scipy import stats

    images = [*photos, *paintings]
    maps, predicted, expected = ({layer: [] for layer in LAYERS} for _ in range(3))
    for image in images:
        seen, heads = distiller(image[None])
        for held, given in zip(
            (maps, predicted, expected), (seen, heads, distiller.teacher(image[None])), strict=True
        ):
            for layer in LAYERS:
                held[layer].append(ops.convert_to_numpy(given[layer])[0])
    figures = {
        layer: {
            "explained_variance": 1.0
            - float(unexplained_variance(np.stack(expected[layer]), np.stack(predicted[layer])))
        }
        for layer in LAYERS
    }
    mean = f"{_SHALLOW[0]} to {_SHALLOW[-1]}"
    figures[mean] = {}
    for kind, measure in (("gram", gram_distances), ("content", content_distances)):
        by_student, by_teacher = (_distances(measure, m, len(photos)) for m in (maps, expected))
        for distances in (by_student, by_teacher):
            distances[mean] = sum(distances[layer] for layer in _SHALLOW)
        for row, values in figures.items():
            correlation = stats.spearmanr(by_student[row], by_teacher[row]).statistic
            values[f"{kind}_correlation"] = float(correlation)
    return figures


def _distances(measure, maps, num_photos):
    """The distances of each photograph from all paintings, one after the other, by layer."""
    paintings = {layer: np.stack(values[num_photos:]) for layer, values in maps.items()}
    rows = [
        measure({layer: values[i][None] for layer, values in maps.items()}, paintings)
        for i in range(num_photos)
    ]
    return {layer: np.concatenate([row[layer] for row in rows]) for layer in LAYERS}


def load_squares(source: str, size: int) -> np.ndarray:
    """Returns the central squares of pictures, `(number, size, size, 3)`."""
    images = [resize_image(load_image(path), short_side=size) for path in list_images(source)]
    corners = [[(side - size) // 2 for side in image.shape[:2]] for image in images]
    return np.stack(
        [image[y : y + size, x : x + size] for image, (y, x) in zip(images, corners, strict=True)]
    )


def format_table(figures: Mapping[str, Mapping]) -> str:
    """Returns the figures as a Markdown table."""
    columns = ("explained_variance", "gram_correlation", "content_correlation")
    lines = [f"| layer | {' | '.join(columns)} |".replace("_", " "), "|---" * 4 + "|"]
    for row, values in figures.items():
        cells = (f"{values[column]:.3f}" if column in values else "" for column in columns)
        lines.append(f"| {row} | {' | '.join(cells)} |")
    return "\n".join(lines)
