"""Forward and backward pass of an ONNX model in PyTorch float32: `torch_pass.py MODEL DATA THREADS RUNS` prints JSON."""
import json
import os
import resource
import sys
import time

import numpy
import onnx
import torch
import torch.nn.functional as F

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "oracle"))
import onnx_torch  # noqa: E402

exact = onnx_torch.tensor_of
onnx_torch.tensor_of = lambda proto: (lambda t: t.float() if t.is_floating_point() else t)(exact(proto))

# PyTorch's own kernels, as networks of its modules would run them.
onnx_torch.OPERATORS["BatchNormalization"] = lambda node, x, scale, bias, mean, variance: F.batch_norm(
    x, mean, variance, scale, bias, False, 0.0, node.a("epsilon", 1e-5)
)
onnx_torch.OPERATORS["Clip"] = lambda node, x, low, high: F.hardtanh(x, float(low), float(high))

path, data, threads, runs = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
torch.set_num_threads(threads)
model = onnx_torch.Interpreter(onnx.load(path))
feeds = {f[:-4]: torch.from_numpy(numpy.load(os.path.join(data, f))) for f in os.listdir(data)}
labels = feeds.pop("labels")
weights = list(model.weights.values())
output = model.graph.output[0].name


def scores():
    result = model.run(feeds)
    logits = (result[output] if isinstance(result, dict) else result[0]).float()
    gradients = torch.autograd.grad(F.cross_entropy(logits, labels), weights)
    return [float((w * g).abs().sum()) for w, g in zip(weights, gradients)]


scores()
times = []
for _ in range(runs):
    began = time.perf_counter()
    scores()
    times.append(time.perf_counter() - began)
times.sort()
print(json.dumps({"seconds": times[len(times) // 2], "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}))
