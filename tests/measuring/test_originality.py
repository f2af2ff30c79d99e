import dataclasses
import io

import numpy as np
import pytest
from keras import ops
from PIL import Image

from stylegan_transfer import samples
from stylegan_transfer.measuring.originality import Closeness, OriginalityReport, judge_originality
from stylegan_transfer.networks.features import VGG19Features
from stylegan_transfer.networks.saving import load_generator
from stylegan_transfer.pictures.inputs import resize_image
from stylegan_transfer.stylizing.stylize import stylize

COPY = "a copy of the style image"
UNCHANGED = "hardly changed"
OWN = "its own picture"


@pytest.fixture(scope="module")
def features():
    return VGG19Features()


@pytest.fixture(scope="module")
def generator():
    return load_generator()


@pytest.fixture(scope="module")
def content():
    return samples.draw_content("harbour", 128)


@pytest.fixture(scope="module")
def style():
    return samples.draw_style("swirls", 160)


@pytest.fixture(scope="module")
def judge(features):
    """`judge_originality`, which measures what a pair has in common once for all results."""
    unrelated = {}

    def judge(result, content, style):
        pair = content.tobytes(), style.tobytes()
        report = judge_originality(result, content, style, features, unrelated.get(pair))
        unrelated[pair] = report.unrelated
        return report

    return judge


def compress(picture, quality=50):
    file = io.BytesIO()
    Image.fromarray(np.uint8(255 * picture)).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file), "float32") / 255


def recolour(picture):
    return np.clip(picture**1.2 * np.float32([1.1, 0.95, 0.85]) + 0.03, 0, 1)


def crop(picture, share, size=(128, 128)):
    """A part off the centre, of this share of the sides, resized."""
    height, width = (round(share * side) for side in picture.shape[:2])
    top, left = (picture.shape[0] - height) // 3, (picture.shape[1] - width) // 4
    return resize_image(picture[top : top + height, left : left + width], size=size)


# Verdicts on pictures.


def test_an_untouched_photograph_is_hardly_changed(content, style, judge):
    report = judge(content, content, style)
    assert report.verdict == UNCHANGED
    np.testing.assert_allclose(dataclasses.astuple(report.content), (1, 0, 1), atol=1e-5)


@pytest.mark.parametrize(
    "change",
    [
        lambda picture: picture + np.random.default_rng(0).normal(0, 0.02, picture.shape),
        lambda picture: picture + 0.08,
        lambda picture: compress(0.5 + 0.8 * (picture - 0.5)),
    ],
    ids=["noise", "brighter", "flatter and compressed"],
)
def test_a_slightly_changed_photograph_is_hardly_changed(change, content, style, judge):
    result = np.clip(change(content), 0, 1)
    assert judge(result, content, style).verdict == UNCHANGED


@pytest.mark.parametrize(
    "copy",
    [
        lambda style: resize_image(style, size=(128, 128)),
        lambda style: resize_image(style[:, ::-1], size=(128, 176)),
        lambda style: crop(style, 0.8),
        lambda style: crop(style, 0.6)[:, ::-1],
        lambda style: compress(recolour(crop(style, 0.7))),
    ],
    ids=["resized", "stretched and mirrored", "part", "mirrored part", "recoloured, compressed"],
)
def test_a_changed_style_image_is_a_copy(copy, content, style, judge):
    assert judge(copy(style), content, style).verdict == COPY


@pytest.mark.parametrize(
    ("content_name", "style_name"),
    [("hills", "swirls"), ("city", "mosaic"), ("portrait", "woodcut"), ("harbour", "cubism")],
)
def test_a_stylization_is_a_picture_of_its_own(content_name, style_name, generator, judge):
    content = samples.draw_content(content_name, 128)
    style = samples.draw_style(style_name, 160)
    report = judge(stylize(generator, content, style), content, style)
    assert report.verdict == OWN


def test_a_stylization_at_little_strength_is_hardly_changed(generator, content, style, judge):
    result = stylize(generator, content, style, strength=0.1)
    assert judge(result, content, style).verdict == UNCHANGED


def test_a_photograph_with_a_large_part_of_the_style_image_pasted_in_is_a_copy(
    content, style, judge
):
    result = content.copy()
    result[10:106, 20:116] = style[30:126, 50:146] * np.float32(0.9)
    assert judge(result, content, style).verdict == COPY


def test_the_photograph_itself_is_hardly_changed_even_where_it_is_the_style(content, features):
    report = judge_originality(content, content, content, features)
    assert report.verdict == UNCHANGED
    assert report.unrelated.ssim < 0.6
    assert report.unrelated.feature_distance > 0.3


def test_another_photograph_is_a_picture_of_its_own(content, style, judge):
    other = samples.draw_content("city", 128)
    assert judge(other, content, style).verdict == OWN


# Figures.


class MeanColour:
    """A feature network of one layer: the picture's own channels."""

    def __call__(self, images):
        return {"relu1_1": ops.convert_to_tensor(images)}


def test_closeness_falls_from_a_copy_over_a_blend_to_unrelated_pictures(content, style):
    style = resize_image(style, size=(128, 128))
    reports = [
        judge_originality(share * style + (1 - share) * content, content, style, MeanColour())
        for share in (1.0, 0.5, 0.0)
    ]
    for figure, sign in (("ssim", -1), ("feature_distance", 1), ("patch_correlation", -1)):
        to_style = [sign * getattr(report.style, figure) for report in reports]
        to_content = [sign * getattr(report.content, figure) for report in reports]
        assert to_style == sorted(to_style), figure
        assert to_content == sorted(to_content, reverse=True), figure
    assert reports[0].unrelated == reports[1].unrelated == reports[2].unrelated


def test_what_the_pair_has_in_common_is_measured_once_for_all_results(content, style):
    seen = []

    def features(images):
        seen.append(images)
        return {"relu1_1": images}

    first = judge_originality(0.5 * content, content, style, features)
    assert len(seen) == 3  # comparisons
    expected = judge_originality(0.9 * content, content, style, features)
    del seen[:]
    again = judge_originality(0.9 * content, content, style, features, unrelated=first.unrelated)
    assert len(seen) == 2
    assert again == expected


def test_pictures_are_compared_at_one_size(content, style):
    large = resize_image(content, size=(300, 300))
    report = judge_originality(large, content, style, MeanColour())
    assert report.content.ssim > 0.97
    assert report.content.patch_correlation > 0.97


def test_features_are_handed_pictures_in_the_range_and_shape_they_take(content, style):
    seen = []

    def features(images):
        seen.append(np.asarray(images))
        return {"relu1_1": images}

    judge_originality(content, content[:, :96], style, features)
    for images in seen:
        assert images.ndim == 4
        assert images.dtype == np.float32
        assert 0 <= images.min() <= images.max() <= 1
        assert min(images.shape[1:3]) == 256


# The rule.

UNRELATED = Closeness(ssim=0.2, feature_distance=1.0, patch_correlation=0.4)


@pytest.mark.parametrize(
    ("content", "style", "verdict"),
    [
        (UNRELATED, UNRELATED, OWN),
        (Closeness(1.0, 0.0, 1.0), UNRELATED, UNCHANGED),
        (Closeness(0.92, 0.25, 0.9), UNRELATED, UNCHANGED),  # (0.9 + 0.75) / 2
        (Closeness(0.92, 0.35, 0.9), UNRELATED, OWN),  # (0.9 + 0.65) / 2
        (Closeness(0.5, 0.5, 1.0), UNRELATED, OWN),  # a stylization keeps the content's edges
        (UNRELATED, Closeness(0.92, 0.25, 0.4), COPY),
        (UNRELATED, Closeness(0.2, 1.0, 0.77), COPY),  # 0.4 + 0.6 * 0.6 is the border
        (UNRELATED, Closeness(0.2, 1.0, 0.75), OWN),
        (Closeness(1.0, 0.0, 1.0), Closeness(0.2, 1.0, 0.77), UNCHANGED),
    ],
)
def test_the_verdict_is_relative_to_unrelated_pictures(content, style, verdict):
    assert OriginalityReport(content, style, UNRELATED).verdict == verdict


def test_what_is_near_for_one_pair_is_far_for_a_pair_alike_to_begin_with():
    content = Closeness(0.92, 0.25, 0.9)
    alike = Closeness(ssim=0.8, feature_distance=0.5, patch_correlation=0.8)
    assert OriginalityReport(content, UNRELATED, UNRELATED).verdict == UNCHANGED
    assert OriginalityReport(content, alike, alike).verdict == OWN


def test_a_report_reads_as_the_verdict_and_all_figures():
    report = OriginalityReport(
        Closeness(0.512, 0.345, 0.891), Closeness(0.123, 0.987, 0.456), UNRELATED
    )
    lines = str(report).splitlines()
    assert lines[0] == "Its own picture."
    for line, closeness in zip(lines[2:], dataclasses.astuple(report), strict=True):
        assert [float(word) for word in line.split()[-3:]] == list(closeness)
    assert len({len(line) for line in lines[1:]}) == 1


def test_reports_cannot_be_changed():
    report = OriginalityReport(UNRELATED, UNRELATED, UNRELATED)
    with pytest.raises(dataclasses.FrozenInstanceError):
        report.content = Closeness(1.0, 0.0, 1.0)


@pytest.mark.parametrize("position", [0, 1, 2])
@pytest.mark.parametrize(
    "wrong",
    [np.zeros((40, 40)), np.zeros((1, 40, 40, 3)), np.full((40, 40, 3), 255), [[[np.nan] * 3]]],
    ids=["grey", "batch", "bytes", "nan"],
)
def test_what_is_no_picture_is_refused(position, wrong, content):
    pictures = [content] * 3
    pictures[position] = wrong
    with pytest.raises(ValueError, match=r"Expected a picture \(height, width, 3\) in \[0, 1\]"):
        judge_originality(*pictures, MeanColour())
