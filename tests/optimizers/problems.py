"""Objectives of which the answer is known, and settings with which each optimizer finds it."""

import numpy as np

from deepnet.optimizers.schedules import Schedule, constant


class Known:
    """What the two problems share: both in one call, and that a minibatch is everything."""

    @property
    def whole(self):
        return self

    def value_and_gradient(self, theta):
        return self.value(theta), self.gradient(theta)

    def gradient_squares(self, theta, share=1.0):
        return self.gradient(theta) ** 2


class Quadratic(Known):
    """1/2 (theta - goal)' A (theta - goal), A diagonal from 0.1 to 1: condition 10."""

    name = "a quadratic"

    def __init__(self, size=100, dtype=np.float32):
        self.goal = np.linspace(-1, 1, size).astype(dtype)
        self.A = np.linspace(0.1, 1, size).astype(dtype)
        self.spans = [(0, size, 1.0)]
        self.calls = []

    def gradient(self, theta):
        self.calls.append(theta.copy())
        return self.A * (theta - self.goal)

    def value(self, theta, share=1.0):
        return float(0.5 * (self.A * (theta - self.goal).astype(float) ** 2).sum())

    def curvature(self, theta, share=1.0):
        return lambda v: self.A * v


class Rosenbrock(Known):
    """(1 - x)^2 + 100 (y - x^2)^2, from (-1.2, 1) to (1, 1) through the bend of a valley (Rosenbrock 1960)."""

    name = "a valley"

    def __init__(self, dtype=np.float64):
        self.goal = np.ones(2, dtype)
        self.spans = [(0, 2, 1.0)]

    def gradient(self, theta):
        x, y = theta
        return np.array([-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)], theta.dtype)

    def value(self, theta, share=1.0):
        x, y = map(float, theta)
        return (1 - x) ** 2 + 100 * (y - x * x) ** 2

    def curvature(self, theta, share=1.0):
        """2 J'J of the residuals 1 - x and 10 (y - x^2)."""
        J = np.array([[-1, 0], [-20 * theta[0], 10]], theta.dtype)
        return lambda v: 2 * J.T @ (J @ v)


def exponential(first, factor):
    """A rate that falls by a factor an update."""
    return Schedule("exponential", (first, factor), 1, 1)


# Settings for the quadratic, the valley (with its number of steps) and a small net.
SETTINGS = {
    "sgd": (
        {"learning_rate": constant(1.0)},
        ({"learning_rate": constant(0.0015)}, 30_000),
        {"learning_rate": constant(0.3)},
    ),
    "momentum": (
        {"learning_rate": constant(0.3)},
        ({"learning_rate": constant(0.0005)}, 8_000),
        {"learning_rate": constant(0.05)},
    ),
    "nesterov": (
        {"learning_rate": constant(0.3)},
        ({"learning_rate": constant(0.0005)}, 8_000),
        {"learning_rate": constant(0.05)},
    ),
    "adagrad": (
        {"learning_rate": constant(0.5)},
        ({"learning_rate": constant(0.5)}, 8_000),
        {"learning_rate": constant(0.05)},
    ),
    "rmsprop": (
        {"learning_rate": exponential(0.05, 0.975)},
        ({"learning_rate": constant(0.002)}, 8_000),
        {"learning_rate": constant(0.003)},
    ),
    "adam": (
        {"learning_rate": constant(0.05)},
        ({"learning_rate": constant(0.02)}, 8_000),
        {"learning_rate": constant(0.003)},
    ),
    "rprop": ({}, ({}, 5_000), {}),
    "cg": ({}, ({}, 60), {}),
    "lbfgs": ({}, ({}, 100), {}),
    "hessian_free": ({}, ({}, 200), {}),
}
