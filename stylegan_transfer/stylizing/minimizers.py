"""Ways down for `optimize`: each takes the objective, the first picture, a number of steps, and a
function to report each step to, and returns a picture."""

import keras
from keras import ops

LEARNING_RATE = 0.05  # of Adam, in units of the image's range; falls to 0 over each scale


def minimize_adam(objective, image, num_steps, report):
    """Returns the picture of the lowest loss, from the start to the last step."""
    pixels = keras.Variable(image)
    schedule = keras.optimizers.schedules.CosineDecay(LEARNING_RATE, num_steps)
    adam = keras.optimizers.Adam(schedule)
    lowest, _, gradient = objective(ops.convert_to_tensor(image))
    best = image
    for _ in range(num_steps):
        adam.apply([gradient], [pixels])
        pixels.assign(ops.clip(pixels, 0.0, 1.0))
        loss, terms, gradient = objective(ops.convert_to_tensor(pixels))
        image = ops.convert_to_numpy(pixels)
        report(loss, terms, image)
        if loss < lowest:
            lowest, best = loss, image
    return best


def minimize_lbfgs(objective, image, num_steps, report):
    """Returns the last picture: each step of L-BFGS-B is one down."""
    try:
        from scipy.optimize import Bounds, minimize
    except ImportError as error:
        raise ImportError(
            'Expected SciPy for the L-BFGS optimizer: pip install "stylegan_transfer[optimize]". '
            f'Received: optimizer="lbfgs", but {error}'
        ) from error
    terms = {}

    def as_image(pixels):
        return pixels.reshape(image.shape).astype("float32")

    def loss_and_gradient(pixels):
        nonlocal terms
        loss, terms, gradient = objective(ops.convert_to_tensor(as_image(pixels)))
        return float(loss), ops.convert_to_numpy(gradient).ravel().astype("float64")

    def callback(intermediate_result):  # SciPy goes by this name; it evaluated this point last
        report(intermediate_result.fun, terms, as_image(intermediate_result.x))

    result = minimize(
        loss_and_gradient,
        image.ravel(),
        jac=True,
        method="L-BFGS-B",
        bounds=Bounds(0.0, 1.0),
        callback=callback,
        options={"maxiter": num_steps, "ftol": 0.0, "gtol": 0.0},
    )
    return as_image(result.x)


MINIMIZERS = {"adam": minimize_adam, "lbfgs": minimize_lbfgs}
