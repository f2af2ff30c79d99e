import numpy as np
import pytest
from picture_files import HEIGHT, WIDTH


@pytest.fixture
def pixels():
    return np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
