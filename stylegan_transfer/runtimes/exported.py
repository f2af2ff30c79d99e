"""An exported `StyleGenerator`, with the interface that `stylize` needs of a generator."""

import numpy as np

from stylegan_transfer.checks import expect
from stylegan_transfer.runtimes.description import MIN_SIZE, Description


class ExportedGenerator:
    """A generator whose two halves are exported graphs; arrays go in and come out.

    It paints what the Keras generator paints, with the same arguments.

    Args:
        description: Of the folder.
        session: Runs its graphs.

    Attributes:
        noise: Whether the generator is trained with noise.
        strides: How many pixels a position of each layer stands for.
        receptive_radius: How many pixels further on the content can still matter.
    """

    def __init__(self, description: Description, session):
        self._description, self.session = description, session
        self.noise, self.strides = description.noise, list(description.strides)
        self.receptive_radius = description.receptive_radius

    @property
    def num_layers(self) -> int:
        """How many layers a code modulates, coarse to fine."""
        return len(self.strides)

    @property
    def length_of_codes(self) -> int:
        """Length of a code."""
        return self._description.code_size

    def encode_style(self, style: np.ndarray) -> np.ndarray:
        """Returns the style codes of `(batch, height, width, 3)` in [0, 1], sides of at least 32.

        Raises:
            ValueError: The shape is another.
        """
        feeds = {"style": check_images("style", style)}
        return self.session("encode_style", feeds, ["code"])[0]

    def synthesize(
        self, content, codes, masks=None, moments=None, noise=None, return_moments=False
    ):
        """Returns the contents painted in the styles of the codes.

        Arguments are those of `StyleGenerator.synthesize`. Only the list of moments is another: it
        holds one array, for this method alone.

        Raises:
            ValueError: A shape is wrong, or a side is under 32 pixels.
        """
        content = check_images("content", content)
        codes = self.in_full(codes, masks)
        feeds = {"content": content, **self.steer(codes, masks, noise)}
        outputs = ["stylized", *(["used_moments"] if return_moments else [])]
        feeds |= self.give(None if moments is None else moments[0])
        stylized, *used = self.session("synthesize", feeds, outputs, moments is not None)
        return (stylized, used) if return_moments else stylized

    def steer(self, codes, masks, noise):
        """Returns the graph's inputs that say what is painted.

        Args:
            codes: `(batch, styles, layers, code_size)`.
            masks: As `synthesize` takes them.
            noise: Likewise.
        """
        feeds = {"codes": np.ascontiguousarray(codes)}
        for stride in sorted(set(self.strides)):
            layers = [i for i, other in enumerate(self.strides) if other == stride]
            if masks is None:
                reduced = np.ones((len(codes), 1, 1, 1), "float32")
            else:
                reduced = reduce_masks(np.asarray(masks), stride, max(self.strides))
            feeds[f"masks_{stride}"] = reduced
            if noise is None:
                maps = np.zeros((1, len(layers), 1, 1), "float32")
            else:
                maps = np.stack([np.asarray(noise[i])[..., 0] for i in layers], axis=1)
            feeds[f"noise_{stride}"] = maps
        return feeds

    def in_full(self, codes, masks):
        """Returns codes of any form as `(batch, styles, layers, length)`."""
        codes = np.asarray(codes, "float32")
        if masks is None:
            codes = codes[:, None]
        if codes.ndim == 3:
            codes = np.repeat(codes[:, :, None], self.num_layers, axis=2)
        shape = (self.num_layers, self.length_of_codes)
        expect(codes.ndim == 4 and codes.shape[2:] == shape, f"codes of {shape}", codes=codes.shape)
        return codes

    def give(self, moments):
        """Returns the graph's inputs that say which statistics normalizations take.

        Args:
            moments: `(batch, n)`, what the graph returned as those it used; or None: the maps' own.
        """
        if moments is None:
            size = self._description.moments_size
            return {"moments": np.zeros((1, size), "float32"), "given": np.array([False])}
        return {"moments": np.asarray(moments, "float32"), "given": np.array([True])}


def reduce_masks(masks: np.ndarray, stride: int, multiple: int) -> np.ndarray:
    """Returns masks at the size of a layer's maps, whose images are padded to a multiple.

    Args:
        masks: `(batch, styles, height, width)`.
        stride: How many pixels a position of the layer stands for.
        multiple: What sides are padded to.
    """
    padding = [(0, -side % multiple) for side in masks.shape[2:]]
    padded = np.pad(masks, [(0, 0), (0, 0), *padding], mode="reflect")
    batch, styles, height, width = padded.shape
    blocks = padded.reshape(batch, styles, height // stride, stride, width // stride, stride)
    return blocks.mean(axis=(3, 5), dtype="float32")


def check_images(name: str, images: np.ndarray) -> np.ndarray:
    """Returns images as contiguous float32.

    Raises:
        ValueError: They are not `(batch, height, width, 3)`, or a side is under 32 pixels.
    """
    images = np.ascontiguousarray(images, "float32")
    fits = images.ndim == 4 and images.shape[-1] == 3 and min(images.shape[1:3]) >= MIN_SIZE
    expected = f"{name} images (batch, height, width, 3) with sides of at least {MIN_SIZE} pixels"
    expect(fits, expected, shape=images.shape)
    return images
