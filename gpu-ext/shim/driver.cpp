// Runs kernels on request: requests on standard input, all buffers back on standard output, little-endian.
//
// A request: the kernel's name; blocks, threads and bytes of shared memory; the batch; the loss; the buffers. What varies in length comes
// after its length. Pointers in the batch and the loss are numbers of buffers, from 1, or 0 for null.
#include <stdio.h>
#include <stdlib.h>

#include <map>
#include <string>
#include <vector>

#include "kernels.h"
#include "probe.h"

namespace {

using Buffers = std::vector<std::vector<unsigned char>>;

bool read_exactly(void* to, size_t size) { return size == 0 || fread(to, size, 1, stdin) == 1; }

std::vector<unsigned char> read_bytes() {
    uint64_t size = 0;
    if (!read_exactly(&size, sizeof size)) exit(0);
    std::vector<unsigned char> bytes(size);
    if (!read_exactly(bytes.data(), size)) exit(2);
    return bytes;
}

template <class P> void resolve(P*& pointer, Buffers& buffers) {
    size_t number = reinterpret_cast<size_t>(pointer);
    pointer = number == 0 ? nullptr : reinterpret_cast<P*>(buffers.at(number - 1).data());
}

void resolve_all(Batch& batch, Buffers& buffers) {
    resolve(batch.scores, buffers);
    resolve(batch.grads, buffers);
    resolve(batch.labels, buffers);
    resolve(batch.weights, buffers);
    resolve(batch.values, buffers);
    resolve(batch.codes, buffers);
    resolve(batch.divisor, buffers);
}
void resolve_all(Hinge& hinge, Buffers& buffers) { resolve(hinge.margins, buffers); }
void resolve_all(Exact& exact, Buffers& buffers) { resolve(exact.hinge.margins, buffers); }
void resolve_all(CrossEntropy&, Buffers&) {}
void resolve_all(Reduction& reduction, Buffers& buffers) {
    resolve(reduction.divisor, buffers);
    resolve(reduction.objective, buffers);
}
void resolve_all(Probe& probe, Buffers& buffers) { resolve(probe.numbers, buffers); }

using Kernel = std::function<void(const Batch&, const std::vector<unsigned char>&, Buffers&, int blocks, int threads, int shared)>;

template <class P> Kernel kernel(void (*entry)(Batch, P)) {
    return [entry](const Batch& batch, const std::vector<unsigned char>& bytes, Buffers& buffers, int blocks, int threads, int shared) {
        P parameters;
        if (bytes.size() != sizeof parameters) {
            fprintf(stderr, "the host has parameters of %zu bytes, not %zu\n", bytes.size(), sizeof parameters);
            exit(2);
        }
        memcpy(&parameters, bytes.data(), bytes.size());
        resolve_all(parameters, buffers);
        shim::launch(blocks, threads, shared, [&] { entry(batch, parameters); });
    };
}

const std::map<std::string, Kernel> KERNELS = {
    ALL_KERNELS(kernel), BOTH_FLOATS(kernel, draws), {"row_starts", kernel(row_starts)}, {"round_trips", kernel(round_trips)},
};

}  // namespace

int main() {
    for (;;) {
        std::vector<unsigned char> name = read_bytes();
        int launch[3];
        if (!read_exactly(launch, sizeof launch)) return 2;
        std::vector<unsigned char> batch_bytes = read_bytes(), parameters = read_bytes();
        uint64_t count = 0;
        if (!read_exactly(&count, sizeof count)) return 2;
        Buffers buffers(count);
        for (auto& buffer : buffers) buffer = read_bytes();
        Batch batch;
        if (batch_bytes.size() != sizeof batch) return 2;
        memcpy(&batch, batch_bytes.data(), sizeof batch);
        resolve_all(batch, buffers);
        KERNELS.at(std::string(name.begin(), name.end()))(batch, parameters, buffers, launch[0], launch[1], launch[2]);
        for (auto& buffer : buffers)
            if (!buffer.empty()) fwrite(buffer.data(), buffer.size(), 1, stdout);
        fflush(stdout);
    }
}
