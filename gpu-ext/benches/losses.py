"""PyTorch's losses on the shapes of speed.rs: forward and backward, median of 50, and the memory beyond scores and gradients."""
import statistics
import sys

try:
    import torch
except ImportError:
    sys.exit(1)
if not torch.cuda.is_available():
    sys.exit(1)
try:
    from pytopk import BalNoisedTopK
except ImportError:
    BalNoisedTopK = None
    print("skipped: no pytopk (pip install pytopk)")

K, SAMPLES = 5, 5


def cross_entropy(scores, labels):
    return torch.nn.functional.cross_entropy(scores, labels)


def hinge(scores, labels):
    """The hard hinge as one would write it."""
    missed = scores.topk(K + 1, dim=1).values[:, K]
    return (1 + missed - scores.gather(1, labels[:, None]).squeeze(1)).clamp_min(0).mean()


def pathwise(scores, labels):
    """The paper's loss as one would tune it: one draw at a time, only the positions kept."""
    mean = 0
    for _ in range(SAMPLES):
        with torch.no_grad():
            noise = torch.randn_like(scores)
            winner = (scores + noise).topk(K + 1, dim=1, sorted=True).indices[:, K:]
            shift = noise.gather(1, winner)
        mean = mean + (scores.gather(1, winner) + shift).squeeze(1) / SAMPLES
    return (1 + mean - scores.gather(1, labels[:, None]).squeeze(1)).clamp_min(0).mean()


def measure(loss, scores, labels):
    def step():
        scores.grad = None
        loss(scores, labels).backward()

    for _ in range(5):
        step()
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    before, times = torch.cuda.memory_allocated(), []
    for _ in range(50):
        start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        start.record()
        step()
        end.record()
        torch.cuda.synchronize()
        times.append(start.elapsed_time(end))
    return statistics.median(times), (torch.cuda.max_memory_allocated() - before) / 2**20


print(f"\nPyTorch {torch.__version__}, {torch.cuda.get_device_name()}")
for batch, classes in ((4096, 1000), (1024, 32_000), (64, 1_000_000)):
    for dtype in (torch.float32, torch.bfloat16):
        print(f"\n{batch} × {classes}, {dtype}")
        scores = torch.randn(batch, classes, device="cuda", dtype=dtype, requires_grad=True)
        labels = torch.randint(classes, (batch,), device="cuda")
        losses = {"cross-entropy": cross_entropy, "cross-entropy, compiled": torch.compile(cross_entropy), "hard hinge": hinge, "pathwise, B = 5": pathwise}
        if BalNoisedTopK is not None:
            losses["pytopk, B = 5"] = BalNoisedTopK(k=K, epsilon=1.0, n_sample=SAMPLES)
        for name, loss in losses.items():
            try:
                ms, mebibytes = measure(loss, scores, labels)
                print(f"{name:28} {ms:9.4f} ms {mebibytes:9.1f} MiB at the peak")
            except RuntimeError as error:
                print(f"{name:28} failed: {str(error).splitlines()[0]}")
