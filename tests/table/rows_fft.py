"""np.fft: every function, length, axis and norm; even and odd lengths."""

from table.rows import each, rows

FORMS = (
    "",
    ", n=5",
    ", 8",
    ", axis=0",
    ", n=3, axis=0",
    ", norm='ortho'",
    ", norm='forward'",
    ", norm='backward'",
    ", 4, 0, 'ortho'",
)
FORMS_N = (
    "",
    ", s=(4, 3)",
    ", axes=(0,)",
    ", axes=(1, 0)",
    ", s=(2, 5), axes=(0, 1), norm='ortho'",
    ", norm='forward'",
    ", s=(5,), axes=(-1,)",
)
FORMS_2 = ("", ", s=(4, 3)", ", axes=(1, 0)", ", norm='ortho'", ", axes=(0, 1), norm='forward'")
CASES = "34 c34 f34 35 c35 234 34F c34N"
REAL_CASES = "34 f34 35 234 34F"

ROWS = [
    *(
        r
        for form in FORMS
        for r in each("fft ifft hfft irfft", f"np.fft.{{}}(x{form})", CASES if not form else "34 c35 c34F")
    ),
    *(
        r
        for form in FORMS
        for r in each("rfft ihfft", f"np.fft.{{}}(x{form})", REAL_CASES if not form else "34 35 34F")
    ),
    *(
        r
        for form in FORMS_N
        for r in each("fftn ifftn irfftn", f"np.fft.{{}}(x{form})", CASES if not form else "34 c35")
    ),
    *(
        r
        for form in FORMS_N
        for r in each("rfftn", f"np.fft.{{}}(x{form})", REAL_CASES if not form else "34 35")
    ),
    *(
        r
        for form in FORMS_2
        for r in each("fft2 ifft2 irfft2", f"np.fft.{{}}(x{form})", CASES if not form else "34 c35")
    ),
    *(
        r
        for form in FORMS_2
        for r in each("rfft2", f"np.fft.{{}}(x{form})", REAL_CASES if not form else "34 35")
    ),
    *each("fft ifft rfft hfft ihfft", "np.fft.{}(x)", "5 6 1 i4"),
    *rows(
        "c5 c4 5",
        "np.fft.irfft(x)",
        "np.fft.irfft(x, 7)",
        "np.fft.irfft(np.fft.rfft(x.real), n=5)",
        "np.fft.hfft(x, 7)",
    ),
    *rows(
        "234 c234",
        "np.fft.fftn(x, axes=(0, 2))",
        "np.fft.ifftn(x, s=(3, 3), axes=(1, 2))",
        "np.fft.fft2(x, axes=(0, -1))",
    ),
    *each("fftshift ifftshift", "np.fft.{}(x)", CASES + " 5 i4"),
    *each("fftshift ifftshift", "np.fft.{}(x, axes=0)", "34 c35"),
    *each("fftshift ifftshift", "np.fft.{}(x, axes=(0, 1))", "34 c35"),
    *rows(
        "5 f5",
        "np.fft.fftfreq(5) * x",
        "np.fft.fftfreq(5, d=0.5) * x",
        "np.fft.rfftfreq(9) * x",
        "np.fft.rfftfreq(9, 0.25) * x",
    ),
    *rows("34 c34", "np.abs(np.fft.fft(x)) ** 2", "np.fft.ifft(np.fft.fft(x) * 2.0).real"),
]
