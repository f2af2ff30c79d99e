import numpy as np
import pytest

from stylegan_transfer.pictures.contact_sheet import make_contact_sheet


def test_contact_sheet_puts_styles_on_top_and_contents_on_the_left():
    def plain(value):
        return np.full((32, 32, 3), value)

    contents, styles = [plain(0.1), plain(0.2)], [plain(0.3), plain(0.4), plain(0.5)]
    results = [[plain(0.6 + 0.1 * i + 0.01 * j) for j in range(3)] for i in range(2)]
    sheet = make_contact_sheet(contents, styles, results, cell_size=32)
    assert sheet.shape == (3 * 33 + 1, 4 * 33 + 1, 3) and sheet.dtype == np.float32
    expected = [[1, 0.3, 0.4, 0.5], [0.1, 0.6, 0.61, 0.62], [0.2, 0.7, 0.71, 0.72]]
    np.testing.assert_allclose(sheet[1::33, 1::33, 0][:3, :4], expected, atol=1e-6)
    np.testing.assert_allclose(sheet[32::33, 32::33, 0][:3, :4], expected, atol=1e-6)
    assert (sheet[::33] == 1).all() and (sheet[:, ::33] == 1).all()


def test_contact_sheet_letterboxes_other_shapes_on_white():
    wide, tall = np.zeros((50, 100, 3), np.uint8), np.zeros((64, 16, 3))
    sheet = make_contact_sheet([wide], [tall], [[wide]], cell_size=32)
    style, content = sheet[1:33, 34:66, 0], sheet[34:66, 1:33, 0]
    expected = np.ones((32, 32))
    expected[:, 12:20] = 0
    np.testing.assert_array_equal(style, expected)
    expected = np.ones((32, 32))
    expected[8:24] = 0
    np.testing.assert_array_equal(content, expected)


def test_contact_sheet_takes_batches():
    batch = np.random.default_rng(2).random((2, 32, 32, 3)).astype(np.float32)
    results = np.stack([batch, batch])
    sheet = make_contact_sheet(batch, batch, results, cell_size=32)
    np.testing.assert_allclose(sheet[34:66, 67:99], batch[1], atol=1e-6)


def test_contact_sheet_counts_must_match():
    image = np.zeros((16, 16, 3))
    with pytest.raises(ValueError, match=r"1 rows of 2 results. Received: results_per_row=\[1\]"):
        make_contact_sheet([image], [image, image], [[image]])


@pytest.mark.parametrize(
    "arguments",
    [{"cell_size": 0}, {"cell_size": 1.5}, {"cell_size": 10**7}, {"contents": 3}, {"styles": []}],
)
def test_arguments_out_of_range_are_named(arguments):
    image = np.zeros((32, 32, 3))
    given = {"contents": [image], "styles": [image], "results": [[image]], **arguments}
    with pytest.raises(ValueError, match=f"Expected .*{next(iter(arguments))}.*Received: "):
        make_contact_sheet(**given)
