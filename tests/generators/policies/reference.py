"""Branches to try policies on, and what the measures of two branches are in float64, written out as they are defined."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

Logits = NDArray[np.float32]
Exact = NDArray[np.float64]

VOCABULARY = 151_936


def drawn(seed: int, size: int, scale: float) -> tuple[Logits, Logits]:
    z_c, z_0 = np.random.default_rng(seed).normal(scale=scale, size=(2, size)).astype(np.float32)
    return z_c, z_0


def _peaked(seed: int, context_peak: float, memory_peak: float, *, same: bool = False) -> tuple[Logits, Logits]:
    """Branches like a model's: one token far ahead in each, a long tail behind."""
    z_c, z_0 = drawn(seed, 2000, 2.0)
    z_c[17] += np.float32(context_peak)
    z_0[17 if same else 1234] += np.float32(memory_peak)
    return z_c, z_0


def _ruled_out() -> tuple[Logits, Logits]:
    z_c, z_0 = drawn(21, 400, 3.0)
    z_c[:20], z_0[10:40] = -np.inf, -np.inf
    return z_c, z_0


CASES: dict[str, tuple[Logits, Logits]] = {
    "flat": drawn(1, 300, 0.01),
    "random": drawn(2, 300, 3.0),
    "wide": drawn(3, 300, 40.0),
    "two": (np.array([1.0, 0.5], np.float32), np.array([-1.0, 2.0], np.float32)),
    "vocabulary": drawn(4, VOCABULARY, 4.0),
    "context surer": _peaked(5, 18.0, 9.0),
    "memory surer": _peaked(6, 8.0, 18.0),
    "memory sure, context flat": _peaked(11, 0.0, 25.0),
    "both sure, apart": _peaked(7, 25.0, 25.0),
    "both sure, agreed": _peaked(8, 20.0, 19.0, same=True),
    "shifted": (drawn(9, 500, 4.0)[0] + np.float32(512.0), drawn(10, 500, 4.0)[1]),
    "ruled out": _ruled_out(),
}


def log_softmax(z: Logits | Exact) -> Exact:
    exact = z.astype(np.float64)
    shifted = exact - exact.max()
    return np.asarray(shifted - np.log(np.exp(shifted).sum()), dtype=np.float64)


def softmax(z: Logits | Exact) -> Exact:
    return np.exp(log_softmax(z))


def entropy(z: Logits | Exact) -> float:
    p = softmax(z)
    return -float(np.sum(p[p > 0] * np.log(p[p > 0])))


def divergence(z_c: Logits | Exact, z_0: Logits | Exact) -> float:
    """Jensen-Shannon, in nats."""
    p, q = softmax(z_c), softmax(z_0)
    m = (p + q) / 2
    return 0.5 * sum(float(np.sum(one[one > 0] * np.log(one[one > 0] / m[one > 0]))) for one in (p, q))


def margin(z: Logits | Exact) -> float:
    first, second = np.sort(softmax(z))[::-1][:2]
    return float(first - second)


def contrast(z_c: Logits | Exact, z_0: Logits | Exact, alpha: float) -> Exact:
    """``(1 + α) z_c − α z_0``; ``z_c`` where either is infinite."""
    c, m = z_c.astype(np.float64), z_0.astype(np.float64)
    both = np.isfinite(c) & np.isfinite(m)
    out = c.copy()
    out[both] = (1 + alpha) * c[both] - alpha * m[both]
    return np.asarray(out, dtype=np.float64)


def mixture(z_c: Logits, z_0: Logits, tau: float) -> Exact:
    """``(1 − τ) z_0 + τ z_c`` for τ of 0 or more."""
    c, m = z_c.astype(np.float64), z_0.astype(np.float64)
    if tau >= 1:
        return contrast(c, m, tau - 1)
    if tau == 0:
        return m
    out = np.full_like(c, -np.inf)
    both = np.isfinite(c) & np.isfinite(m)
    out[both] = (1 - tau) * m[both] + tau * c[both]
    return out


def tensors(pair: tuple[Logits, Logits]) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.from_numpy(pair[0].copy()), torch.from_numpy(pair[1].copy())


def assert_close(combined: torch.Tensor, expected: Exact) -> None:
    """Equal to 1e-5 of the largest finite number, with the same tokens ruled out."""
    finite = np.isfinite(expected)
    assert combined.dtype == torch.float32
    np.testing.assert_array_equal(np.isfinite(combined.numpy()), finite)
    scale = max(1.0, float(np.abs(expected[finite]).max()))
    np.testing.assert_allclose(combined.numpy()[finite], expected[finite], rtol=1e-5, atol=1e-5 * scale)


_logit = st.floats(-200, 200, width=32)


def pairs(most: int = 40) -> st.SearchStrategy[tuple[Logits, Logits]]:
    """Two branches of one vocabulary, finite."""
    return st.integers(1, most).flatmap(lambda n: st.tuples(*[arrays(np.float32, n, elements=_logit)] * 2))


def holed_pairs(most: int = 40) -> st.SearchStrategy[tuple[Logits, Logits]]:
    """Two branches that each may rule tokens out, but never all."""
    logit = st.one_of(_logit, st.just(-np.inf))
    branch = lambda n: arrays(np.float32, n, elements=logit).filter(lambda z: bool(np.isfinite(z).any()))  # noqa: E731
    return st.integers(1, most).flatmap(lambda n: st.tuples(branch(n), branch(n)))
