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
    "DocumentGenerator": "networks.document_generator",
    "PRESETS": "training.presets",
    "Picture": "pictures.picture",
    "StyleDiscriminator": "networks.discriminator",
    "StyleGenerator": "networks.generator",
    "StyleTransferGAN": "training.gan",
    "TrainingConfig": "training.config",
    "TransportGenerator": "networks.transport_generator",
    "VGG19Features": "networks.features",
    "encode_style": "stylizing.codes",
    "export": "exporting.export",
    "join_codes": "stylizing.codes",
    "judge_originality": "measuring.originality",
    "list_images": "pictures.files",
    "load_generator": "runtimes.loading",
    "load_image": "pictures.files",
    "load_picture": "pictures.files",
    "make_contact_sheet": "pictures.contact_sheet",
    "make_dataset": "training.data",
    "optimize": "stylizing.optimize",
    "resize_image": "pictures.inputs",
    "save_generator": "networks.saving",
    "save_image": "pictures.files",
    "save_picture": "pictures.files",
    "stylize": "stylizing.stylize",
    "stylize_frames": "stylizing.video",
    "stylize_video": "stylizing.video",
    "stylize_with_code": "stylizing.with_code",
    "train": "training.run",
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
