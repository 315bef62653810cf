"""Reductions and scans."""

from table.rows import POSITIVE, REAL_REDUCED, REDUCED, rows

AXES = ("", ", axis=0", ", axis=-1", ", axis=(0, 1)", ", axis=1, keepdims=True", ", keepdims=True", ", -2")
TWO = "34 f34 c34 234 34F 04 11 i34"
REAL_TWO = "34 f34 234 34F 34N 14 i34"

ROWS = [
    *rows(
        REDUCED + " i34 b34",
        "np.sum(x)",
        "np.prod(x)",
        "np.mean(x)",
        "np.sum(x, keepdims=True)",
        "np.prod(x, keepdims=True)",
        "np.mean(x, keepdims=True)",
        "x.sum()",
        "x.prod()",
        "x.mean()",
    ),
    *rows(TWO, *(f"np.{f}(x{a})" for f in ("sum", "mean", "prod") for a in AXES[1:])),
    *rows(TWO, *(f"x.{f}({a[2:]})" for f in ("sum", "mean", "prod") for a in AXES[1:5])),
    *rows(
        "234 f234",
        *(
            f"np.{f}(x, axis=(0, -1))"
            for f in (
                "sum",
                "mean",
                "prod",
                "max",
                "min",
                "var",
                "std",
                "ptp",
                "median",
                "nansum",
                "nanmean",
                "nanmax",
                "any",
                "average",
            )
        ),
    ),
    *rows(
        "34 f34 c34 i34 04",
        "np.sum(x, dtype=np.float32)",
        "np.sum(x, 0, np.float64)",
        "np.mean(x, axis=0, dtype=np.float64)",
        "np.prod(x, dtype=np.float64)",
        "np.cumsum(x, dtype=np.float64)",
    ),
    *rows(
        "34 f34 i34 04",
        "np.sum(x, initial=2.0)",
        "np.sum(x, axis=1, initial=2)",
        "np.prod(x, initial=2.0)",
        "np.prod(x, axis=0, initial=3)",
        "x.sum(initial=1.5)",
    ),
    *rows("34,s f34,s 34,n", "np.sum(x, initial=y)", "np.max(x, initial=y)", "np.min(x, axis=0, initial=y)"),
    *rows(
        "34 f34 i34 04 40",
        "np.max(x, initial=0.25)",
        "np.max(x, axis=0, initial=-1.5)",
        "np.min(x, axis=1, initial=0.25)",
        "np.min(x, initial=np.inf)",
    ),
    *rows(
        "34 04",
        "np.sum(x, where=x > 0)",
        "np.mean(x, where=x > 0)",
        "np.max(x, initial=-9.0, where=x > 0)",
        "np.any(x, where=x > 0)",
        "np.prod(x, where=x > 0)",
        "np.var(x, where=x > 0)",
        "np.std(x, where=x > 0)",
        "np.min(x, initial=9.0, where=x > 0)",
        "np.all(x > 0, where=x > 0)",
    ),
    *rows(
        REAL_REDUCED + " i34",
        "np.max(x)",
        "np.min(x)",
        "np.amax(x)",
        "np.amin(x)",
        "np.ptp(x)",
        "np.var(x)",
        "np.std(x)",
        "x.max()",
        "x.min()",
        "x.var()",
        "x.std()",
        "np.max(x, keepdims=True)",
        "np.std(x, keepdims=True)",
        "np.var(x, keepdims=True)",
    ),
    *rows(REAL_TWO, *(f"np.{f}(x{a})" for f in ("max", "min", "var", "std", "ptp") for a in AXES[1:5])),
    *rows(REAL_TWO, *(f"x.{f}({a[2:]})" for f in ("max", "min", "var", "std") for a in AXES[1:5])),
    *rows(
        "34 f34 234 i34",
        "np.var(x, ddof=1)",
        "np.std(x, axis=0, ddof=1)",
        "np.var(x, axis=1, correction=1)",
        "np.std(x, correction=1, keepdims=True)",
        "x.var(ddof=1)",
        "x.std(axis=0, ddof=1)",
        "np.std(x, axis=1, dtype=np.float64)",
        "np.var(x, ddof=0.5)",
    ),
    *rows(
        "34",
        "np.var(x, mean=np.mean(x, keepdims=True))",
        "np.std(x, axis=0, mean=np.mean(x, axis=0, keepdims=True))",
        refused="S202",
    ),
    *rows("c34", "np.var(x)", "np.std(x, axis=0)", refused="S202"),
    *rows(
        REDUCED + " b34 i34",
        "np.any(x)",
        "np.all(x)",
        "np.any(x, axis=0)",
        "np.all(x, axis=-1, keepdims=True)",
        "x.any()",
        "x.all(axis=0)",
        "np.count_nonzero(x)",
        "np.count_nonzero(x, axis=1)",
        "np.count_nonzero(x, axis=0, keepdims=True)",
    ),
    *rows(
        "34 f34 i34 234",
        "np.argmax(x)",
        "np.argmin(x)",
        "np.argmax(x, axis=0)",
        "np.argmin(x, axis=-1, keepdims=True)",
        "x.argmax()",
        "x.argmin(axis=1)",
        "np.argmax(x, keepdims=True)",
    ),
    *rows(
        "34 f34 c34 234 34F 04 i34 -",
        "np.cumsum(x)",
        "np.cumprod(x)",
        "np.nancumsum(x)",
        "np.nancumprod(x)",
        "x.cumsum()",
        "x.cumprod()",
    ),
    *rows(
        "34 f34 c34 234 34F 04 i34",
        *(f"np.{f}(x, axis={k})" for f in ("cumsum", "cumprod", "nancumsum", "nancumprod") for k in (0, -1)),
        "x.cumsum(axis=1)",
        "x.cumprod(0)",
    ),
    *rows(
        "34 c34 i34 3 04",
        *(
            f"np.cumulative_{f}(x, axis=0{k})"
            for f in ("sum", "prod")
            for k in ("", ", include_initial=True", ", dtype=np.float64")
        ),
    ),
    *rows(
        "3 f3", "np.cumulative_sum(x)", "np.cumulative_prod(x)", "np.cumulative_sum(x, include_initial=True)"
    ),
    *rows(
        "34 f34 c34 i34 04 3 -",
        "np.add.reduce(x)",
        "np.multiply.reduce(x)",
        "np.add.reduce(x, axis=None)",
        "np.add.reduce(x, -1, keepdims=True)",
    ),
    *rows(
        "34 f34 i34 3",
        "np.maximum.reduce(x)",
        "np.minimum.reduce(x)",
        "np.maximum.reduce(x, axis=None)",
        "np.minimum.reduce(x, axis=-1, keepdims=True)",
        "np.add.accumulate(x)",
        "np.multiply.accumulate(x)",
        "np.add.accumulate(x, axis=-1)",
        "np.multiply.accumulate(x, axis=-1)",
        "np.logical_and.reduce(x)",
        "np.logical_or.reduce(x)",
    ),
    *rows(
        "34 f34 c34 34F i34 11",
        "np.average(x)",
        "np.average(x, axis=0)",
        "np.average(x, axis=1, keepdims=True)",
    ),
    *rows(
        "34,34 f34,f34 34F,34 i34,34",
        "np.average(x, weights=y)",
        "np.average(x, axis=0, weights=y)",
        "np.average(x, axis=-1, weights=y, keepdims=True)",
        on={"y": POSITIVE},
    ),
    *rows(
        "34,3 f34,3 34,f3",
        "np.average(x, axis=0, weights=y)",
        "np.average(x, 0, y, keepdims=True)",
        on={"y": POSITIVE},
    ),
    *rows("34,34", "np.average(x, weights=y, returned=True)", refused="S202", on={"y": POSITIVE}),
    *rows(REAL_REDUCED + " i34", "np.nansum(x)", "np.nanprod(x)", "np.nanmean(x)"),
    *rows(
        "34 f34 i34 3", "np.nanmax(x)", "np.nanmin(x)", "np.nanvar(x)", "np.nanstd(x)", "np.nanvar(x, ddof=1)"
    ),
    *rows(
        "34 f34 234 34N i34",
        *(f"np.nan{f}(x{a})" for f in ("sum", "prod", "mean", "max", "min", "var", "std") for a in AXES[1:6]),
    ),
    *rows(
        "34 f34",
        *(
            f"np.nan{f}(np.where(x > 0.9, np.nan, x){a})"
            for f in ("sum", "prod", "mean", "max", "min", "var", "std", "cumsum", "cumprod")
            for a in ("", ", axis=0")
        ),
    ),
    *rows(
        "34 f34 c34 3 234 i34 b34",
        "np.diff(x)",
        "np.diff(x, 2)",
        "np.diff(x, axis=0)",
        "np.diff(x, n=1, axis=-1)",
        "np.diff(x, 0)",
    ),
    *rows(
        "34 f34 3",
        "np.diff(x, prepend=0.0)",
        "np.diff(x, append=1.5)",
        "np.diff(x, 2, axis=0, prepend=0.5, append=0)",
    ),
    *rows("34,31 3,1 f34,31 3,s", "np.diff(x, prepend=y)", "np.diff(x, append=y)"),
    *rows(
        "34 f34 3 5 1 234 34F i34 43",
        "np.median(x)",
        "np.median(x, axis=0)",
        "np.median(x, axis=-1, keepdims=True)",
        "np.median(x, overwrite_input=False)",
    ),
    *rows("34 3", "np.median(x, keepdims=True)"),
    *rows("34 3", "np.ptp(x)", "np.ptp(x, axis=0, keepdims=True)"),
]
