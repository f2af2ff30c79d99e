import pathlib
import re

from setuptools import find_packages, setup

HERE = pathlib.Path(__file__).parent
VERSION = re.search(r'__version__ = "(.+)"', (HERE / "stylegan_transfer/__init__.py").read_text())

setup(
    name="stylegan_transfer",
    version=VERSION[1],
    description="Image style transfer with a GAN, in TensorFlow and Keras",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    packages=find_packages(include=["stylegan_transfer*"]),
    package_data={"stylegan_transfer": ["MODEL_CARD.md", "weights/*"]},
    python_requires=">=3.10",
    install_requires=(HERE / "requirements.txt").read_text().split(),
    extras_require={"test": ["pytest>=8.0", "ruff==0.17.*"]},
    classifiers=[
        "Programming Language :: Python :: 3",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
        "Topic :: Multimedia :: Graphics",
    ],
)
