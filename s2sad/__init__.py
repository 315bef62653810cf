"""Source-to-source automatic differentiation of NumPy programs.

>>> import numpy as np
>>> import s2sad
>>> def loss(w, x):
...     total = 0.0
...     for i in range(x.shape[0]):
...         total += (x[i] * w[i]) ** 2
...     return total
>>> s2sad.grad(loss)(np.ones(2), np.array([1.0, 3.0]))
array([ 2., 18.])
"""

from __future__ import annotations

from s2sad.api import (
    checkpoint,
    grad,
    hessian,
    hvp,
    jacfwd,
    jacobian,
    jacrev,
    jet,
    jit,
    jvp,
    linearize,
    sparse_hessian,
    sparse_jacobian,
    stop_gradient,
    value_and_grad,
    vjp,
    vmap,
)
from s2sad.custom import custom_jvp, custom_vjp, defrule, external
from s2sad.errors import (
    InternalError,
    NotDifferentiable,
    S2sadError,
    TypeMismatch,
    UnsupportedOp,
    UnsupportedSyntax,
)
from s2sad.implicit import custom_fixed_point, custom_linear_solve, custom_root
from s2sad.ode import odeint
from s2sad.pytrees import ravel_pytree, tree_map
from s2sad.testing import check_grads

__version__ = "0.1.0"

__all__ = [
    "InternalError",
    "NotDifferentiable",
    "S2sadError",
    "TypeMismatch",
    "UnsupportedOp",
    "UnsupportedSyntax",
    "__version__",
    "check_grads",
    "checkpoint",
    "custom_fixed_point",
    "custom_jvp",
    "custom_linear_solve",
    "custom_root",
    "custom_vjp",
    "defrule",
    "external",
    "grad",
    "hessian",
    "hvp",
    "jacfwd",
    "jacobian",
    "jacrev",
    "jet",
    "jit",
    "jvp",
    "linearize",
    "odeint",
    "ravel_pytree",
    "sparse_hessian",
    "sparse_jacobian",
    "stop_gradient",
    "tree_map",
    "value_and_grad",
    "vjp",
    "vmap",
]
