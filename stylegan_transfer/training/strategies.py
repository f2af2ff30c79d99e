"""On which devices the training step runs: TensorFlow's distribution strategies.

Each process reads its own part of a batch, and deals it out to its devices; see `replicas`. A
strategy here is a `tf.distribute.Strategy`, or None for one device.
"""

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator, Sequence

import keras

from stylegan_transfer.checks import expect


def open_strategy(name: str, batch_size: int):
    """Returns a strategy by its name in `TrainingConfig`.

    Args:
        name: `"single"` is the default device, `"mirrored"` all GPUs of this machine (all CPUs
            where there is none), and `"multi_worker"` the processes that the environment variable
            `TF_CONFIG` lists; it waits for them.
        batch_size: Must be a multiple of the number of devices.

    Raises:
        ValueError: It is none. Or `TF_CONFIG` is missing or not as TensorFlow documents it, or
            TensorFlow was in use before, or Keras does not run on it.
    """
    if name == "single":
        return None
    backend = keras.backend.backend()
    expect(backend == "tensorflow", f"the backend tensorflow for strategy: {name}", backend=backend)
    strategy = {"mirrored": _open_mirrored, "multi_worker": _open_multi_worker}[name]()
    number = strategy.num_replicas_in_sync
    expect(
        batch_size % number == 0,
        f"batch_size: a multiple of the {number} devices",
        batch_size=batch_size,
    )
    return strategy


def _open_mirrored():
    import tensorflow as tf

    devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    return tf.distribute.MirroredStrategy([device.name for device in devices])


def _open_multi_worker():
    import tensorflow as tf

    resolver = _read_cluster()
    try:
        with _ended_by_signals():
            return tf.distribute.MultiWorkerMirroredStrategy(resolver)
    except RuntimeError as error:
        raise ValueError(
            "Expected strategy: multi_worker in a process that has not used TensorFlow before. "
            f"Received: {error}"
        ) from error


@contextlib.contextmanager
def _ended_by_signals():
    """Lets SIGINT and SIGTERM end the process at once: Python's handlers wait for TensorFlow."""
    before = {}
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            before[number] = signal.signal(number, signal.SIG_DFL)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _read_cluster():
    import tensorflow as tf

    resolver = tf.distribute.cluster_resolver.TFConfigClusterResolver()
    try:
        cluster, kind, index = (
            resolver.cluster_spec().as_dict(),
            resolver.task_type,
            resolver.task_id,
        )
        is_there = {*cluster} <= {"chief", "worker"} and 0 <= index < len(cluster[kind])
    except Exception:  # its parts can be of any type
        is_there = False
    expect(
        is_there,
        'the environment variable TF_CONFIG, {"cluster": {"worker": ["HOST:PORT", ...]}, "task": '
        '{"type": "worker", "index": 0}}, for strategy: multi_worker',
        TF_CONFIG="missing, or another one",
    )
    return resolver


def place_of_process(strategy) -> tuple[int, int]:
    """Returns which process this is, and of how many. Process 0, the chief, writes files."""
    resolver = None if strategy is None else strategy.cluster_resolver
    if resolver is None:
        return 0, 1
    cluster = resolver.cluster_spec().as_dict()
    chiefs = len(cluster.get("chief", ()))
    index = resolver.task_id + (chiefs if resolver.task_type == "worker" else 0)
    return index, chiefs + len(cluster.get("worker", ()))


def compile_step(model: keras.Model, strategy=None) -> Callable:
    """Returns a function that takes a training step on all devices: this process' batch -> logs.

    Args:
        model: A compiled `StyleTransferGAN`; its `run_eagerly` and `jit_compile` count.
        strategy: Where the variables live that the step trains.

    Raises:
        ValueError: The model was compiled with `jit_compile` or `steps_per_execution` above 1,
            and there is more than one device.
    """
    import tensorflow as tf

    expect(
        strategy is None or (not model.jit_compile and model.steps_per_execution == 1),
        "jit_compile=False and steps_per_execution=1 with a strategy",
        jit_compile=model.jit_compile,
        steps_per_execution=model.steps_per_execution,
    )

    def step_of_replica(batch):
        num_local = len(strategy.extended.worker_devices)
        number = tf.distribute.get_replica_context().replica_id_in_sync_group % num_local
        return model.train_step(tuple(part[number::num_local] for part in batch))

    def step(batch, adversarial):
        del adversarial  # which of the two steps this is: each has a graph of its own
        if strategy is None:
            return model.train_step(batch)
        logs = strategy.run(step_of_replica, args=(batch,))
        return {name: strategy.experimental_local_results(v)[0] for name, v in logs.items()}

    if not model.run_eagerly:
        step = tf.function(step, autograph=False, jit_compile=model.jit_compile)
    return lambda batch: step(batch, model.adversarial)


def share_state(
    strategy,
    variables: Sequence[keras.Variable],
    seeds: Sequence[keras.Variable],
    fingerprint: int,
) -> None:
    """Gives all replicas the chief's state, but noise of their own.

    Args:
        strategy: Where the variables live.
        variables: The whole state; the chief has restored it.
        seeds: Those that hold a random generator's `[seed, count]`. Replica r draws as with the
            seed + r.
        fingerprint: Number that differs where the configuration does.

    Raises:
        ValueError: Processes have other fingerprints.
    """
    if strategy is None or strategy.num_replicas_in_sync == 1:
        return
    import tensorflow as tf

    def share():
        context = tf.distribute.get_replica_context()
        is_first = tf.equal(context.replica_id_in_sync_group, 0)
        for kind in sorted({variable.dtype for variable in variables}):  # sums are of one type
            alike = [variable for variable in variables if variable.dtype == kind]
            values = [tf.where(is_first, v.value, tf.zeros_like(v.value)) for v in alike]
            for variable, value in zip(alike, context.all_reduce("sum", values), strict=True):
                variable.assign(value)
        for seed in seeds:
            shift = [context.replica_id_in_sync_group, 0]
            seed.assign(seed.value + tf.cast(shift, seed.value.dtype))
        return context.all_gather(tf.constant([fingerprint], tf.int64) + 0, axis=0)

    fingerprints = strategy.experimental_local_results(
        strategy.run(tf.function(share, autograph=False))
    )[0]
    others = [place for place, other in enumerate(fingerprints) if other != fingerprint]
    expect(not others, "the same flags in all processes", replicas_with_others=others)


def agree_to_stop(strategy) -> Callable[[bool], bool]:
    """Returns a function that all processes call together: does any of them want to stop?"""
    if place_of_process(strategy)[1] == 1:
        return bool
    import tensorflow as tf

    @tf.function(autograph=False)
    def count(wishes):
        reduce = lambda value: tf.distribute.get_replica_context().all_reduce("sum", value + 0.0)  # noqa: E731
        return strategy.experimental_local_results(strategy.run(reduce, args=(wishes,)))[0]

    return lambda wants: bool(count(tf.constant(float(wants))) > 0)


@contextlib.contextmanager
def lost_workers_named(strategy) -> Iterator[None]:
    """Turns TensorFlow's errors about another process that has gone into one that says so.

    Raises:
        ConnectionError: Another process has ended, or cannot be reached.
    """
    if place_of_process(strategy)[1] == 1:
        yield
        return
    from tensorflow import errors

    lost = (
        errors.AbortedError,
        errors.CancelledError,
        errors.DeadlineExceededError,
        errors.FailedPreconditionError,
        errors.UnavailableError,
    )
    try:
        yield
    except Exception as error:
        if not any(isinstance(cause, lost) for cause in _causes(error)):
            raise
        raise ConnectionError(
            "Expected all workers to go on. Received: another one has ended or cannot be reached; "
            "the same command started on all goes on from the last checkpoint"
        ) from error


def _causes(error):
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
