"""More of scipy.special and of the module math, and NumPy's functions of ints and of neighbouring floats."""

from table.rows import OPEN, POSITIVE, REAL, each, rows

REAL_CASES = "34 f3 s n - 34F"

ROWS = [
    *each("cosm1 dawsn exprel erfi softplus", "sc.{}(x)", REAL_CASES),
    *rows("34,34 3,s f3,f3 s,s", "sc.huber(x + 3.0, y)", "sc.pseudo_huber(x, y)", on=POSITIVE),
    *rows("34,34 s,34", "sc.binom(x + 3.0, y)", on=POSITIVE, loose=100.0),
    *rows(
        "34 f3 s",
        "sc.huber(0.1, x)",
        "sc.expn(2, x)",
        "sc.expn(0, x)",
        "sc.expn(1, x)",
        "sc.binom(5, x)",
        on=POSITIVE,
    ),
    *each("eval_chebyt eval_chebyu eval_legendre", "sc.{}(3, x)", "34 f3 s", on=OPEN),
    *each("eval_hermite eval_hermitenorm eval_laguerre", "sc.{}(3, x)", "34 f3 s", on=REAL, loose=10.0),
    *rows("34 s", "sc.eval_gegenbauer(3, 0.7, x)", "sc.eval_genlaguerre(3, 0.5, x)", on=OPEN, loose=10.0),
    *rows("is", "sc.factorial(i)", "sc.comb(5, i)", "sc.perm(5, i)", on=(1.0, 4.0)),
    *rows("s n", "math.modf(x)", "math.ldexp(x, 3)", "math.nextafter(x, 9.0)", "math.ulp(x)"),
    *rows("i34,i34 i34,i4", "np.gcd(i, j)", "np.lcm(i, j)", on=(1.0, 9.0)),
    *rows("i3,i2", "np.gcd.outer(i, j)", "np.lcm.outer(i, j)", on=(1.0, 9.0)),
    *rows("s n", "math.frexp(x)", on=(1.2, 1.8)),
    *rows("is", "sc.comb(5, i, exact=True)", on=(1.0, 4.0), refused="S202"),
    *rows("34,34 f3,f3", "np.row_stack((x, y))"),
    *rows("34,34", "np.nextafter(x, y)", "np.spacing(x) * y"),
    *rows("3,4", "np.nextafter.outer(x, y)"),
    *rows("33 34", "np.linalg.matrix_rank(x)", "x[np.tril_indices_from(x)]", "x[np.triu_indices_from(x, 1)]"),
]
