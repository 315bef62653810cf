"""Programs that went wrong once: right as emitted, as loop nests and to second order, or refused."""

# ruff: noqa: E501, F841, SIM108

from __future__ import annotations

import functools

import numpy as np
import pytest
from property.verdicts import lowering_interpreted
from right import assert_right

import s2sad

X = np.array([1.0, 0.5, 2.0, -0.3])
A = np.arange(1.0, 13.0).reshape(3, 4) / 6.0

# --- names bound late -----------------------------------------------------------------------------


def last_of_previous_trip(x):
    s = 0.0
    for i in range(len(x)):
        if i > 0:
            s += (x[i] - last) ** 2
        last = x[i]
    return s


def last_of_previous_trip_of_while(x):
    s = 0.0
    i = 0
    while i < 3 and (v := x[i] * x[i]) < 9.0:
        if i > 0:
            s += v * last
        last = v + s
        i += 1
    else:
        s *= 2.0
    return s


def bound_before_an_inner_loop(x):
    s = 0.0
    for i in range(3):
        for j in range(i):
            s += t * x[j]
        t = x[i] * x[i]
    return s


def bound_behind_a_short_circuit(x):
    s = 0.0
    for i in range(4):
        if i > 0 and x[i] > old:
            s += x[i] * old
        old = x[i]
    return s


def bound_in_a_conditional_expression(x):
    for i in range(3):
        s = x[i] if i == 0 else s * x[i] + x[0]
    return s


def list_of_either_branch(x):
    if x[0] > 0:
        items = []
    else:
        items = [x[0]]
    for i in range(3):
        items.append(x[i] * x[i])
    return sum(items)


def largest(x):
    first = True
    for v in x:
        if first:
            m = v
            first = False
        elif v > m:
            m = v
    return m * m


def bound_in_first_trip(x):
    s = 0.0
    for i in range(3):
        if i == 0:
            b = 2.0
        b = x[1] * b
        s += b
    return s


def buffer_made_late(x):
    s = 0.0
    for i in range(3):
        if i == 0:
            buf = np.empty(4)
        buf[:] = x * i
        s += buf.sum() ** 2
    return s


def array_bound_in_loop(x):
    for _ in range(50):
        xn = 0.3 * np.tanh(x) + 0.1
        if np.max(np.abs(xn - x)) < 1e-6:
            break
        x = xn
    return xn @ xn


def array_bound_in_a_branch(x):
    k = 0
    while k < 4:
        if k % 2 == 0:
            y = x * k
        k += 1
    return np.sum(y * y)


def bound_under_the_same_condition(x, n=2):
    if n > 0:
        u = np.ones(4)
    for _ in range(n):
        u = u * x
    if n > 0:
        return np.sum(u * x)
    return np.sum(x)


def returns_early_around_a_write(x):
    if x[0] > 0.3:
        if x[1] > 3.0 or x[2] < 0.1:
            return x[0]
        x = x.copy()
        x[0] = x[1] * x[2]
    return np.sum(x * x)


def read_in_the_else(x):
    for v in x:
        t = v * v
        if t > 100.0:
            break
    else:
        t = t * 2.0
    return t * x[0]


# --- loops ----------------------------------------------------------------------------------------


def walrus_in_while(x):
    y = x[0]
    while (err := y * y) > 0.1:
        y = y * 0.5
    return y + err


def walrus_and_else(x):
    v, i = x[2], 0
    while i < 3 and (v := x[1] * v) > 0.1:
        i += 1
        if v > 100:
            break
    else:
        v = v * 3
    return v


def nested_loops_with_else(x):
    s = 1.0
    for i in range(3):
        for j in range(3):
            if x[j] * (i + 1) > 2.5:
                break
            s = s * 0.9 + x[j]
        else:
            s = s * 2
        if s < -100:
            break
    else:
        s = s * 3
    return s


def endless_loop_with_return(x):
    y = x[2]
    while True:
        y = y * y
        if y > 100.0:
            return y


def endless_loop_in_a_helper(x):
    def grow(z):
        while True:
            z = z * z
            if z > 100.0:
                return z

    return grow(x[2]) + grow(3.0 * x[0])


def both_branches_break(x):
    s = 0.0
    for i in range(2):
        if x[i] > 0:
            s += np.sin(x[i])
            break
        else:
            break
    return s * x[2]


def break_or_return(x):
    s = 1.0
    while True:
        if x[0] > 2.0:
            return np.sin(x[1])
        else:
            s += x[1] * x[2]
            break
    return s * x[0]


# --- slices ----------------------------------------------------------------------------------------


def reversed_from_an_index(x):
    z = x[2::-1] * np.array([1.0, 2.0, 3.0])
    s = 0.0
    for i in range(len(z)):
        s += z[i] ** 2
    return s


def reversed_to_an_index(x, k=1):
    z = x.copy()
    for _ in range(2):
        z[1:] = x[:0:-1] * x[0]
    return z.sum() + np.mean(x[:k:-1] ** 2) + np.sum(x[-2::-2] ** 3)


# --- memory ---------------------------------------------------------------------------------------


def rows_appended(x):
    ys = []
    for i in range(3):
        row = np.zeros(3)
        row[0] = x[i]
        row[1] = x[i] ** 2
        ys.append(row)
    return np.stack(ys).sum() + np.array(ys)[1].sum()


def states_appended(x):
    s, h = x, []
    for _ in range(3):
        s = s * x + 1
        h.append(s)
    return np.sum(np.array(h) ** 2)


def list_left_by_break(x):
    ys = [x[0]]
    for i in range(len(x)):
        ys.append(ys[-1] * x[i])
        if ys[-1] > 0.9:
            break
        ys.append(x[i])
    return np.sum(np.array(ys) ** 2)


def element_stored_after_a_break(x):
    y = np.zeros(4)
    s = 0.0
    for i in range(4):
        t = np.sin(x[i]) * x[i]
        s += t * t
        if s > 1.0:
            break
        y[i] = t
    return s + np.sum(y * x)


def item_of_a_growing_list_set(x):
    items = [x[0] * 1.0]
    for i in range(3):
        items.append(items[-1] * x[i])
        items[0] = items[1] + 1.0
        items[-1] += 2.0
        items[-1] = items[-1] * 2
    return sum(items)


def numbers_of_two_kinds_listed(x):
    ys = []
    for i in range(3):
        if x[i] > 0.6:
            ys.append(1)
        else:
            ys.append(x[i])
    return np.sum(np.array(ys) ** 2)


def list_left_by_return(x):
    def first_squares(z):
        ys = []
        for v in z:
            if v < 0:
                return np.sum(np.array(ys))
            ys.append(v * v)
        return np.sum(np.array(ys)) * 2

    return first_squares(x) + first_squares(x * 2)


def list_with_continue(x):
    ys = []
    for i in range(len(x)):
        if x[i] < 0.6:
            continue
        ys.append(x[i] * 2)
    return np.sum(np.array(ys) ** 2)


def rows_listed_then_base_written(x):
    a = np.outer(x, x)
    rows = [r for r in a]
    s = np.sum(rows[1] * rows[2])
    a *= 2
    return s + a.sum()


def element_by_dots(x, t=0.3):
    c, s = np.cos(t), np.sin(t)
    a, b = x[..., 0], x[..., 1]
    return np.sum(np.stack([c * a - s * b, s * a + c * b]) ** 3)


def conj_of_a_real_array_is_itself(x):
    y = x * 1.0
    z = y.conj()
    z *= 3.0
    return np.sum(y * y)


def name_of_a_view_in_a_branch(x):
    y = x.copy()

    def put(k):
        y[0] = k * y[1]

    for i in range(3):
        if x[i] > 0.7:
            k = y[1:]
            k *= 2
        else:
            put(3.0)
    return y.sum()


def views_and_swaps(x):
    y, w = x.copy(), x * 2
    v = y[:]
    for i in range(3):
        if x[i] > 0.7:
            y, w = w, y
        else:
            v = w[2:]
        y[1::2] += 1.0
    return np.sum(y * y)


def row_read_and_base_written(x):
    a = np.outer(x, x)
    row = a[1]
    s = np.sum(row * row)
    a[1, 2] = 0.5
    return s + np.sum(row * x)


# --- functions ------------------------------------------------------------------------------------


def twice(fn):
    @functools.wraps(fn)
    def wrapper(*a, **k):
        return 2 * fn(*a, **k)

    return wrapper


@twice
def wrapped(x):
    return np.sum(x * x)


# --- containers that are copied, chosen or changed on the way ---------------------------------------


def copies_of_a_grown_list(x):
    ys = []
    for i in range(3):
        ys.append(x[i])
    zs = ys[:]
    zs[0] = x[2] * 2
    ws = list(ys)
    ws.append(x[3])
    vs = ys.copy()
    vs[-1] = x[0] * x[1]
    return ys[0] + zs[0] * x[1] + sum(ws) + sum(vs) + len(ys[1:])


def tail_of_a_grown_list(x):
    ys = []
    for i in range(3):
        ys.append(x * x[i])
    zs = ys[1:]
    zs.append(x)
    return np.sum(ys[0]) + np.sum(zs[2]) + np.sum(np.stack(zs[1:]))


def list_grown_from_no_room(x):
    ys = []
    for i in range(len(x) - 4):
        ys.append(x[i] * x[i])
    k = 0
    while k < 3:
        ys.append(x[k] * k)
        k += 1
    return sum(ys)


def list_changed_behind_the_loop(x):
    ys = [x[0], x[1], x[2]]
    for i, y in enumerate(ys):
        ys[i] = y * 3
    for y in list(ys):
        ys.append(y * y)
    d = {"a": x[0], "b": x[1]}
    for k, v in d.items():
        d[k] = v * v
    return sum(ys) + d["a"] * d["b"]


def numbers(x):
    ys = []
    for i in range(3):
        ys.append(x[i])
    return ys


def arrays_of_grown_lists(x):
    ys = numbers(x)
    a, b = np.asarray(ys), np.array(ys)
    a *= 2
    ys[0] = x[2] * 7
    zs = []
    for i in range(3):
        zs.append(x * x[i])
    c, d = np.asarray(zs), np.vstack(zs)
    c[0] = 1.0
    d[1] *= x[0]
    return a.sum() + ys[0] * b[1] + sum(ys) + np.sum(zs[0]) + c.sum() * d.sum()


def items_set_ahead_of_the_loop(x):
    ys = numbers(x)
    s = 0.0
    for k, y in enumerate(ys):
        ys[2] = y * x[0]
        s += ys[k] * y
    for y in reversed(ys):
        ys[0] = y * 2
    return s + sum(ys)


RIGHT = [
    bound_before_an_inner_loop, bound_behind_a_short_circuit, bound_in_a_conditional_expression,
    list_of_either_branch, last_of_previous_trip, last_of_previous_trip_of_while, largest, bound_in_first_trip, buffer_made_late, array_bound_in_loop,
    array_bound_in_a_branch, bound_under_the_same_condition, returns_early_around_a_write, read_in_the_else,
    walrus_in_while, walrus_and_else, nested_loops_with_else, both_branches_break, break_or_return, endless_loop_with_return, endless_loop_in_a_helper,
    reversed_from_an_index, reversed_to_an_index, rows_appended, states_appended,
    item_of_a_growing_list_set, numbers_of_two_kinds_listed, list_left_by_break, element_stored_after_a_break, list_left_by_return, list_with_continue, rows_listed_then_base_written,
    element_by_dots, conj_of_a_real_array_is_itself, name_of_a_view_in_a_branch, views_and_swaps, row_read_and_base_written, wrapped,
    copies_of_a_grown_list, tail_of_a_grown_list, list_grown_from_no_room, list_changed_behind_the_loop,
    arrays_of_grown_lists, items_set_ahead_of_the_loop,
]  # fmt: skip


@pytest.mark.parametrize("lowered", [False, True], ids=["emitted", "lowered"])
@pytest.mark.parametrize("f", RIGHT, ids=lambda f: f.__name__)
def test_right(f, lowered: bool):
    assert_right(f, X, lowered)


def item_of_a_list_written(x):
    y = x * 1.0
    rows = []
    for r in y:
        rows.append(r)
    rows[1] *= 3.0
    return y.sum()


def array_of_a_list_written(x):
    y = x * 1.0
    rows = []
    for i in range(3):
        rows.append(y[i])
    y *= 2.0
    return rows[2].sum()


def one_array_appended_many_times(x):
    s = x[0] * 1.0
    history = []
    for i in range(3):
        s += x[i]
        history.append(s)
    return np.stack(history).sum()


def part_by_split_written(x):
    y = x * 1.0
    a, _ = np.split(y, 2, axis=1)
    a *= 3.0
    return y.sum()


def transposed_by_einsum_written(x):
    y = x * 1.0
    z = np.einsum("ij->ji", y)
    z *= 3.0
    return y.sum()


def element_by_dots_written(x):
    z = x[0] * 1.0
    y = z[..., 2]
    y *= 3.0
    return z.sum()


def base_of_an_element_written(x):
    z = x[0] * 1.0
    y = z[..., 2]
    z[2] = 5.0
    return y * 2.0


def dict_chosen_by_a_branch(x):
    p, q = {"u": x[0]}, {"u": x[1]}
    e = p if x[0] > 0 else q
    e["u"] = x[2]
    return p["u"] * 2 + q["u"]


def list_chosen_by_a_branch_grows_in_a_loop(x):
    p, q = [x[0]], [x[1]]
    e = p if x[0] > 0 else q
    for i in range(3):
        e.append(x[i])
    return sum(p)


def list_rebound_in_a_branch(x):
    ys = [x[0]]
    zs = ys
    if x[1] > 0:
        zs = [x[1]]
    ys[0] = x[2]
    return zs[0]


def item_of_a_chosen_list_set(x):
    ys, zs = numbers(x), numbers(x * 2)
    chosen = ys if x[0] > 0 else zs
    chosen[0] = x[2] * 5
    return ys[0] + zs[0] * x[1]


def item_of_a_list_that_may_be_chosen_set(x):
    ys, zs = numbers(x), numbers(x * 2)
    chosen = ys if x[0] > 0 else zs
    for i in range(3):
        ys[i] = ys[i] * x[0]
    return sum(chosen)


def name_of_an_item_over_append(x):
    ys = []
    for i in range(3):
        ys.append(x * x[i])
    y = ys[0]
    ys.append(x * 3)
    y[1] = x[0] * 9
    return np.sum(ys[0])


def grown_while_iterated(x):
    ys = []
    for i in range(3):
        ys.append(x[i])
    for y in ys:
        if y > 1.5:
            ys.append(y * x[1])
            continue
    return sum(ys)


def literal_list_grown_while_iterated(x):
    ys, s = [x[0]], 0.0
    for y in ys:
        s += y
        if len(ys) < 4:
            ys.append(y * x[1])
    return s


def item_ahead_replaced(x):
    d, s = {"a": x[0], "b": x[1]}, 0.0
    for v in d.values():
        s += v
        d["b"] = x[0] * x[0]
    return s


REFUSED = [
    item_of_a_list_written, array_of_a_list_written, one_array_appended_many_times, part_by_split_written,
    transposed_by_einsum_written, element_by_dots_written, base_of_an_element_written,
]  # fmt: skip
REFUSED_OF_NUMBERS = [
    dict_chosen_by_a_branch, list_chosen_by_a_branch_grows_in_a_loop, list_rebound_in_a_branch,
    item_of_a_chosen_list_set, item_of_a_list_that_may_be_chosen_set,
    name_of_an_item_over_append, grown_while_iterated, literal_list_grown_while_iterated, item_ahead_replaced,
]  # fmt: skip


@pytest.mark.parametrize(
    ("f", "x"),
    [(f, A) for f in REFUSED] + [(f, X) for f in REFUSED_OF_NUMBERS],
    ids=lambda f: getattr(f, "__name__", ""),
)
def test_refused_with_the_place(f, x):
    f(x.copy())  # NumPy runs it
    with pytest.raises(s2sad.S2sadError, match=r"test_sharp_programs.py:\d+:\d+: (S402|S311|S107)"):
        s2sad.value_and_grad(f)(x)


def test_reverse_over_reverse_of_a_recurrence_of_vectors():
    def power(v, a):
        for _ in range(3):
            v = a @ v
        return np.sum(v)

    v, a = np.array([0.5, 0.3, 0.2]), np.eye(3) + 0.1 * np.arange(9.0).reshape(3, 3)
    by_rows = s2sad.jacrev(s2sad.grad(power, 1), 1)(v, a)
    np.testing.assert_allclose(by_rows, s2sad.hessian(power, 1)(v, a), rtol=1e-12)
    assert "offset" not in s2sad.grad(power, 1).source_for(v, a)  # the state keeps its size


def test_always_raising_raises_what_it_raises():
    def f(x, kind):
        if kind == "abs":
            return np.abs(x).sum()
        raise ValueError(f"unknown {kind}")

    for call in (s2sad.grad(f), s2sad.value_and_grad(f, jit=True), s2sad.jit(f)):
        with pytest.raises(ValueError, match="unknown foo"):
            call(X, "foo")


def test_keyword_of_a_partial_overridden():
    def f(x, *, k=1.0):
        return np.sum(x * x) * k

    p = functools.partial(f, k=3.0)
    np.testing.assert_allclose(s2sad.grad(p)(X), 6.0 * X)
    np.testing.assert_allclose(s2sad.grad(p)(X, k=2.0), 4.0 * X)


def test_recursion_that_branches_is_refused_at_once():
    def total(x):
        if len(x) == 1:
            return x[0] ** 2
        m = len(x) // 2
        return total(x[:m]) + 2 * total(x[m:])

    with pytest.raises(s2sad.S2sadError, match="S115"):
        s2sad.grad(total)(X)


@pytest.mark.parametrize("lowered", [False, True], ids=["emitted", "lowered"])
def test_two_cotangents_that_stand_for_rows_and_for_columns(lowered: bool):
    def f(x):
        a = np.outer(x, x[:3])
        columns = np.sum(a, axis=0)
        rows = np.sum(a, axis=1)
        return np.sum(rows * x) * np.sum(columns)

    assert_right(f, X, lowered)

    def g(x):
        a = x[:, None] * A.T
        return np.sum(np.sum(a, axis=1) * x) + np.sum(np.sum(a, axis=0))

    assert_right(g, X, lowered)


def test_in_place_with_a_value_of_higher_rank_raises_as_in_numpy():
    def added(x, a):
        y = x * 1.0
        y += a
        return np.sum(y)

    def multiplied(x, a):
        y = x * 1.0
        y[:] *= a
        return np.sum(y)

    for f in (added, multiplied):
        for call in (f, s2sad.grad(f), s2sad.jit(f)):
            with pytest.raises(ValueError, match="broadcast"):
                call(X, X[None, :])


@pytest.mark.parametrize("lowered", [False, True], ids=["emitted", "lowered"])
def test_number_of_the_text_returned_early(lowered: bool):
    def f(x):
        if x[0] < 0.0:
            return 1.0
        return np.sum(x * x)

    def g(x):
        for i in range(3):
            if x[i] < -1.0:
                return np.inf
        return x[0] * x[1]

    def h(x):
        if x[1] < 0.0:
            return 0
        elif x[1] > 3.0:
            return -np.inf
        return x @ x

    for program in (f, g, h):
        assert_right(program, X, lowered)
        assert_right(lambda x, program=program: program(x) * x[1], X, lowered)
    with lowering_interpreted():
        for program, x in ((f, -X), (g, -X), (h, -X)):
            assert s2sad.value_and_grad(program, jit=lowered)(x)[0] == program(x)
            np.testing.assert_array_equal(s2sad.grad(program, jit=lowered)(x), np.zeros(4))


@pytest.mark.parametrize("lowered", [False, True], ids=["emitted", "lowered"])
def test_number_of_the_text_on_one_way_and_element_on_the_other(lowered: bool):
    def f(x):
        for i in range(1, len(x)):
            s = 0.5
            if x[i] < 0.0:
                continue
            s += x[i]
        return s * x[1]

    assert_right(f, X, lowered)
    assert_right(f, X[:3], lowered)


@pytest.mark.parametrize("lowered", [False, True], ids=["emitted", "lowered"])
def test_argument_written_in_part_and_then_whole_twice(lowered: bool):
    def f(x):
        y = x * 1.0

        def smear(w, c):
            w[1:] = w[:-1]
            w *= c
            w *= np.cos(c)
            return w

        return np.sum(smear(y, x[0]) * x)

    def g(w):
        w[1:] = w[:-1]
        w *= 0.5
        w *= np.cos(w[0])
        return np.sum(w * w)

    assert_right(f, X, lowered)
    with lowering_interpreted():
        y, y_dot = s2sad.jvp(g, (X.copy(),), (np.ones(4),), jit=lowered)
    assert y == pytest.approx(g(X.copy()))
    assert y_dot == pytest.approx((g(X + 1e-6) - g(X - 1e-6)) / 2e-6, rel=1e-7)


# --- lists in lists -------------------------------------------------------------------------------


def row_changed_behind_its_append(x):
    made = []
    for e in x:
        row = [e, x[1]]
        made.append(row)
        row[0] = 0.0
    return np.sum(np.array(made))


def one_row_appended_each_time(x):
    row = [0.0, x[1]]
    made = []
    for e in x:
        row[0] = e
        made.append(row)
    return np.sum(np.array(made))


def row_of_a_list_grown_in_a_branch(x):
    row = [x[0], 0.3]
    made = [row]
    if x[0] > 0:
        made.append([x[1], x[1]])
    row[0] = 0.0 * x[0]
    return np.sum(np.array(made))


def rows_added(x):
    made = [[e, x[0]] for e in x]
    row = made[0] + made[1]
    return len(row) * x[0]


def row_repeated(x):
    made = [[e, x[0]] for e in x]
    total = 0.0
    for row in made:
        twice = row * 2
        total = total + len(twice) * x[0]
    return total


def row_lengthened(x):
    made = [[e, x[0]] for e in x]
    row = made[0]
    row += [x[1]]
    return len(row) * x[0]


def list_and_array_added_in_place(x):
    made = [x[0]]
    made += x
    return np.sum(np.array(made))


@pytest.mark.parametrize(
    "f",
    [
        row_changed_behind_its_append, one_row_appended_each_time, row_of_a_list_grown_in_a_branch, rows_added,
        row_repeated, row_lengthened, list_and_array_added_in_place,
    ],
    ids=lambda f: f.__name__,
)  # fmt: skip
def test_lists_in_lists_are_refused_where_rows_would_be_wrong(f):
    f(X.copy())
    with pytest.raises(s2sad.S2sadError, match=r"test_sharp_programs.py:\d+:\d+: (S402|S318)"):
        s2sad.grad(f)(X)


@pytest.mark.parametrize("lowered", [False, True], ids=["emitted", "lowered"])
def test_lists_in_lists(lowered: bool):
    def rows(x):
        made = []
        for e in x:
            row = [e, x[1] * e]
            row[0] = row[0] * x[0]
            made.append(row)
        table = np.array(made)
        s = 0.0
        for a, b in made:
            s += a * b
        return np.sum(table[:, 0] * table[:, 1]) + s * made[1][0]

    def repeated(x):
        made = [x[0], x[1] * x[1]]
        same = made
        same *= 2
        return len(made) * x[0] + made[3] * x[2]

    for f in (rows, repeated):
        assert_right(f, X, lowered)
