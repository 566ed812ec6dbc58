#!/usr/bin/env python3
"""Scores of a network's weights in float64, from autograd: an independent reference for the product's criteria.

    /usr/bin/python3 test/oracle/gradients.py MODEL.onnx DATA --criterion snip --batchnorm stored > RESULT.json
    /usr/bin/python3 test/oracle/gradients.py MODEL.onnx DATA --self-test

Needs Debian's python3-torch and python3-onnx. DATA is a .npz file or a folder of .npy files: one array for each input of
the model, by name, and `labels`. Scores, higher = keep, with L the mean loss over the batch:

    snip     |w · dL/dw|
    taylor   mean over samples b of (w · dL_b/dw)^2, L_b being the loss of sample b alone
    grasp    w · (H g), with its sign: H and g are Hessian and gradient of the cross-entropy of logits / 200
    synflow  w · dR/dw of the linearised network (onnx_torch.LINEAR), R the sum of its logits for one sample of ones;
             masks after 100 rounds: after round k, round(N · rho^(-k/100)) weights are kept, rho = 1 / (1 - sparsity)

Kept: the round((1 - s) N) weights that come last in the order of (score, |w|, position in the file's order of layers),
half up. Only weights that the loss depends on count: `noScore` names the others.
"""
import argparse
import base64
import hashlib
import json
import math
import os
import sys
import zlib

import numpy as np
import onnx
import torch
import torch.nn.functional as F

from onnx_torch import Interpreter

SPARSITIES = [0.5, 0.9, 0.98]
#: Sparsity of the mask that is written out.
MASK_SPARSITY = 0.9
TEMPERATURE = 200.0
ROUNDS = 100


def read_data(path):
    if os.path.isdir(path):
        return {name[:-4]: np.load(os.path.join(path, name)) for name in sorted(os.listdir(path))}
    with np.load(path) as file:
        return dict(file)


class Problem:
    """A network, its data and its loss as a function of the weights."""

    def __init__(self, model, data, options):
        self.network = Interpreter(model, options.batchnorm)
        self.output = options.output or model.graph.output[0].name
        self.kind = options.loss
        self.labels = torch.from_numpy(data["labels"]) if "labels" in data else None
        arrays = {name: torch.from_numpy(array) for name, array in data.items() if name != "labels"}
        self.feeds = {name: x.double() if x.is_floating_point() else x for name, x in arrays.items()}

    def loss(self, temperature=1.0, sample=None):
        """Mean loss over the batch, or that of one sample."""
        feeds, labels = self.feeds, self.labels
        if sample is not None:
            feeds = {name: x[sample : sample + 1] for name, x in feeds.items()}
            labels = labels[sample : sample + 1]
        y = self.network.run(feeds)[self.output]
        return 0.5 * (y * y).mean() if self.kind == "half-mean-square" else F.cross_entropy(y / temperature, labels)

    def throughput(self):
        """R of SynFlow: the sum of the linearised network's output for one sample of ones."""
        ones = {name: torch.ones_like(x[:1]) if x.is_floating_point() else x for name, x in self.feeds.items()}
        return self.network.run(ones, linear=True)[self.output].sum()

    def reached(self):
        """Ids of the weights that the loss depends on, and of the others."""
        weights = self.network.weights
        grads = torch.autograd.grad(self.loss(), list(weights.values()), allow_unused=True)
        on = [name for name, grad in zip(weights, grads) if grad is not None]
        return on, [name for name in weights if name not in on]


def snip(problem, weights):
    loss = problem.loss()
    grads = torch.autograd.grad(loss, weights)
    return loss, [(w * g).abs() for w, g in zip(weights, grads)]


def taylor(problem, weights):
    samples = len(problem.labels)
    scores = [torch.zeros_like(w) for w in weights]
    total = 0.0
    for sample in range(samples):
        loss = problem.loss(sample=sample)
        total += loss.item() / samples
        for score, w, g in zip(scores, weights, torch.autograd.grad(loss, weights)):
            score += (w * g).detach() ** 2 / samples
    return total, scores


def hessian_gradient(problem, weights, temperature):
    loss = problem.loss(temperature)
    grads = torch.autograd.grad(loss, weights, create_graph=True)
    product = sum((g * g.detach()).sum() for g in grads)
    return loss, torch.autograd.grad(product, weights)


def grasp(problem, weights):
    loss, products = hessian_gradient(problem, weights, TEMPERATURE)
    return loss, [w * hg for w, hg in zip(weights, products)]


def synflow(problem, weights):
    r = problem.throughput()
    return r, [w * g for w, g in zip(weights, torch.autograd.grad(r, weights))]


CRITERIA = {"snip": snip, "taylor": taylor, "grasp": grasp, "synflow": synflow}


def flat(tensors):
    return np.concatenate([tensor.detach().numpy().ravel() for tensor in tensors])


def half_up(number):
    return math.floor(number + 0.5)


def keep_last(scores, magnitudes, count):
    """A mask of the last `count` by (score, magnitude, position); how many weights tie across its edge."""
    order = np.lexsort((magnitudes, scores))
    mask = np.zeros(len(order), dtype=bool)
    mask[order[len(order) - count :]] = True
    edge = order[len(order) - count]
    equal = (scores == scores[edge]) & (magnitudes == magnitudes[edge])
    return mask, 0 if mask[equal].all() else int(equal.sum())


def synflow_mask(problem, weights, sparsity):
    """The mask after all rounds. Pruned weights are 0 and stay so: with score and magnitude 0 they come first."""
    original = [w.detach().clone() for w in weights]
    total = sum(w.numel() for w in weights)
    cuts = np.cumsum([w.numel() for w in weights])[:-1]
    try:
        for k in range(1, ROUNDS + 1):
            _, scores = synflow(problem, weights)
            count = half_up(total * (1 - sparsity) ** (k / ROUNDS))
            mask, ties = keep_last(flat(scores), np.abs(flat(weights)), count)
            with torch.no_grad():
                for w, kept in zip(weights, np.split(mask, cuts)):
                    w *= torch.from_numpy(kept).reshape(w.shape)
        return mask, ties
    finally:
        with torch.no_grad():
            for w, was in zip(weights, original):
                w.copy_(was)


def rounded(number):
    return float(f"{float(number):.12g}")


def result(problem, criterion):
    on, off = problem.reached()
    weights = [problem.network.weights[name] for name in on]
    loss, scores = CRITERIA[criterion](problem, weights)
    every, magnitudes = flat(scores), np.abs(flat(weights))
    layer = np.repeat(np.arange(len(weights)), [w.numel() for w in weights])
    masks = {}
    for sparsity in SPARSITIES:
        if criterion == "synflow":
            masks[sparsity] = synflow_mask(problem, weights, sparsity)
        else:
            masks[sparsity] = keep_last(every, magnitudes, half_up((1 - sparsity) * len(every)))
    return {
        "loss": rounded(loss),
        "zeroScoreShare": rounded((every == 0).mean()),
        "layers": on,
        "noScore": off,
        "sizes": [w.numel() for w in weights],
        "sums": [rounded(score.sum()) for score in scores],
        "sumsOfMagnitudes": [rounded(score.abs().sum()) for score in scores],
        "sumsOfSquares": [rounded((score * score).sum()) for score in scores],
        "kept": {str(s): np.bincount(layer[m], minlength=len(on)).tolist() for s, (m, _) in masks.items()},
        "ties": {str(s): ties for s, (_, ties) in masks.items()},
        "mask": pack(masks[MASK_SPARSITY][0]) if criterion in ("grasp", "synflow") else None,
    }


def pack(mask):
    """Bit i % 8 of byte i / 8 is weight i of the layers in order; zlib, base64."""
    return base64.b64encode(zlib.compress(np.packbits(mask, bitorder="little").tobytes(), 9)).decode()


def self_test(problem):
    """Autograd against central differences of the loss and of the gradient, along a random direction of all weights."""
    on, _ = problem.reached()
    weights = [problem.network.weights[name] for name in on]
    torch.manual_seed(1)
    direction = [torch.randn_like(w) * w.detach().std() for w in weights]
    step = 1e-8

    def central(function):
        ends = []
        for sign in (1, -1):
            with torch.no_grad():
                for w, u in zip(weights, direction):
                    w += sign * step * u
            ends.append(function())
            with torch.no_grad():
                for w, u in zip(weights, direction):
                    w -= sign * step * u
        return (ends[0] - ends[1]) / (2 * step)

    def dot(a, b):
        return sum((x * y).sum().item() for x, y in zip(a, b))

    gradient = torch.autograd.grad(problem.loss(), weights)
    slope = central(lambda: problem.loss().item())
    # The direction's curvature uHg is the change of g·(a fixed g) along u: central differences of a gradient.
    _, products = hessian_gradient(problem, weights, 1.0)
    curvature = central(lambda: dot(torch.autograd.grad(problem.loss(), weights), gradient))
    errors = {}
    for name, exact, measured in [
        ("gradient", dot(gradient, direction), slope),
        ("hessian times gradient", dot(products, direction), curvature),
    ]:
        errors[name] = abs(exact - measured) / abs(exact)
        print(f"{name}: {exact:.12g} by autograd, {measured:.12g} by differences", file=sys.stderr)
    # Rounding leaves about 1e-16 / step of the loss, kinks within a step of the weights a little more.
    return max(errors.values()) < 1e-5


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("data")
    parser.add_argument("--criterion", choices=list(CRITERIA), default="snip")
    parser.add_argument("--batchnorm", choices=["stored", "batch"], default="stored")
    parser.add_argument("--loss", choices=["cross-entropy", "half-mean-square"], default="cross-entropy")
    parser.add_argument("--output", help="output that the loss is of; the first by default")
    parser.add_argument("--self-test", action="store_true")
    options = parser.parse_args()
    with open(options.model, "rb") as file:
        content = file.read()
    problem = Problem(onnx.load_from_string(content), read_data(options.data), options)
    if options.self_test:
        sys.exit(0 if self_test(problem) else 1)
    head = {
        "tool": f"torch {torch.__version__}, float64",
        "sha256": hashlib.sha256(content).hexdigest(),
        "criterion": options.criterion,
        "batchNorm": options.batchnorm,
        "lossKind": options.loss,
    }
    json.dump({**head, **result(problem, options.criterion)}, sys.stdout)
    print()


main()
