"""Kernels of the bench in PyTorch, one thread: reads the name of one per line, answers each with the milliseconds of its turns over all elements."""
import sys, time
import torch

elements, repeats = int(sys.argv[1]), int(sys.argv[2])
torch.set_num_threads(1)


def optimizer(make):
    p = torch.full((elements,), 1e-3, requires_grad=True)
    p.grad = torch.full((elements,), 2e-3)
    return make([p]).step


def vector(value):
    return torch.full((elements,), value)


a, b = vector(1e-3), vector(2e-3)
# The slots of an optimizer take memory, so it is made when its turn comes first.
kernels = {
    "sgd": lambda: optimizer(lambda p: torch.optim.SGD(p, lr=1e-3)),
    "momentum": lambda: optimizer(lambda p: torch.optim.SGD(p, lr=1e-3, momentum=0.9)),
    "adam": lambda: optimizer(lambda p: torch.optim.Adam(p, lr=1e-3)),
    "add": lambda: lambda: a.add_(b),
    "scale": lambda: lambda: torch.mul(b, 0.5, out=a),
}
made = {}
print(f"PyTorch {torch.__version__}", flush=True)
for line in sys.stdin:
    name = line.strip()
    if name not in made:
        made[name] = kernels[name]()
    run = made[name]
    begin = time.perf_counter()
    for _ in range(repeats):
        run()
    print((time.perf_counter() - begin) * 1e3, flush=True)
