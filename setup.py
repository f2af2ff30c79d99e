import os
import pathlib
import re

from setuptools import find_packages, setup

HERE = pathlib.Path(__file__).parent
VERSION = re.search(r'__version__ = "(.+)"', (HERE / "stylegan_transfer/__init__.py").read_text())

EXTRAS = {
    "beam": ["apache-beam>=2.65"],
    # the pages, the plot, halos, and Spearman's correlation
    "evaluate": ["jinja2>=3.1", "matplotlib>=3.9", "scipy>=1.11"],
    "export": ["onnx>=1.17"],
    "hub": ["huggingface_hub>=0.30"],  # hf://owner/name
    "jax": ["jax>=0.4.34", "tensorboardX>=2.6"],  # training without TensorFlow
    "onnx": ["onnxruntime>=1.20", "threadpoolctl>=3.1"],
    "openvino": ["openvino>=2025.0", "threadpoolctl>=3.1"],
    "optimize": ["scipy>=1.11"],  # L-BFGS
    "page": ["gradio>=6.31,<7"],
    "tiff": ["imagecodecs>=2023.1.23", "tifffile>=2023.1.23"],  # 16 bits in several channels
    "video": ["av>=17.1", "opencv-python-headless>=4.8"],
}
TEST = [
    *("ipykernel>=6.29", "nbclient>=0.10", "ruff==0.17.*"),
    *("pytest>=8.0,<9.2", "pytest-xdist>=3.6"),  # xdist 3.8 groups no tests under pytest 9.2
    "ai-edge-litert>=2.0",  # runs what is exported for it
    "scikit-image>=0.22",  # the independent reference of SSIM
    "selenium>=4.20",  # drives Chromium, where it is installed
]


def describe() -> str:
    """README; with REPOSITORY_URL in the environment, its links lead there from a package index.

    For a release: `REPOSITORY_URL=https://github.com/OWNER/NAME python -m build`.
    """
    text, url = (HERE / "README.md").read_text(encoding="utf-8"), os.getenv("REPOSITORY_URL")
    if url:
        relative = r"(!?)\[([^]]*)\]\((?!\w+:|#)"
        kinds = {"!": "raw", "": "blob"}
        text = re.sub(relative, lambda m: f"{m[1]}[{m[2]}]({url}/{kinds[m[1]]}/HEAD/", text)
    return text


setup(
    name="stylegan_transfer",
    version=VERSION[1],
    description="Image style transfer with a GAN, in TensorFlow and Keras",
    long_description=describe(),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    packages=find_packages(include=["stylegan_transfer*"]),
    package_data={
        "stylegan_transfer": [
            "MODEL_CARD.md",
            "weights/*",
            "weights/exported/*",
            "commands/evaluation/templates/*",
            "networks/model_card.md",
        ]
    },
    entry_points={"console_scripts": ["stylegan-transfer = stylegan_transfer.commands.main:main"]},
    python_requires=">=3.10",
    install_requires=(HERE / "requirements.txt").read_text().split(),
    extras_require={
        **EXTRAS,
        "all": sorted({name for names in EXTRAS.values() for name in names}),
        "test": sorted({*TEST, *(name for names in EXTRAS.values() for name in names)}),
    },
    classifiers=[
        "Programming Language :: Python :: 3",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
        "Topic :: Multimedia :: Graphics",
    ],
)
