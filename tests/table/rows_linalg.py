"""Products and np.linalg."""

from typing import Any

import numpy as np

from table.rows import POSITIVE, rows


def well(shape: tuple[int, ...], rng: Any) -> Any:
    """Matrices far from singular."""
    found = rng.normal(size=shape) * 0.5
    k = np.arange(min(shape[-2:]))
    found[..., k, k] += 2.0 + 0.7 * k
    return found


def definite(shape: tuple[int, ...], rng: Any) -> Any:
    """Symmetric positive definite matrices with eigenvalues apart."""
    a = well(shape, rng)
    return a @ np.swapaxes(a, -1, -2) + np.diag(np.arange(shape[-1]))


def tensor(shape: tuple[int, ...], rng: Any) -> Any:
    """An invertible map of matrices of shape (2, 3) to vectors of 6, and the like."""
    n = int(np.sqrt(np.prod(shape)))
    return well((n, n), rng).reshape(shape)


L = "np.linalg."
SQUARE = "33 f33 c33 233 33F 33N 11 22"
REAL_SQUARE = "33 f33 233 33F 33N 11 22"
WIDE = "43 34 f43 243 33 34F 41"
PRODUCTS = "3,3 43,3 3,34 23,34 f23,f34 c23,c34 c23,34 23F,34F 234,42 234,245 04,43 23,f34"
NORMS = "34 f34 34F 234 c34"

ROWS = [
    *rows(PRODUCTS, "np.matmul(x, y)", "x @ y", "np.linalg.matmul(x, y)"),
    *rows(PRODUCTS + " s,3 34,s s,s -,3", "np.dot(x, y)", "np.dot(x, b=y)"),
    *rows("34,43 3,3 234,43", "x.dot(y)", "x.dot(b=y)"),
    *rows("234,243 234,143 4,243", "np.matmul(x, y)", "x @ y"),
    *rows(
        "34,43 f34,f43",
        "np.matmul(x, y, dtype=np.float64)",
        "np.matmul(x, y, order='C')",
        "np.matmul(x, y, casting='same_kind')",
    ),
    *rows(
        "34,24 4,4 34,4 s,3 3,s f34,f4 c34,24 234,34",
        "np.inner(x, y)",
    ),
    *rows("4,4 34,34 f4,f4 c4,c4 c34,34 s,s", "np.vdot(x, y)"),
    *rows(
        "4,4 34,34 34,4 f4,4 c34,c4 c4,4",
        "np.vecdot(x, y)",
        "np.linalg.vecdot(x, y)",
        "np.linalg.vecdot(x, y, axis=-1)",
    ),
    *rows("34,34", "np.vecdot(x, y, axis=0)", "np.linalg.vecdot(x, y, axis=0)"),
    *rows("3,4 f3,f4 c3,4", "np.outer(x, y)", "np.linalg.outer(x, y)"),
    *rows("34,2 s,3 23,22", "np.outer(x, y)", "np.outer(x, b=y)"),
    *rows("34,4 234,4 234,24 f34,f4 c34,4", "np.matvec(x, y)"),
    *rows("23,22 3,2 f23,f12 c22,22 23,2", "np.kron(x, y)"),
    *rows(
        "34,45 f34,f45 c34,45",
        "np.tensordot(x, y, 1)",
        "np.tensordot(x, y, axes=([1], [0]))",
        "np.tensordot(x, y, axes=0)",
        "np.linalg.tensordot(x, y, axes=1)",
        "np.tensordot(x, y, axes=(1, 0))",
        "np.tensordot(x, y, axes=(-1, 0))",
    ),
    *rows(
        "234,342 f234,f342",
        "np.tensordot(x, y)",
        "np.tensordot(x, y, axes=([1, 2], [0, 1]))",
        "np.tensordot(x, y, axes=((0, 1), (2, 0)))",
        "np.linalg.tensordot(x, y)",
        "np.linalg.tensordot(x, y, axes=((2,), (1,)))",
    ),
    *rows(
        "34,45 f34,f45 c34,c45 34F,45",
        "np.einsum('ij,jk->ik', x, y)",
        "np.einsum('ij,jk', x, y)",
        "np.einsum('ij,jk->', x, y)",
        "np.einsum('ij,jk->ki', x, y, optimize=True)",
        "np.einsum('...j,jk->...k', x, y)",
        "np.einsum('ij,jk->j', x, y)",
    ),
    *rows(
        "33 f33 c33",
        "np.einsum('ii', x)",
        "np.einsum('ii->i', x)",
        "np.einsum('ij->ji', x)",
        "np.einsum('ij->', x)",
        "np.einsum('ij->j', x)",
        "np.einsum('ij,ij->i', x, x)",
        "np.einsum('ij,jk,kl->il', x, x, x)",
        "np.einsum('ji', x)",
        "np.einsum('i...->...', x)",
    ),
    *rows(
        "4,4,4 f4,f4,f4",
        "np.einsum('i,i,i', x, y, z)",
        "np.einsum('i,j,k->kji', x, y, z)",
        "np.einsum('i,j,i->j', x, y, z)",
    ),
    *rows(
        "3,3 f3,f3 c3,c3 43,43 43,3",
        "np.cross(x, y)",
        "np.cross(x, y, axis=-1)",
        "np.linalg.cross(x, y)",
    ),
    *rows(
        "34,34",
        "np.cross(x, y, axis=0)",
        "np.cross(x, y, 0, 0, 0)",
        "np.linalg.cross(x, y, axis=0)",
        "np.cross(x, y, axisa=0, axisb=0)",
        "np.cross(x, y, axisa=0, axisb=0, axisc=0)",
    ),
    *rows("2,2 42,42", "np.cross(x, y)", refused="S118"),
    # systems
    *rows(
        "33,3 33,34 f33,f3 c33,c3 c33,3 233,233 33F,3 233,3 33,f3 11,1",
        L + "solve(x, y)",
        on={"x": well},
        loose=10.0,
    ),
    *rows(
        SQUARE,
        L + "inv(x)",
        L + "det(x)",
        L + "slogdet(x)",
        L + "matrix_power(x, 2)",
        L + "matrix_power(x, 3)",
        L + "matrix_power(x, 0)",
        L + "matrix_power(x, -2)",
        L + "matrix_power(x, n=1)",
        on=well,
        loose=10.0,
        value=1e-12,
    ),
    *rows("233", L + "slogdet(x).logabsdet", L + "slogdet(x)[0]", L + "slogdet(-x)[1]", on=well, loose=10.0),
    *rows(
        "43 34 f43 243 33 34F 41",
        L + "pinv(x)",
        L + "pinv(x, rcond=1e-10)",
        L + "pinv(x, rtol=1e-10)",
        on=well,
        loose=100.0,
        value=1e-12,
    ),
    *rows("33 233", L + "pinv(x, hermitian=True)", on=definite, loose=100.0, value=1e-12),
    *rows(
        "43,4 43,42 34,3 f43,f4 33,3",
        L + "lstsq(x, y)",
        L + "lstsq(x, y, rcond=None)",
        L + "lstsq(x, y, rcond=None)[0]",
        L + "lstsq(x, y)[1]",
        on={"x": well},
        loose=100.0,
        value=1e-11,
    ),
    *rows("2222 f2222", L + "tensorinv(x)", L + "tensorinv(x, ind=2)", on=tensor, loose=100.0, value=1e-12),
    *rows("2222,22 f2222,f22", L + "tensorsolve(x, y)", on={"x": tensor}, loose=100.0, value=1e-12),
    *rows("2222,22", L + "tensorsolve(x, y, axes=(0, 1))", on={"x": tensor}, loose=100.0, value=1e-12),
    *rows("33 f33 233 33F 11", L + "cholesky(x)", L + "cholesky(x, upper=True)", on=definite, loose=10.0),
    *rows(
        "33 f33 233 33F 11",
        L + "eigh(x)",
        L + "eigh(x, UPLO='U')",
        L + "eigh(x, 'L')",
        L + "eigvalsh(x)",
        L + "eigvalsh(x, UPLO='U')",
        L + "eigvalsh(x, 'L')",
        L + "eigh(x).eigenvalues",
        L + "eigh(x)[1]",
        on=definite,
        loose=1000.0,
        value=1e-12,
    ),
    *rows(
        "c33",
        L + "eigh(x @ x.conj().T)[0]",
        L + "eigh(x @ x.conj().T, 'U')[1]",
        L + "eigvalsh(x @ np.conj(x).T)",
        L + "cholesky(x @ np.conj(x.T))",
        on=well,
        loose=1000.0,
        value=1e-12,
    ),
    *rows(
        "33 f33 22 11 233", L + "eigvals(x)", L + "eig(x)", on=well, second=False, loose=1000.0
    ),  # always complex
    *rows(
        "33 c33 22 11",  # of stacks LAPACK may turn a vector within the step of a difference
        L + "eigvals(x) + 0j",
        L + "eig(x)[0] + 0j",
        L + "eig(x).eigenvectors + 0j",
        on=well,
        loose=1000.0,
        value=1e-11,
    ),
    *rows(
        WIDE,
        L + "qr(x.mT if x.shape[-2] < x.shape[-1] else x)",
        on=well,
        loose=100.0,
        value=1e-12,
    ),
    *rows(
        "43 f43 243 33 c43 c33 c34 c43N",
        L + "qr(x)",
        L + "qr(x, mode='reduced')",
        L + "qr(x, 'r')",
        L + "qr(x).Q",
        L + "qr(x)[1]",
        on=well,
        loose=100.0,
        value=1e-12,
    ),
    *rows("33", L + "qr(x, 'complete')", L + "qr(x, 'raw')", on=well, refused="S202"),
    *rows(
        WIDE,
        L + "svd(x, full_matrices=False)",
        L + "svd(x, compute_uv=False)",
        L + "svdvals(x)",
        L + "svd(x, False)[1]",
        L + "svd(x)[1]",
        on=well,
        loose=1000.0,
        value=1e-12,
    ),
    *rows(
        "33 f33",
        L + "svd(x)",
        L + "svd(x, full_matrices=True)",
        L + "svd(x).S",
        on=well,
        loose=1000.0,
        value=1e-12,
    ),
    *rows("33", L + "svd(x, hermitian=True)", on=definite, refused="S202"),
    *rows("34,43,34 4,43,3 f34,f43,f34 c34,43,34", L + "multi_dot([x, y, z])", L + "multi_dot((x, y, z))"),
    *rows("34,43", L + "multi_dot([x, y])"),
    # norms
    *rows(
        NORMS,
        L + "norm(x)",
        L + "norm(x, axis=0)",
        L + "norm(x, axis=-1, keepdims=True)",
        L + "norm(x, ord=1, axis=0)",
        L + "norm(x, ord=np.inf, axis=1)",
        L + "norm(x, ord=-np.inf, axis=1)",
        L + "norm(x, 3, axis=0)",
        L + "norm(x, ord=0.5, axis=0)",
        L + "norm(x, 0, axis=1)",
        L + "norm(x, ord=2, axis=-1)",
        L + "norm(x, -1, axis=0)",
        L + "norm(x, ord=-2, axis=0)",
        loose=10.0,
    ),
    *rows(
        "34 f34 34F 33 c34",
        L + "norm(x, 'fro')",
        L + "norm(x, ord='nuc')",
        L + "norm(x, 2)",
        L + "norm(x, -2)",
        L + "norm(x, 1)",
        L + "norm(x, -1)",
        L + "norm(x, np.inf)",
        L + "norm(x, -np.inf)",
        L + "norm(x, keepdims=True)",
        L + "norm(x, axis=(0, 1))",
        L + "norm(x, ord='fro', axis=(1, 0), keepdims=True)",
        L + "matrix_norm(x)",
        L + "matrix_norm(x, ord=2)",
        L + "matrix_norm(x, keepdims=True, ord='nuc')",
        L + "matrix_norm(x, ord=1)",
        L + "matrix_norm(x, ord=-np.inf)",
        L + "matrix_norm(x, ord='fro')",
        loose=1000.0,
        value=1e-12,
    ),
    *rows(
        "234 f234",
        L + "norm(x, axis=(1, 2))",
        L + "norm(x, 2, axis=(0, 2))",
        L + "norm(x, 'nuc', axis=(-2, -1))",
        L + "norm(x, ord=1, axis=(1, 2), keepdims=True)",
        L + "matrix_norm(x)",
        L + "matrix_norm(x, ord='nuc')",
        L + "norm(x, ord=-1, axis=(2, 0))",
        loose=1000.0,
        value=1e-12,
    ),
    *rows(
        "4 f4 c4",
        L + "norm(x)",
        L + "norm(x, 1)",
        L + "norm(x, ord=np.inf)",
        L + "norm(x, 3)",
        L + "norm(x, 0)",
        L + "norm(x, keepdims=True)",
        L + "norm(x, ord=1.5)",
        L + "norm(x, -np.inf)",
    ),
    *rows(
        "34 f34 c34 234",
        L + "vector_norm(x)",
        L + "vector_norm(x, axis=0)",
        L + "vector_norm(x, axis=-1, ord=1)",
        L + "vector_norm(x, ord=np.inf)",
        L + "vector_norm(x, keepdims=True)",
        L + "vector_norm(x, axis=1, keepdims=True, ord=3)",
        L + "vector_norm(x, axis=(0, 1))",
        loose=10.0,
    ),
    *rows("i34", L + "norm(x)", L + "norm(x, 1, axis=0)", on=POSITIVE),
    *rows(
        "33 f33 233",
        L + "cond(x)",
        L + "cond(x, 2)",
        L + "cond(x, 'fro')",
        L + "cond(x, p=1)",
        L + "cond(x, np.inf)",
        L + "cond(x, -2)",
        L + "cond(x, 'nuc')",
        on=well,
        loose=1000.0,
        value=1e-12,
    ),
    *rows("43 c33", L + "cond(x)", on=well, loose=1000.0, value=1e-12),
    *rows(
        "c34 c43 c33",
        L + "svdvals(x)",
        L + "svd(x, compute_uv=False)",
        on=well,
        loose=1000.0,
        value=1e-12,
    ),
    *rows("c34", L + "svd(x, full_matrices=False)", L + "svd(x)[1]", on=well, refused="S203"),
]
