"""Runs an ONNX graph in PyTorch with float64 elements, so that autograd can differentiate it.

Written from the operators' definitions and shares nothing with the product: it is what the product is held against.
Floats of any width become float64, whole numbers int64. `Interpreter.run` can also run the graph as SynFlow sees it
(`linear=True`). Operators that are not here raise NotImplementedError with their name.
"""
import math

import onnx
import torch
import torch.nn.functional as F
from onnx import numpy_helper

#: Inputs that hold weights, by operator.
WEIGHT_INPUTS = {"Conv": [1], "ConvTranspose": [1], "Gemm": [0, 1], "MatMul": [0, 1], "LSTM": [1, 2], "GRU": [1, 2]}
#: Operators that only move elements: a weight is found behind them.
MOVERS = {"Identity", "Transpose", "Cast", "Reshape", "Squeeze", "Unsqueeze", "Flatten", "Slice", "Split", "Concat"}
FLOATS = {onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE, onnx.TensorProto.FLOAT16}
OPERATORS = {}


def operator(*names):
    def register(function):
        for name in names:
            OPERATORS[name] = function
        return function

    return register


def tensor_of(proto):
    array = numpy_helper.to_array(proto).copy()
    if array.dtype.kind == "f":
        return torch.from_numpy(array.astype("float64"))
    return torch.from_numpy(array if array.dtype.kind == "b" else array.astype("int64"))


def ints(tensor):
    return [int(number) for number in tensor.reshape(-1)]


class Node:
    """A node with its inputs' values; `a` gives attributes."""

    def __init__(self, proto, interpreter, scope, path):
        self.proto, self.opset, self.interpreter, self.scope, self.path = proto, interpreter.opset, interpreter, scope, path
        self.attributes = {item.name: onnx.helper.get_attribute_value(item) for item in proto.attribute}
        self.outputs = len(proto.output)

    def a(self, name, fallback=None):
        value = self.attributes.get(name, fallback)
        return value.decode() if isinstance(value, bytes) else value


class Interpreter:
    """A model whose prunable weights are leaves of autograd: `weights` maps their ids to tensors, in order of use."""

    def __init__(self, model, batchnorm="stored"):
        self.graph, self.batchnorm, self.linear = model.graph, batchnorm, False
        self.opset = next(item.version for item in model.opset_import if item.domain in ("", "ai.onnx"))
        self.weights = {}
        self._find_weights(model.graph, [], "")

    def _find_weights(self, graph, scopes, path):
        scope = {tensor.name: (tensor, path + tensor.name) for tensor in graph.initializer}
        for node in graph.node:
            for output in node.output:
                scope[output] = (node, path + output)
            if node.op_type == "Constant":
                held = [item.t for item in node.attribute if item.name == "value"]
                if held:
                    scope[node.output[0]] = (held[0], path + node.output[0])
        scopes = scopes + [scope]

        def origin(name):
            thing, identity = next((table[name] for table in reversed(scopes) if name in table), (None, None))
            if isinstance(thing, onnx.TensorProto):
                return thing, identity
            if thing is None or thing.op_type not in MOVERS:
                return None
            sources = [origin(source) for source in (thing.input if thing.op_type == "Concat" else thing.input[:1])]
            return sources[0] if None not in sources and len({source[1] for source in sources}) == 1 else None

        for node in graph.node:
            for index in WEIGHT_INPUTS.get(node.op_type, []):
                found = origin(node.input[index]) if index < len(node.input) else None
                if found is None or found[0].data_type not in FLOATS or found[1] in self.weights:
                    continue
                value = tensor_of(found[0])
                if value.ndim >= 1 and value.numel() > 0:
                    self.weights[found[1]] = value.requires_grad_()
            for item in node.attribute:
                if item.type == onnx.AttributeProto.GRAPH:
                    self._find_weights(item.g, scopes, f"{path}{node.output[0]}.{item.name}/")

    def constant(self, identity, proto):
        """The tensor of a constant: the leaf where it is a weight, else a new one."""
        return self.weights[identity] if identity in self.weights else tensor_of(proto)

    def run(self, feeds, linear=False):
        """Values of the graph's outputs by name. `linear`: as SynFlow sees the network, see `LINEAR`."""
        self.linear, self.constants = linear, set()
        return self.run_graph(self.graph, dict(feeds), "")

    def run_graph(self, graph, scope, path):
        """`path` is put before the names of constants in a branch, as in the ids of layers."""
        for proto in graph.initializer:
            scope[proto.name] = self.constant(path + proto.name, proto)
            self.constants.add(proto.name)
        for proto in graph.node:
            node = Node(proto, self, scope, path)
            inputs = [scope[name] if name else None for name in proto.input]
            known = all(name in self.constants for name in proto.input if name) and proto.op_type != "If"
            table = LINEAR if self.linear and not known and proto.op_type in LINEAR else OPERATORS
            if proto.op_type not in table:
                raise NotImplementedError(f"{proto.op_type}-{self.opset}")
            made = table[proto.op_type](node, *inputs)
            for name, value in zip(proto.output, made if isinstance(made, (tuple, list)) else [made]):
                scope[name] = value
                if known or proto.op_type == "Shape":
                    self.constants.add(name)
        return {output.name: scope[output.name] for output in graph.output}


# --- elements -------------------------------------------------------------------------------------------------------

for name, function in {
    "Abs": torch.abs, "Add": torch.add, "Erf": torch.erf, "Exp": torch.exp, "Identity": lambda x: x,
    "Dropout": lambda x, *_: x, "Log": torch.log, "Mul": torch.mul, "Neg": torch.neg, "Reciprocal": torch.reciprocal,
    "Relu": torch.relu, "Sigmoid": torch.sigmoid, "Softplus": F.softplus, "Sqrt": torch.sqrt, "Sub": torch.sub,
    "Tanh": torch.tanh, "Equal": torch.eq, "Greater": torch.gt, "GreaterOrEqual": torch.ge, "Less": torch.lt,
    "Not": torch.logical_not, "And": torch.logical_and, "Where": torch.where, "MatMul": torch.matmul,
}.items():
    OPERATORS[name] = lambda node, *inputs, function=function: function(*inputs)


@operator("Div")
def _div(node, a, b):
    return a / b if a.is_floating_point() else torch.div(a, b, rounding_mode="trunc")


@operator("Pow")
def _pow(node, a, b):
    exponent = b.item() if b.numel() == 1 else b
    return a * a if exponent == 2 else torch.pow(a, exponent)


@operator("Max")
def _max(node, first, *others):
    for other in others:
        first = torch.where(first >= other, first, other)
    return first


@operator("Min")
def _min(node, first, *others):
    for other in others:
        first = torch.where(first <= other, first, other)
    return first


@operator("Clip")
def _clip(node, x, low=None, high=None):
    low = node.a("min") if low is None else low.item()
    high = node.a("max") if high is None else high.item()
    if low is not None:
        x = torch.where(x > low, x, torch.full_like(x, low))
    return x if high is None else torch.where(x < high, x, torch.full_like(x, high))


@operator("LeakyRelu")
def _leaky_relu(node, x):
    return torch.where(x > 0, x, x * node.a("alpha", 0.01))


@operator("HardSigmoid")
def _hard_sigmoid(node, x):
    y = node.a("alpha", 0.2) * x + node.a("beta", 0.5)
    return torch.where(y <= 0, torch.zeros_like(y), torch.where(y >= 1, torch.ones_like(y), y))


@operator("HardSwish")
def _hard_swish(node, x):
    y = x / 6 + 0.5
    return x * torch.where(y <= 0, torch.zeros_like(y), torch.where(y >= 1, torch.ones_like(y), y))


@operator("Softmax")
def _softmax(node, x):
    axis = node.a("axis", -1 if node.opset >= 13 else 1) % x.ndim
    if node.opset >= 13 or axis == x.ndim - 1:
        return torch.softmax(x, axis)
    return torch.softmax(x.reshape(math.prod(x.shape[:axis]), -1), 1).reshape(x.shape)


@operator("Cast")
def _cast(node, x):
    to = node.a("to")
    return x.double() if to in FLOATS else x.bool() if to == onnx.TensorProto.BOOL else x.long()


# --- layers ---------------------------------------------------------------------------------------------------------


def window(node, spatial, kernel):
    """Strides, dilations and [(before, after)] pads of a convolution or pooling."""
    axes = len(spatial)
    strides, dilations = node.a("strides", [1] * axes), node.a("dilations", [1] * axes)
    auto = node.a("auto_pad", "NOTSET")
    if auto in ("SAME_UPPER", "SAME_LOWER"):
        pads = []
        for size, k, s, d in zip(spatial, kernel, strides, dilations):
            total = max(0, (math.ceil(size / s) - 1) * s + d * (k - 1) + 1 - size)
            pads.append((total // 2, total - total // 2) if auto == "SAME_UPPER" else (total - total // 2, total // 2))
        return strides, dilations, pads
    pads = node.a("pads", [0] * (2 * axes)) if auto == "NOTSET" else [0] * (2 * axes)
    return strides, dilations, list(zip(pads[:axes], pads[axes:]))


def padded(x, pads, value=0.0, mode="constant"):
    """`x` with (before, after) elements more on its last axes."""
    flat = [number for pair in reversed(pads) for number in pair]
    if not any(flat):
        return x
    return F.pad(x, flat, mode, value) if mode == "constant" else F.pad(x, flat, mode)


@operator("Conv")
def _conv(node, x, w, bias=None):
    strides, dilations, pads = window(node, x.shape[2:], w.shape[2:])
    convolve = [F.conv1d, F.conv2d, F.conv3d][w.ndim - 3]
    return convolve(padded(x, pads), w, bias, strides, 0, dilations, node.a("group", 1))


@operator("ConvTranspose")
def _conv_transpose(node, x, w, bias=None):
    if node.a("output_shape") is not None or node.a("auto_pad", "NOTSET") != "NOTSET":
        raise NotImplementedError("ConvTranspose with output_shape or auto_pad")
    strides, dilations, pads = window(node, x.shape[2:], w.shape[2:])
    convolve = [F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d][w.ndim - 3]
    more = node.a("output_padding", [0] * len(pads))
    y = convolve(x, w, bias, strides, 0, more, node.a("group", 1), dilations)
    return padded(y, [(-before, -after) for before, after in pads])


@operator("Gemm")
def _gemm(node, a, b, c=None):
    a = a.T if node.a("transA", 0) else a
    b = b.T if node.a("transB", 0) else b
    y = node.a("alpha", 1.0) * (a @ b)
    return y if c is None else y + node.a("beta", 1.0) * c


@operator("BatchNormalization")
def _batch_norm(node, x, scale, bias, mean, variance):
    shape = [1, -1] + [1] * (x.ndim - 2)
    if node.interpreter.batchnorm == "batch":
        axes = [0] + list(range(2, x.ndim))
        mean, variance = x.mean(axes), x.var(axes, unbiased=False)
    factor = scale / torch.sqrt(variance + node.a("epsilon", 1e-5))
    return (x - mean.reshape(shape)) * factor.reshape(shape) + bias.reshape(shape)


@operator("InstanceNormalization")
def _instance_norm(node, x, scale, bias):
    axes, shape = list(range(2, x.ndim)), [1, -1] + [1] * (x.ndim - 2)
    centred = x - x.mean(axes, keepdim=True)
    variance = (centred * centred).mean(axes, keepdim=True)
    normalised = centred / torch.sqrt(variance + node.a("epsilon", 1e-5))
    return normalised * scale.reshape(shape) + bias.reshape(shape)


@operator("MaxPool")
def _max_pool(node, x):
    if node.outputs > 1:
        raise NotImplementedError("MaxPool with Indices")
    kernel = node.a("kernel_shape")
    strides, dilations, pads = window(node, x.shape[2:], kernel)
    pool = [F.max_pool1d, F.max_pool2d, F.max_pool3d][len(kernel) - 1]
    # PyTorch takes the first of equal maxima.
    return pool(padded(x, pads, -math.inf), kernel, strides, 0, dilations, bool(node.a("ceil_mode", 0)))


@operator("AveragePool")
def _average_pool(node, x):
    if node.a("ceil_mode", 0):
        raise NotImplementedError("AveragePool with ceil_mode")
    kernel = node.a("kernel_shape")
    strides, _, pads = window(node, x.shape[2:], kernel)
    pool = [F.avg_pool1d, F.avg_pool2d, F.avg_pool3d][len(kernel) - 1]
    mean = pool(padded(x, pads), kernel, strides)
    if node.a("count_include_pad", 0):
        return mean
    return mean / pool(padded(torch.ones_like(x), pads), kernel, strides)


@operator("GlobalAveragePool")
def _global_average_pool(node, x):
    return x.mean(list(range(2, x.ndim)), keepdim=True)


def recurrent_inputs(node, x, w, r, b, lengths, hidden):
    if lengths is not None or node.a("layout", 0) or node.a("activations") or node.a("clip"):
        raise NotImplementedError(f"{node.proto.op_type} with lengths, layout, activations or clip")
    directions, batch, size = w.shape[0], x.shape[1], r.shape[2]
    zeros = torch.zeros(directions, batch, size, dtype=x.dtype)
    b = torch.zeros(directions, 2 * w.shape[1], dtype=x.dtype) if b is None else b
    reverse = [node.a("direction", "forward") == "reverse"] if directions == 1 else [False, True]
    return b, zeros if hidden is None else hidden, zeros, reverse


@operator("LSTM")
def _lstm(node, x, w, r, b=None, lengths=None, hidden=None, cell=None, peepholes=None):
    if peepholes is not None:
        raise NotImplementedError("LSTM with peepholes")
    b, hidden, zeros, reverse = recurrent_inputs(node, x, w, r, b, lengths, hidden)
    cell = zeros if cell is None else cell
    ys, hs, cs = [], [], []
    for d, backwards in enumerate(reverse):
        h, c, steps = hidden[d], cell[d], []
        wb, rb = b[d].chunk(2)
        for t in reversed(range(len(x))) if backwards else range(len(x)):
            i, o, f, g = (x[t] @ w[d].T + wb + h @ r[d].T + rb).chunk(4, 1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
            steps.append(h)
        ys.append(torch.stack(steps[::-1] if backwards else steps))
        hs.append(h)
        cs.append(c)
    return torch.stack(ys, 1), torch.stack(hs), torch.stack(cs)


@operator("GRU")
def _gru(node, x, w, r, b=None, lengths=None, hidden=None):
    b, hidden, _, reverse = recurrent_inputs(node, x, w, r, b, lengths, hidden)
    ys, hs = [], []
    for d, backwards in enumerate(reverse):
        h, steps = hidden[d], []
        wb, rb = b[d].chunk(2)
        for t in reversed(range(len(x))) if backwards else range(len(x)):
            xz, xr, xh = (x[t] @ w[d].T + wb).chunk(3, 1)
            if node.a("linear_before_reset", 0):
                hz, hr, hh = (h @ r[d].T + rb).chunk(3, 1)
                candidate = torch.tanh(xh + torch.sigmoid(xr + hr) * hh)
            else:
                rz, rr, rh = r[d].chunk(3)
                bz, br, bh = rb.chunk(3)
                hz, hr = h @ rz.T + bz, h @ rr.T + br
                candidate = torch.tanh(xh + (torch.sigmoid(xr + hr) * h) @ rh.T + bh)
            update = torch.sigmoid(xz + hz)
            h = (1 - update) * candidate + update * h
            steps.append(h)
        ys.append(torch.stack(steps[::-1] if backwards else steps))
        hs.append(h)
    return torch.stack(ys, 1), torch.stack(hs)


# --- reductions and movements ---------------------------------------------------------------------------------------


def axes_of(node, x, given, fallback):
    axes = node.a("axes") if given is None else ints(given)
    return fallback if axes is None else [axis % x.ndim for axis in axes]


def reduction(function):
    def reduce(node, x, axes=None):
        if axes is None and node.a("axes") is None and node.a("noop_with_empty_axes", 0):
            return x
        return function(x, axes_of(node, x, axes, list(range(x.ndim))), bool(node.a("keepdims", 1)))

    return reduce


OPERATORS["ReduceMean"] = reduction(lambda x, axes, keep: x.mean(axes, keepdim=keep))
OPERATORS["ReduceSum"] = reduction(lambda x, axes, keep: x.sum(axes, keepdim=keep))
OPERATORS["ReduceMax"] = reduction(lambda x, axes, keep: x.amax(axes, keepdim=keep))


@operator("Reshape")
def _reshape(node, x, shape):
    sizes = ints(shape)
    if not node.a("allowzero", 0):
        sizes = [x.shape[i] if size == 0 else size for i, size in enumerate(sizes)]
    return x.reshape(sizes)


@operator("Flatten")
def _flatten(node, x):
    return x.reshape(math.prod(x.shape[: node.a("axis", 1)]), -1)


@operator("Squeeze")
def _squeeze(node, x, axes=None):
    dropped = axes_of(node, x, axes, [axis for axis, size in enumerate(x.shape) if size == 1])
    return x.reshape([size for axis, size in enumerate(x.shape) if axis not in dropped])


@operator("Unsqueeze")
def _unsqueeze(node, x, axes=None):
    given = node.a("axes") if axes is None else ints(axes)
    for axis in sorted(axis % (x.ndim + len(given)) for axis in given):
        x = x.unsqueeze(axis)
    return x


@operator("Transpose")
def _transpose(node, x):
    return x.permute(node.a("perm", list(reversed(range(x.ndim)))))


@operator("Concat")
def _concat(node, *parts):
    return torch.cat(parts, node.a("axis"))


@operator("Split")
def _split(node, x, split=None):
    axis = node.a("axis", 0)
    sizes = node.a("split") if split is None else ints(split)
    return x.split(sizes or math.ceil(x.shape[axis] / node.outputs), axis)


@operator("Slice")
def _slice(node, x, starts=None, ends=None, axes=None, steps=None):
    starts, ends = (node.a("starts"), node.a("ends")) if starts is None else (ints(starts), ints(ends))
    axes = node.a("axes", list(range(len(starts)))) if axes is None else ints(axes)
    for axis, start, end, step in zip(axes, starts, ends, [1] * len(starts) if steps is None else ints(steps)):
        kept = range(x.shape[axis])[slice(start, None if step < 0 and end < -x.shape[axis] else end, step)]
        x = x.index_select(axis, torch.tensor(list(kept), dtype=torch.long))
    return x


@operator("Gather")
def _gather(node, x, indices):
    axis = node.a("axis", 0) % x.ndim
    wrapped = torch.where(indices < 0, indices + x.shape[axis], indices)
    taken = x.index_select(axis, wrapped.reshape(-1))
    return taken.reshape(list(x.shape[:axis]) + list(indices.shape) + list(x.shape[axis + 1 :]))


@operator("Expand")
def _expand(node, x, shape):
    return x.expand(torch.broadcast_shapes(x.shape, ints(shape)))


@operator("Pad")
def _pad(node, x, pads=None, value=None, axes=None):
    if axes is not None:
        raise NotImplementedError("Pad with axes")
    amounts = node.a("pads") if pads is None else ints(pads)
    pairs = list(zip(amounts[: x.ndim], amounts[x.ndim :]))
    mode = node.a("mode", "constant")
    if mode == "constant":
        return padded(x, pairs, node.a("value", 0.0) if value is None else value.item())
    # PyTorch mirrors the last axes only: those that are padded must be among them.
    outer = max(1, x.ndim - 2)
    if any(number for pair in pairs[:outer] for number in pair):
        raise NotImplementedError("Pad of outer axes other than with a constant")
    return padded(x, pairs[outer:], mode={"reflect": "reflect", "edge": "replicate"}[mode])


@operator("Resize")
def _resize(node, x, roi_or_scales=None, scales=None, sizes=None):
    scales = roi_or_scales if node.opset < 11 else scales
    form = (node.a("mode", "nearest"), node.a("coordinate_transformation_mode", "half_pixel"), node.a("nearest_mode"))
    if form != ("nearest", "asymmetric", "floor") or sizes is not None:
        raise NotImplementedError(f"Resize {form}")
    for axis, scale in enumerate(scales.tolist()):
        wanted = math.floor(x.shape[axis] * scale)
        if scale != 1:
            x = x.index_select(axis, torch.tensor([math.floor(i / scale) for i in range(wanted)]))
    return x


@operator("Shape")
def _shape(node, x):
    return torch.tensor(x.shape, dtype=torch.long)[node.a("start", 0) : node.a("end")]


@operator("Size")
def _size(node, x):
    return torch.tensor(x.numel())


@operator("Constant")
def _constant(node):
    for item in node.proto.attribute:
        if item.name == "value":
            return node.interpreter.constant(node.path + node.proto.output[0], item.t)
    name, value = next(iter(node.attributes.items()))
    return torch.tensor(value, dtype=torch.double if "float" in name else torch.long)


@operator("ConstantOfShape")
def _constant_of_shape(node, shape):
    value = tensor_of(node.a("value")) if node.a("value") is not None else torch.zeros(1, dtype=torch.double)
    return value.expand(ints(shape))


@operator("If")
def _if(node, condition):
    name = "then_branch" if bool(condition.reshape(-1)[0]) else "else_branch"
    branch = node.a(name)
    made = node.interpreter.run_graph(branch, dict(node.scope), f"{node.path}{node.proto.output[0]}.{name}/")
    return [made[output.name] for output in branch.output]


# --- the network as SynFlow sees it ---------------------------------------------------------------------------------
# |w|, biases and shifts 0, activations the identity, BatchNormalization |scale| / sqrt(variance + epsilon), other norms
# |scale|, a product with a gate the other operand. Everything else (pools, additions of two paths, concatenations,
# pads, movements) stays.

GATES = {"Sigmoid", "HardSigmoid"}
LINEAR = {
    name: lambda node, x, *_: x
    for name in ["Relu", "Tanh", "Clip", "Sigmoid", "HardSigmoid", "HardSwish", "LeakyRelu", "Erf", "Softplus"]
}
LINEAR["Conv"] = lambda node, x, w, bias=None: _conv(node, x, w.abs())
LINEAR["ConvTranspose"] = lambda node, x, w, bias=None: _conv_transpose(node, x, w.abs())
LINEAR["InstanceNormalization"] = lambda node, x, scale, bias: x * scale.abs().reshape([1, -1] + [1] * (x.ndim - 2))


def varying(node):
    """Which of a node's inputs depend on the network's input."""
    return [name not in node.interpreter.constants for name in node.proto.input]


def linear(name):
    def register(function):
        LINEAR[name] = function
        return function

    return register


@linear("Gemm")
def _linear_gemm(node, a, b, c=None):
    return _gemm(node, *(x if free else x.abs() for x, free in zip((a, b), varying(node))))


@linear("MatMul")
def _linear_matmul(node, a, b):
    if all(varying(node)):
        raise NotImplementedError("MatMul of two paths in a linear network")
    return torch.matmul(*(x if free else x.abs() for x, free in zip((a, b), varying(node))))


@linear("BatchNormalization")
def _linear_batch_norm(node, x, scale, bias, mean, variance):
    factor = scale.abs() / torch.sqrt(variance + node.a("epsilon", 1e-5))
    return x * factor.reshape([1, -1] + [1] * (x.ndim - 2))


@linear("Add")
@linear("Sub")
def _linear_add(node, a, b):
    free = varying(node)
    return a + b if all(free) else a if free[0] else b


@linear("Mul")
def _linear_mul(node, a, b):
    free = varying(node)
    if not all(free):
        return a * b.abs() if free[0] else a.abs() * b
    makers = {output: proto.op_type for proto in node.interpreter.graph.node for output in proto.output}
    gates = [makers.get(name) in GATES for name in node.proto.input]
    if sum(gates) != 1:
        raise NotImplementedError("product of two paths in a linear network")
    return b if gates[0] else a


@linear("Div")
def _linear_div(node, a, b):
    if varying(node) != [True, False]:
        raise NotImplementedError("quotient of two paths in a linear network")
    return a / b.abs()
