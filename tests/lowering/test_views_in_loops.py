"""Loops over an array and over a view of it stay apart: equal indices are not of one element."""

from __future__ import annotations

import numpy as np
import pytest
from oracle import assert_close
from property.verdicts import lowering_interpreted
from written import written

import s2sad

PROGRAM = """
def f(x, k):
    u = x{copy}
    if k > 2:
        pass
    else:
        u{part} {op} {value}
    return np.sin(u) * np.arange(1.0, x.shape[0] + 1.0)
"""
LISTS = ("[u[q] for q in range({n})]", "[u[q] * x[q] for q in range({n})]", "[x[q] for q in range({n})]")
PARTS = {
    "[::-1]": "x.shape[0]",
    "[1:]": "x.shape[0] - 1",
    "[:-1]": "x.shape[0] - 1",
    "[::2]": "2",
    "": "x.shape[0]",
}
X = np.array([0.3, 0.7, -0.4, 0.9])
BAR = np.array([1.0, -2.0, 3.0, 0.5])


@pytest.mark.parametrize("op", ["+=", "-=", "*=", "="])
@pytest.mark.parametrize("part", PARTS)
def test_lists_of_elements_written_through_views(part, op):
    for values in LISTS:
        for copy in ("", ".copy()"):
            if not part and (op == "=" or not copy):
                continue
            text = PROGRAM.format(copy=copy, part=part, op=op, value=values.format(n=PARTS[part]))
            f = written(text, f"<views {part} {op} {values} {copy}>", {"np": np})["f"]
            for k in (1, 3):
                matrix = s2sad.jacfwd(f, chunk_size=1)(X.copy(), k)
                h = 1e-6 * np.eye(4)
                slopes = np.stack([(f(X + e, k) - f(X - e, k)) / 2e-6 for e in h], axis=1)
                assert_close(matrix, slopes, 1e-7, text)
                assert_close(s2sad.vjp(f, X.copy(), k)[1](BAR)[0], BAR @ matrix, 1e-13, text)
                with lowering_interpreted():
                    assert_close(s2sad.vjp(f, X.copy(), k, jit=True)[1](BAR)[0], BAR @ matrix, 1e-13, text)
                    dot = s2sad.jvp(f, (X.copy(), k), (BAR, None), jit=True)[1]
                assert_close(dot, matrix @ BAR, 1e-13, text)


def test_compiled():
    f = written(
        PROGRAM.format(copy="", part="[::-1]", op="+=", value=LISTS[0].format(n="x.shape[0]")),
        "<view>",
        {"np": np},
    )["f"]
    plain = s2sad.vjp(f, X.copy(), 1)[1](BAR)[0]
    for jit in (True, "parallel"):
        assert_close(s2sad.vjp(f, X.copy(), 1, jit=jit)[1](BAR)[0], plain, 1e-13, str(jit))
