"""scipy.linalg, scipy.stats, scipy.fft, scipy.integrate and scipy.signal."""

from table.rows import OPEN, POSITIVE, UNIT, Row, each, rows
from table.rows_linalg import definite, well

L, S = "scipy.linalg.", "scipy.stats."


# --- scipy.linalg -------------------------------------------------------------------------------

MATRICES = "33 f33 33F 11"
LINALG = [
    *rows(
        "33,3 33,34 f33,f3 33F,34 33,f3 11,1",
        L + "solve(x, y)",
        L + "solve(x, y, transposed=True)",
        L + "solve_triangular(x, y)",
        L + "solve_triangular(x, y, lower=True)",
        L + "solve_triangular(x, y, trans='T', lower=True)",
        L + "solve_triangular(x, y, trans=1, unit_diagonal=True)",
        L + "lu_solve(scipy.linalg.lu_factor(x), y)",
        L + "lu_solve(scipy.linalg.lu_factor(x), y, trans=1)",
        on={"x": well},
        loose=10.0,
    ),
    *rows(
        "33,3 33,34 f33,f3 11,1",
        L + "cho_solve(scipy.linalg.cho_factor(x), y)",
        L + "cho_solve(scipy.linalg.cho_factor(x, lower=True), y)",
        L + "solve(x, y, assume_a='pos')",
        on={"x": definite},
        loose=10.0,
    ),
    *rows("c33,c3", L + "solve(x, y)", on={"x": well}, loose=10.0),
    *rows("c33,c3", L + "solve_triangular(x, y)", on={"x": well}, refused="S202"),
    *rows("34,4 34,42", L + "solve_banded((1, 1), x + np.array([[0.0], [4.0], [0.0]]), y)", loose=10.0),
    *rows(
        "33,22,32 33,33,33",
        L + "solve_sylvester(x, y, z)",
        on={"x": well, "y": well},
        loose=100.0,
        lowered="S292",
        value=1e-12,
    ),
    *rows(MATRICES, L + "cholesky(x)", L + "cholesky(x, lower=True)", on=definite, loose=10.0),
    *rows("33 11", L + "sqrtm(x)", on=definite, loose=1000.0, lowered="S292", value=1e-12),
    *rows(MATRICES + " 233", L + "expm(0.3 * x)", L + "expm(x)", on=well, loose=100.0, value=1e-11),
    *rows(MATRICES, L + "lu_factor(x)", L + "lu(x)", L + "lu(x, permute_l=True)", on=well),
    *rows("33 f33 33F", L + "lu(x, p_indices=True)", on=well),
    *rows(MATRICES, L + "inv(x)", L + "det(x)", L + "pinv(x)", on=well, loose=100.0, value=1e-12),
    *rows(
        "34 f34 4",
        L + "norm(x)",
        L + "norm(x, axis=0)",
        L + "norm(x, 1)",
        loose=10.0,
    ),
    *rows("34", L + "norm(x, 2)", L + "norm(x, 'nuc')", loose=1000.0, value=1e-12),
    *rows(
        "43 34 f43",
        L + "svd(x, full_matrices=False)",
        L + "svd(x, compute_uv=False)",
        L + "svdvals(x)",
        on=well,
        loose=1000.0,
        value=1e-12,
    ),
    *rows(
        "33 33F",
        L + "eigh(x, eigvals_only=True)",
        L + "eigvalsh(x)",
        L + "eigvalsh(x, lower=False)",
        on=definite,
        loose=1000.0,
        value=1e-12,
    ),
    *rows(  # squares: signs change from one matrix to the next
        "33 33F 11",
        L + "eigh(x)[1] ** 2",
        L + "eigh(x)[0]",
        L + "eigh(x, lower=False)[1] ** 2",
        on=definite,
        loose=1000.0,
        value=1e-12,
        lowered="S292",
    ),
    *rows("c33", L + "eigh(x)", on=definite, refused="S202"),
    *rows("4 f4 i4 c4", L + "toeplitz(x)", L + "hankel(x)", L + "circulant(x)"),
    *rows("4,3 f4,f3 4,4", L + "toeplitz(x, y)", L + "hankel(x, y)", L + "block_diag(x, y)"),
    *rows("34,22 f34,f22", L + "block_diag(x, y)", L + "block_diag(x, 1.0, y)"),
]

# --- scipy.stats --------------------------------------------------------------------------------

LOC, SCALE = (-0.5, -0.05), (1.1, 1.9)
ANYWHERE, ABOVE, INSIDE, BEYOND = (-2.0, 2.0), (0.1, 3.0), (0.1, 0.4), (2.1, 5.0)
CONTINUOUS = {  # the shape parameters, and where x is drawn from
    "norm": ("", ANYWHERE), "cauchy": ("", ANYWHERE), "laplace": ("", ANYWHERE), "logistic": ("", ANYWHERE),
    "t": ("2.5, ", ANYWHERE), "gamma": ("1.7, ", ABOVE), "chi2": ("3.3, ", ABOVE), "expon": ("", ABOVE),
    "lognorm": ("0.7, ", ABOVE), "weibull_min": ("1.6, ", ABOVE), "halfnorm": ("", ABOVE),
    "pareto": ("1.3, ", BEYOND), "beta": ("1.5, 2.5, ", INSIDE), "uniform": ("", INSIDE),
}  # fmt: skip
SHAPED = {"t": 1, "gamma": 1, "chi2": 1, "lognorm": 1, "weibull_min": 1, "pareto": 1, "beta": 2}
DISCRETE = {"poisson": "x", "bernoulli": "x", "geom": "x", "binom": "6, x", "nbinom": "2.5, x"}
NO_RULE = ("t", "gamma", "chi2", "beta")  # of the shape in a distribution function
FORMS = "34,34,34 34,s,s s,s,s f3,f3,f3 n,3,31 04,s,s i3,s,3"


def all_of(name: str, methods: str, arguments: str) -> str:
    """Return a call of some methods of a distribution with the same arguments."""
    return f"({', '.join(f'{S}{name}.{method}({arguments})' for method in methods.split())})"


def continuous() -> list[Row]:
    """Return the rows of the continuous distributions."""
    found = []
    for name, (shapes, place) in CONTINUOUS.items():
        on = {"x": place, "y": LOC, "z": SCALE}
        forms = FORMS if name not in ("beta", "uniform", "pareto") else FORMS.replace(" i3,s,3", "")
        found += rows(
            forms,
            all_of(name, "pdf logpdf", f"x, {shapes}y, z"),
            all_of(name, "cdf logcdf sf logsf", f"x, {shapes}loc=y, scale=z"),
            on=on,
            loose=10.0,
            value=1e-12,
        )
        quantile = {**on, "x": UNIT}
        found += rows(
            "34,34,34 34,s,s s,s,s f3,f3,f3 04,s,s",
            all_of(name, "ppf isf", f"x, {shapes}y, z"),
            on=quantile,
            loose=100.0,
            value=1e-12,
        )
        if name in SHAPED:
            shape = "y" if SHAPED[name] == 1 else "y, z"
            cases = "34,34 34,s f3,f3" if SHAPED[name] == 1 else "34,34,34 34,s,s f3,f3,f3"
            at = {"x": place, "y": (1.1, 2.5), "z": (1.1, 2.5)}
            fixed = "" if name not in NO_RULE else "yz"[: SHAPED[name]]
            found += rows(cases, all_of(name, "pdf logpdf", f"x, {shape}"), on=at, loose=10.0, value=1e-12)
            found += rows(
                cases, all_of(name, "cdf sf", f"x, {shape}"), on=at, loose=10.0, value=1e-12, fixed=fixed
            )
    return found


def discrete() -> list[Row]:
    """Return the rows of the discrete distributions."""
    found = []
    for name, shapes in DISCRETE.items():
        options = {"on": {"x": UNIT, "i": (0.0, 4.0)}, "loose": 10.0, "value": 1e-12}
        found += rows("34,i34 s,i34 s,is f3,i3", all_of(name, "pmf logpmf", f"i, {shapes}"), **options)
        found += rows("34,i34 s,i34 s,is f3,i3", all_of(name, "cdf sf", f"i, {shapes}"), **options)
        found += rows("34,i34 s,is", all_of(name, "logcdf logsf", f"i + 1, {shapes}"), **options)
    return found


STATS = [
    *continuous(),
    *discrete(),
    *rows(
        "53,3,33 3,3,33 53,s,33",
        all_of("multivariate_normal", "pdf logpdf", "x, y * np.ones(3), z"),
        on={"z": definite},
        loose=10.0,
        value=1e-12,
    ),
    *rows(
        "3,3,33",
        all_of("multivariate_normal", "cdf", "x, y, z"),
        all_of("multivariate_normal", "logcdf", "x, y, z"),
        on={"z": definite},
        refused="S202",
    ),
    *rows("3,3", all_of("dirichlet", "pdf logpdf", "x / np.sum(x), y"), on=POSITIVE, loose=10.0, value=1e-12),
]

# --- scipy.fft ----------------------------------------------------------------------------------

LINES = ("", ", 5", ", axis=0, norm='ortho'", ", n=3, norm='forward', workers=1")
GRIDS = ("", ", s=(4, 3)", ", axes=(1, 0), norm='ortho'")
FFT = [
    *each("fft ifft", "scipy.fft.{}(x#)", "34 c34 35 f34"),
    *each("rfft ihfft", "scipy.fft.{}(x#)", "34 35 f34"),
    *each("irfft hfft", "scipy.fft.{}(x#)", "34 c34 c35"),
]
FFT = [Row(row.call.replace("#", form), row.cases) for row in FFT for form in LINES]
OVER_GRIDS = [
    *each("fft2 ifft2 fftn ifftn", "scipy.fft.{}(x#)", "34 c34 234"),
    *each("rfft2 rfftn", "scipy.fft.{}(x#)", "34 35"),
    *each("irfft2 irfftn", "scipy.fft.{}(x#)", "34 c35"),
]
FFT += [Row(row.call.replace("#", form), row.cases) for row in OVER_GRIDS for form in GRIDS]
FFT += [
    *rows("34 c34 5", "scipy.fft.fftshift(x)", "scipy.fft.ifftshift(x)", "scipy.fft.fftshift(x, axes=0)"),
    *rows("s n", "scipy.fft.fftfreq(5, x)", "scipy.fft.rfftfreq(6, d=x)", on=POSITIVE),
]

# --- scipy.integrate, scipy.signal --------------------------------------------------------------

SAMPLES = [
    *each("trapezoid cumulative_trapezoid", "scipy.integrate.{}(x)", "5 34 f34 4 i5 34F"),
    *rows("5 34 f34!S202 4 i5 34F", "scipy.integrate.simpson(x)"),
    *each("trapezoid cumulative_trapezoid simpson", "scipy.integrate.{}(x, axis=0, dx=0.3)", "5 34 43"),
    *each(
        "trapezoid cumulative_trapezoid simpson",
        "scipy.integrate.{}(y, x=np.cumsum(x))",
        "5,5 4,34",
        on={"x": POSITIVE},
    ),
    *rows("5 34", "scipy.integrate.cumulative_trapezoid(x, initial=0)"),
]
SIGNAL = [
    *each(
        "convolve correlate fftconvolve",
        "scipy.signal.{}(x, y, mode='#')",
        "5,3 f5,f3 3,5 c5,3",
        on=OPEN,
        value=1e-12,
    ),
]
SIGNAL = [
    Row(row.call.replace("#", mode), row.cases, row.on, value=row.value)
    for row in SIGNAL
    for mode in ("full", "same", "valid")
]

SIGNAL += [
    *each("convolve correlate fftconvolve", "scipy.signal.{}(x, y)", "34,22", on=OPEN, value=1e-12),
    *each("convolve correlate fftconvolve", "scipy.signal.{}(x, y, 'same')", "34,22", on=OPEN, value=1e-12),
    *each("convolve correlate fftconvolve", "scipy.signal.{}(x, y, 'valid')", "34,22", refused="S202"),
]

ROWS = [*LINALG, *STATS, *FFT, *SAMPLES, *SIGNAL]
