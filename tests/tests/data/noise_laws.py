"""Reference values of the noise laws, from mpmath at 60 digits. `python3 noise_laws.py > noise_laws.tsv`

Columns: law, function, float, the argument's bits in that float, f(x) at exactly that argument, and the condition number
|x f'(x)/f(x)|, at least 1. Arguments whose result is not a normal number of the float are left out.
"""

import random
import struct
import sys
from statistics import NormalDist

from mpmath import cosh, erfc, exp, expm1, log, log1p, mp, mpf, nstr, pi, sign, sqrt, tanh

mp.dps = 60
POINTS = int(sys.argv[1]) if len(sys.argv) > 1 else 12

LARGEST = {"f32": 3.4e38, "f64": 1.7e308}
FLOATS = {"f32": ("<f", "<I", 2.0**-126, 2.0**-24), "f64": ("<d", "<Q", 2.0**-1022, 2.0**-53)}


def odds(t):
    return log(t) - log1p(-t)


def normal_quantile(p):
    """Newton's method on the smaller tail, from the 16 digits of the standard library."""
    if p > 0.5:
        return -normal_quantile(1 - p)
    z = mpf(NormalDist().inv_cdf(float(p)))
    for _ in range(4):
        z -= (NORMAL["cdf"](z) - p) / NORMAL["pdf"](z)
    return z if p != 0.5 else mpf(0)


NORMAL = {
    "cdf": lambda z: erfc(-z / sqrt(2)) / 2,
    "survival": lambda z: erfc(z / sqrt(2)) / 2,
    "pdf": lambda z: exp(-z * z / 2) / sqrt(2 * pi),
    "score": lambda z: z,
    "score'": lambda z: mpf(1),
    "quantile": normal_quantile,
}
GUMBEL = {
    "cdf": lambda z: exp(-exp(-z)),
    "survival": lambda z: -expm1(-exp(-z)),
    "pdf": lambda z: exp(-z - exp(-z)),
    "score": lambda z: -expm1(-z),
    "score'": lambda z: exp(-z),
    "quantile": lambda p: -log(-log(p)),
}
LOGISTIC = {
    "cdf": lambda z: 1 / (1 + exp(-z)),
    "survival": lambda z: 1 / (1 + exp(z)),
    "pdf": lambda z: 1 / (2 * cosh(z / 2)) ** 2,
    "score": lambda z: tanh(z / 2),
    "score'": lambda z: 1 / (2 * cosh(z / 2) ** 2),
    "quantile": odds,
}
LAPLACE = {
    "cdf": lambda z: exp(z) / 2 if z < 0 else 1 - exp(-z) / 2,
    "survival": lambda z: exp(-z) / 2 if z > 0 else 1 - exp(z) / 2,
    "pdf": lambda z: exp(-abs(z)) / 2,
    "score": sign,
    "score'": lambda z: mpf(0),
    "quantile": lambda p: log(2 * p) if p <= 0.5 else -log(2 * (1 - p)),
}
UNIFORM = {
    "cdf": lambda z: min(max((1 + z) / 2, mpf(0)), mpf(1)),
    "survival": lambda z: min(max((1 - z) / 2, mpf(0)), mpf(1)),
    "pdf": lambda z: mpf(0.5) if abs(z) <= 1 else mpf(0),
    "score": lambda z: mpf(0),
    "score'": lambda z: mpf(0),
    "quantile": lambda p: 2 * p - 1,
}
# law: functions, the z the tails are followed to in f32 and in f64
LAWS = {
    "normal": (NORMAL, {"f32": (-13, 13), "f64": (-37, 37)}),
    "gumbel": (GUMBEL, {"f32": (-4.4, 86), "f64": (-6, 700)}),
    "logistic": (LOGISTIC, {"f32": (-86, 86), "f64": (-700, 700)}),
    "laplace": (LAPLACE, {"f32": (-86, 86), "f64": (-700, 700)}),
    "uniform": (UNIFORM, {"f32": (-1.5, 1.5), "f64": (-1.5, 1.5)}),
}


# The logarithms are followed far beyond the z where the functions themselves are normal numbers.
FAR = {
    "normal": {"f32": (-1e6, 1e6), "f64": (-1e6, 1e6)},
    "gumbel": {"f32": (-80, 1e6), "f64": (-700, 1e6)},
    "logistic": {"f32": (-1e6, 1e6), "f64": (-1e6, 1e6)},
    "laplace": {"f32": (-1e6, 1e6), "f64": (-1e6, 1e6)},
    "uniform": {"f32": (-1, 1), "f64": (-1, 1)},
}
for functions, _ in LAWS.values():
    functions["ln_pdf"] = lambda z, f=functions: log(f["pdf"](z))
    functions["ln_cdf"] = lambda z, f=functions: log(f["cdf"](z)) if f["cdf"](z) < 0.5 else log1p(-f["survival"](z))
    functions["ln_survival"] = lambda z, f=functions: log(f["survival"](z)) if f["survival"](z) < 0.5 else log1p(-f["cdf"](z))


def slope(functions, name, x):
    """x f'(x)/f(x), or 0 where f is."""
    value = functions[name](x)
    if value == 0:
        return mpf(0)
    if name == "quantile":
        return x / functions["pdf"](value) / value
    derivative = {
        "cdf": lambda: functions["pdf"](x),
        "survival": lambda: -functions["pdf"](x),
        "pdf": lambda: -functions["score"](x) * functions["pdf"](x),
        "score": lambda: functions["score'"](x),
        "ln_pdf": lambda: -functions["score"](x),
        "ln_cdf": lambda: functions["pdf"](x) / functions["cdf"](x),
        "ln_survival": lambda: -functions["pdf"](x) / functions["survival"](x),
    }[name]()
    return x * derivative / value


def arguments(low, high, rng):
    """0, tiny, moderate and extreme z of both signs."""
    z = [0.0, 1e-30, 1e-17, 1e-8, 1e-3, 0.5, 1.0, 2.0]
    z += [rng.uniform(0, 4) for _ in range(POINTS // 3)]
    z = sorted({s * x for x in z for s in (-1, 1) if low <= s * x <= high})
    return z + [low, high] + [rng.uniform(low, high) for _ in range(POINTS)]


def far_arguments(low, high, rng):
    """The same, and z of every magnitude; 6 and 40 are where formulas change."""
    z = [0.0, 1e-30, 1e-8, 1e-3, 0.5, 1.0, 5.999, 6.0, 6.001, 37.0, 39.999, 40.0, 40.001, 1e3, 1e6]
    z += [10 ** rng.uniform(-2, 6) for _ in range(POINTS // 2)] + [rng.uniform(0, 12) for _ in range(POINTS // 3)]
    return sorted({s * x for x in z for s in (-1, 1) if low <= s * x <= high})


def probabilities(half_ulp, smallest, rng):
    """Both tails, ½, and where the algorithms change branch: 0.075, ¼, e^−25, 1/e."""
    tails = [0.5, 0.49999999, 0.4, 0.25000001, 0.24999999, 0.0750001, 0.075, 0.0749999, 1e-3, 1.389e-11, 1.388e-11]
    tails += [half_ulp, 3 * half_ulp, 1e-5, 0.36787944117144233]
    tails += [rng.uniform(0, 0.5) for _ in range(POINTS)]
    lower = tails + [smallest] + [10 ** rng.uniform(-300 if smallest < 1e-300 else -37, -3) for _ in range(POINTS)]
    return sorted(lower) + sorted(1 - t for t in tails if t >= half_ulp)


def rows(law, functions, name, float_name, xs):
    pack, bits_of, smallest, _ = FLOATS[float_name]
    digits = {"f32": 12, "f64": 22}[float_name]
    for raw in sorted({struct.pack(pack, x) for x in xs}):
        x = mpf(struct.unpack(pack, raw)[0])
        if name == "quantile" and not 0 < x < 1:
            continue
        value = functions[name](x)
        if value != 0 and not smallest <= abs(value) < LARGEST[float_name]:
            continue
        bits = struct.unpack(bits_of, raw)[0]
        condition = max(mpf(1), abs(slope(functions, name, x)))
        print("\t".join([law, name, float_name, f"{bits:x}", nstr(value, digits), nstr(condition, 4)]))


def main():
    rng = random.Random(2022)
    print("# law\tfunction\tfloat\targument_bits\tvalue\tcondition")
    for law, (functions, ranges) in LAWS.items():
        for float_name, (_, _, smallest, half_ulp) in FLOATS.items():
            for name in ["quantile", "cdf", "survival", "pdf", "score"]:
                xs = probabilities(half_ulp, smallest, rng) if name == "quantile" else arguments(*ranges[float_name], rng)
                rows(law, functions, name, float_name, xs)
    for law, (functions, _) in LAWS.items():
        for float_name in FLOATS:
            for name in ["ln_pdf", "ln_cdf", "ln_survival"]:
                rows(law, functions, name, float_name, far_arguments(*FAR[law][float_name], rng))


if __name__ == "__main__":
    main()
