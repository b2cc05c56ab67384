"""The optimizers of the lecture, written as their formulas.

All of them take w ← w − η · direction, with the learning rate η. They differ in the direction that they make of the
gradient g, and in what they remember for it:

    SGD       g                        nothing
    Momentum  v                        v ← μ v + g, the velocity
    RMSprop   g / (√s + ε)             s ← α s + (1 − α) g², how large g² usually is
    Adam      m̂ / (√v̂ + ε)             averages of g (a momentum) and of g² (RMSprop), both corrected for their start
    AdamW     as Adam                  the same, and its weight decay stays outside the averages

Each is equal to the class of torch.optim of the same purpose. They are slower and meant to be read: every update is
element by element, so several runs may lie in one tensor, with a tensor of learning rates that broadcasts over them.

>>> w = torch.tensor([1.0], requires_grad=True)
>>> optimizer = Momentum([w], lr=0.1, momentum=0.9)
>>> for _ in range(2):
...     w.grad = torch.tensor([1.0])
...     optimizer.step()
>>> round(w.item(), 4)  # 1 - 0.1 · 1 - 0.1 · (0.9 · 1 + 1)
0.71
"""

import torch


class TextbookOptimizer(torch.optim.Optimizer):
    """What all of them share: the step, and weight decay in one of its two places.

    Args:
        params, lr: As for any torch optimizer; η may be a tensor that broadcasts over the parameters.
        weight_decay: λ.
        decoupled: False adds (λ/2)‖w‖² to the loss, which is λ w in its gradient: L2. True shrinks the weights by
            1 − ηλ beside the step (Loshchilov and Hutter 2019, "Decoupled Weight Decay Regularization").
    """

    def __init__(self, params, lr, weight_decay: float = 0.0, decoupled: bool = False, **constants):
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay, "decoupled": decoupled, **constants})

    @torch.no_grad()
    def step(self) -> None:
        """Move every parameter that has a gradient."""
        for group in self.param_groups:
            rate, decay = group["lr"], group["weight_decay"]
            for w in group["params"]:
                if w.grad is None:
                    continue
                g = w.grad
                if group["decoupled"]:
                    w.mul_(1 - rate * decay)
                else:
                    g = g + decay * w
                w.sub_(rate * self.direction(g, self.state[w], group))

    def direction(self, g: torch.Tensor, state: dict, group: dict) -> torch.Tensor:
        """Return where to go for the gradient `g`, of its shape; `state` is what the parameter remembers."""
        raise NotImplementedError


class SGD(TextbookOptimizer):
    """w ← w − η g: gradient descent; stochastic where g comes from a batch (Robbins and Monro 1951)."""

    def direction(self, g, state, group):
        return g


class Momentum(TextbookOptimizer):
    """A velocity, then a step: v ← μ v + g; w ← w − η v (Polyak 1964).

    Sutskever et al. 2013 keep η inside, v ← μ v − η g; w ← w + v. The two are the same as long as η does not change.
    A gradient that stays the same is followed at η / (1 − μ), one that changes its sign cancels itself.
    """

    def __init__(self, params, lr, momentum: float = 0.9, **decay):
        super().__init__(params, lr, momentum=momentum, **decay)

    def direction(self, g, state, group):
        state["v"] = group["momentum"] * state.get("v", 0) + g
        return state["v"]


class RMSprop(TextbookOptimizer):
    """Divide by the root of the mean square: s ← α s + (1 − α) g²; w ← w − η g / (√s + ε).

    Tieleman and Hinton 2012, "Lecture 6.5". Each weight takes steps of about η, however large its gradients are.
    """

    def __init__(self, params, lr, alpha: float = 0.99, eps: float = 1e-8, **decay):
        super().__init__(params, lr, alpha=alpha, eps=eps, **decay)

    def direction(self, g, state, group):
        alpha = group["alpha"]
        state["s"] = alpha * state.get("s", 0) + (1 - alpha) * g**2
        return g / (state["s"].sqrt() + group["eps"])


class Adam(TextbookOptimizer):
    """Both at once (Kingma and Ba 2015, algorithm 1), at step t = 1, 2, …:

        m ← β1 m + (1 − β1) g          m̂ = m / (1 − β1ᵗ)       the first moment: a momentum
        v ← β2 v + (1 − β2) g²         v̂ = v / (1 − β2ᵗ)       the second moment: RMSprop's mean square
        w ← w − η m̂ / (√v̂ + ε)

    m and v begin at 0 and are too small at first; dividing by the sum of the weights given so far corrects that.

    Either beta may be None, which leaves its half out:
      - betas=(None, β2) is RMSprop with bias correction: RMSprop's step with η √(1 − β2ᵗ) and ε √(1 − β2ᵗ);
      - betas=(β1, None) is momentum with bias correction: Momentum's step with η (1 − β1) / (1 − β1ᵗ);
      - betas=(None, None) is SGD.
    """

    def __init__(self, params, lr, betas=(0.9, 0.999), eps: float = 1e-8, **decay):
        super().__init__(params, lr, betas=betas, eps=eps, **decay)

    def direction(self, g, state, group):
        beta1, beta2 = group["betas"]
        state["t"] = t = state.get("t", 0) + 1
        direction = g
        if beta1 is not None:
            state["m"] = beta1 * state.get("m", 0) + (1 - beta1) * g
            direction = state["m"] / (1 - beta1**t)
        if beta2 is not None:
            state["v"] = beta2 * state.get("v", 0) + (1 - beta2) * g**2
            direction = direction / ((state["v"] / (1 - beta2**t)).sqrt() + group["eps"])
        return direction


class AdamW(Adam):
    """Adam with decoupled weight decay: w ← (1 − ηλ) w − η m̂ / (√v̂ + ε) (Loshchilov and Hutter 2019, algorithm 2).

    L2 would pass λ w through both averages, where weights with large gradients are divided by a large √v̂ and decay
    less than others. Here all shrink at the same pace.
    """

    def __init__(self, params, lr, betas=(0.9, 0.999), eps: float = 1e-8, weight_decay: float = 0.01):
        super().__init__(params, lr, betas, eps, weight_decay=weight_decay, decoupled=True)
