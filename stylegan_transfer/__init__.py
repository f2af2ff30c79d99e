"""Image style transfer with a GAN, in TensorFlow and Keras.

A photograph and a painting go in; the photograph painted in that style comes out:

    import stylegan_transfer

    generator = stylegan_transfer.load_generator()
    picture = stylegan_transfer.stylize(generator, "photo.jpg", "painting.jpg")
    stylegan_transfer.save_image(picture, "stylized.png")

The names below are loaded at first use, so that importing the package is quick.
"""

import importlib

__version__ = "0.1.0"

_MODULES = {
    "DocumentGenerator": "generator",
    "PRESETS": "config",
    "Picture": "image_files",
    "StyleDiscriminator": "discriminator",
    "StyleGenerator": "generator",
    "StyleTransferGAN": "model",
    "TrainingConfig": "config",
    "VGG19Features": "features",
    "encode_style": "stylization",
    "join_codes": "stylization",
    "judge_originality": "originality",
    "list_images": "image_files",
    "load_generator": "saving",
    "load_image": "image_files",
    "load_picture": "image_files",
    "make_contact_sheet": "images",
    "make_dataset": "data",
    "optimize": "optimization",
    "resize_image": "images",
    "save_generator": "saving",
    "save_image": "image_files",
    "save_picture": "image_files",
    "stylize": "stylization",
    "stylize_frames": "video",
    "stylize_video": "video",
    "stylize_with_code": "stylization",
    "train": "training",
}
__all__ = sorted(_MODULES)


def __getattr__(name):
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = value
    return value


def __dir__():
    return [*__all__, "__version__"]
