"""Executable reference for the five seed documents of `s2sad`.

Every entry of CASES is a plain dict:

  id        unique string  (prefix k_ = Koehler slides 000/001, t_ = Tal Daniel 002,
            m_ = MIPT/fmin.xyz 003, a_ = 'Automatic Differentiation' chapter 004,
            x_ = not spelled out in a seed, implied by one (linked table / pitfall))
  f         top-level plain NumPy function as a user would write it (no AD library,
            loops / ifs / in-place writes allowed); `inspect.getsource(f)` works
  args      tuple of positional arguments (deterministic, default_rng(seed))
  argnums   int or tuple of ints: the differentiated positions
  kind      grad | jvp | vjp | jacobian | hessian | hvp | deriv
              grad      f returns a scalar;  expected has the shape of args[argnums]
                        (tuple of arrays when argnums is a tuple)
              jvp       `tangents` (tuple, one per argnums) -> output tangent
              vjp       `cotangent` (shape of f(*args))     -> like grad
              jacobian  expected.shape == out.shape + arg.shape
              hessian   expected.shape == arg.shape + arg.shape
              hvp       `v` -> H v
              deriv     `order`-th derivative of scalar f of a scalar
  expected  closed form evaluated in NumPy (never obtained from finite differences)
  closed    the closed form as text
  value     optional expected primal value
  tol       max|got-expected| / max(1, max|expected|) an implementation must reach
  check     how `expected` was verified:
              fd          6th-order central differences of f   (default)
              convention  f is not differentiable there; expected lies in the
                          Clarke interval [left, right derivative] and is the
                          value the seed prescribes
              exact       expected is checked by `extra_check` only
  cs        True -> additionally verified by complex-step differentiation
  seeds     list of seed locations;  tags: language / NumPy features needed

CUSTOM_RULES: user supplied rules (custom_vjp / custom_jvp): primal + fwd + bwd.
IMPLICIT:     solver + optimality condition (custom_root / custom_linear_solve).
API_PROGRAMS: source texts that call grad / jvp / hessian / stop_gradient / checkpoint.
DIAGNOSTICS:  programs of the field guide (zero gradient, NaN, in-place, ...) with
              what must be reported or what must simply work.

Every `expected` was verified against `f` itself by differences, complex step or contour integrals.
"""
import math

import numpy as np

CASES = []
CUSTOM_RULES = []
IMPLICIT = []
DIAGNOSTICS = []


def add(id, f, args, expected, kind="grad", argnums=0, tangents=None, cotangent=None,
        v=None, order=None, value=None, tol=1e-9, h=1e-3, fd_tol=2e-8, check="fd",
        cs=False, closed="", seeds=(), tags=(), note=""):
    CASES.append(dict(id=id, f=f, args=tuple(args), argnums=argnums, kind=kind,
                      expected=expected, tangents=tangents, cotangent=cotangent, v=v,
                      order=order, value=value, tol=tol, h=h, fd_tol=fd_tol,
                      check=check, cs=cs, closed=closed, seeds=list(seeds),
                      tags=list(tags), note=note))


def both(id, f, args, argnums, tangents, cotangent, jvp, vjp, **kw):
    """Register a primitive rule twice: pushforward and pullback."""
    cj, cv = kw.pop("closed", ("", ""))
    add(id + "_jvp", f, args, jvp, kind="jvp", argnums=argnums, tangents=tangents,
        closed=cj, **kw)
    add(id + "_vjp", f, args, vjp, kind="vjp", argnums=argnums, cotangent=cotangent,
        closed=cv, **kw)


def R(seed):
    return np.random.default_rng(seed)


def spd(seed, n, shift=1.0):
    m = R(seed).standard_normal((n, n))
    return m @ m.T / n + shift * np.eye(n)


def sym(seed, n):
    m = R(seed).standard_normal((n, n))
    return 0.5 * (m + m.T)


def wellcond(seed, n):
    return R(seed).standard_normal((n, n)) * 0.3 + np.eye(n) * 1.5


def sigm(z):
    return 1.0 / (1.0 + np.exp(-z))


def softmx(z):
    e = np.exp(z - np.max(z))
    return e / np.sum(e)


def k_sinexp_wengert(x):
    z0 = x
    z1 = z0**2
    z2 = np.exp(z1)
    z3 = np.sin(z2)
    return z3


_e = math.exp(0.09)
add("k_sinexp_wengert", k_sinexp_wengert, (0.3,), 2 * 0.3 * _e * math.cos(_e), cs=True,
    closed="same, three-address form z0..z3", seeds=["000/001: Scalar Automatic Differentiation"],
    tags=["scalar", "reassign"])


# ---- vector autodiff ------------------------------------------------------------------
def k_vec(x):
    return np.array([x[0]**3 * np.sin(x[1]), x[2] * x[1]**2])


_x = np.array([1.0, 2.0, 3.0])
add("k_vec_jvp", k_vec, (_x,), np.array([3.0 * np.sin(2.0), 0.0]), kind="jvp",
    tangents=(np.array([1.0, 0.0, 0.0]),), argnums=(0,), value=np.array([0.9092974, 12.0]), cs=True,
    closed="J e0 = [3 x0^2 sin x1, 0] = [2.7278922, 0]", seeds=["000/001: Vector Pushforward In[5]-[8]"],
    tags=["np.array-constructor", "index"])
add("k_vec_jacobian", k_vec, (_x,), np.array([[3 * np.sin(2.0), np.cos(2.0), 0.0], [0.0, 12.0, 4.0]]),
    kind="jacobian", cs=True, closed="[[3x0^2 sin x1, x0^3 cos x1, 0],[0, 2 x1 x2, x1^2]]",
    seeds=["000/001: Vector Automatic Differentiation", "Obtaining Jacobians"],
    tags=["np.array-constructor", "index"])


def k_mul(x, y):
    return x * y


def k_neg(x):
    return -x


def k_pow3(x):
    return x**3


_sc = ["001: Scalar Primitive Rules"]
both("k_mul", k_mul, (1.3, -0.7), (0, 1), (0.5, 2.0), 1.7, -0.7 * 0.5 + 1.3 * 2.0, (1.7 * -0.7, 1.7 * 1.3),
     cs=True, seeds=_sc, closed=("y xdot + x ydot", "zbar y, zbar x"))
both("k_neg", k_neg, (1.3,), (0,), (0.5,), 1.7, -0.5, (-1.7,), cs=True, seeds=_sc, closed=("-xdot", "-zbar"))
both("k_pow3", k_pow3, (1.3,), (0,), (0.5,), 1.7, 3 * 1.69 * 0.5, (1.7 * 3 * 1.69,), cs=True, seeds=_sc,
     closed=("l x^{l-1} xdot", "zbar l x^{l-1}"))


_t = math.tanh(0.4)


_r = R(101)
_dx, _dA, _db, _cy = _r.standard_normal(3), _r.standard_normal((4, 3)), _r.standard_normal(4), _r.standard_normal(4)


def k_matmat(A, B):
    return A @ B


_A, _B = R(102).standard_normal((3, 4)), R(103).standard_normal((4, 2))
_dA, _dB, _C = R(104).standard_normal((3, 4)), R(105).standard_normal((4, 2)), R(106).standard_normal((3, 2))
both("k_matmat", k_matmat, (_A, _B), (0, 1), (_dA, _dB), _C, _dA @ _B + _A @ _dB, (_C @ _B.T, _A.T @ _C), cs=True,
     seeds=["001: BLAS-level Primitive Rules"], tags=["matmul"], closed=("Adot B + A Bdot", "Cbar B^T, A^T Cbar"))


def k_matmat_triple_loop(A, B):
    m = A.shape[0]
    n = A.shape[1]
    p = B.shape[1]
    C = np.zeros((m, p))
    for i in range(m):
        for j in range(p):
            s = 0.0
            for k in range(n):
                s = s + A[i, k] * B[k, j]
            C[i, j] = s
    return C


add("k_matmat_triple_loop_vjp", k_matmat_triple_loop, (_A, _B), (_C @ _B.T, _A.T @ _C), kind="vjp", argnums=(0, 1),
    cotangent=_C, seeds=["001: vector AD via scalar operations is straightforward", "003: c_ij = sum_k a_ik b_kj"],
    tags=["for", "nested-loop", "inplace-setitem"], closed="Cbar B^T, A^T Cbar")


_xv, _dv, _cv = R(107).standard_normal(5), R(108).standard_normal(5), R(109).standard_normal(5)
_Am, _dAm, _cm = R(110).standard_normal((3, 2)), R(111).standard_normal((3, 2)), R(112).standard_normal((3, 2))

_lt = ["001: link fkoehler.site/autodiff-table"]


def k_transpose(A):
    return A.T


both("k_transpose", k_transpose, (_Am,), (0,), (_dAm,), _cm.T, _dAm.T, (_cm,), cs=True, seeds=_lt, tags=["transpose"],
     closed=("Adot^T", "Cbar^T"))


def k_inner(x, y):
    return x @ y


def k_outer(x, y):
    return np.outer(x, y)


def k_hadamard(A, B):
    return A * B


_y4, _dy4 = R(113).standard_normal(5), R(114).standard_normal(5)
both("k_inner", k_inner, (_xv, _y4), (0, 1), (_dv, _dy4), 1.7, _dv @ _y4 + _xv @ _dy4, (1.7 * _y4, 1.7 * _xv), cs=True,
     seeds=_lt + ["003: <x,y>"], tags=["matmul"], closed=("xdot.y + x.ydot", "abar y, abar x"))
_ya, _dya, _co = R(115).standard_normal(3), R(116).standard_normal(3), R(117).standard_normal((5, 3))
both("k_outer", k_outer, (_xv, _ya), (0, 1), (_dv, _dya), _co, np.outer(_dv, _ya) + np.outer(_xv, _dya),
     (_co @ _ya, _co.T @ _xv), cs=True, seeds=_lt, tags=["np.outer"], closed=("xdot y^T + x ydot^T", "Cbar y, Cbar^T x"))
_Bm, _dBm = R(118).standard_normal((3, 2)), R(119).standard_normal((3, 2))
both("k_hadamard", k_hadamard, (_Am, _Bm), (0, 1), (_dAm, _dBm), _cm, _dAm * _Bm + _Am * _dBm, (_cm * _Bm, _cm * _Am),
     cs=True, seeds=_lt, closed=("Adot*B + A*Bdot", "Cbar*B, Cbar*A"))


def k_slice(x):
    return x[1:4]


def k_pad(x):
    return np.pad(x, (2, 1))


_c8 = R(120).standard_normal(8)
both("k_slice", k_slice, (_xv,), (0,), (_dv,), _c8[:3], _dv[1:4], (np.array([0, _c8[0], _c8[1], _c8[2], 0.0]),), cs=True,
     seeds=_lt, tags=["slice"], closed=("slice(xdot)", "pad(zbar)"))
both("k_pad", k_pad, (_xv,), (0,), (_dv,), _c8, np.pad(_dv, (2, 1)), (_c8[2:7],), cs=True, seeds=_lt, tags=["np.pad"],
     closed=("pad(xdot)", "slice(zbar)"))


# ---- motivation slides: linear regression, MLP ---------------------------------------
def k_linreg_matrix(W, X, Y):
    Rm = X @ W - Y
    return 0.5 * np.sum(Rm * Rm)


_X, _W, _Y = R(130).standard_normal((6, 3)), R(131).standard_normal((3, 2)), R(132).standard_normal((6, 2))
add("k_linreg_matrix", k_linreg_matrix, (_W, _X, _Y), (_X.T @ (_X @ _W - _Y), (_X @ _W - _Y) @ _W.T, -(_X @ _W - _Y)),
    argnums=(0, 1, 2), cs=True, closed="X^T(XW-Y); (XW-Y)W^T; -(XW-Y)",
    seeds=["000/001: Linear Regression - Matrix Gradient"], tags=["matmul", "sum"])


def k_mlp_loss(W1, b1, W2, b2, X, Y):
    H = np.tanh(X @ W1 + b1)
    P = H @ W2 + b2
    D = P - Y
    return np.sum(D**2) / X.shape[0]


def _e_mlp(W1, b1, W2, b2, X, Y):
    H = np.tanh(X @ W1 + b1)
    D = 2 * (H @ W2 + b2 - Y) / X.shape[0]
    Z = (D @ W2.T) * (1 - H**2)
    return (X.T @ Z, Z.sum(0), H.T @ D, D.sum(0))


_r = R(133)
_mlp = (_r.standard_normal((3, 5)), _r.standard_normal(5), _r.standard_normal((5, 2)), _r.standard_normal(2),
        _r.standard_normal((7, 3)), _r.standard_normal((7, 2)))
add("k_mlp", k_mlp_loss, _mlp, _e_mlp(*_mlp), argnums=(0, 1, 2, 3), cs=True,
    closed="dW2=H^T D, db2=sum D, dZ=(D W2^T)(1-H^2), dW1=X^T dZ, db1=sum dZ",
    seeds=["000/001: Multi-Layer Perceptron", "004 9.1"], tags=["matmul", "broadcast", "unbroadcast"])


# ---- advection: primal / adjoint ------------------------------------------------------
def k_advect_upwind(theta, c, nt):
    u = theta.copy()
    for t in range(nt):
        u = u - c * (u - np.roll(u, 1))
    return u


def k_advect_inplace(theta, c, nt):
    u = theta.copy()
    n = u.shape[0]
    for t in range(nt):
        un = u.copy()
        for j in range(n):
            un[j] = u[j] - c * (u[j] - u[j - 1])
        u = un
    return u


def _e_adv(ub, c, nt):
    lam = ub.copy()
    for _ in range(nt):
        lam = lam - c * (lam - np.roll(lam, -1))
    return lam


_th, _ub = R(140).standard_normal(12), R(141).standard_normal(12)
for _nm, _f, _tg in (("k_advect_upwind", k_advect_upwind, ["for", "np.roll", "copy"]),
                     ("k_advect_inplace", k_advect_inplace, ["for", "nested-loop", "inplace-setitem", "neg-index", "copy"])):
    add(_nm + "_vjp", _f, (_th, 0.6, 7), (_e_adv(_ub, 0.6, 7),), kind="vjp", argnums=(0,), cotangent=_ub,
        closed="lam^k = lam^{k+1} - c(lam^{k+1} - roll(lam^{k+1},-1)): downwind, backward in time, from lam(T)=ubar",
        seeds=["000/001: Continuous Adjoint Advection Equation"], tags=_tg)
add("k_advect_cfl1_vjp", k_advect_upwind, (_th, 1.0, 5), (np.roll(_ub, -5),), kind="vjp", argnums=(0,), cotangent=_ub,
    closed="CFL=1: u=shift(theta,+5) exactly, thetabar = shift(ubar,-5): the continuous adjoint d_t lam - d_x lam = 0 run T->0",
    seeds=["000/001: Continuous Adjoint Advection Equation"], tags=["for", "np.roll"])
_M = np.eye(12) - 0.6 * (np.eye(12) - np.roll(np.eye(12), 1, axis=0))


def k_advect_speed(c, theta, nt, ubar):
    u = theta.copy()
    for t in range(nt):
        u = u - c * (u - np.roll(u, 1))
    return np.sum(ubar * u)


_D = np.eye(12) - np.roll(np.eye(12), 1, axis=0)
add("k_advect_speed", k_advect_speed, (0.6, _th, 7, _ub),
    float(_ub @ (-7 * _D @ np.linalg.matrix_power(_M, 6) @ _th)), closed="-nt ubar^T D M^{nt-1} theta",
    seeds=["000/001: Compute Graph with Diff. Physics"], tags=["for", "loop-carried"])


def _mkgrad(n):
    g = np.zeros((n + 1, n))
    for i in range(n):
        g[i, i] += 1.0
        g[i + 1, i] -= 1.0
    return g


_G2 = np.concatenate([np.kron(_mkgrad(3), np.eye(3)), np.kron(np.eye(3), _mkgrad(3))], axis=0)
_D2 = -_G2.T
_v, _cb = R(150).standard_normal(24), R(151).standard_normal(24)


def k_semi_lagrangian(s, vel, dt):
    n = s.shape[0]
    out = np.zeros(n)
    for j in range(n):
        xd = j - vel[j] * dt
        i0 = int(np.floor(xd))
        w = xd - i0
        out[j] = (1.0 - w) * s[i0 % n] + w * s[(i0 + 1) % n]
    return out


def k_semi_lagrangian_vec(s, vel, dt):
    n = s.shape[0]
    xd = np.arange(n) - vel * dt
    fl = np.floor(xd)
    i0 = fl.astype(int)
    w = xd - fl
    return (1.0 - w) * s[i0 % n] + w * s[(i0 + 1) % n]


def _e_sl(s, vel, dt, c):
    n = len(s)
    xd = np.arange(n) - vel * dt
    i0 = np.floor(xd).astype(int)
    w = xd - i0
    sb = np.zeros(n)
    np.add.at(sb, i0 % n, (1 - w) * c)
    np.add.at(sb, (i0 + 1) % n, w * c)
    return sb, -dt * (s[(i0 + 1) % n] - s[i0 % n]) * c


_s, _vl, _cs = R(152).standard_normal(8), R(153).standard_normal(8) * 1.3, R(154).standard_normal(8)
for _nm, _f, _tg in (("k_semi_lagrangian", k_semi_lagrangian, ["for", "int()", "np.floor", "data-dependent-index", "inplace-setitem"]),
                     ("k_semi_lagrangian_vec", k_semi_lagrangian_vec, ["np.floor", "astype(int)", "fancy-index"])):
    add(_nm + "_vjp", _f, (_s, _vl, 0.7), _e_sl(_s, _vl, 0.7, _cs), kind="vjp", argnums=(0, 1), cotangent=_cs,
        closed="sbar: scatter of interpolation weights; velbar_j = -dt (s[i0+1]-s[i0]) cbar_j",
        seeds=["000/001: NS example advect.semi_lagrangian"], tags=_tg)


def k_maccormack(s, vel, dt):
    fwd = k_semi_lagrangian_vec(s, vel, dt)
    bwd = k_semi_lagrangian_vec(fwd, vel, -dt)
    return fwd + 0.5 * (s - bwd)


def _slmat(n, vel, dt):
    return np.stack([_slrow(n, vel, dt, j) for j in range(n)])


def _slrow(n, vel, dt, j):
    xd = j - vel[j] * dt
    i0 = int(np.floor(xd))
    w = xd - i0
    r = np.zeros(n)
    r[i0 % n] += 1 - w
    r[(i0 + 1) % n] += w
    return r


_S1, _S2 = _slmat(8, _vl, 0.7), _slmat(8, _vl, -0.7)
add("k_maccormack_vjp", k_maccormack, (_s, _vl, 0.7), ((_S1 + 0.5 * np.eye(8) - 0.5 * _S2 @ _S1).T @ _cs,), kind="vjp",
    argnums=(0,), cotangent=_cs, closed="(S+ + (I - S- S+)/2)^T cbar", seeds=["000/001: NS example advect.mac_cormack"],
    tags=["calls-helper", "fancy-index"])


def k_smoke_rollout(s0, v0, D, G, nsteps):
    s = s0.copy()
    v = v0.copy()
    for i in range(nsteps):
        s = 0.9 * s + 0.1 * np.tanh(v[:s.shape[0]])
        v = v + 0.1 * np.concatenate([s, np.zeros(v.shape[0] - s.shape[0])])
        v = v - G @ np.linalg.solve(D @ G, D @ v)
    return np.sum(s**2) + np.sum(v**2)


def _e_smoke(s0, v0, D, G, n):
    P = np.eye(len(v0)) - G @ np.linalg.solve(D @ G, D)
    ns = len(s0)
    S, V = [s0], [v0]
    s, v = s0, v0
    for _ in range(n):
        s = 0.9 * s + 0.1 * np.tanh(v[:ns])
        w = v.copy()
        w[:ns] += 0.1 * s
        v = P @ w
        S.append(s)
        V.append(v)
    sb, vb = 2 * s, 2 * v
    for k in range(n, 0, -1):
        wb = P.T @ vb
        sb = sb + 0.1 * wb[:ns]
        vb = wb.copy()
        vb[:ns] += sb * 0.1 * (1 - np.tanh(V[k - 1][:ns])**2)
        sb = 0.9 * sb
    return sb, vb


_s9 = R(155).standard_normal(9)
add("k_smoke_rollout", k_smoke_rollout, (_s9, _v, _D2, _G2, 4), _e_smoke(_s9, _v, _D2, _G2, 4), argnums=(0, 1),
    closed="hand-written discrete adjoint of advect/buoyancy/projection steps",
    seeds=["000/001: smoke_plume demo, 10-step loop"], tags=["for", "np.linalg.solve", "concatenate", "slice", "rollout"])


# ---- linear solves --------------------------------------------------------------------
def k_linsolve(A, b):
    return np.linalg.solve(A, b)


_As, _bs = wellcond(160, 4), R(161).standard_normal(4)
_dAs, _dbs, _cx = R(162).standard_normal((4, 4)), R(163).standard_normal(4), R(164).standard_normal(4)
_xs = np.linalg.solve(_As, _bs)
_lam = np.linalg.solve(_As.T, _cx)
both("k_linsolve", k_linsolve, (_As, _bs), (0, 1), (_dAs, _dbs), _cx, np.linalg.solve(_As, _dbs - _dAs @ _xs),
     (-np.outer(_lam, _xs), _lam), cs=True, seeds=["000/001: vJp rule for Linear System Solving", "Implicit Primitive Rules"],
     tags=["np.linalg.solve"], closed=("A xdot = bdot - Adot x", "A^T lam = xbar; bbar=lam; Abar=-lam x^T"))
_Bs = R(165).standard_normal((4, 3))
_Cs = R(166).standard_normal((4, 3))
_L = np.linalg.solve(_As.T, _Cs)
add("k_linsolve_multi_rhs_vjp", k_linsolve, (_As, _Bs), (-_L @ np.linalg.solve(_As, _Bs).T, _L), kind="vjp", argnums=(0, 1),
    cotangent=_Cs, cs=True, closed="Bbar=A^{-T} Xbar; Abar=-Bbar X^T", seeds=["000/001: vJp rule for Linear System Solving"],
    tags=["np.linalg.solve"])


def k_cg_while(A, b, tol, maxiter):
    x = np.zeros(b.shape[0])
    r = b - A @ x
    p = r.copy()
    rr = r @ r
    k = 0
    while np.sqrt(rr) > tol and k < maxiter:
        Ap = A @ p
        alpha = rr / (p @ Ap)
        x = x + alpha * p
        r = r - alpha * Ap
        rr_new = r @ r
        beta = rr_new / rr
        p = r + beta * p
        rr = rr_new
        k = k + 1
    return x


def k_cg_break(A, b, tol):
    x = np.zeros(b.shape[0])
    r = b - A @ x
    p = r.copy()
    while True:
        Ap = A @ p
        rr = r @ r
        alpha = rr / (p @ Ap)
        x = x + alpha * p
        r = r - alpha * Ap
        if np.sqrt(r @ r) < tol:
            break
        beta = (r @ r) / rr
        p = r + beta * p
    return x


_Ac = spd(170, 5)
_bc, _cc = R(171).standard_normal(5), R(172).standard_normal(5)
_lamc = np.linalg.solve(_Ac, _cc)
_cgs = ["000/001: Conjugate Gradient Algorithm", "CG Compute Graph with Reverse Pass", "Unrolled Diff"]
add("k_cg_while_vjp_b", k_cg_while, (_Ac, _bc, 1e-10, 50), (_lamc,), kind="vjp", argnums=(1,), cotangent=_cc, tol=1e-7, h=1e-4,
    closed="A^{-T} xbar", seeds=_cgs, tags=["while", "CG", "and-condition"])
add("k_cg_break_vjp_b", k_cg_break, (_Ac, _bc, 1e-10), (_lamc,), kind="vjp", argnums=(1,), cotangent=_cc, tol=1e-7, h=1e-4,
    closed="A^{-T} xbar", seeds=_cgs, tags=["while-True", "break", "CG"])


_xr = [r.real for r in np.roots([1, 0, 0.8, -1]) if abs(r.imag) < 1e-12][0]


def k_newton_system(theta, u0, nmax):
    u = u0.copy()
    for k in range(nmax):
        r = np.array([u[0]**2 + u[1]**2 - theta[0], u[0] * u[1] - theta[1] + 0.1 * np.sin(u[0])])
        if np.sqrt(r @ r) < 1e-13:
            break
        J = np.array([[2.0 * u[0], 2.0 * u[1]], [u[1] + 0.1 * np.cos(u[0]), u[0]]])
        du = np.linalg.solve(J, -r)
        u = u + du
    return u


def _newton2(theta):
    u = np.array([1.9, 0.6])
    for _ in range(60):
        r = np.array([u[0]**2 + u[1]**2 - theta[0], u[0] * u[1] - theta[1] + 0.1 * np.sin(u[0])])
        J = np.array([[2 * u[0], 2 * u[1]], [u[1] + 0.1 * np.cos(u[0]), u[0]]])
        u = u - np.linalg.solve(J, r)
    return u, J


_th2 = np.array([4.0, 1.0])
_u2, _J2 = _newton2(_th2)
_cu = np.array([0.7, -1.1])
_nw = ["000/001: Newton-Raphson Algorithm", "Unroll-Diff through Newton-Raphson", "Nonlinear Solve Custom Adjoint Rule"]
both("k_newton_system", k_newton_system, (_th2, np.array([1.8, 0.5]), 30), (0,), (np.array([0.3, 0.9]),), _cu,
     np.linalg.solve(_J2, np.array([0.3, 0.9])), (np.linalg.solve(_J2.T, _cu),), tol=1e-8, seeds=_nw,
     tags=["for", "break", "np.linalg.solve", "np.array-constructor"],
     closed=("g_u udot = -g_theta thetadot (g_theta=-I)", "g_u^T lam=ubar; thetabar=-g_theta^T lam"))


def unit_square_mesh(n):
    g = np.linspace(0.0, 1.0, n + 1)
    X, Y = np.meshgrid(g, g, indexing="xy")
    coords = np.stack([X.ravel(), Y.ravel()], axis=1)
    t = []
    for j in range(n):
        for i in range(n):
            a = j * (n + 1) + i
            t.append([a, a + 1, a + n + 2])
            t.append([a, a + n + 2, a + n + 1])
    return coords, np.array(t)


_co, _tr = unit_square_mesh(3)


# ---- ridge regression / custom_root ---------------------------------------------------
def k_ridge_objective(x, theta, X, y):
    residual = np.dot(X, x) - y
    return (np.sum(residual**2) + theta * np.sum(x**2)) / 2


def k_ridge_solver(init_x, theta, X, y):
    XX = np.dot(X.T, X)
    Xy = np.dot(X.T, y)
    I = np.eye(X.shape[1])
    return np.linalg.solve(XX + theta * I, Xy)


_Xr, _yr = R(180).standard_normal((20, 4)), R(181).standard_normal(20)
_Hr = _Xr.T @ _Xr + 10.0 * np.eye(4)
_xrs = np.linalg.solve(_Hr, _Xr.T @ _yr)
add("k_ridge_solver_jacobian", k_ridge_solver, (None, 10.0, _Xr, _yr), -np.linalg.solve(_Hr, _xrs), kind="jacobian",
    argnums=1, cs=True, closed="-(X^T X + theta I)^{-1} x*  at theta=10.0",
    seeds=["000/001: Auto-Implicit Diff (Blondel et al.) ridge custom_root"],
    tags=["np.linalg.solve", "np.dot", "np.eye", "None-argument"])
add("k_ridge_optimality_F", k_ridge_objective, (R(182).standard_normal(4), 10.0, _Xr, _yr),
    _Xr.T @ (_Xr @ R(182).standard_normal(4) - _yr) + 10.0 * R(182).standard_normal(4), cs=True,
    closed="F(x,theta) = X^T(Xx-y) + theta x; F(x*,theta)=0", seeds=["000/001: F = jax.grad(f, argnums=0)"], tags=["np.dot"])


# ---- curse of unrolling ---------------------------------------------------------------
def k_gd_unrolled(theta, x0, H, c, alpha, K):
    x = x0.copy()
    for k in range(K):
        g = H @ x - c + theta * x
        x = x - alpha * g
    return x


def _e_curse(theta, x0, H, c, alpha, K):
    w, Q = np.linalg.eigh(H)
    lam = w + theta
    xs = (Q.T @ c) / lam
    d0 = Q.T @ x0 - xs
    q = 1 - alpha * lam
    dxs = -xs / lam
    return Q @ ((1 - q**K) * dxs - K * alpha * q**(K - 1) * d0)


_Hc, _cvec, _x0 = spd(190, 4, 0.2), R(191).standard_normal(4), R(192).standard_normal(4)
for _K in (1, 5, 50, 400):
    add("k_curse_unrolling_K%d" % _K, k_gd_unrolled, (0.3, _x0, _Hc, _cvec, 0.4, _K),
        _e_curse(0.3, _x0, _Hc, _cvec, 0.4, _K), kind="jvp", argnums=(0,), tangents=(1.0,),
        closed="(1-q^K) dx*/dtheta - K alpha q^{K-1}(x0-x*), q=1-alpha lam (eigenbasis): error grows like K q^{K-1} before it decays",
        seeds=["000/001: Curse of Unrolling"], tags=["for", "loop-carried"])


# ---- strategic gradient cuts / one-step differentiation -------------------------------
def k_rollout_cut(theta, u0, u1_frozen):
    u1 = np.tanh(theta * u0)
    u2 = np.tanh(theta * u1_frozen)
    return np.sum(u1**2) + np.sum(u2**2)


_u0 = R(195).standard_normal(4)
_u1 = np.tanh(0.7 * _u0)
_u2c = np.tanh(0.7 * _u1)


def k_one_step(theta, xK, W, b):
    return np.tanh(W @ xK + theta * b)


def _deq(theta, W, b):
    x = np.zeros(len(b))
    for _ in range(500):
        x = np.tanh(W @ x + theta * b)
    return x


_Wd, _bd = R(196).standard_normal((4, 4)) * 0.25, R(197).standard_normal(4)
_xd = _deq(0.6, _Wd, _bd)
add("k_one_step_diff", k_one_step, (0.6, _xd, _Wd, _bd), (1 - _xd**2) * _bd, kind="jvp", argnums=(0,), tangents=(1.0,), cs=True,
    closed="one-step derivative dF/dtheta at the fixed point (Bolte et al.), = full derivative only if dF/dx=0",
    seeds=["000/001: Additional Topics (One-step differentiation)"], tags=["stop_gradient"])


_Ao, _h0 = R(198).standard_normal((3, 3)) * 0.4, R(199).standard_normal(3)


def k_node_tanh_euler(theta, h0, dt, nt):
    h = h0.copy()
    for t in range(nt):
        h = h + dt * np.tanh(theta @ h)
    return 0.5 * np.sum(h**2)


def _e_node(theta, h0, dt, nt):
    H = [h0]
    for _ in range(nt):
        H.append(H[-1] + dt * np.tanh(theta @ H[-1]))
    a, g = H[-1].copy(), np.zeros_like(theta)
    for k in range(nt - 1, -1, -1):
        s = (1 - np.tanh(theta @ H[k])**2) * a
        g += dt * np.outer(s, H[k])
        a = a + dt * theta.T @ s
    return g, a


add("k_node_tanh", k_node_tanh_euler, (_Ao, _h0, 0.05, 30), _e_node(_Ao, _h0, 0.05, 30), argnums=(0, 1), cs=False,
    closed="discrete adjoint a_k = a_{k+1}+dt (df/dh)^T a_{k+1}; thetabar += dt (df/dtheta)^T a_{k+1}; a_0 = dL/dh0",
    seeds=["000/001: Neural ODEs", "004 E.3 continuous adjoint"], tags=["for", "loop-carried", "tape"])


def k_deq_iterate(W, b, x, iters):
    z = np.zeros(b.shape[0])
    for k in range(iters):
        z = np.tanh(W @ z + b + x)
    return z


_zd = _deq(1.0, _Wd, _bd + 0.3)
_cz = R(200).standard_normal(4)
_Dz = np.diag(1 - _zd**2)
_uz = np.linalg.solve(np.eye(4) - _Dz @ _Wd, np.eye(4)).T @ _cz
add("k_deq_vjp", k_deq_iterate, (_Wd, _bd, 0.3 * np.ones(4), 200), (np.outer(_Dz @ _uz, _zd), _Dz @ _uz, _Dz @ _uz),
    kind="vjp", argnums=(0, 1, 2), cotangent=_cz, tol=1e-8,
    closed="(I - D W)^T u = zbar; Wbar = D u z^T; bbar = xbar = D u, D=diag(1-z^2)",
    seeds=["000/001: Deep Equilibrium Networks", "004 9.4"], tags=["for", "fixed-point"])

# =====================================================================================
# 002  Tal Daniel, "Tutorial 04 - Differentiation & Autograd"
# =====================================================================================
_tc = ["002: Common Derivatives"]


_x5, _a5 = R(201).standard_normal(5), R(202).standard_normal(5)


def t_Ax(x, A):
    return A @ x


_A45, _A55 = R(203).standard_normal((4, 5)), R(204).standard_normal((5, 5))
add("t_Ax_jacobian", t_Ax, (_x5, _A45), _A45, kind="jacobian", cs=True,
    closed="A (numerator layout); the seed's nabla_x Ax = A^T is the denominator layout", seeds=_tc, tags=["matmul"])


def t_xTAx(x, A):
    return x @ A @ x


add("t_xTAx", t_xTAx, (_x5, _A55), ((_A55 + _A55.T) @ _x5, np.outer(_x5, _x5)), argnums=(0, 1), cs=True, closed="(A+A^T)x ; x x^T",
    seeds=_tc, tags=["matmul", "chained-matmul"])


def t_weighted(x, A, s, W):
    r = x - A @ s
    return r @ W @ r


_s3, _Aw, _Ww = R(205).standard_normal(3), R(206).standard_normal((5, 3)), sym(207, 5)
_rw = _x5 - _Aw @ _s3
add("t_weighted_ls", t_weighted, (_x5, _Aw, _s3, _Ww), (2 * _Ww @ _rw, -2 * _Aw.T @ _Ww @ _rw), argnums=(0, 2), cs=True,
    closed="d/dx = 2W(x-As); d/ds = -2 A^T W (x-As), W symmetric", seeds=_tc, tags=["matmul"])


def t_logdet(A):
    return np.log(np.linalg.det(A))


_Ap = wellcond(208, 4)
add("t_logdet", t_logdet, (_Ap,), np.linalg.inv(_Ap).T, cs=True, closed="A^{-T}", seeds=_tc + ["003 ex 29"], tags=["np.linalg.det"])


_An = _Ap.copy()
_An[:, 0] = -_An[:, 0]


def t_trAB(A, B):
    return np.trace(A @ B)


_B54 = R(209).standard_normal((5, 4))
add("t_trAB", t_trAB, (_A45, _B54), (_B54.T, _A45.T), argnums=(0, 1), cs=True, closed="B^T, A^T", seeds=_tc, tags=["np.trace"])


def t_lagrangian_multi(x, lams, A, b):
    f = 0.5 * np.sum(x**2) + np.sum(np.exp(x))
    L = f
    for i in range(A.shape[0]):
        L = L - lams[i] * (A[i] @ x - b[i])
    return L


_lm, _Al, _bl = R(210).standard_normal(2), R(211).standard_normal((2, 5)), R(212).standard_normal(2)
add("t_lagrangian_multi", t_lagrangian_multi, (_x5, _lm, _Al, _bl), (_x5 + np.exp(_x5) - _Al.T @ _lm, -(_Al @ _x5 - _bl)), argnums=(0, 1), cs=True,
    closed="grad_x f - sum lam_i grad g_i ; -g_i", seeds=["002: Multiple Constraints"], tags=["for", "row-index"])
add("t_lagrangian_hessian_x", t_lagrangian_multi, (_x5, _lm, _Al, _bl), np.eye(5) + np.diag(np.exp(_x5)), kind="hessian",
    closed="I + diag(e^x): block of the d+m KKT system", seeds=["002: d+m equations in d+m unknowns"], tags=["for"])


# ---- numeric vs symbolic --------------------------------------------------------------
def t_func(x):
    return 3 * x ** 3 - 5 * x ** 2


add("t_func", t_func, (1.5,), 5.25, cs=True, closed="9x^2-10x = 5.25 at 1.5", seeds=["002: AutoDiff Is NOT Numerical Differentiation"])
add("t_func_second", t_func, (1.5,), 17.0, kind="deriv", order=2, closed="18x-10 = 17", seeds=["002: func"])


def t_sum_uv(x):
    u = np.sin(x)
    v = np.exp(x)
    return u + v


def t_prod_uv(x):
    u = np.sin(x)
    v = np.exp(x)
    return u * v


add("t_sum_rule", t_sum_uv, (0.7,), math.cos(0.7) + math.exp(0.7), cs=True, closed="u'+v'", seeds=["002: Symbolic Differentiation"])
add("t_prod_rule", t_prod_uv, (0.7,), math.exp(0.7) * (math.cos(0.7) + math.sin(0.7)), cs=True, closed="v u' + u v'", seeds=["002: Symbolic Differentiation"])


_th = math.asin(math.sqrt(0.2))


# ---- dual numbers ---------------------------------------------------------------------
def t_dual_add(x, y):
    return x + y


add("t_dual_add", t_dual_add, (2.0, 3.0), 0.5 + 0.25, kind="jvp", argnums=(0, 1), tangents=(0.5, 0.25), cs=True, closed="x'+y'",
    seeds=["002: AutoDiff Forward Mode dual numbers"])


def t_compose(x):
    def_g = np.log(x)
    return np.sqrt(def_g)


add("t_dual_compose", t_compose, (3.0,), 0.5 / math.sqrt(math.log(3.0)) / 3.0 * 2.0, kind="jvp", argnums=(0,), tangents=(2.0,), cs=True,
    closed="f'(g(x)) g'(x) x'", seeds=["002: f(g(x+eps x'))"])


def t_directional(x, A):
    return np.sin(A @ x)


_d5 = R(213).standard_normal(5)
add("t_directional", t_directional, (_x5, _A45), np.cos(_A45 @ _x5) * (_A45 @ _d5), kind="jvp", argnums=(0,), tangents=(_d5,), cs=True,
    closed="J v, without forming J", seeds=["002: Directional Derivatives R^n->R^m"], tags=["matmul"])


def t_pipeline(x, W1, W2, W3):
    f1 = np.tanh(W1 @ x)
    f2 = np.sin(W2 @ f1)
    f3 = W3 @ (f2 * f2)
    return f3


_W1, _W2, _W3 = R(215).standard_normal((4, 5)), R(216).standard_normal((3, 4)), R(217).standard_normal((2, 3))
_f1 = np.tanh(_W1 @ _x5)
_f2 = np.sin(_W2 @ _f1)
add("t_jacobian_product", t_pipeline, (_x5, _W1, _W2, _W3),
    (_W3 @ np.diag(2 * _f2)) @ (np.diag(np.cos(_W2 @ _f1)) @ _W2) @ (np.diag(1 - _f1**2) @ _W1), kind="jacobian", cs=True,
    closed="J f3 . J f2 . J f1", seeds=["002: Jacobian Matrix Perspective"], tags=["matmul"])


def t_doubling(x):
    y = x * 2
    while np.linalg.norm(y) < 1000:
        y = y * 2
    return y


_xdbl = np.array([0.9, -0.6, 0.4])
add("t_while_doubling_vjp", t_doubling, (_xdbl,), (np.array([102.4, 1024.0, 0.1024]),), kind="vjp", argnums=(0,),
    cotangent=np.array([0.1, 1.0, 0.0001]), closed="2^k v with k = first k such that |2^k x|>=1000; here 2^10 -> [1.024e2,1.024e3,1.024e-1]",
    seeds=["002: vector-Jacobian product In[12]"], tags=["while", "np.linalg.norm-in-condition"])

# =====================================================================================
# 003  MIPT / fmin.xyz  matrix calculus and automatic differentiation
# =====================================================================================


_x4, _A34 = R(301).standard_normal(4), R(302).standard_normal((3, 4))
_T = np.zeros((3, 3, 4))
for _i in range(3):
    _T[_i, _i] = _x4


def m03_f(x, A, b, c):
    return 0.5 * x.T @ A @ x + b.T @ x + c


_A44, _b4 = R(304).standard_normal((4, 4)), R(305).standard_normal(4)
add("m03_hessian", m03_f, (_x4, _A44, _b4, 2.5), 0.5 * (_A44 + _A44.T), kind="hessian", closed="(A+A^T)/2", seeds=["003 AD ex 4"])


def m04_f(x):
    return -np.exp(-x.T @ x)


_x3 = R(306).standard_normal(3) * 0.6
_q = _x3 @ _x3
add("m04_hessian", m04_f, (_x3,), 2 * np.exp(-_q) * (np.eye(3) - 2 * np.outer(_x3, _x3)), kind="hessian", closed="2e^{-x'x}(I-2xx')", seeds=["003 ex 4"])


def m05_f_sum(x, A, b):
    r = A @ x - b
    return 0.5 * np.sum(r * r)


_b3 = R(307).standard_normal(3)
add("m05_sum_hvp", m05_f_sum, (_x4, _A34, _b3), _A34.T @ (_A34 @ np.arange(4.0)), kind="hvp", v=np.arange(4.0), closed="A'A v", seeds=["003 ex 5", "003 HVP"])


def m07_f(x, A):
    return np.linalg.norm(A @ x)


add("m07", m07_f, (_x4, _A34), _A34.T @ _A34 @ _x4 / np.linalg.norm(_A34 @ _x4), closed="A'Ax/|Ax|", seeds=["003 ex 7"], tags=["np.linalg.norm"])


def m08_f(x):
    return -1 / (1 + x @ x)


_q4 = 1 + _x4 @ _x4
add("m08", m08_f, (_x4,), 2 * _x4 / _q4**2, cs=True, closed="2x/(1+x'x)^2", seeds=["003 ex 8"])
add("m08_hessian", m08_f, (_x4,), 2 * np.eye(4) / _q4**2 - 8 * np.outer(_x4, _x4) / _q4**3, kind="hessian",
    closed="2I/(1+q)^2 - 8xx'/(1+q)^3", seeds=["003 ex 8"])


_Apd = spd(308, 4)


def m10_f(X):
    return np.linalg.det(X)


_X3 = wellcond(311, 3)
_X3i = np.linalg.inv(_X3)


def m11_f(X):
    return np.log(np.linalg.det(X))


_dX = R(312).standard_normal((3, 3))
add("m11_hvp", m11_f, (_X3,), -(_X3i @ _dX @ _X3i).T, kind="hvp", v=_dX, closed="-(X^{-1} dX X^{-1})'", seeds=["003 ex 11"], tags=["np.linalg.det"])


def m12_f(x, A, b):
    return np.log(np.sum(np.exp(A @ x + b)))


_A64, _b6 = R(313).standard_normal((6, 4)), R(314).standard_normal(6)
_p = softmx(_A64 @ _x4 + _b6)
add("m12_hessian", m12_f, (_x4, _A64, _b6), _A64.T @ (np.diag(_p) - np.outer(_p, _p)) @ _A64, kind="hessian", closed="A'(diag p - pp')A", seeds=["003 ex 12"])
_s, _c = math.sin(1.2 * -0.7), math.cos(1.2 * -0.7)


def m14_sum_eig(X):
    return np.sum(np.linalg.eigvalsh(0.5 * (X + X.T)))


def m14_prod_eig(X):
    return np.prod(np.linalg.eigvalsh(0.5 * (X + X.T)))


def m14_sum_eig_general(X):
    return np.sum(np.linalg.eigvals(X).real)


def m14_trace(X):
    return np.trace(X)


_Xs = sym(315, 4) + np.diag([1.0, 2.0, 3.0, 4.0])
_Xg = np.diag([1.0, 2.0, 3.0, 4.0]) + 0.1 * R(316).standard_normal((4, 4))
add("m14_sum_eig", m14_sum_eig, (_Xs,), np.eye(4), closed="I", seeds=["003 ex 14"], tags=["np.linalg.eigvalsh"])
add("m14_prod_eig", m14_prod_eig, (_Xs,), np.linalg.det(_Xs) * np.linalg.inv(_Xs), closed="det X X^{-T} (X symmetric)", seeds=["003 ex 14"],
    tags=["np.linalg.eigvalsh", "np.prod"], h=1e-3)
add("m14_sum_eig_general", m14_sum_eig_general, (_Xg,), np.eye(4), closed="I", seeds=["003 ex 14"], tags=["np.linalg.eigvals"])
add("m14_trace", m14_trace, (_Xs,), np.eye(4), cs=True, closed="I", seeds=["003 ex 14, 29b", "003 d(tr X)"], tags=["np.trace"])


def m20_f(x, a):
    return np.log(1 + np.exp(np.dot(a, x)))


_a4 = R(322).standard_normal(4)
_sg = sigm(_a4 @ _x4)
add("m20", m20_f, (_x4, _a4), _sg * _a4, cs=True, closed="s(<a,x>) a", seeds=["003 ex 20", "003 AD ex 7"])


def m21_f(x):
    return np.linalg.norm(x)**3 / 3


_n4 = np.linalg.norm(_x4)
add("m21_hessian", m21_f, (_x4,), _n4 * np.eye(4) + np.outer(_x4, _x4) / _n4, kind="hessian", closed="|x| I + xx'/|x|", seeds=["003 ex 21"], tags=["np.linalg.norm"])


def m23_f(W, b, x, y):
    z = W @ x + b
    z = z - np.max(z)
    e = np.exp(z)
    p = e / np.sum(e)
    return -np.sum(y * np.log(p))


_W34, _bb3 = R(325).standard_normal((3, 4)), R(326).standard_normal(3)
_y1h = np.array([0.0, 1.0, 0.0])
_p3 = softmx(_W34 @ _x4 + _bb3)
add("m23_learning", m23_f, (_W34, _bb3, _x4, _y1h), (np.outer(_p3 - _y1h, _x4), _p3 - _y1h), argnums=(0, 1), closed="(p-y)x', p-y",
    seeds=["003 ex 23 (figure 'Learning', lost in the seed: linear layer + softmax + cross-entropy assumed)"], tags=["np.max", "reassign"])


def m24_f(x):
    q = np.dot(x, x)
    return q**q


_x3b = np.array([0.7, -0.4, 0.9])
_qq = _x3b @ _x3b
_lq = math.log(_qq) + 1
add("m24_hessian", m24_f, (_x3b,), 2 * _qq**_qq * (_lq * np.eye(3) + 2 * (_lq**2 + 1 / _qq) * np.outer(_x3b, _x3b)), kind="hessian",
    closed="2q^q[(ln q+1) I + 2((ln q+1)^2 + 1/q) xx']", seeds=["003 ex 24"], tags=["pow-variable-exponent"])


def m25_f(x, A):
    return np.dot(A @ x, x) / np.linalg.norm(x)**2


_A4s = sym(327, 4)
_q2 = _x4 @ _x4
_ray = _x4 @ _A4s @ _x4 / _q2
_g25 = 2 * (_A4s @ _x4 - _ray * _x4) / _q2
add("m25_rayleigh_hessian", m25_f, (_x4, _A4s), 2 / _q2 * (_A4s - _ray * np.eye(4) - np.outer(_g25, _x4) - np.outer(_x4, _g25)), kind="hessian",
    closed="2/|x|^2 (A - R I - g x' - x g')", seeds=["003 ex 25"], tags=["np.linalg.norm"])


def m26_f(x, A):
    return 0.5 * np.linalg.norm(A - np.outer(x, x), "fro")**2


add("m26", m26_f, (_x4, _A4s), 2 * (_q2 * _x4 - _A4s @ _x4), closed="2(|x|^2 x - Ax)", seeds=["003 ex 26"], tags=["np.outer"])
add("m26_hessian", m26_f, (_x4, _A4s), 2 * (_q2 * np.eye(4) + 2 * np.outer(_x4, _x4) - _A4s), kind="hessian", fd_tol=1e-6,
    closed="2(|x|^2 I + 2xx' - A)", seeds=["003 ex 26"], tags=["np.outer"])


def m27_fro(x):
    return np.linalg.norm(np.outer(x, x))
add("m27_fro_hessian", m27_fro, (_x4,), 2 * np.eye(4), kind="hessian", fd_tol=1e-6, closed="2I via the Frobenius norm of a rank-1 matrix", seeds=["003 ex 27"],
    tags=["np.linalg.norm"])


def m29_trinv(X):
    return np.trace(np.linalg.inv(X))


add("m29_trinv", m29_trinv, (_X3,), -(_X3i @ _X3i).T, cs=True, closed="-(X^{-2})'  (the seed's option d lost the minus sign)", seeds=["003 ex 29d"],
    tags=["np.linalg.inv", "np.trace"])


def m30_f(t, A):
    return np.linalg.det(A - t * np.eye(A.shape[0]))


_M30 = _Xg - 0.3 * np.eye(4)
_M30i = np.linalg.inv(_M30)
add("m30_second", m30_f, (0.3, _Xg), float(np.linalg.det(_M30) * (np.trace(_M30i)**2 - np.trace(_M30i @ _M30i))), kind="deriv", order=2,
    closed="det(M)(tr(M^{-1})^2 - tr(M^{-2}))", seeds=["003 ex 30"], tags=["np.linalg.det"])


_A33, _B33 = R(328).standard_normal((3, 3)), R(329).standard_normal((3, 3))

# ---- differential rules (003 'Properties') ---------------------------------------------
_df = ["003: Differential properties"]
_Xd, _Yd, _dXd, _dYd = wellcond(330, 3), R(331).standard_normal((3, 3)), R(332).standard_normal((3, 3)), R(333).standard_normal((3, 3))


def m_d_AXB(X, A, B):
    return A @ X @ B


def m_d_ratio(X, phi):
    return X / phi


def m_d_inv(X):
    return np.linalg.inv(X)


def m_d_alphaX_plus_Y(X, Y):
    return 2.5 * X + Y.T


def m_trace_cyclic(A, B, C):
    return np.trace(A @ B @ C) - np.trace(C @ A @ B)


def m_inner_adjoint(x, A, y):
    return np.dot(x, A @ y) - np.dot(A.T @ x, y)


add("m_d_AXB", m_d_AXB, (_Xd, _A33, _B33), _A33 @ _dXd @ _B33, kind="jvp", argnums=(0,), tangents=(_dXd,), cs=True, closed="A dX B", seeds=_df)
add("m_d_ratio", m_d_ratio, (_Xd, 1.7), (1.7 * _dXd - 0.4 * _Xd) / 1.7**2, kind="jvp", argnums=(0, 1), tangents=(_dXd, 0.4), cs=True, closed="(phi dX - dphi X)/phi^2", seeds=_df)
add("m_d_inv", m_d_inv, (_Xd,), -np.linalg.inv(_Xd) @ _dXd @ np.linalg.inv(_Xd), kind="jvp", argnums=(0,), tangents=(_dXd,), cs=True, closed="-X^{-1} dX X^{-1}", seeds=_df, tags=["np.linalg.inv"])
add("m_d_linear", m_d_alphaX_plus_Y, (_Xd, _Yd), 2.5 * _dXd + _dYd.T, kind="jvp", argnums=(0, 1), tangents=(_dXd, _dYd), cs=True, closed="a dX + (dY)'", seeds=_df)
add("m_d_det", m10_f, (_Xd,), float(np.linalg.det(_Xd) * np.sum(np.linalg.inv(_Xd).T * _dXd)), kind="jvp", argnums=(0,), tangents=(_dXd,), cs=True, closed="det X <X^{-T},dX>", seeds=_df)
add("m_d_tr", m14_trace, (_Xd,), float(np.trace(_dXd)), kind="jvp", argnums=(0,), tangents=(_dXd,), cs=True, closed="<I,dX>", seeds=_df)
add("m_trace_cyclic", m_trace_cyclic, (_Xd, _Yd, _A33), (np.zeros((3, 3)),) * 3, argnums=(0, 1, 2), cs=True, closed="0: tr(ABC)=tr(CAB)", seeds=["003: cyclic property"])
add("m_inner_adjoint", m_inner_adjoint, (_x4[:3], _A33, _bb3), (np.zeros(3), np.zeros((3, 3)), np.zeros(3)), argnums=(0, 1, 2), cs=True, closed="0: <x,Ay>=<A'x,y>", seeds=["003: <x,Ay>=<A^T x,y>"])


def m_cond_number(A):
    return np.linalg.norm(A, 2) * np.linalg.norm(np.linalg.inv(A), 2)


_U, _sv, _Vt = np.linalg.svd(_X3)
add("m_cond_number", m_cond_number, (_X3,), np.outer(_U[:, 0], _Vt[0]) / _sv[-1] - _sv[0] / _sv[-1]**2 * np.outer(_U[:, -1], _Vt[-1]),
    closed="u1 v1'/s_n - s_1/s_n^2 u_n v_n'", seeds=["003: condition number"], tags=["np.linalg.norm-2", "svd", "np.linalg.inv"])


def m_expm_series(A, K):
    E = np.eye(A.shape[0])
    T = np.eye(A.shape[0])
    for k in range(1, K):
        T = T @ A / k
        E = E + T
    return np.trace(E)


def _expm(A):
    w, V = np.linalg.eig(A)
    return (V @ np.diag(np.exp(w)) @ np.linalg.inv(V)).real


add("m_expm_trace", m_expm_series, (_X3, 40), _expm(_X3).T, closed="d tr(e^A)/dA = (e^A)'", seeds=["003: e^A = sum A^k/k!"], tags=["for", "loop-index-arith"], tol=1e-8)


# ---- autodidact vjps with unbroadcast ----------------------------------------------------
def m_bc_add(x, y):
    return x + y


def m_bc_sub(x, y):
    return x - y


_ad = ["003: Vector-Jacobian Products from autodidact (unbroadcast)"]
_p1, _p2, _g43 = R(340).standard_normal((4, 1)) + 2, R(341).standard_normal(3) + 3, R(342).standard_normal((4, 3))
add("m_unbroadcast_add", m_bc_add, (_p1, _p2), (_g43.sum(1, keepdims=True), _g43.sum(0)), kind="vjp", argnums=(0, 1), cotangent=_g43, cs=True, closed="unbroadcast(g), unbroadcast(g)", seeds=_ad, tags=["unbroadcast"])
add("m_unbroadcast_sub", m_bc_sub, (_p1, _p2), (_g43.sum(1, keepdims=True), -_g43.sum(0)), kind="vjp", argnums=(0, 1), cotangent=_g43, cs=True, closed="unbroadcast(g), unbroadcast(-g)", seeds=_ad, tags=["unbroadcast"])


# ---- AD exercises -----------------------------------------------------------------------
def m_taylor_cosine(x):
    ans = currterm = 1.0
    i = 0
    while np.abs(currterm) > 1e-12:
        currterm = -currterm * x**2 / ((2 * i + 1) * (2 * i + 2))
        ans = ans + currterm
        i += 1
    return ans


def m_taylor_cosine_for(x, K):
    ans = 0.0
    sign = 1.0
    fact = 1.0
    for k in range(K):
        ans = ans + sign * x**(2 * k) / fact
        sign = -sign
        fact = fact * (2 * k + 1) * (2 * k + 2)
    return ans


add("m_ad1_taylor_cosine", m_taylor_cosine, (1.1,), -math.sin(1.1), value=math.cos(1.1), tol=1e-10, closed="-sin x", seeds=["003 AD ex 1"], tags=["while", "chained-assign", "augassign", "np.abs-in-condition"])
add("m_ad1_taylor_cosine_for", m_taylor_cosine_for, (1.1, 6), -sum((-1)**k * 1.1**(2 * k + 1) / math.factorial(2 * k + 1) for k in range(5)),
    closed="-(truncated sine series), exact for the truncated program; x**0 term must give 0", seeds=["003 AD ex 1"], tags=["for", "loop-index-arith", "pow-zero"])


_Xl, _Yl = np.array([1.0, 2, 3, 4]), np.array([2.0, 4, 6, 8])


def m_linreg_train(w0, X, Y, lr, n_iters):
    w = w0
    for epoch in range(n_iters):
        y_pred = w * X
        dw = np.dot(2 * X, y_pred - Y).mean()
        w = w - lr * dw
    return w


add("m_ad2_linreg_loop", m_linreg_train, (0.0, _Xl, _Yl, 0.01, 20), (1 - 0.01 * 2 * 30.0)**20, value=2 - 2 * 0.4**20, cs=True,
    closed="w_n = 2 + (w0-2) q^n, q = 1-0.02*sum x^2 = 0.4: dw_n/dw0 = q^n; w after 20 iterations = 2-2*0.4^20", seeds=["003 AD ex 2 training loop"], tags=["for", "np.dot"])


def m_tanh(x):
    return np.tanh(x)


_t = math.tanh(0.5)
add("m_ad3_tanh_4th", m_tanh, (0.5,), (1 - _t**2) * (16 * _t - 24 * _t**3), kind="deriv", order=4, closed="(1-t^2)(16t-24t^3)", seeds=["003 AD ex 3"], tags=["nested-grad"])
add("m_ad3_tanh_2nd", m_tanh, (0.5,), -2 * _t * (1 - _t**2), kind="deriv", order=2, closed="-2t(1-t^2)", seeds=["003 AD ex 3"], tags=["nested-grad"])


def m_trAXB(X, A, B):
    return np.trace(A @ X @ B)


_X42, _B23 = R(344).standard_normal((4, 2)), R(345).standard_normal((2, 3))
add("m_ad5_trAXB", m_trAXB, (_X42, _A34, _B23), _A34.T @ _B23.T, cs=True, closed="A'B'", seeds=["003 AD ex 5"], tags=["np.trace"])

# =====================================================================================
# 004  "Automatic Differentiation" chapter
# =====================================================================================


def a_running(x1, x2):
    return (x1 + x2) * np.sin(x1)


def a_running_wengert(x1, x2):
    v1 = x1
    v2 = x2
    v3 = v1 + v2
    v4 = np.sin(v1)
    v5 = v3 * v4
    return v5


_g1 = math.sin(1.0) + 3 * math.cos(1.0)
both("a_running", a_running, (1.0, 2.0), (0, 1), (1.0, 0.0), 1.0, _g1, (_g1, math.sin(1.0)), cs=True, value=3 * math.sin(1.0),
     seeds=["004 2.1-2.2, 3.3, 4.2 worked example"], tags=["fan-out"],
     closed=("df/dx1 = sin x1 + (x1+x2) cos x1 = 2.4623778 (seed: 2.463)", "(2.4623778, 0.8414710) (seed: 2.463, 0.8415)"))
add("a_running_second_seed", a_running, (1.0, 2.0), math.sin(1.0), kind="jvp", argnums=(0, 1), tangents=(0.0, 1.0), cs=True,
    closed="df/dx2 = sin x1", seeds=["004 3.3 second pass"])
add("a_running_wengert", a_running_wengert, (1.0, 2.0), (_g1, math.sin(1.0)), argnums=(0, 1), cs=True, closed="same, Wengert list form v1..v5",
    seeds=["004 2.2 Wengert list"], tags=["fan-out"])


def a_x2sin(x):
    return x**2 * np.sin(x)


add("a_x2sin", a_x2sin, (1.0,), 2 * math.sin(1.0) + math.cos(1.0), cs=True, closed="2 sin 1 + cos 1 = 2.2232", seeds=["004 3.2 example"])
_u, _v5, _g5 = R(401).random(5) + 0.5, R(402).random(5) + 0.5, R(403).standard_normal(5)
_us = R(404).standard_normal(5)


def a_relu_where(u):
    return np.sum(np.where(u > 0, u, 0.0))


def a_relu_if(u):
    if u > 0:
        return u
    else:
        return 0.0 * u


def a_abs_at_zero(u):
    return np.sum(np.abs(u))


_sub = ["004 2.3 Non-smooth operations", "004 8.3 Subgradients", "004 A.2"]
add("a_relu_where_at_zero", a_relu_where, (np.array([-1.0, 0.0, 2.0]),), np.array([0.0, 0.0, 1.0]), check="convention", closed="0 at 0",
    seeds=_sub, tags=["np.where", "subgradient"])
add("a_relu_if_at_zero", a_relu_if, (0.0,), 0.0, check="convention", closed="else branch: 0", seeds=_sub, tags=["if-else", "multiple-return", "subgradient"])
add("a_abs_at_zero", a_abs_at_zero, (np.array([-1.0, 0.0, 2.0]),), np.array([-1.0, 0.0, 1.0]), check="convention", closed="|x|'(0)=0", seeds=_sub, tags=["np.abs", "subgradient"])


# ---- 4.3 / I.2 tables: vector rules ------------------------------------------------------
def a_affine(x, a, b):
    return a * x + b


def a_softmax(x):
    e = np.exp(x - np.max(x))
    return e / np.sum(e)


def a_logsumexp(x):
    m = np.max(x)
    return m + np.log(np.sum(np.exp(x - m)))


def a_norm(x):
    return np.sqrt(np.sum(x**2))


_vt = ["004 4.3 VJP rules", "004 I.2 VJP Rules Quick Reference"]
add("a_vjp_affine", a_affine, (_us, 1.3, 0.4), (1.3 * _g5, float(_us @ _g5), float(np.sum(_g5))), kind="vjp", argnums=(0, 1, 2), cotangent=_g5, cs=True, closed="ybar a", seeds=_vt, tags=["unbroadcast"])
_g3 = R(406).standard_normal(3)
_sm = softmx(_us)
add("a_vjp_softmax", a_softmax, (_us,), (_g5 * _sm - (_g5 @ _sm) * _sm,), kind="vjp", argnums=(0,), cotangent=_g5, closed="ybar*y - (ybar.y) y", seeds=_vt + ["001 linked table"], tags=["np.max"])
add("a_jvp_softmax", a_softmax, (_us,), _sm * _g5 - _sm * (_sm @ _g5), kind="jvp", argnums=(0,), tangents=(_g5,), closed="z*xdot - z(z.xdot)", seeds=["001 linked table"], tags=["np.max"])
add("a_lse_large", a_logsumexp, (np.array([1000.0, 1000.5, 999.0]),), softmx(np.array([1000.0, 1000.5, 999.0])), closed="softmax(x); no overflow at x=1000",
    seeds=["004 F.2 exp overflow", "004 8.2"], tags=["np.max", "stability"], fd_tol=1e-8)
add("a_vjp_norm", a_norm, (_us,), (1.7 * _us / np.linalg.norm(_us),), kind="vjp", argnums=(0,), cotangent=1.7, closed="ybar x/|x|", seeds=_vt)


# ---- 5.1, 6.1, 6.2, 6.3 -------------------------------------------------------------------
def a_sin_dot(x, y):
    z = x @ y
    w = np.sin(z)
    return w


add("a_sin_dot", a_sin_dot, (np.array([1.0, 2.0]), np.array([3.0, 4.0])), (math.cos(11.0) * np.array([3.0, 4.0]), math.cos(11.0) * np.array([1.0, 2.0])), argnums=(0, 1),
    cs=True, closed="cos(x.y) y, cos(x.y) x with x.y=11", seeds=["004 5.1 PyTorch dynamic graph"])


def a_jvp_example(x):
    return np.array([x[0]**2, np.sin(x[1])])
add("a_jac_example", a_jvp_example, (np.array([1.0, 2.0]),), np.diag([2.0, math.cos(2.0)]), kind="jacobian", cs=True, closed="diag(2x0, cos x1)", seeds=["004 6.3"])


# ---- 7.1 second derivatives ---------------------------------------------------------------
def a_cg(x):
    return x[0]**3 + x[1]**2


def a_x4(x):
    return x**4
add("a_create_graph_hess", a_cg, (np.array([1.0, 2.0]),), np.array([[6.0, 0.0], [0.0, 2.0]]), kind="hessian", closed="[[6x0,0],[0,2]]; d2f/dx0dx0=6, d2f/dx0dx1=0", seeds=["004 7.1"])
add("a_x4_second", a_x4, (2.0,), 48.0, kind="deriv", order=2, closed="12x^2=48", seeds=["004 7.1"], tags=["nested-grad"])
add("a_x4_third", a_x4, (2.0,), 48.0, kind="deriv", order=3, closed="24x=48 at x=2 (the seed comment prints 24: erratum)", seeds=["004 7.1"], tags=["nested-grad"])


def a_jet(t, x, v):
    y = x + t * v
    return np.exp(y[0]) * np.sin(y[1])


_xj, _vj = np.array([0.3, 0.8]), np.array([1.0, -0.5])
_cj = complex(1.0, -0.5)
for _k in (1, 2, 3, 4):
    add("a_jet_order%d" % _k, a_jet, (0.0, _xj, _vj), float((_cj**_k * np.exp(complex(0.3, 0.8))).imag), kind="deriv", order=_k,
        closed="d^k/dt^k e^{y0} sin y1 = Im((v0+i v1)^k e^{x0+i x1}); jet coefficient = this / k!", seeds=["004 7.3 Taylor mode"], tags=["nested-grad", "jet"])


def a_tf_tape(x):
    return np.sum(x**2)
add("a_tf_nested_tape", a_tf_tape, (np.array([1.0, 2.0]),), 2 * np.eye(2), kind="hessian", closed="2I", seeds=["004 B.3 nested tapes"])


# ---- 8.1 / Ex 7 checkpointing ---------------------------------------------------------------
def a_chain(Ws, v0):
    v = v0
    for k in range(Ws.shape[0]):
        v = 1.0 / (1.0 + np.exp(-(Ws[k] @ v)))
    return np.sum(v)


def _e_chain(Ws, v0):
    V = [v0]
    for W in Ws:
        V.append(sigm(W @ V[-1]))
    a = np.ones_like(V[-1])
    G = np.zeros_like(Ws)
    for k in range(len(Ws) - 1, -1, -1):
        s = a * V[k + 1] * (1 - V[k + 1])
        G[k] = np.outer(s, V[k])
        a = Ws[k].T @ s
    return G, a


for _L in (10, 50):
    _Wk = R(410 + _L).standard_normal((_L, 3, 3))
    add("a_checkpoint_chain_L%d" % _L, a_chain, (_Wk, _us[:3]), _e_chain(_Wk, _us[:3]), argnums=(0, 1), cs=(_L == 10),
        closed="backprop; checkpointed and plain tapes must agree bit-for-bit, peak stored activations O(sqrt L) vs O(L), extra forward steps <= L",
        seeds=["004 8.1", "004 Exercise 7"], tags=["for", "row-index", "loop-carried", "checkpoint"])


def a_softplus_stable(x):
    if x > 0:
        return x + np.log(1 + np.exp(-x))
    else:
        return np.log(1 + np.exp(x))


def a_softplus_logaddexp(x):
    return np.logaddexp(0.0, x)


for _xv0 in (-10.0, 0.0, 10.0, 100.0):
    _nm = ("m" if _xv0 < 0 else "") + str(int(abs(_xv0)))
    add("a_softplus_stable_" + _nm, a_softplus_stable, (_xv0,), float(sigm(_xv0)), closed="sigma(x)", seeds=["004 Exercise 6 (b)-(d)"], tags=["if-else", "multiple-return", "stability"])
    add("a_softplus_logaddexp_" + _nm, a_softplus_logaddexp, (_xv0,), float(sigm(_xv0)), closed="sigma(x)", seeds=["004 Exercise 6"], tags=["np.logaddexp", "stability"])


def a_safe_norm(x):
    s = np.sum(x**2)
    if s > 0:
        return np.sqrt(s)
    return 0.0


add("a_safe_norm_zero", a_safe_norm, (np.zeros(3),), np.zeros(3), check="convention", closed="0 at x=0, never NaN", seeds=["004 8.4 norm at 0"], tags=["if", "early-return", "stability"])


def a_safe_log_where(x):
    ok = x > 0
    xs = np.where(ok, x, 1.0)
    return np.sum(np.where(ok, np.log(xs), 0.0))


add("a_safe_log_where", a_safe_log_where, (np.array([2.0, -1.0, 0.0, 0.5]),), np.array([0.5, 0.0, 0.0, 2.0]), closed="1/x where x>0 else 0 (double-where)", seeds=["004 F.2 log(0)"],
    tags=["np.where", "stability"], check="convention", note="at x=0 the right limit diverges; branch value 0 expected")


def a_log_eps(x):
    return np.sum(np.log(x + 1e-8))


add("a_log_eps", a_log_eps, (np.array([0.0, 0.5, 1.0]),), 1 / (np.array([0.0, 0.5, 1.0]) + 1e-8), h=1e-10, fd_tol=1e-6, cs=True, closed="1/(x+1e-8): 1e8 at 0, finite", seeds=["004 F.2"], tags=["stability"])


def a_stable_attention_row(q, K):
    s = K @ q * 1000.0
    s = s - np.max(s)
    e = np.exp(s)
    return np.sum(K[:, 0] * (e / np.sum(e)))


_q3, _K53 = R(411).standard_normal(3) * 1e-3, R(412).standard_normal((5, 3))
_pr = softmx(_K53 @ _q3 * 1000)
add("a_stable_attention_row", a_stable_attention_row, (_q3, _K53), 1000 * _K53.T @ (_pr * (_K53[:, 0] - _pr @ _K53[:, 0])), h=1e-6, fd_tol=1e-6, closed="1000 K'(p*(k0 - p.k0))", seeds=["004 F.2 stable softmax"], tags=["np.max", "stability"])


_th4 = R(413).standard_normal(4)


def a_maml_nonlinear(theta, Xs, ys, Xq, yq, alpha):
    h = np.tanh(Xs @ theta)
    g = Xs.T @ ((h - ys) * (1.0 - h**2))
    adapted = theta - alpha * g
    hq = np.tanh(Xq @ adapted)
    return 0.5 * np.sum((hq - yq)**2)


def _e_maml(theta, Xs, ys, Xq, yq, alpha):
    h = np.tanh(Xs @ theta)
    g = Xs.T @ ((h - ys) * (1 - h**2))
    H = Xs.T @ np.diag((1 - h**2)**2 - 2 * h * (1 - h**2) * (h - ys)) @ Xs
    ad = theta - alpha * g
    hq = np.tanh(Xq @ ad)
    return (np.eye(len(theta)) - alpha * H).T @ (Xq.T @ ((hq - yq) * (1 - hq**2)))


_ml = (_th4, R(418).standard_normal((6, 4)), R(419).standard_normal(6), R(420).standard_normal((5, 4)), R(421).standard_normal(5), 0.2)
add("a_maml_nonlinear", a_maml_nonlinear, _ml, _e_maml(*_ml), cs=True, closed="(I - alpha H_s)' grad L_q", seeds=["004 9.2 MAML"], tags=["matmul"])


def a_lennard_jones(pos):
    n = pos.shape[0]
    E = 0.0
    for i in range(n):
        for j in range(i + 1, n):
            d = pos[i] - pos[j]
            r2 = np.sum(d * d)
            s6 = 1.0 / r2**3
            E += 4.0 * (s6 * s6 - s6)
    return E


def _e_lj(pos):
    g = np.zeros_like(pos)
    for i in range(len(pos)):
        for j in range(len(pos)):
            if i != j:
                d = pos[i] - pos[j]
                r2 = d @ d
                g[i] += 4 * (-12 / r2**7 + 6 / r2**4) * d
    return g


_pos = np.array([[0.0, 0, 0], [1.2, 0.1, 0], [0.2, 1.3, 0.3], [-0.9, 0.4, 1.1]])
add("a_molecular_dynamics", a_lennard_jones, (_pos,), _e_lj(_pos), closed="sum_j 4(-12 r^-14 + 6 r^-8) d_ij = -force", seeds=["004 9.3 molecular dynamics"],
    tags=["nested-loop-dependent-bound", "augassign", "row-index"])


_Xt, _yt, _Xv2, _yv2 = R(428).standard_normal((12, 4)), R(429).standard_normal(12), R(430).standard_normal((8, 4)), R(431).standard_normal(8)
_Ht = _Xt.T @ _Xt + 0.7 * np.eye(4)
_tht = np.linalg.solve(_Ht, _Xt.T @ _yt)
_hyp = float(-_tht @ np.linalg.solve(_Ht, _Xv2.T @ (_Xv2 @ _tht - _yv2)))


def a_tbptt(lam, X, y, Xv, yv, alpha, K):
    th = np.zeros(X.shape[1])
    for k in range(K):
        g = X.T @ (X @ th - y) + lam * th
        th = th - alpha * g
    r = Xv @ th - yv
    return 0.5 * r @ r


def _e_tbptt(lam, X, y, Xv, yv, alpha, K):
    x = np.zeros(X.shape[1])
    d = np.zeros(X.shape[1])
    H = X.T @ X
    for _ in range(K):
        d = d - alpha * (H @ d + lam * d + x)
        x = x - alpha * (H @ x - X.T @ y + lam * x)
    return float(d @ (Xv.T @ (Xv @ x - yv)))


add("a_tbptt_K5", a_tbptt, (0.7, _Xt, _yt, _Xv2, _yv2, 0.02, 5), _e_tbptt(0.7, _Xt, _yt, _Xv2, _yv2, 0.02, 5), cs=True, closed="forward sensitivity recursion (biased hypergradient)", seeds=["004 9.5 TBPTT"], tags=["for"])
add("a_tbptt_K800", a_tbptt, (0.7, _Xt, _yt, _Xv2, _yv2, 0.02, 800), _hyp, tol=1e-8, closed="converges to the IFT hypergradient", seeds=["004 9.5 TBPTT -> IFT"], tags=["for", "long-loop"])


def a_ridge_gd(theta, A, b, alpha, K):
    z = np.zeros(A.shape[1])
    for k in range(K):
        z = z - alpha * (A.T @ (A @ z - b) + theta * z)
    return z


_A8, _b8 = R(432).standard_normal((10, 4)), R(433).standard_normal(10)
_al8 = 1.0 / (np.linalg.norm(_A8, 2)**2 + 2.0)
_z8 = np.linalg.solve(_A8.T @ _A8 + 2.0 * np.eye(4), _A8.T @ _b8)


def _e_gd(theta, A, b, alpha, K):
    w, Q = np.linalg.eigh(A.T @ A)
    l = w + theta
    xs = (Q.T @ (A.T @ b)) / l
    q = 1 - alpha * l
    return Q @ (-(1 - q**K) * xs / l + K * alpha * q**(K - 1) * xs)


add("a_ex8_unroll_K50", a_ridge_gd, (2.0, _A8, _b8, _al8, 50), _e_gd(2.0, _A8, _b8, _al8, 50), kind="jvp", argnums=(0,), tangents=(1.0,), cs=True,
    closed="eigenbasis: -(1-q^K) z*/l + K alpha q^{K-1} z*", seeds=["004 Exercise 8 (a)"], tags=["for"])
add("a_ex8_unroll_converged", a_ridge_gd, (2.0, _A8, _b8, _al8, 3000), -np.linalg.solve(_A8.T @ _A8 + 2.0 * np.eye(4), _z8), kind="jvp", argnums=(0,), tangents=(1.0,), tol=1e-8,
    closed="-(A'A+theta I)^{-1} z*", seeds=["004 Exercise 8 (b)-(c)"], tags=["for", "long-loop"])


_Qq, _Aqp, _qq, _bqp = spd(434, 4), R(435).standard_normal((2, 4)), R(436).standard_normal(4), R(437).standard_normal(2)


# ---- 11 Exercises -----------------------------------------------------------------------------------
def a_ex1(x):
    return np.log(np.sin(x**2) + np.exp(x))


add("a_ex1_dual", a_ex1, (1.5,), (3 * math.cos(2.25) + math.exp(1.5)) / (math.sin(2.25) + math.exp(1.5)), cs=True, closed="(2x cos x^2 + e^x)/(sin x^2 + e^x) at 1.5", seeds=["004 Exercise 1"])


def a_ex2(x1, x2, x3):
    v4 = x1 * x2
    v5 = v4 + x3
    v6 = -x1
    v7 = np.exp(v6)
    v8 = v5 * v7
    return v8


add("a_ex2_trace", a_ex2, (1.0, 2.0, 3.0), (-3 / math.e, 1 / math.e, 1 / math.e), argnums=(0, 1, 2), value=5 / math.e, cs=True, closed="((x2 - x1x2 - x3), x1, 1) e^{-x1} = (-3,1,1)/e", seeds=["004 Exercise 2"])


def a_ex3(x, y, z):
    return np.sin(x + y) * np.log(y * z)


add("a_ex3_topo", a_ex3, (0.3, 0.9, 1.7), (math.cos(1.2) * math.log(1.53), math.cos(1.2) * math.log(1.53) + math.sin(1.2) / 0.9, math.sin(1.2) / 1.7), argnums=(0, 1, 2), cs=True,
    closed="(cos(x+y) ln yz, cos(x+y) ln yz + sin(x+y)/y, sin(x+y)/z)", seeds=["004 Exercise 3"], tags=["fan-out"])
for _n, _m in ((10, 100), (100, 10), (50, 50), (40, 1)):
    _Al2 = R(440 + _n).standard_normal((_m, _n))
    add("a_ex4_linear_map_%dx%d" % (_m, _n), t_Ax, (R(441).standard_normal(_n), _Al2), _Al2, kind="jacobian", fd_tol=1e-7, closed="A; n JVPs vs m VJPs, crossover at n=m (seed also asks (1000,1))", seeds=["004 Exercise 4"])


def a_ex5(x, A, b):
    return 0.5 * x @ A.T @ A @ x + b @ x


_A5e, _b5e, _v5e = R(442).standard_normal((6, 5)), R(443).standard_normal(5), R(444).standard_normal(5)
add("a_ex5_hvp", a_ex5, (_us, _A5e, _b5e), _A5e.T @ (_A5e @ _v5e), kind="hvp", v=_v5e, closed="A'A v", seeds=["004 Exercise 5", "004 6.4"])


def a_embedding_loop(E, ids, W):
    s = 0.0
    for t in range(ids.shape[0]):
        row = E[ids[t]]
        s = s + np.sum(np.tanh(row) * W[t])
    return s


_E, _ids, _We = R(450).standard_normal((7, 3)), np.array([2, 5, 2, 0]), R(451).standard_normal((4, 3))
_ge = np.zeros((7, 3))
np.add.at(_ge, _ids, _We * (1 - np.tanh(_E[_ids])**2))
add("a_embedding_loop", a_embedding_loop, (_E, _ids, _We), _ge, closed="same", seeds=["004 C.1"], tags=["for", "data-dependent-index"])


# ---- C.3 attention --------------------------------------------------------------------------------
def a_attention(Q, K, V, dO):
    d = Q.shape[1]
    S = Q @ K.T / np.sqrt(d)
    S = S - np.max(S, axis=1, keepdims=True)
    P = np.exp(S)
    P = P / np.sum(P, axis=1, keepdims=True)
    O = P @ V
    return np.sum(O * dO)


def a_flash_attention(Q, K, V, dO, blk):
    T, d = Q.shape
    O = np.zeros((T, V.shape[1]))
    for i in range(T):
        m = -1e30
        l = 0.0
        acc = np.zeros(V.shape[1])
        for j0 in range(0, T, blk):
            s = K[j0:j0 + blk] @ Q[i] / np.sqrt(d)
            m_new = max(m, np.max(s))
            p = np.exp(s - m_new)
            c = np.exp(m - m_new)
            l = l * c + np.sum(p)
            acc = acc * c + p @ V[j0:j0 + blk]
            m = m_new
        O[i] = acc / l
    return np.sum(O * dO)


def _e_attn(Q, K, V, dO):
    d = Q.shape[1]
    S = Q @ K.T / np.sqrt(d)
    P = np.exp(S - S.max(1, keepdims=True))
    P /= P.sum(1, keepdims=True)
    O = P @ V
    dP = dO @ V.T
    D = np.sum(dO * O, axis=1, keepdims=True)
    dS = P * (dP - D)
    return dS @ K / np.sqrt(d), dS.T @ Q / np.sqrt(d), P.T @ dO


_at = tuple(R(460 + i).standard_normal((6, 4)) for i in range(4))
add("a_attention", a_attention, _at, _e_attn(*_at), argnums=(0, 1, 2), closed="dS = P*(dO V' - D), D_i = sum_k dO_ik O_ik (= sum_j P_ij (dO V')_ij); dQ = dS K/sqrt d, dK = dS' Q/sqrt d, dV = P' dO",
    seeds=["004 C.3 FlashAttention"], tags=["np.max-axis", "keepdims"], note="seed's D_i = sum_j P_ij dL/dO_ij has mismatched shapes (erratum)")
add("a_flash_attention_tiled", a_flash_attention, _at + (2,), _e_attn(*_at), argnums=(0, 1, 2), closed="same gradients through the online-softmax tiled loop; O(T) memory needs recompute from (O, logsumexp)",
    seeds=["004 C.3 FlashAttention"], tags=["nested-loop", "range-step", "python-max", "row-setitem", "slice", "checkpoint"])


# ---- D stochastic ---------------------------------------------------------------------------------
def a_vae_elbo(mu, log_var, eps, W, x):
    sigma = np.exp(0.5 * log_var)
    z = mu + sigma * eps
    recon = 0.5 * np.sum((W @ z - x)**2)
    kl = -0.5 * np.sum(1 + log_var - mu**2 - np.exp(log_var))
    return recon + kl


_mu, _lv, _ep, _Wv, _xv2 = R(470).standard_normal(3), R(471).standard_normal(3) * 0.5, R(472).standard_normal(3), R(473).standard_normal((5, 3)), R(474).standard_normal(5)
_zb = _Wv.T @ (_Wv @ (_mu + np.exp(0.5 * _lv) * _ep) - _xv2)
add("a_vae_reparam", a_vae_elbo, (_mu, _lv, _ep, _Wv, _xv2), (_zb + _mu, _zb * _ep * 0.5 * np.exp(0.5 * _lv) - 0.5 * (1 - np.exp(_lv))), argnums=(0, 1), cs=True,
    closed="mubar = zbar + mu; logvarbar = zbar*eps*sigma/2 - (1-e^lv)/2", seeds=["004 D.1"])


def a_reinforce(phi, z, L):
    s = 0.0
    for k in range(z.shape[0]):
        logp = -0.5 * (z[k] - phi[0])**2 * np.exp(-2.0 * phi[1]) - phi[1]
        s = s + L[k] * logp
    return s / z.shape[0]


_phi, _zk, _Lk = np.array([0.3, -0.2]), R(475).standard_normal(8), R(476).standard_normal(8)
_iv = math.exp(0.4)
add("a_reinforce", a_reinforce, (_phi, _zk, _Lk), np.array([np.mean(_Lk * (_zk - 0.3) * _iv), np.mean(_Lk * ((_zk - 0.3)**2 * _iv - 1))]), cs=True,
    closed="mean L_k grad log p(z_k): L and z are constants (score function estimator)", seeds=["004 D.2"], tags=["for"])


_gm = -np.log(-np.log(R(477).random(5)))


def a_gumbel_pi(pi, g, tau):
    y = np.exp((np.log(pi) + g) / tau)
    return y / np.sum(y)


_pi = softmx(_us)
_yp = softmx((np.log(_pi) + _gm) / 0.5)
add("a_gumbel_softmax_pi_vjp", a_gumbel_pi, (_pi, _gm, 0.5), ((_yp * (_g5 - _yp @ _g5)) / 0.5 / _pi,), kind="vjp", argnums=(0,), cotangent=_g5, cs=True, closed="... / pi", seeds=["004 8.3 Gumbel-Softmax"])


def a_sign_zero(x):
    return np.sum(np.sign(x))


def a_argmax_pick(x):
    i = np.argmax(x)
    return x[i]**2


def a_max_value(x):
    return np.max(x)


def a_clip(x):
    return np.sum(np.clip(x, -1.0, 1.0) * np.arange(1.0, 6.0))


_xr5 = np.array([0.3, -1.7, 2.2, 0.9, -0.4])
add("a_sign_zero", a_sign_zero, (_xr5,), np.zeros(5), closed="0", seeds=["004 D.3 sign"], tags=["np.sign", "zero-gradient"])
add("a_argmax_pick", a_argmax_pick, (_xr5,), np.array([0, 0, 4.4, 0, 0]), closed="2 x_i e_i: no gradient through argmax itself", seeds=["004 8.3 argmax"], tags=["np.argmax", "data-dependent-index"])
_ws = R(478).standard_normal(5)
add("a_max", a_max_value, (_xr5,), np.array([0, 0, 1.0, 0, 0]), closed="one-hot of argmax", seeds=["004 A.1 max at ties"], tags=["np.max"])
add("a_clip", a_clip, (_xr5,), np.array([1.0, 0, 0, 4.0, 5.0]), closed="w * 1[|x|<1]", seeds=["004 D.3 clip"], tags=["np.clip"])


# ---- E second order, NTK -----------------------------------------------------------------------------
def a_logreg_nll(w, X, y):
    z = X @ w
    return np.sum(np.log(1 + np.exp(z)) - y * z)


_Xl2, _wl = R(480).standard_normal((9, 3)), R(481).standard_normal(3)
_yl2 = (R(482).random(9) > 0.5) * 1.0
_pl = sigm(_Xl2 @ _wl)
add("a_newton_gradient", a_logreg_nll, (_wl, _Xl2, _yl2), _Xl2.T @ (_pl - _yl2), cs=True, closed="X'(p-y); Newton update H^{-1}g converges quadratically", seeds=["004 E.1 Newton"])


def a_mlp_scalar(W, a, x):
    return a @ np.tanh(W @ x)


_Wn, _an, _xn, _xn2 = R(483).standard_normal((6, 3)), R(484).standard_normal(6), R(485).standard_normal(3), R(486).standard_normal(3)
_hn = np.tanh(_Wn @ _xn)
add("a_ntk_row_gradient", a_mlp_scalar, (_Wn, _an, _xn), (np.outer(_an * (1 - _hn**2), _xn), _hn), argnums=(0, 1), cs=True, closed="theta-gradient used in Theta(x,x') = <grad f(x), grad f(x')>", seeds=["004 E.2 NTK"])
_hn2 = np.tanh(_Wn @ _xn2)
add("a_ntk_entry", a_mlp_scalar, (_Wn, _an, _xn2), float((_xn @ _xn2) * np.sum(_an**2 * (1 - _hn**2) * (1 - _hn2**2)) + _hn @ _hn2), kind="jvp", argnums=(0, 1),
    tangents=(np.outer(_an * (1 - _hn**2), _xn), _hn), cs=True, closed="x.x' sum a^2 (1-h^2)(1-h'^2) + h.h' (jvp at x' along grad f(x))", seeds=["004 E.2 NTK ntk_row"])


def a_layernorm_np(x):
    return (x - x.mean()) / x.std()


_sd0 = np.std(_us)
_xh0 = (_us - _us.mean()) / _sd0
add("a_layernorm_std_vjp", a_layernorm_np, (_us,), ((_g5 - _g5.mean() - _xh0 * np.mean(_g5 * _xh0)) / _sd0,), kind="vjp", argnums=(0,), cotangent=_g5, closed="same with np.std", seeds=["004 F.3"], tags=["np.std", "method-mean"])


def a_residual_stack(x, W, L):
    h = x
    for l in range(L):
        h = h + np.tanh(W @ h)
    return np.sum(h)


def _e_res(x, W, L):
    H = [x]
    for _ in range(L):
        H.append(H[-1] + np.tanh(W @ H[-1]))
    a, G = np.ones_like(x), np.zeros_like(W)
    for k in range(L - 1, -1, -1):
        s = a * (1 - np.tanh(W @ H[k])**2)
        G += np.outer(s, H[k])
        a = a + W.T @ s
    return a, G


_Wrs = R(489).standard_normal((5, 5)) * 0.3
add("a_residual_stack", a_residual_stack, (_us, _Wrs, 6), _e_res(_us, _Wrs, 6), argnums=(0, 1), cs=True, closed="a <- a + W' s: skip connection accumulates two uses", seeds=["004 F.3 residual", "004 5.2 topological order"], tags=["for", "fan-out"])


def a_rnn_linear(h0, W, T):
    h = h0
    for t in range(T):
        h = W @ h
    return np.sum(h)


_Wx = 1.4 * np.linalg.qr(R(490).standard_normal((4, 4)))[0]
add("a_exploding_rnn", a_rnn_linear, (_us[:4], _Wx, 30), np.linalg.matrix_power(_Wx.T, 30) @ np.ones(4), closed="(W')^T 1: norm grows as 1.4^30", seeds=["004 F.3 exploding gradients"], tags=["for"])


def a_clip_by_global_norm(g1, g2, max_norm):
    n = np.sqrt(np.sum(g1**2) + np.sum(g2**2))
    s = min(1.0, max_norm / (n + 1e-6))
    return np.sum(s * g1) + np.sum(s * g2)


_gc1, _gc2 = _us, _g3
_n0 = math.sqrt(_gc1 @ _gc1 + _gc2 @ _gc2)
_sc0 = 0.5 / (_n0 + 1e-6)
_tot = float(np.sum(_gc1) + np.sum(_gc2))
_dn = -0.5 / (_n0 + 1e-6)**2 * _tot / _n0
add("a_clip_grad_norm", a_clip_by_global_norm, (_gc1, _gc2, 0.5), (_sc0 + _dn * _gc1, _sc0 + _dn * _gc2), argnums=(0, 1), closed="active branch of min(): s + (ds/dn) g/n * sum", seeds=["004 F.3 gradient clipping"], tags=["python-min"])


# ---- G LLM patterns ----------------------------------------------------------------------------------
def a_grad_accum_loss(w, X, y, b):
    B = X.shape[0]
    steps = B // b
    total = 0.0
    for i in range(steps):
        xb = X[i * b:(i + 1) * b]
        yb = y[i * b:(i + 1) * b]
        loss = np.mean((xb @ w - yb)**2) / steps
        total = total + loss
    return total


_Xga, _yga, _wga = R(491).standard_normal((12, 3)), R(492).standard_normal(12), R(493).standard_normal(3)
add("a_grad_accumulation", a_grad_accum_loss, (_wga, _Xga, _yga, 4), 2 * _Xga.T @ (_Xga @ _wga - _yga) / 12, cs=True, closed="equals the full-batch mean gradient 2X'(Xw-y)/B", seeds=["004 G.1"], tags=["for", "floor-div", "slice-dynamic"])


def a_loss_scaled(w, X, y, S):
    return S * np.mean((X @ w - y)**2)


add("a_loss_scaling", a_loss_scaled, (_wga, _Xga, _yga, 2.0**15), 2.0**15 * 2 * _Xga.T @ (_Xga @ _wga - _yga) / 12, cs=True, closed="grad(S L)/S == grad(L) exactly for S=2^15", seeds=["004 8.4 / G.3 loss scaling"])


def a_ddp_loss(w, Xs, ys):
    P = Xs.shape[0]
    s = 0.0
    for p in range(P):
        s = s + np.mean((Xs[p] @ w - ys[p])**2)
    return s / P


add("a_ddp_mean_gradient", a_ddp_loss, (_wga, _Xga.reshape(3, 4, 3), _yga.reshape(3, 4)), 2 * _Xga.T @ (_Xga @ _wga - _yga) / 12, cs=True, closed="all-reduced mean of shard gradients = full-batch gradient", seeds=["004 G.4 DDP"], tags=["for", "row-index"])


def a_speelpenning(x):
    p = 1.0
    for i in range(len(x)):
        p = p * x[i]
    return p


_spx = np.array([1.3, -0.7, 2.1, 0.9, 1.6])
add("a_speelpenning", a_speelpenning, (_spx,), np.array([np.prod(np.delete(_spx, i)) for i in range(5)]), cs=True, closed="prod_{j!=i} x_j", seeds=["004 1.3 Speelpenning 1980"], tags=["for"])
_sp0 = np.array([1.3, 0.0, 2.1])
add("a_speelpenning_zero", a_speelpenning, (_sp0,), np.array([0.0, 1.3 * 2.1, 0.0]), closed="must not divide the product by x_i", seeds=["004 1.3"], tags=["for"])


def a_prod_zero(x):
    return np.prod(x)


add("a_prod_zero", a_prod_zero, (_sp0,), np.array([0.0, 1.3 * 2.1, 0.0]), closed="np.prod rule must survive a zero entry", seeds=["004 1.3"], tags=["np.prod"])


# ---- control flow (mistake 11) -----------------------------------------------------------------------------
def a_if_value(x):
    if x > 1.0:
        y = x**2
    elif x > 0.0:
        y = np.sin(x)
    else:
        y = -x
    return y * 3.0


_cf = ["004 10 mistake 11 control flow", "002 arbitrary program constructs", "004 5.3 arbitrary control flow"]
add("a_if_gt1", a_if_value, (1.5,), 9.0, cs=False, closed="6x", seeds=_cf, tags=["if-elif-else"])


def a_ternary(x):
    y = x * x if x < 2.0 else x + 1.0
    return y * x
add("a_ternary_false", a_ternary, (3.0,), 7.0, closed="2x+1", seeds=_cf, tags=["ternary"])


def a_while_value(x):
    s = 0.0
    y = x
    n = 0
    while y < 10.0:
        s = s + y * y
        y = y * 1.7
        n += 1
    return s / n


_nw0 = [k for k in range(50) if 1.3 * 1.7**k >= 10][0]
add("a_while_value", a_while_value, (1.3,), 2 * 1.3 * sum(1.7**(2 * k) for k in range(_nw0)) / _nw0, closed="2x sum 1.7^{2k}/n: trip count is data dependent", seeds=_cf, tags=["while", "augassign"])


def a_nested_control(x, n):
    s = 0.0
    for i in range(n):
        if i % 2 == 0:
            continue
        for j in range(n):
            if j > i:
                break
            if x[j] > 0:
                s += x[i] * x[j]
            else:
                s -= x[i] * x[j]**2
    return s


def _e_nested(x, n):
    g = np.zeros(len(x))
    for i in range(1, n, 2):
        for j in range(i + 1):
            if x[j] > 0:
                g[i] += x[j]
                g[j] += x[i]
            else:
                g[i] -= x[j]**2
                g[j] -= x[i] * 2 * x[j]
    return g


add("a_nested_control", a_nested_control, (_xr5, 5), _e_nested(_xr5, 5), closed="loop with continue/break/if", seeds=_cf, tags=["continue", "break", "nested-loop", "if-in-loop", "augassign"])


def a_early_return(x, tol):
    s = 0.0
    for i in range(x.shape[0]):
        s = s + x[i]**2
        if s > tol:
            return s * x[0]
    return s


add("a_early_return", a_early_return, (_xr5, 4.0), np.array([3 * 0.09 + (1.7**2 + 2.2**2), 0.3 * 2 * -1.7, 0.3 * 2 * 2.2, 0.0, 0.0]), closed="s x0 with s = x0^2+x1^2+x2^2 (returns inside the loop at i=2)", seeds=_cf,
    tags=["return-in-loop", "for"])


def a_tuple_swap(x, n):
    a = x
    b = np.sin(x)
    for i in range(n):
        a, b = b, a * b + x
    return a + b


def _e_swap(x, n):
    a, b, da, db = x, math.sin(x), 1.0, math.cos(x)
    for _ in range(n):
        a, b, da, db = b, a * b + x, db, da * b + a * db + 1
    return da + db


add("a_tuple_swap", a_tuple_swap, (0.6, 4), _e_swap(0.6, 4), cs=True, closed="forward sensitivity of (a,b)->(b,ab+x)", seeds=_cf, tags=["tuple-assign", "for"])


# ---- in-place (5.4, mistake 3, F.4) ------------------------------------------------------------------------
_ip = ["004 5.4 In-place operations", "004 F.4", "004 10 mistake 3"]


def a_inplace_relu(x):
    h = x.copy()
    h[h < 0] = 0.0
    return np.sum(h**2)


add("a_inplace_relu", a_inplace_relu, (_xr5,), 2 * np.maximum(_xr5, 0), closed="2 relu(x)", seeds=_ip, tags=["mask-setitem", "copy"])


def a_inplace_mul(x):
    y = np.exp(x)
    y *= x
    y -= 1.0
    y /= 2.0
    return np.sum(y)


add("a_inplace_mul", a_inplace_mul, (_xr5,), np.exp(_xr5) * (1 + _xr5) / 2, cs=True, closed="e^x(1+x)/2", seeds=_ip, tags=["inplace-imul", "inplace-isub", "inplace-idiv"])


def a_inplace_overwrite(x):
    y = np.zeros(4)
    y[0] = x[0]
    y[1] = y[0] * x[1]
    y[0] = x[2]**2
    y[2] = y[0] * y[1]
    y[:] = y * y
    return np.sum(y)


_y4x = np.array([0.7, -1.1, 1.3])
add("a_inplace_overwrite", a_inplace_overwrite, (_y4x,), np.array([2 * 0.7 * 1.21 * (1 + 1.3**4), 2 * 0.49 * -1.1 * (1 + 1.3**4), 4 * 1.3**3 * (1 + (0.7 * -1.1)**2)]),
    closed="z^4 + (xy)^2 + (xyz^2)^2", seeds=_ip, tags=["inplace-setitem", "full-slice-assign", "overwrite"])


def a_cumprod_inplace(x):
    y = x.copy()
    for i in range(1, y.shape[0]):
        y[i] = y[i] * y[i - 1]
    return np.sum(y)


add("a_cumprod_inplace", a_cumprod_inplace, (_spx,), np.array([sum(np.prod(np.delete(_spx[:k + 1], i)) for k in range(i, 5)) for i in range(5)]), closed="sum_k prod_{j<=k, j!=i} x_j", seeds=_ip, tags=["inplace-setitem", "for", "overwrite"])


def a_view_alias(x):
    y = x.copy()
    v = y[1:4]
    v *= 2.0
    return np.sum(y**2)


add("a_view_alias", a_view_alias, (_xr5,), 2 * _xr5 * np.array([1, 4, 4, 4, 1.0]), closed="2x*[1,4,4,4,1]: v is a VIEW of y; must be right or rejected loudly, never silently 2x", seeds=_ip, tags=["alias-view", "inplace-imul"])


def a_heat_slices(u0, nt, r):
    u = u0.copy()
    for t in range(nt):
        u[1:-1] = u[1:-1] + r * (u[2:] - 2.0 * u[1:-1] + u[:-2])
    return np.sum(u**2)


_T9 = np.eye(6)
for _i in range(1, 5):
    _T9[_i, _i - 1] += 0.2
    _T9[_i, _i] -= 0.4
    _T9[_i, _i + 1] += 0.2
_u6 = R(502).standard_normal(6)
_MT = np.linalg.matrix_power(_T9, 5)
add("a_heat_slice_assign", a_heat_slices, (_u6, 5, 0.2), 2 * _MT.T @ (_MT @ _u6), closed="2 M' M u0", seeds=_ip + ["000/001 PDE rollouts"], tags=["slice-assign", "neg-slice", "for"])
add("a_heat_diffusivity", a_heat_slices, (_u6, 5, 0.2), float(2 * (_MT @ _u6) @ sum(np.linalg.matrix_power(_T9, 4 - k) @ ((_T9 - np.eye(6)) / 0.2) @ np.linalg.matrix_power(_T9, k) @ _u6 for k in range(5))),
    argnums=2, closed="sum_k M^{4-k} L M^k u0", seeds=["000/001 PDE rollouts"], tags=["slice-assign", "neg-slice", "for"])


def a_list_append(x, n):
    hs = []
    h = x
    for i in range(n):
        h = np.tanh(h) * 1.5
        hs.append(h)
    return np.sum(np.array(hs)**2)


def _e_la(x, n):
    h, d, g = x, 1.0, 0.0
    for _ in range(n):
        t = math.tanh(h)
        d = d * 1.5 * (1 - t * t)
        h = 1.5 * t
        g += 2 * h * d
    return g


add("a_list_append", a_list_append, (0.8, 5), _e_la(0.8, 5), cs=True, closed="sum 2 h_i dh_i/dx", seeds=["002 data structures", "004 5.3 tape"], tags=["list-append", "np.array(list)"])

# =====================================================================================
# CUSTOM_RULES: what a user registers with custom_vjp / custom_jvp
#   primal(*args); fwd(*args) -> (out, residuals); bwd(residuals, g) -> cotangent per arg
#   check = "fd": expected is the true vjp;  "surrogate": it is NOT the derivative
# =====================================================================================


def rule(id, primal, fwd, bwd, args, cotangent, expected, check="fd", argnums=0, seeds=(), note="", jvp=None, tangents=None,
         jvp_expected=None, h=1e-3, fd_tol=2e-8):
    CUSTOM_RULES.append(dict(id=id, primal=primal, fwd=fwd, bwd=bwd, args=args, cotangent=cotangent, expected=expected, check=check,
                             argnums=argnums, seeds=list(seeds), note=note, jvp=jvp, tangents=tangents, jvp_expected=jvp_expected, h=h, fd_tol=fd_tol))


def r_linsolve_jvp(primals, tangents):
    A, b = primals
    dA, db = tangents
    x = np.linalg.solve(A, b)
    return x, np.linalg.solve(A, db - dA @ x)


def r_linsolve_fwd(A, b):
    x = np.linalg.solve(A, b)
    return x, (A, x)


def r_linsolve_bwd(res, g):
    A, x = res
    lam = np.linalg.solve(A.T, g)
    return (-np.outer(lam, x), lam)


rule("r_linsolve", k_linsolve, r_linsolve_fwd, r_linsolve_bwd, (_As, _bs), _cx, (-np.outer(_lam, _xs), _lam), argnums=(0, 1),
     jvp=r_linsolve_jvp, tangents=(_dAs, _dbs), jvp_expected=np.linalg.solve(_As, _dbs - _dAs @ _xs), seeds=["001: Implicit Primitive Rules"])


def r_safe_log(x):
    return np.log(x)


def r_safe_log_fwd(x):
    return np.log(x), x


def r_safe_log_bwd(x, g):
    return (g / (x + 1e-8),)


rule("r_safe_log", r_safe_log, r_safe_log_fwd, r_safe_log_bwd, (np.array([0.5, 2.0]),), np.ones(2), (1 / (np.array([0.5, 2.0]) + 1e-8),), check="surrogate",
     seeds=["004 8.2 JAX custom_vjp safe_log"], note="differs from 1/x by 1e-8 relative; at x=0 gives 1e8 instead of inf")


def r_ste_round(x):
    return np.round(x)


def r_ste_fwd(x):
    return np.round(x), None


def r_ste_bwd(res, g):
    return (g,)


rule("r_ste_round", r_ste_round, r_ste_fwd, r_ste_bwd, (_xr5,), _g5, (_g5,), check="surrogate", seeds=["004 8.3 STERound"], note="true derivative is 0 a.e.")


def r_fake_quantise(x, scale, zero_point, bits):
    q_min = 0
    q_max = 2**bits - 1
    x_int = np.clip(np.round(x / scale + zero_point), q_min, q_max)
    return (x_int - zero_point) * scale


def r_fake_quantise_fwd(x, scale, zero_point, bits):
    return r_fake_quantise(x, scale, zero_point, bits), (x, scale, zero_point, bits)


def r_fake_quantise_bwd(res, g):
    x, scale, zero_point, bits = res
    x_int = np.round(x / scale + zero_point)
    mask = (x_int >= 0) & (x_int <= 2**bits - 1)
    return (g * mask.astype(float), None, None, None)


rule("r_fake_quantise", r_fake_quantise, r_fake_quantise_fwd, r_fake_quantise_bwd, (_xr5, 0.1, 8.0, 4), _g5, (_g5 * np.array([1, 0, 0, 0, 1.0]),), check="surrogate",
     seeds=["004 D.3 FakeQuantise"], note="range [-0.8, 0.7]; the seed's backward omits zero_point when rebuilding x_int (erratum): with zero_point=8 it would mask [0,1.5]; None = no gradient")


def r_attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    m = np.max(S, axis=1, keepdims=True)
    P = np.exp(S - m)
    l = np.sum(P, axis=1, keepdims=True)
    return P @ V / l


def r_attention_fwd(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    m = np.max(S, axis=1)
    lse = m + np.log(np.sum(np.exp(S - m[:, None]), axis=1))
    O = np.exp(S - lse[:, None]) @ V
    return O, (Q, K, V, O, lse)


def r_attention_bwd(res, dO):
    Q, K, V, O, lse = res
    d = Q.shape[1]
    dQ = np.zeros(Q.shape)
    dK = np.zeros(K.shape)
    dV = np.zeros(V.shape)
    for i in range(Q.shape[0]):
        p = np.exp(K @ Q[i] / np.sqrt(d) - lse[i])
        dV += np.outer(p, dO[i])
        ds = p * (V @ dO[i] - np.sum(dO[i] * O[i]))
        dQ[i] = ds @ K / np.sqrt(d)
        dK += np.outer(ds, Q[i]) / np.sqrt(d)
    return dQ, dK, dV


rule("r_flash_attention", r_attention, r_attention_fwd, r_attention_bwd, _at[:3], _at[3], _e_attn(*_at), argnums=(0, 1, 2), seeds=["004 C.3 FlashAttention custom backward"],
     note="residuals are O(T): Q,K,V,O and the per-row logsumexp; the T x T matrix P is recomputed row by row")


# =====================================================================================
# IMPLICIT: solver + optimality / root condition (custom_root, custom_fixed_point)
#   F(x*, *theta) = 0;  expected = d x*/d theta[k] for the listed argnum of solver
# =====================================================================================


def implicit(id, solver, F, args, argnum, expected, mode="root", seeds=(), note="", h=1e-3, fd_tol=2e-8):
    IMPLICIT.append(dict(id=id, solver=solver, F=F, args=args, argnum=argnum, expected=expected, mode=mode, seeds=list(seeds), note=note, h=h, fd_tol=fd_tol))


def i_ridge_F(x, theta, X, y):
    return X.T @ (X @ x - y) + theta * x


implicit("i_ridge_custom_root", k_ridge_solver, i_ridge_F, (None, 10.0, _Xr, _yr), 1, -np.linalg.solve(_Hr, _xrs),
         seeds=["000/001: Blondel et al. custom_root ridge_solver"], note="F must also be obtainable as s2sad.grad(k_ridge_objective, argnums=0); linear solves matrix-free on the linearised F")


def i_scalar_F(x, theta):
    return x**3 + theta * x - 1.0


def i_scalar_bisect(x0, theta):
    lo = 0.0
    hi = 1.0
    for i in range(80):
        mid = 0.5 * (lo + hi)
        if mid**3 + theta * mid - 1.0 > 0:
            hi = mid
        else:
            lo = mid
    return 0.5 * (lo + hi)


implicit("i_scalar_root_bisection", i_scalar_bisect, i_scalar_F, (0.0, 0.8), 1, -_xr / (3 * _xr**2 + 0.8), seeds=["001: Scalar Root-Finding"],
         note="unrolled differentiation of bisection gives 0 (!): only the implicit rule is right")


def i_newton_F(u, theta):
    return np.array([u[0]**2 + u[1]**2 - theta[0], u[0] * u[1] - theta[1] + 0.1 * np.sin(u[0])])


def i_newton_solver(u0, theta):
    return k_newton_system(theta, u0, 40)


implicit("i_newton_system", i_newton_solver, i_newton_F, (np.array([1.8, 0.5]), _th2), 1, np.linalg.inv(_J2), seeds=["000/001: Nonlinear Solve Custom Adjoint Rule"],
         note="one linear solve in the backward pass instead of one per Newton iteration")


def i_logreg_F(w, lam, X, y):
    return X.T @ (1.0 / (1.0 + np.exp(-(X @ w))) - y) + lam * w


def i_logreg_newton(w0, lam, X, y):
    w = w0
    for k in range(30):
        p = 1.0 / (1.0 + np.exp(-(X @ w)))
        g = X.T @ (p - y) + lam * w
        H = X.T @ (X * (p * (1 - p))[:, None]) + lam * np.eye(X.shape[1])
        w = w - np.linalg.solve(H, g)
    return w


_wst = i_logreg_newton(np.zeros(3), 0.5, _Xl2, _yl2)
_pst = sigm(_Xl2 @ _wst)
_Hst = _Xl2.T @ np.diag(_pst * (1 - _pst)) @ _Xl2 + 0.5 * np.eye(3)
implicit("i_logreg_hyperparameter", i_logreg_newton, i_logreg_F, (np.zeros(3), 0.5, _Xl2, _yl2), 1, -np.linalg.solve(_Hst, _wst), seeds=["004 9.4-9.5 dz*/dtheta = -(d2F)^{-1} dtheta grad F", "000/001 Pedregosa"])


def i_backward_euler_F(u, theta, u_old, dt):
    return u - u_old + dt * theta * u**3


def i_backward_euler_solver(u_init, theta, u_old, dt):
    u = u_init
    for k in range(40):
        u = u - (u - u_old + dt * theta * u**3) / (1.0 + 3.0 * dt * theta * u**2)
    return u


_uo = np.array([1.0, -0.5, 2.0])
_ube = i_backward_euler_solver(_uo, 0.9, _uo, 0.1)
implicit("i_implicit_time_step", i_backward_euler_solver, i_backward_euler_F, (_uo, 0.9, _uo, 0.1), 1, -0.1 * _ube**3 / (1 + 0.27 * _ube**2), seeds=["000/001 hierarchy: implicit function level", "000/001 DtO"])


# =====================================================================================
# DIAGNOSTICS: field guide programs.  `expect` is what s2sad must do; `fact` is checked here
# =====================================================================================


def diag(id, f, args, expect, seeds, fact=None):
    DIAGNOSTICS.append(dict(id=id, f=f, args=args, expect=expect, seeds=list(seeds), fact=fact))


def d_ignores_arg(x, y):
    return np.sum(y**2)


def d_div_zero(x):
    return np.sum(x / np.sum(x))


def d_softmax_overflow(x):
    e = np.exp(x)
    return e[0] / np.sum(e)


def d_where_trap(x):
    return np.sum(np.where(x > 0, np.log(x), 0.0))


def d_nonscalar(x):
    return x**2


def d_try_except(x):
    try:
        y = x**2
    except ValueError:
        y = x
    return y


def d_unknown_call(x):
    return np.sum(np.packbits(x > 0) * 1.0) + np.busday_count("2024-01-01", "2024-01-08") * np.sum(x)


def d_recursion(x, n):
    if n == 0:
        return x
    return np.sin(d_recursion(x, n - 1))


def d_scalar_item(x, y):
    s = x.sum().item()
    return s * np.sum(y)


def d_generator(x):
    return sum(xi**2 for xi in x)


def d_del_and_reuse(x):
    y = x * 2.0
    z = y * y
    del y
    y = z + x
    return np.sum(y)
_z3 = np.array([1.0, 0.0, 2.0])
_F = ["004 F.1 Gradient is Zero"]
_N = ["004 F.2 Loss is NaN"]
diag("d_ignores_arg", d_ignores_arg, (_z3, _z3), "grad wrt x is exactly zeros(x.shape); a diagnostic ('output does not depend on argument 0') is available", _F)
diag("d_scalar_item", d_scalar_item, (_z3, _z3), ".item() must keep the derivative (2 paths) or be reported - silently treating it as constant is the F.1 bug", _F)
diag("d_div_zero", d_div_zero, (np.array([1.0, -1.0]),), "inf/NaN reported with the line of the division", _N)
diag("d_softmax_overflow", d_softmax_overflow, (np.array([1000.0, 0.0]),), "primal is NaN: report at np.exp (overflow), not at the division", _N)
diag("d_where_trap", d_where_trap, (np.array([2.0, -1.0, 0.0]),), "gradient [0.5, 0, 0] without NaN: the adjoint of the unselected branch must be selected, not multiplied by 0", _N)
diag("d_nonscalar", d_nonscalar, (_z3,), "grad raises (non-scalar output needs a cotangent: use vjp / jacobian)", ["004 B.4", "002 vector-Jacobian product"])
diag("d_try_except", d_try_except, (2.0,), "clear UnsupportedSyntax error with file:line and a caret (not a crash inside the emitter)", ["004 10 mistake 11"])
diag("d_unknown_call", d_unknown_call, (_z3,), "a located error naming np.busday_count (or np.packbits) and how to register a rule, or, since neither carries a derivative, the right value", ["004 2.3", "000/001 'at some point we have to implement symbolic derivatives for atomic operations'"])
diag("d_recursion", d_recursion, (0.4, 3), "works (d/dx sin(sin(sin x))) or a clear error; never an infinite inlining loop", ["004 9.3 arbitrary programs"])
diag("d_generator", d_generator, (_z3,), "2x or a clear error", ["002 arbitrary program constructs"])
diag("d_del_and_reuse", d_del_and_reuse, (_z3,), "8x+1: SSA renaming must keep both versions of y", ["004 10 mistake 12"])


def a_einsum_bilinear(x, A, y):
    return np.einsum("i,ij,j->", x, A, y)


add("a_einsum", a_einsum_bilinear, (_x4, _A44, _b4), (_A44 @ _b4, np.outer(_x4, _b4), _A44.T @ _x4), argnums=(0, 1, 2), cs=True, closed="Ay, xy', A'x", seeds=["003 index notation"], tags=["np.einsum"])


def a_cumsum_path(x, w):
    return np.sum(np.cumsum(x) * w)


add("a_cumsum", a_cumsum_path, (_xr5, _ws), (np.cumsum(_ws[::-1])[::-1], np.cumsum(_xr5)), argnums=(0, 1), cs=True, closed="reverse cumsum(w)", seeds=["004 9.3 transmittance"], tags=["np.cumsum"])


def a_sam_full(w, A, rho):
    g = A @ w
    e = rho * g / np.sqrt(g @ g)
    wp = w + e
    return 0.5 * wp @ A @ wp


_gsam = _Apd @ _x4
_nsam = np.linalg.norm(_gsam)
_wp = _x4 + 0.1 * _gsam / _nsam
_Jsam = np.eye(4) + 0.1 / _nsam * (np.eye(4) - np.outer(_gsam, _gsam) / _nsam**2) @ _Apd
add("a_sam_full", a_sam_full, (_x4, _Apd, 0.1), _Jsam.T @ (_Apd @ _wp), cs=True, closed="(I + rho (I-gg')/|g| H)' grad L(w+e); usual SAM drops the Jacobian: A(w+e)", seeds=["004 6.4 / 12 SAM"])


def a_newton_update(w, X, y):
    p = 1.0 / (1.0 + np.exp(-(X @ w)))
    H = X.T @ (X * (p * (1.0 - p))[:, None]) + np.eye(X.shape[1])
    g = X.T @ (p - y) + w
    return w - np.linalg.solve(H, g)


_wnw = i_logreg_newton(np.zeros(3), 1.0, _Xl2, _yl2)
add("a_newton_fixed_point_jacobian", a_newton_update, (_wnw, _Xl2, _yl2), np.zeros((3, 3)), kind="jacobian", cs=True, closed="0: Newton's map has zero Jacobian at the optimum (quadratic convergence)", seeds=["004 E.1"], tags=["np.linalg.solve", "newaxis"])


def a_fft_power(x):
    s = np.fft.rfft(x)
    return np.sum(s.real**2 + s.imag**2)


_x6f = R(523).standard_normal(6)
add("x_rfft_power", a_fft_power, (_x6f,), 6 * _x6f + np.sum(_x6f) + np.array([1, -1, 1, -1, 1, -1.0]) * np.sum(_x6f * np.array([1, -1, 1, -1, 1, -1.0])),
    closed="N x + sum(x) + (-1)^j sum (-1)^k x_k  (Parseval, rfft counts inner bins once)", seeds=["001 linked table FFT rows"], tags=["np.fft", "complex", "optional"])


# =====================================================================================
# API_PROGRAMS: programs that use the derivative operators themselves.
#   src     Python source; the harness injects the names grad, jvp, vjp, hessian, hvp,
#           jacobian, stop_gradient, checkpoint (s2sad's own) plus np
#   entry   name of the function; call entry(*args) -> must equal expected
#   ref     plain NumPy function whose derivative (wrt ref_argnum, kind) is expected
# =====================================================================================
API_PROGRAMS = []


def api(id, src, entry, args, expected, ref, ref_args, ref_argnum=0, ref_kind="grad", ref_v=None, seeds=(), note="", tol=1e-9):
    API_PROGRAMS.append(dict(id=id, src=src, entry=entry, args=args, expected=expected, ref=ref, ref_args=ref_args, ref_argnum=ref_argnum, ref_kind=ref_kind, ref_v=ref_v,
                             seeds=list(seeds), note=note, tol=tol))


def p_fomaml_ref(adapted, Xq, yq):
    return 0.5 * np.sum((np.tanh(Xq @ adapted) - yq)**2)


_hml = np.tanh(_ml[1] @ _ml[0])
_adm = _ml[0] - 0.2 * _ml[1].T @ ((_hml - _ml[2]) * (1 - _hml**2))
_hqm = np.tanh(_ml[3] @ _adm)
api("p_fomaml_stop_gradient", '''
def inner(theta, X, y):
    r = np.tanh(X @ theta) - y
    return 0.5 * np.sum(r**2)

def outer(theta, Xs, ys, Xq, yq, alpha):
    g = stop_gradient(grad(inner)(theta, Xs, ys))
    return inner(theta - alpha * g, Xq, yq)

def entry(theta, Xs, ys, Xq, yq, alpha):
    return grad(outer)(theta, Xs, ys, Xq, yq, alpha)
''', "entry", _ml, _ml[3].T @ ((_hqm - _ml[4]) * (1 - _hqm**2)), p_fomaml_ref, (_adm, _ml[3], _ml[4]), seeds=["004 9.2 FOMAML"])

api("p_gradient_cut", '''
def rollout(theta, u0):
    u1 = np.tanh(theta * u0)
    u2 = np.tanh(theta * stop_gradient(u1))
    return np.sum(u1**2) + np.sum(u2**2)

def entry(theta, u0):
    return grad(rollout)(theta, u0)
''', "entry", (0.7, _u0), float(np.sum(2 * _u1 * (1 - _u1**2) * _u0) + np.sum(2 * _u2c * (1 - _u2c**2) * _u1)), k_rollout_cut, (0.7, _u0, _u1), seeds=["000/001 Strategic Gradient Cuts"])


def p_ste_ref(x, w, r):
    return np.sum(w * (x + r))


api("p_ste_by_stop_gradient", '''
def loss(x, w):
    q = x + stop_gradient(np.round(x) - x)
    return np.sum(w * q)

def entry(x, w):
    return grad(loss)(x, w)
''', "entry", (_xr5, _g5), _g5, p_ste_ref, (_xr5, _g5, np.round(_xr5) - _xr5), seeds=["004 8.3 STE"])

api("p_checkpoint_same_gradient", '''
def block(v, W):
    return 1.0 / (1.0 + np.exp(-(W @ v)))

def loss(Ws, v0):
    v = v0
    for k in range(Ws.shape[0]):
        v = checkpoint(block)(v, Ws[k])
    return np.sum(v)

def entry(Ws, v0):
    return grad(loss)(Ws, v0)
''', "entry", (R(531).standard_normal((6, 3, 3)), _us[:3]), _e_chain(R(531).standard_normal((6, 3, 3)), _us[:3])[0], a_chain, (R(531).standard_normal((6, 3, 3)), _us[:3]),
    seeds=["004 8.1 torch.utils.checkpoint / jax.checkpoint"])

api("p_newton_step_hessian", '''
def loss(w, X, y):
    z = X @ w
    return np.sum(np.log(1 + np.exp(z)) - y * z) + 0.5 * np.sum(w**2)

def entry(w, X, y):
    for k in range(12):
        w = w - np.linalg.solve(hessian(loss)(w, X, y), grad(loss)(w, X, y))
    return w
''', "entry", (np.zeros(3), _Xl2, _yl2), _wnw, i_logreg_F, (_wnw, 1.0, _Xl2, _yl2), ref_kind="zero", seeds=["004 E.1 Newton with exact Hessians"])

api("p_tanh_4th", '''
def f(x):
    return np.tanh(x)

def entry(x):
    return grad(grad(grad(grad(f))))(x)
''', "entry", (0.5,), (1 - math.tanh(0.5)**2) * (16 * math.tanh(0.5) - 24 * math.tanh(0.5)**3), None, None, ref_kind="none", seeds=["003 AD ex 3"], note="verified as m_ad3_tanh_4th; the emitted source must stay small (CSE/DCE) - report its length")
