"""How far two next-token distributions lie apart, and how sure each is."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

LN2 = math.log(2.0)
RATIO_LIMIT = 40.0  # of log-probabilities; beyond it the rarer side has a mass below e^-40 and no part in the sum
RENYI_LIMIT = 40.0  # nats; branches without a common token would be infinitely far apart


def jensen_shannon(with_context: Tensor, without: Tensor) -> float:
    """Jensen-Shannon divergence of the two branches' next-token distributions, in nats from 0 to ln 2.

    With ``d = log p_0 − log p_c`` and ``t = log(m / p_c) = log1p(expm1(d) / 2)``, where m is the mean distribution,
    ``JSD = −½ Σ [p_c t + p_0 (t − d)]``. Equal branches give exactly 0, and nothing cancels where they nearly agree.

    Parameters
    ----------
    with_context, without
        Logits, shape [vocabulary], finite or −inf; computed in float32.
    """
    import torch

    log_p, log_q = log_probabilities(with_context), log_probabilities(without)
    # −inf on both sides gives nan: such a token carries no mass, so its ratio may be anything finite
    ratio = torch.nan_to_num(log_q - log_p, nan=0.0).clamp_(-RATIO_LIMIT, RATIO_LIMIT)
    to_mean = torch.expm1(ratio).div_(2).log1p_()
    terms = log_p.exp_().mul_(to_mean).add_(log_q.exp_().mul_(to_mean.sub_(ratio)))
    return min(max(-0.5 * float(terms.sum(dtype=torch.float64)), 0.0), LN2)


def renyi_half(with_context: Tensor, without: Tensor) -> float:
    """Rényi divergence of order 1/2, ``−2 log Σ √(p_c p_0)``, symmetric, in nats from 0 to ``RENYI_LIMIT``.

    Source: Rényi, "On measures of entropy and information", 1961. For this order it is twice the Bhattacharyya distance.
    """
    import torch

    halves = (log_probabilities(with_context) + log_probabilities(without)).div_(2)
    return min(max(-2.0 * float(torch.logsumexp(halves, dim=-1)), 0.0), RENYI_LIMIT)


def entropy(logits: Tensor) -> float:
    """Shannon entropy of the next-token distribution, in nats from 0 to the logarithm of the vocabulary's size."""
    import torch

    terms = torch.special.entr(log_probabilities(logits).exp_())
    return max(float(terms.sum(dtype=torch.float64)), 0.0)


def margin(logits: Tensor) -> float:
    """Probability of the most probable token less that of the next, from 0 to 1; 1 for a vocabulary of one."""
    import torch

    first, *others = torch.topk(log_probabilities(logits), min(2, logits.numel())).values.tolist()
    return math.exp(first) - math.exp(others[0]) if others else 1.0


def largest_probability(logits: Tensor) -> float:
    """Probability of the most probable token."""
    return math.exp(float(log_probabilities(logits).max()))


def log_probabilities(logits: Tensor) -> Tensor:
    """Logarithms of the next-token probabilities, float32, shape [vocabulary].

    The sum is kept in float64: over 150,000 tokens one in float32 costs the fifth digit.
    """
    import torch

    shifted = logits.float() - logits.max()
    return shifted.sub_(torch.exp(shifted).sum(dtype=torch.float64).log().float())
