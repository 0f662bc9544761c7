"""The cases of models.ts in PyTorch, one thread: reads a case's name per line, answers each with the milliseconds of one step."""
import sys, time
import torch
import torch.nn.functional as F

torch.manual_seed(0)
torch.set_num_threads(1)


def param(*shape, scale=0.05):
    return (torch.randn(*shape) * scale).requires_grad_()


def perceptron(sizes, examples):
    layers = [(param(a, b), param(b)) for a, b in zip(sizes, sizes[1:])]
    x, y = torch.randn(examples, sizes[0]), torch.arange(examples) % 10

    def loss():
        h = x
        for index, (w, b) in enumerate(layers):
            h = torch.addmm(b, torch.relu(h) if index else h, w)
        return F.cross_entropy(h, y)

    return [p for layer in layers for p in layer], loss


def convolutional(pooled):
    p = [param(16, 1, 3, 3, scale=0.3), param(16), param(32, 16, 3, 3), param(32), param(32 * 49, 10), param(10)]
    x, y = torch.randn(64, 1, 28, 28), torch.arange(64) % 10
    stride = 1 if pooled else 2

    def layer(h, w, b):
        h = torch.relu(F.conv2d(h, w, b, stride=stride, padding=1))
        return F.max_pool2d(h, 2) if pooled else h

    return p, lambda: F.cross_entropy(torch.addmm(p[5], layer(layer(x, p[0], p[1]), p[2], p[3]).reshape(64, -1), p[4]), y)


def logistic(examples, features):
    p = [param(features), param(1)]
    x, y = torch.randn(examples, features), (torch.arange(examples) % 2).float()
    return p, lambda: F.binary_cross_entropy_with_logits(x @ p[0] + p[1], y)


def factorisation():
    users, items, width, examples = 20000, 10000, 64, 4096
    p = [param(users, width), param(items, width), param(users, 1), param(items, 1)]
    u, i, r = torch.randint(users, (examples,)), torch.randint(items, (examples,)), torch.randn(examples)

    def rows(ids, table):
        return F.embedding(ids, table, sparse=True)

    def loss():
        predicted = (rows(u, p[0]) * rows(i, p[1])).sum(-1) + (rows(u, p[2]) + rows(i, p[3])).squeeze(-1)
        return F.mse_loss(predicted, r)

    return p, loss


def transformer():
    examples, length, width, heads, vocabulary = 8, 64, 128, 4, 512
    names = "tokens positions g1 b1 wq bq wk bk wv bv wo bo g2 b2 w1 c1 w2 c2 out".split()
    shapes = dict(tokens=(vocabulary, width), positions=(length, width), w1=(width, 4 * width), c1=(4 * width,),
                  w2=(4 * width, width), out=(width, vocabulary), wq=(width, width), wk=(width, width), wv=(width, width), wo=(width, width))
    p = {name: param(*shapes.get(name, (width,))) for name in names}
    token = torch.randint(vocabulary, (examples, length))
    target = torch.randint(vocabulary, (examples, length))
    mask = torch.tril(torch.ones(length, length)).bool()

    def split(z):
        return z.reshape(examples, length, heads, width // heads).transpose(1, 2)

    def loss():
        x = F.embedding(token, p["tokens"]) + p["positions"]
        h = F.layer_norm(x, (width,), p["g1"], p["b1"])
        q, k, v = split(h @ p["wq"] + p["bq"]), split(h @ p["wk"] + p["bk"]), split(h @ p["wv"] + p["bv"])
        a = (q @ k.transpose(-1, -2)) / ((width // heads) ** 0.5)
        a = a.masked_fill(~mask, float("-inf")).softmax(-1) @ v
        x = x + a.transpose(1, 2).reshape(examples, length, width) @ p["wo"] + p["bo"]
        h = F.layer_norm(x, (width,), p["g2"], p["b2"])
        x = x + F.gelu(h @ p["w1"] + p["c1"], approximate="tanh") @ p["w2"] + p["c2"]
        return F.cross_entropy((x @ p["out"]).reshape(examples * length, vocabulary), target.reshape(-1))

    return list(p.values()), loss


def gradient_step(params, loss):
    def step():
        for p in params:
            p.grad = None
        value = loss()
        value.backward()
        return value.item()

    return step


def flat_logistic():
    x, y = torch.randn(1000, 49), (torch.arange(1000) % 2).float()
    w = torch.randn(50) * 0.1
    return w, lambda v: F.binary_cross_entropy_with_logits(x @ v[:49] + v[49], y)


def hessian():
    w, loss = flat_logistic()
    return lambda: torch.autograd.functional.hessian(loss, w, vectorize=True)


def hessian_vector():
    w, loss = flat_logistic()
    v = torch.randn(50)
    return lambda: torch.autograd.functional.hvp(loss, w, v)


cases = {
    "mlp": lambda: gradient_step(*perceptron([784, 256, 10], 128)),
    "mlpDeep": lambda: gradient_step(*perceptron([784, 512, 512, 10], 256)),
    "cnnMaxPool": lambda: gradient_step(*convolutional(True)),
    "cnnStride": lambda: gradient_step(*convolutional(False)),
    "logistic": lambda: gradient_step(*logistic(4096, 256)),
    "factorisation": lambda: gradient_step(*factorisation()),
    "transformer": lambda: gradient_step(*transformer()),
    "hessian": hessian,
    "hessianVector": hessian_vector,
}
steps = {}
print(torch.__version__, flush=True)
for line in sys.stdin:
    name = line.strip()
    if name not in steps:
        steps[name] = cases[name]()
        for _ in range(3):
            steps[name]()
    start = time.perf_counter()
    steps[name]()
    print((time.perf_counter() - start) * 1e3, flush=True)
