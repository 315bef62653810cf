"""Numerical recipes, statistics, polynomials."""

from typing import Any

import numpy as np

from table.rows import POSITIVE, rows


def increasing(shape: tuple[int, ...], rng: Any) -> Any:
    """Sorted numbers, apart from each other."""
    return np.cumsum(0.5 + 0.3 * rng.uniform(size=shape), axis=-1)


SORTED = {"x": increasing}
FORMS = "34 f34 3 34F 34N i34"

ROWS = [
    *rows(FORMS + " c34 4", "np.trapezoid(x)", "np.trapezoid(x, dx=0.5)", "np.trapezoid(x, axis=0)"),
    *rows("34,34 34,4 f34,f4 c34,4 4,4", "np.trapezoid(x, y)", "np.trapezoid(x, x=y, axis=-1)"),
    *rows("34,3", "np.trapezoid(x, y, axis=0)"),
    *rows(
        "34,s",
        "np.trapezoid(x, dx=y)",
        "np.gradient(x, y)",
        "np.gradient(x, y, axis=0)",
        "np.gradient(x, y, 2.0)",
        on={"y": POSITIVE},
    ),
    *rows(
        "34 f34 34F c34",
        "np.gradient(x)",
        "np.gradient(x, axis=0)",
        "np.gradient(x, 0.5)",
        "np.gradient(x, 0.5, axis=1)",
        "np.gradient(x, axis=(0, 1))",
        "np.gradient(x, 0.5, 2.0)",
    ),
    *rows("5 f5 c5 3 2", "np.gradient(x)", "np.gradient(x, 2.0)"),
    *rows("5,5 45,5", "np.gradient(x, y, axis=-1)", on={"y": increasing}),
    *rows("5 34", "np.gradient(x, edge_order=2)"),
    *rows(
        "4 f4 34 i34",
        "np.ediff1d(x)",
        "np.ediff1d(x, to_end=[1.0, 2.0])",
        "np.ediff1d(x, to_begin=0.5, to_end=9.0)",
    ),
    *rows("4,2", "np.ediff1d(x, to_end=y)", "np.ediff1d(x, y, y * y)"),
    *rows(
        "34,5,5 s,5,5 n,5,5 -,5,5 f3,f5,f5 3,5,c5 0,5,5",
        "np.interp(x, y, z)",
        "np.interp(x, y, z, left=-9.0, right=9.0)",
        "np.interp(x, xp=y, fp=z)",
        on={"x": (0.3, 3.4), "y": increasing},
    ),
    *rows("4,5,5", "np.interp(x, y, z, period=2.0)", refused="S202", on={"y": increasing}),
    *rows("34,s 34,n f34,s 5,s", "np.interp(0.7, [0.0, 1.0, 2.0], [y, 2.0, x.sum()])", on={"y": POSITIVE}),
    *rows(
        "34 f34 5 1 34F i34",
        *(
            f"np.{f}(x, {q}{a})"
            for f, q in (
                ("quantile", "0.3"),
                ("percentile", "40"),
                ("quantile", "[0.2, 0.85]"),
                ("percentile", "np.array([25.0, 60.0])"),
            )
            for a in ("", ", axis=0", ", axis=-1, keepdims=True")
        ),
    ),
    *rows(
        "34 5",
        "np.quantile(x, 0.5)",
        "np.quantile(x, 0.0)",
        "np.quantile(x, 1.0)",
        "np.quantile(x, 1 / 3)",
        "np.quantile(x, q=0.31, method='linear')",
        "np.percentile(x, 50)",
        "np.percentile(x, q=33.0)",
        "np.quantile(x, 0.3, keepdims=True)",
    ),
    *rows("34,s 5,2", "np.quantile(x, y)", on={"y": (0.21, 0.29)}),
    *rows(
        "34",
        *(
            f"np.quantile(x, 0.3, method='{m}')"
            for m in ("lower", "higher", "nearest", "midpoint", "hazen", "median_unbiased", "weibull")
        ),
        "np.quantile(x, 0.3, axis=(0, 1))",
    ),
    *rows(
        "4,3 3,4 f4,f3 c4,3 c4,c3 4,4 1,3 i4,i3",
        *(f"np.convolve(x, y{m})" for m in ("", ", 'same'", ", mode='valid'", ", 'full'")),
        *(f"np.correlate(x, y{m})" for m in ("", ", 'same'", ", mode='full'", ", 'valid'")),
    ),
    *rows(
        "4 f4", "np.bincount([0, 2, 2, 5], x)", "np.bincount(np.array([1, 0, 1, 3]), weights=x, minlength=7)"
    ),
    *rows("i34", "np.bincount(x[0])", "np.bincount(x[1], minlength=5)", on=(0.0, 4.0)),
    *rows(
        "34 f34 34F 43",
        "np.cov(x)",
        "np.cov(x, rowvar=False)",
        "np.cov(x, bias=True)",
        "np.cov(x, ddof=0)",
        "np.cov(x, ddof=2)",
        "np.corrcoef(x)",
        "np.corrcoef(x, rowvar=False)",
    ),
    *rows("4 f4", "np.cov(x)"),
    *rows("4,4 34,34 34,24", "np.cov(x, y)", "np.corrcoef(x, y)", "np.cov(x, y, bias=True)"),
    *rows("c34 i34", "np.cov(x)", "np.corrcoef(x)"),
    *rows("3,34 3,s f3,f4 c3,4 3,c4 3,- i3,4", "np.polyval(x, y)", "np.polyval([1.0, 2.0, 0.5], y) + x[0]"),
    *rows(
        "4 f4 c4 i4",
        "np.vander(x)",
        "np.vander(x, 3)",
        "np.vander(x, N=3, increasing=True)",
        "np.vander(x, 0)",
        "np.vander(x, 1)",
    ),
    *rows("3,4 4,3 f3,f3 c3,4 3,3", "np.polyadd(x, y)", "np.polysub(x, y)"),
    *rows("3,4 f3,f3", "np.polymul(x, y)", refused="S202"),
    *rows(
        "4 f4 c4 i4 1",
        "np.polyder(x)",
        "np.polyder(x, 2)",
        "np.polyder(x, m=0)",
        "np.polyint(x)",
        "np.polyint(x, 2)",
        "np.polyint(x, m=1, k=3.0)",
        "np.polyint(x, 2, [1.0, 2.0])",
        "np.polyder(x, 5)",
    ),
    *rows("4,s", "np.polyint(x, k=y)"),
    *rows(
        "5,5 5,52 f5,f5",
        "np.polyfit(x, y, 2)",
        "np.polyfit(x, y, deg=1)",
        "np.polyfit(x, y, 0)",
        on=SORTED,
        loose=1000.0,
        value=1e-11,
    ),
    *rows(
        "5,5,5", "np.polyfit(x, y, 1, w=z)", on={"x": increasing, "z": POSITIVE}, loose=1000.0, value=1e-11
    ),
    *rows(
        "5,5", "np.polyfit(x, y, 1, full=True)", "np.polyfit(x, y, 1, cov=True)", on=SORTED, refused="S202"
    ),
]
