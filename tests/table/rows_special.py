"""scipy.special."""

from table.rows import OPEN, POSITIVE, REAL, UNIT, each, rows

CASES = "34 f3 s n - 34F 0"
PAIRS = "34,34 34,4 3,31 s,3 f3,f3 n,3 -,3 s,s"

ROWS = [
    *rows("s,34 34,34 n,-", "sc.yn(x, y)", on=POSITIVE, refused="S202"),  # which rounds its order
    *each(
        "erf erfc erfcx ndtr log_ndtr expit log_expit j0 j1 i0 i1 i0e i1e expm1 exp2",
        "sc.{}(x)",
        CASES + " i34",
    ),
    *each("cbrt", "sc.{}(x)", CASES + " i34", on=POSITIVE),
    *each("erf erfc ndtr log_ndtr expit log_expit erfcx", "sc.{}(x)", "34 f3 s", on=(4.0, 8.0)),
    *each("erf ndtr log_ndtr expit log_expit", "sc.{}(x)", "34 f3 s", on=(-8.0, -4.0)),
    *each(
        "gamma gammaln loggamma rgamma psi digamma exp1 expi y0 y1 k0 k1 log1p entr",
        "sc.{}(x)",
        CASES,
        on=POSITIVE,
    ),
    *each(
        "gamma gammaln loggamma psi exp1 expi y0 y1 k0 k1 log1p entr",
        "sc.{}(x)",
        "i34 3",
        on=(1.0, 20.0),
        loose=10.0,
    ),
    *each("gamma gammaln rgamma psi", "sc.{}(x)", "34", on=(-0.9, -0.1), loose=10.0),
    *rows("34 f3", "sc.expi(x)", on=(-3.0, -0.3)),
    *rows(CASES, "sc.gammasgn(x)"),
    *each("erfinv", "sc.{}(x)", CASES, on=OPEN),
    *each("erfcinv", "sc.{}(x)", CASES, on=(0.2, 1.8)),
    *each("ndtri logit", "sc.{}(x)", CASES, on=UNIT),
    *rows(PAIRS, "sc.owens_t(x, y)", "sc.xlogy(x, y + 2.5)", "sc.xlog1py(x, y + 1.5)"),
    *each("beta betaln rel_entr kl_div boxcox", "sc.{}(x, y)", PAIRS, on=POSITIVE),
    *rows(
        "3,s", "sc.xlogy(x - x, y)", "sc.rel_entr(x - x, y)", "sc.kl_div(x - x, y)", on=POSITIVE, second=False
    ),
    *rows(
        "34,34,34 s,s,34 f3,f3,f3 2,31,3",
        "sc.betainc(x, y, z)",
        on={"x": POSITIVE, "y": POSITIVE, "z": UNIT},
        fixed="xy",
    ),
    *each(
        "gammainc gammaincc jv yv iv kv ive jn",
        "sc.{}(x, y)",
        "s,34 34,34 s,f3 f3,f3 n,-",
        on=POSITIVE,
        fixed="x",
    ),
    *each("jv yv iv kv ive jn yn", "sc.{}(2, x)", "34 f3 s -", on=POSITIVE),
    *each("jv iv ive jn", "sc.{}(2, x)", "34", on=(-2.0, -0.3)),
    *each("jv yv iv kv ive jn yn", "sc.{}(0, x)", "34 s", on=POSITIVE),
    *each("jv yv iv kv ive jn yn", "sc.{}(i, x)", "34,i34 3,is", on={"x": POSITIVE, "i": (0.0, 3.0)}),
    *rows("s,34 34,34 3,s f3,f3", "sc.zeta(x, y)", on={"x": (1.5, 4.0), "y": POSITIVE}, fixed="x"),
    *rows("34 s f3", "sc.zeta(x)", on=(1.5, 4.0), fixed="x"),
    *rows(
        "34 f3 s",
        "sc.zeta(3, x)",
        "sc.polygamma(0, x)",
        "sc.polygamma(1, x)",
        "sc.polygamma(3, x)",
        on=POSITIVE,
        loose=10.0,
    ),
    *rows("34 f3 s", "sc.multigammaln(x, 1)", "sc.multigammaln(x, d=3)", on=(1.5, 4.0)),
    *rows(
        "34 f34 34F 234",
        "sc.logsumexp(x)",
        "sc.logsumexp(x, axis=0)",
        "sc.logsumexp(x, axis=-1, keepdims=True)",
        "sc.logsumexp(x, axis=(0, 1))",
        "sc.logsumexp(x, keepdims=True)",
        "sc.softmax(x)",
        "sc.softmax(x, axis=0)",
        "sc.softmax(x, axis=(0, 1))",
        "sc.softmax(x, -1)",
        "sc.log_softmax(x)",
        "sc.log_softmax(x, axis=-1)",
        "sc.log_softmax(x, axis=(0, 1))",
    ),
    *rows("i34 3 1 - s n", "sc.logsumexp(x)", "sc.softmax(x)", "sc.log_softmax(x)"),
    *rows("04", "sc.logsumexp(x)", "sc.logsumexp(x, axis=1)"),
    *rows("c34", "sc.logsumexp(x)", "sc.softmax(x)", refused="S202"),
    *rows(
        "34,34 34,4 f34,f34 34,31 34,s",
        "sc.logsumexp(x, b=y)",
        "sc.logsumexp(x, axis=1, b=y)",
        "sc.logsumexp(x, 0, y, True)",
        on={"y": POSITIVE, "x": REAL},
    ),
    *rows("34", "sc.logsumexp(x, return_sign=True)", refused="S202"),
    *each("erf gamma expit ndtr", "sc.{}(x)", "c3", refused="S202"),
    *rows("34 f3", "sc.erf(x, dtype=np.float64)"),
]
