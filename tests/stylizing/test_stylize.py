"""Stylising: strength, kinds of input, errors."""

import itertools
import tracemalloc

import keras
import numpy as np
import pytest
from PIL import Image, ImageCms

from stylegan_transfer import samples
from stylegan_transfer.losses import content_loss, style_loss
from stylegan_transfer.networks.features import VGG19Features
from stylegan_transfer.networks.generator import StyleGenerator
from stylegan_transfer.networks.saving import load_generator
from stylegan_transfer.pictures.colors import luminance, match_colors
from stylegan_transfer.pictures.files import load_picture, save_picture
from stylegan_transfer.pictures.inputs import resize_style
from stylegan_transfer.pictures.picture import Picture
from stylegan_transfer.stylizing.codes import encode_style, join_codes, look_at_styles
from stylegan_transfer.stylizing.contents import repaint
from stylegan_transfer.stylizing.noise import draw_noise
from stylegan_transfer.stylizing.stylize import stylize
from stylegan_transfer.stylizing.with_code import stylize_with_code


class ToyGenerator:
    """Mixes the content half and half with the style's mean colour."""

    noise = False

    def encode_style(self, style):
        return np.mean(style, axis=(1, 2))

    def synthesize(self, content, codes):
        return 0.5 * content + 0.5 * codes[:, None, None]


@pytest.fixture(scope="module")
def generator(make_generator):
    return make_generator()


@pytest.fixture
def pictures():
    rng = np.random.default_rng(0)
    content = rng.uniform(0.2, 0.8, (40, 56, 3)).astype("float32")
    style = rng.uniform(0.0, 1.0, (48, 64, 3)).astype("float32") * np.float32([1.0, 0.5, 0.2])
    return content, style


def test_strength_0_is_the_photograph_itself(generator, pictures):
    content, style = pictures
    np.testing.assert_array_equal(stylize(generator, content, style, strength=0.0), content)


def test_strength_1_is_what_the_generator_paints(generator, pictures):
    content, style = pictures
    stylized = stylize(generator, content, style, style_size=48)  # the style's own size
    code, noise = generator.encode_style(style[None]), draw_noise(generator.strides, 40, 56, seed=0)
    expected = generator.synthesize(content[None], code, noise=noise)[0]
    np.testing.assert_allclose(stylized, expected, atol=1e-5)
    assert stylized.dtype == np.float32
    assert stylized.shape == content.shape
    assert np.abs(stylized - content).mean() > 0.05


def test_strength_in_between_follows_its_formula():
    height = width = 32  # the style size: nothing is resized
    rng = np.random.default_rng(0)
    content = rng.uniform(0.4, 0.6, (height, width, 3)).astype("float32")
    style = rng.uniform(0.3, 0.7, (height, width, 3)).astype("float32")
    for strength in (0.2, 0.5, 0.9):
        mixed = content.mean((0, 1)) + strength * (style.mean((0, 1)) - content.mean((0, 1)))
        painted = 0.5 * content + 0.5 * mixed
        missed = content - (0.5 * content + 0.5 * content.mean((0, 1)))
        stylized = stylize(ToyGenerator(), content, style, strength=strength, style_size=32)
        expected = painted + (1 - strength) * missed
        np.testing.assert_allclose(stylized, expected, atol=1e-5)


def test_style_grows_steadily_from_the_photograph_to_the_full_style(generator, pictures):
    content, style = pictures
    strengths = (0.0, 1e-6, 0.25, 0.5, 0.75, 1.0 - 1e-6, 1.0)
    stylized = [
        stylize(generator, content, style, strength=strength, style_size=48)
        for strength in strengths
    ]
    distances = [np.abs(picture - content).mean() for picture in stylized]
    assert distances[1] < 1e-4
    assert np.abs(stylized[-1] - stylized[-2]).mean() < 1e-4
    assert np.all(np.diff(distances[1:-1]) > 0)
    assert all(picture.min() >= 0 and picture.max() <= 1 for picture in stylized)


def test_path_image_and_arrays_give_the_same_picture(generator, save_picture):
    paths = save_picture("content.png", seed=1), save_picture("style.png", (64, 50), seed=2)
    images = [Image.open(path).convert("RGB") for path in paths]
    bytes_ = [np.asarray(image) for image in images]
    floats = [array.astype("float32") / 255 for array in bytes_]
    expected = stylize(generator, *floats)
    assert expected.shape == (48, 40, 3)
    for pair in (paths, [str(path) for path in paths], images, bytes_):
        np.testing.assert_allclose(stylize(generator, *pair), expected, atol=1e-5)
    for image in images:
        image.close()


@pytest.mark.parametrize("strength", [0.0, 0.4, 1.0])
def test_stylizing_with_a_code_equals_stylizing_with_the_picture(generator, pictures, strength):
    content, style = pictures
    code = encode_style(generator, style, style_size=40)
    actual = stylize_with_code(generator, content, code, strength=strength, style_size=40)
    expected = stylize(generator, content, style, strength=strength, style_size=40)
    np.testing.assert_array_equal(actual, expected)


def test_style_is_looked_at_in_the_style_size():
    sizes = []

    class Recorder(ToyGenerator):
        def encode_style(self, style):
            sizes.append(style.shape)
            return super().encode_style(style)

    encode_style(Recorder(), np.zeros((50, 100, 3), np.float32), style_size=32)
    encode_style(Recorder(), np.zeros((50, 100, 3), np.float32))
    assert sizes == [(1, 32, 64, 3), (1, 384, 768, 3)]


def test_one_code_a_layer_can_be_weakened_too(generator, pictures):
    content, style = pictures
    code = keras.ops.convert_to_numpy(encode_style(generator, style))
    per_layer = np.repeat(code[:, None], generator.num_layers, axis=1)
    np.testing.assert_allclose(
        stylize_with_code(generator, content, per_layer, strength=0.5),
        stylize_with_code(generator, content, code, strength=0.5),
        atol=1e-5,
    )


@pytest.mark.parametrize("strength", [-0.1, 1.1, float("nan")])
def test_strength_out_of_range_is_refused(generator, pictures, strength):
    with pytest.raises(ValueError, match=r"strength in \[0, 1\].*Received: strength="):
        stylize(generator, *pictures, strength=strength)


def test_a_file_much_larger_than_the_style_size_is_never_held_in_floats(tmp_path):
    height, width = np.mgrid[:1000, :1500] / 1500
    image = np.uint8(255 * np.dstack([height, width, height * width]))
    save_picture(Picture(image), tmp_path / "large.png")
    tracemalloc.start()
    (small,) = look_at_styles([tmp_path / "large.png"], 32)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * image.size
    np.testing.assert_allclose(small, resize_style(image, 32) / 255, atol=2 / 255)


def test_style_size_below_32_is_refused(generator, pictures):
    with pytest.raises(ValueError, match="style_size of at least 32.*style_size=31"):
        stylize(generator, *pictures, style_size=31)


def test_missing_file_is_named(generator, pictures):
    with pytest.raises(FileNotFoundError, match=r"no_such\.png"):
        stylize(generator, "no_such.png", pictures[1])
    with pytest.raises(FileNotFoundError, match=r"no_such\.png"):
        stylize(generator, pictures[0], "no_such.png")


def test_unreadable_file_is_named(generator, pictures, tmp_path):
    (tmp_path / "broken.png").write_text("no picture")
    with pytest.raises(ValueError, match=r"broken\.png"):
        stylize(generator, tmp_path / "broken.png", pictures[1])


def test_content_under_32_pixels_is_refused(generator, pictures):
    with pytest.raises(ValueError, match="32"):
        stylize(generator, np.zeros((31, 64, 3), np.float32), pictures[1])


def test_the_generator_that_ships_brings_photographs_near_the_style_and_keeps_their_content():
    generator = load_generator()
    features = VGG19Features()
    content = samples.draw_content("harbour", 256)
    for name in ("swirls", "pointillism", "waves"):
        style = samples.draw_style(name, 256)
        result = stylize(generator, content, style, style_size=256)
        maps = {k: features(v[None]) for k, v in (("c", content), ("s", style), ("y", result))}
        # the untouched photograph is at a content distance of 0, another picture at about 2
        assert style_loss(maps["y"], maps["s"]) < 0.5 * style_loss(maps["c"], maps["s"])
        assert content_loss(maps["y"], maps["c"]) < 0.5 * content_loss(maps["s"], maps["c"])


# Pictures with all that belongs to them.


@pytest.mark.parametrize("strength", [0.0, 0.5, 1.0])
def test_a_picture_gives_a_picture_that_is_saved_as_the_same_kind_of_file(
    generator, pictures, tmp_path, strength
):
    content, style = pictures
    alpha = np.linspace(0, 1, content[..., 0].size, dtype="float32").reshape(content.shape[:2])
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x0f\0\x02\0\0\0\x04abc\0\0\0\0\0"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    save_picture(Picture(content, alpha, False, 16, profile, exif), tmp_path / "content.png")
    picture = load_picture(tmp_path / "content.png")
    options = {"style_size": 48, "strength": strength}
    stylized = stylize(generator, picture, Picture(style), **options)
    expected = stylize(generator, picture.pixels, style, **options)
    np.testing.assert_allclose(stylized.pixels, expected, atol=1e-6)
    save_picture(stylized, tmp_path / "stylized.png")
    saved = load_picture(tmp_path / "stylized.png")
    np.testing.assert_allclose(saved.image, stylized.image, atol=1 / 65535)
    np.testing.assert_array_equal(saved.alpha, picture.alpha)
    assert (saved.bits, saved.exif, saved.icc_profile) == (16, exif, picture.icc_profile)
    code = encode_style(generator, style, style_size=48)
    by_code = stylize_with_code(generator, picture, code, **options)
    np.testing.assert_array_equal(by_code.pixels, stylized.pixels)
    assert (by_code.bits, by_code.exif) == (16, exif)


# One content in many styles.


class CountingGenerator(ToyGenerator):
    """Counts the pictures that it paints."""

    def __init__(self):
        self.num_painted = 0

    def synthesize(self, content, codes):
        self.num_painted += len(content)
        return super().synthesize(content, codes)


def test_a_content_is_repainted_once_for_all_styles_and_strengths(pictures):
    content = pictures[0]
    codes = [np.full((1, 3), value, np.float32) for value in (0.1, 0.5, 0.9)]
    generator = CountingGenerator()
    repainting = repaint(generator, content, style_size=32)
    assert generator.num_painted == 1
    for number, (code, strength) in enumerate(zip(codes, (0.3, 0.5, 0.7), strict=True), start=2):
        options = {"strength": strength, "style_size": 32}
        stylized = stylize_with_code(generator, content, code, repainting=repainting, **options)
        assert generator.num_painted == number
        expected = stylize_with_code(ToyGenerator(), content, code, **options)
        np.testing.assert_allclose(stylized, expected, atol=1e-6)


def test_repaintings_of_a_batch_come_together_or_one_by_one(generator, pictures):
    content, style = pictures
    alpha = np.ones((*content.shape[:2], 1), np.float32)
    alpha[:20] = 0
    contents = np.stack([np.concatenate([c, alpha], -1) for c in (content, content[::-1])])
    code = encode_style(generator, style, style_size=40)
    options = {"style_size": 40, "seed": 3}
    expected = stylize_with_code(generator, contents, code, strength=0.4, **options)
    together = repaint(generator, contents, **options)
    apart = [repaint(generator, content, **options) for content in contents]
    for repainting in (together, apart):
        stylized = stylize_with_code(
            generator, contents, code, strength=0.4, repainting=repainting, **options
        )
        np.testing.assert_allclose(stylized, expected, atol=2e-5)
    with pytest.raises(ValueError, match=r"repainting of shape \(2, .*repainting=\(1, 40, 56, 3\)"):
        stylize_with_code(generator, contents, code, strength=0.4, repainting=apart[0], **options)


# Several styles, layers apart, masks.


@pytest.fixture
def other_style():
    rng = np.random.default_rng(5)
    return rng.uniform(0, 1, (40, 40, 3)).astype("float32") * np.float32([0.2, 0.9, 1.0])


def test_weights_mix_the_codes_of_several_styles(generator, pictures, other_style):
    content, style = pictures
    codes = [encode_style(generator, s, style_size=40) for s in (style, other_style)]
    mixed = encode_style(generator, [style, other_style], style_size=40, weights=[6, 2])
    np.testing.assert_allclose(mixed, 0.75 * codes[0] + 0.25 * codes[1], atol=1e-5)
    equal = encode_style(generator, [style, other_style], style_size=40)
    np.testing.assert_allclose(equal, 0.5 * codes[0] + 0.5 * codes[1], atol=1e-5)

    styles = [style, other_style]
    only_first = stylize(generator, content, styles, weights=[1, 0], style_size=40)
    np.testing.assert_allclose(
        only_first, stylize(generator, content, style, style_size=40), atol=1e-5
    )


@pytest.mark.parametrize("weights", [[1], [1, 2, 3], [0, 0], [1, -1], [np.nan, 1]])
def test_wrong_weights_are_named(generator, pictures, weights):
    with pytest.raises(ValueError, match="one finite weight of at least 0 for each of 2 styles"):
        stylize(generator, pictures[0], [pictures[1]] * 2, weights=weights, style_size=40)


def test_coarse_layers_come_from_one_style_and_fine_ones_from_another(
    generator, pictures, other_style
):
    content, style = pictures
    coarse, fine = (encode_style(generator, s, style_size=40) for s in (style, other_style))
    codes = join_codes(generator, coarse, fine, num_coarse_layers=1)
    np.testing.assert_array_equal(codes[0], np.concatenate([coarse] + [fine] * 3))
    options = {"fine_style": other_style, "style_size": 40}
    results = [
        stylize(generator, content, style, num_coarse_layers=n, **options) for n in (0, 2, None, 4)
    ]
    only_fine, only_coarse = (
        stylize(generator, content, s, style_size=40) for s in (other_style, style)
    )
    np.testing.assert_allclose(results[0], only_fine, atol=1e-5)
    np.testing.assert_allclose(results[-1], only_coarse, atol=1e-5)
    np.testing.assert_array_equal(results[1], results[2])  # half of the four layers
    for end in (only_fine, only_coarse):
        assert np.abs(results[1] - end).mean() > 0.01
    with pytest.raises(ValueError, match="0 to 4 layers. Received: num_coarse_layers=5"):
        stylize(generator, content, style, num_coarse_layers=5, **options)


def test_masks_put_each_style_in_its_place_and_leave_the_rest_alone(generator, other_style):
    content = np.random.default_rng(1).uniform(0.2, 0.8, (64, 200, 3)).astype("float32")
    style = np.random.default_rng(2).uniform(0, 1, (40, 40, 3)).astype("float32")
    left, right = np.zeros((2, 64, 200), np.float32)
    left[:, :100], right[:, 100:160] = 1, 1
    painted = stylize(generator, content, [style, other_style], masks=[left, right], style_size=40)
    np.testing.assert_array_equal(painted[:, 160:], content[:, 160:])
    whole = [stylize(generator, content, s, style_size=40) for s in (style, other_style)]
    # not equal: what the other side looks like enters the statistics
    for part, i in ((slice(0, 90), 0), (slice(110, 160), 1)):
        own, other = (
            np.abs(painted[:, part] - w[:, part]).mean() for w in (whole[i], whole[1 - i])
        )
        assert own < 0.6 * other


def test_a_white_mask_is_none_and_a_grey_one_a_share(generator, pictures):
    content, style = pictures
    full = stylize(generator, content, style, style_size=40)
    white = stylize(generator, content, [style], masks=[np.ones(content.shape[:2])], style_size=40)
    np.testing.assert_allclose(white, full, atol=1e-5)
    grey = np.full((7, 5), 64, np.uint8).repeat(8, 0).repeat(8, 1)  # of any size
    partly = stylize(generator, content, [style], masks=[grey], style_size=40)
    np.testing.assert_allclose(partly, content + 64 / 255 * (full - content), atol=1e-5)


def test_masks_and_styles_must_match(generator, pictures):
    content, style = pictures
    mask = np.ones(content.shape[:2])
    with pytest.raises(ValueError, match="one mask for each of 1 styles. Received: masks=2"):
        stylize(generator, content, [style], masks=[mask, mask])
    with pytest.raises(ValueError, match="either weights or masks"):
        stylize(generator, content, [style], masks=[mask], weights=[1])


@pytest.mark.parametrize("options", [{"tileable": True}, {"fine_style": 0.5}, {"masks": [0.5]}])
def test_a_generator_without_these_parts_is_refused(pictures, options):
    flat = {"fine_style": np.full((32, 32, 3), 0.5), "masks": [np.full((32, 32), 0.5)]}
    options = {name: flat.get(name, value) for name, value in options.items()}
    with pytest.raises(ValueError, match="Expected a StyleGenerator or .*ToyGenerator"):
        stylize(ToyGenerator(), pictures[0][:32], pictures[1], **options)


# Colours, transparency, noise, batches.


def test_preserved_luminance_paints_the_luma_alone(generator, pictures):
    content, style = pictures
    plain = stylize(generator, content, style, style_size=48)
    kept = stylize(generator, content, style, style_size=48, preserve_color="luminance")
    np.testing.assert_allclose(luminance(kept), luminance(plain), atol=1e-5)
    chroma = [p - luminance(p)[..., None] for p in (content, kept)]
    assert np.corrcoef(chroma[0].ravel(), chroma[1].ravel())[0, 1] > 0.95


def test_matched_style_is_the_style_in_the_contents_colours(generator, pictures):
    content, style = pictures
    expected = stylize(generator, content, match_colors(style, content), style_size=48)
    matched = stylize(generator, content, style, style_size=48, preserve_color="match")
    np.testing.assert_allclose(matched, expected, atol=1e-5)
    assert np.abs(matched - stylize(generator, content, style, style_size=48)).mean() > 0.01


@pytest.mark.parametrize("as_fine_style", [False, True])
def test_matched_styles_know_nothing_of_hidden_colours(generator, pictures, as_fine_style):
    content, style = pictures
    alpha = np.zeros(content.shape[:2], np.float32)
    alpha[8:32, 8:40] = 1
    visible = alpha[..., None] > 0
    options = {"style_size": 48, "preserve_color": "match"}
    if as_fine_style:
        options["fine_style"] = style
    painted = [
        stylize(generator, np.dstack([np.where(visible, content, h), alpha]), style, **options)
        for h in (np.zeros(3), np.array([1.0, 0.0, 1.0]))
    ]
    np.testing.assert_allclose(painted[0], painted[1], atol=1e-6)


def test_codes_are_matched_to_what_is_visible_of_a_content(generator, pictures):
    content, style = pictures
    half = np.zeros(content.shape[:2], np.float32)
    half[:, :28] = 1
    picture = Picture(np.where(half[..., None] > 0, content, 0), half)
    expected = encode_style(generator, match_colors(style, content[:, :28]), style_size=48)
    for match in (picture, picture.pixels, content[:, :28]):
        code = encode_style(generator, style, style_size=48, match=match)
        np.testing.assert_allclose(code, expected, atol=1e-5)


def test_alpha_is_kept_and_hidden_colours_do_not_matter(generator, pictures):
    content, style = pictures
    alpha = np.zeros(content.shape[:2], np.float32)
    alpha[8:32, 8:40] = 1
    sprites = [
        np.dstack([np.where(alpha[..., None] > 0, content, c), alpha]) for c in (0, [1, 0, 1])
    ]
    painted = [stylize(generator, s.astype("float32"), style, style_size=48) for s in sprites]
    np.testing.assert_array_equal(painted[0][..., 3], alpha)
    np.testing.assert_allclose(painted[0], painted[1], atol=1e-6)
    as_image = Image.fromarray(np.uint8(np.rint(sprites[0] * 255)))
    assert stylize(generator, as_image, style, style_size=48).shape == (40, 56, 4)


def test_each_seed_gives_another_painting_and_the_same_one_each_time(pictures):
    generator = StyleGenerator(width=4, num_blocks=1)
    for norm in generator.norms:
        norm.noise_strength.assign(np.full(norm.noise_strength.shape, 0.5))
    results = [stylize(generator, *pictures, seed=seed) for seed in (0, 1, 2, None)]
    np.testing.assert_array_equal(stylize(generator, *pictures), results[0])
    for result, other in itertools.combinations(results, 2):
        assert np.abs(result - other).mean() > 0.01
    generator.noise = False
    np.testing.assert_array_equal(stylize(generator, *pictures), results[-1])


@pytest.mark.parametrize("strength", [0.0, 0.6, 1.0])
@pytest.mark.parametrize("masked", [False, True])
def test_a_batch_is_each_picture_on_its_own(generator, pictures, other_style, strength, masked):
    contents = np.stack([pictures[0], pictures[0][::-1], pictures[0][:, ::-1]])
    codes = [encode_style(generator, s, style_size=40) for s in (pictures[1], other_style)] * 2
    options = {"strength": strength, "style_size": 40, "seed": 3}
    code, singles = np.concatenate(codes[:3]), codes[:3]
    if masked:
        options["masks"] = [contents[0, ..., 0], 1 - contents[0, ..., 0]]
        code, singles = [code, -code], [[c, -c] for c in singles]
    batch = stylize_with_code(generator, contents, code, **options)
    for content, single, result in zip(contents, singles, batch, strict=True):
        np.testing.assert_allclose(
            stylize_with_code(generator, content, single, **options), result, atol=2e-5
        )


def test_number_of_codes_fits_the_batch(generator, pictures):
    code = np.zeros((2, 256), np.float32)
    with pytest.raises(ValueError, match="1 or 3 codes"):
        stylize_with_code(generator, np.stack([pictures[0]] * 3), code)


def test_large_pictures_are_painted_in_tiles_at_any_strength(generator, pictures):
    y, x = np.mgrid[:200, :240] / 20
    waves = np.stack([np.sin(x), np.cos(y), np.sin(x + y)], axis=-1)
    content = (0.5 + 0.3 * waves).astype("float32")
    calls = []
    tiled, whole = (
        stylize(
            generator,
            content,
            pictures[1],
            style_size=48,
            strength=0.5,
            tile_size=size,
            progress=lambda *call: calls.append(call),
        )
        for size in (96, 1024)
    )
    assert calls == [(i, 4) for i in range(1, 5)] * 2
    assert 0 < np.abs(tiled - whole).mean() < 0.03


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"preserve_color": "hue"}, "preserve_color='hue'"),
        ({"tile_size": 100}, "tile_size=100"),
        ({"tile_size": 8}, "tile_size=8"),
    ],
)
def test_wrong_options_are_named(generator, pictures, options, message):
    with pytest.raises(ValueError, match=message):
        stylize(generator, *pictures, **options)


def test_matching_needs_the_style_picture(generator, pictures):
    with pytest.raises(ValueError, match="stylize"):
        stylize_with_code(generator, pictures[0], np.zeros((1, 256)), preserve_color="match")
