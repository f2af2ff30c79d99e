"""Training on all accelerators of a machine, under JAX."""

import contextlib
from collections.abc import Iterator

import keras


@contextlib.contextmanager
def on_all_devices(batch_size: int) -> Iterator[None]:
    """Spreads batches over all devices while the block runs, where Keras runs on JAX.

    Each device has all weights and takes its share of each batch. The step is compiled for the
    whole batch, so its losses, norms and clipping are those of one device.

    Args:
        batch_size: Must be a multiple of the number of devices.

    Raises:
        ValueError: It is none.
    """
    if keras.backend.backend() != "jax":
        yield
        return
    devices = keras.distribution.list_devices()
    if batch_size % len(devices):
        raise ValueError(
            f"Expected batch_size: a multiple of the {len(devices)} devices of this machine. "
            f"Received: batch_size={batch_size}"
        )
    if len(devices) == 1:
        yield
        return
    with keras.distribution.DataParallel(devices=devices, auto_shard_dataset=False).scope():
        yield
