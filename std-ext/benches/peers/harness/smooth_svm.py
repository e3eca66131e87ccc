"""The smooth top-K SVM by its paper's algorithm (Berrada, Zisserman, Kumar, ICLR 2018), written from the description there.

Elementary symmetric polynomials of exp(s / (K tau)) as logarithms: forward by a tree of polynomial products that are cut off after
degree K, backward by a recursion for the polynomials with one class left out.
"""

import torch


class LogPolynomials(torch.autograd.Function):
    """log e_{k-1} and log e_k of exp(x), row by row of x [batch, classes]."""

    @staticmethod
    def forward(ctx, x, k):
        logs = product(x.t().unsqueeze(1), k)  # [degree, batch]
        ctx.save_for_backward(x, logs)
        return logs[k - 1], logs[k]

    @staticmethod
    def backward(ctx, below_grad, top_grad):
        x, logs = ctx.saved_tensors
        k = logs.shape[0] - 1
        # d log e_j / dx_i = exp(x_i + log d_j - log e_j), d_j the polynomial of degree j - 1 without class i: d_{j+1} = e_j - exp(x_i) d_j.
        without = torch.zeros_like(x)
        below = torch.zeros_like(x)
        for j in range(1, k):
            if j == k - 1:
                below = torch.exp(x + without - logs[j][:, None])
            drop = (x + without - logs[j][:, None]).clamp_(max=-1e-7)
            without = logs[j][:, None] + torch.log(-torch.expm1(drop))
        top = torch.exp(x + without - logs[k][:, None])
        return below * below_grad[:, None] + top * top_grad[:, None], None


def product(x, k):
    """Logarithms of the coefficients up to degree k of prod_i (1 + exp(x_i) z), x [classes, 1, batch], as [degree, batch]."""
    polynomials = torch.cat([torch.zeros_like(x), x], dim=1)
    while polynomials.shape[0] > 1:
        half, odd = divmod(polynomials.shape[0], 2)
        paired = multiplied(polynomials[:half], polynomials[half : 2 * half], k)
        if odd:
            last = polynomials[2 * half :]
            missing = paired.shape[1] - last.shape[1]
            padding = last.new_full((1, missing, last.shape[2]), -torch.inf)
            paired = torch.cat([paired, torch.cat([last, padding], dim=1)])
        polynomials = paired
    return polynomials[0]


def multiplied(left, right, k):
    """Products of pairs of polynomials [pairs, degree, batch], cut off after degree k."""
    a, b = left.shape[1], right.shape[1]
    coefficients = []
    for degree in range(min(k + 1, a + b - 1)):
        first, last = max(0, degree - b + 1), min(degree, a - 1)
        terms = left[:, first : last + 1] + right[:, degree - last : degree - first + 1].flip(1)
        coefficients.append(torch.logsumexp(terms, dim=1))
    return torch.stack(coefficients, dim=1)


def smooth_svm(scores, labels, k, temperature=1.0, margin=1.0):
    batch, classes = scores.shape
    label = scores.gather(1, labels[:, None])
    is_other = torch.ones_like(scores, dtype=torch.bool).scatter_(1, labels[:, None], False)
    others = scores[is_other].view(batch, classes - 1)
    below, top = LogPolynomials.apply(others / (k * temperature), k)
    right = below + label[:, 0] / (k * temperature)
    wrong = top + margin / temperature
    return (temperature * (torch.logaddexp(right, wrong) - right)).mean()
