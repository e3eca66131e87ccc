// CUDA's driver for a processor: as much of its interface as the host code calls, with the kernels compiled in.
//
// As late as it may be: work on a stream is done when somebody waits for it, be it the host or another stream by an event, and not before.
// So an order that nobody asked for is not there, every time and not once in a thousand. Memory is all NaN when it is new and once it is
// freed, and is not given out again: what is read too early or too late shows.
#include <stdio.h>
#include <stdlib.h>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "kernels.h"

namespace {

enum Result { SUCCESS = 0, INVALID_VALUE = 1, INVALID_DEVICE = 101, INVALID_CONTEXT = 201, NOT_FOUND = 500 };

struct Stream {
    std::deque<std::function<void()>> waiting;
    uint64_t enqueued = 0, done = 0;

    void enqueue(std::function<void()> work) {
        waiting.push_back(std::move(work));
        ++enqueued;
    }
    void run_until(uint64_t count) {
        while (done < count) {
            std::function<void()> work = std::move(waiting.front());
            waiting.pop_front();
            ++done;
            work();
        }
    }
    void run() { run_until(enqueued); }
};

/// A place in a stream's work.
struct Event {
    Stream* stream = nullptr;
    uint64_t until = 0;
};

/// A kernel that is told where its two arguments are, and makes a launch of copies of them.
using Kernel = std::function<void()> (*)(void** arguments, int blocks, int threads, int shared);

template <auto entry> struct Launch;
template <class P, void (*entry)(Batch, P)> struct Launch<entry> {
    static std::function<void()> of(void** arguments, int blocks, int threads, int shared) {
        Batch batch = *static_cast<Batch*>(arguments[0]);
        P parameters = *static_cast<P*>(arguments[1]);
        return [=] { shim::launch(blocks, threads, shared, [&] { entry(batch, parameters); }); };
    }
};

#define LAUNCH(entry) Launch<entry>::of
const std::map<std::string, Kernel> KERNELS = {ALL_KERNELS(LAUNCH)};

struct Function {
    Kernel kernel;
    unsigned most_shared = 48 * 1024;
};

/// A module's text, and a function for each of its kernels that was asked for: all who ask for one share it.
struct Module {
    std::string ptx;
    std::map<std::string, Function> functions;
};

std::recursive_mutex everything;
std::map<uint64_t, size_t> memory;
std::vector<std::unique_ptr<Stream>> streams;
Stream default_stream;
int context;
thread_local void* current = nullptr;

Stream& of(Stream* stream) { return stream ? *stream : default_stream; }

void run_all() {
    default_stream.run();
    for (auto& stream : streams) stream->run();
}

uint64_t allocate(size_t size) {
    void* place = aligned_alloc(256, (size + 255) / 256 * 256);
    memset(place, 0xff, size);
    uint64_t address = reinterpret_cast<uint64_t>(place);
    memory[address] = size;
    return address;
}

void poison(uint64_t address) {
    auto freed = memory.find(address);
    if (freed == memory.end()) {
        fprintf(stderr, "shim: memory is freed that is not there\n");
        abort();
    }
    memset(reinterpret_cast<void*>(address), 0xff, freed->second);
    memory.erase(freed);
}

unsigned char* bytes(uint64_t address) { return reinterpret_cast<unsigned char*>(address); }

}  // namespace

// What needs a context says so where the calling thread has none.
#define CALL(name, ...) \
    extern "C" __attribute__((visibility("default"))) int name(__VA_ARGS__)
#define IN_CONTEXT                                              \
    std::lock_guard<std::recursive_mutex> guard(everything);    \
    if (!current) return INVALID_CONTEXT

CALL(cuInit, unsigned) { return SUCCESS; }
CALL(cuGetErrorString, int, const char** words) { return *words = "refused by the processor's driver", SUCCESS; }
CALL(cuGetErrorName, int, const char** name) { return *name = "CUDA_ERROR", SUCCESS; }

CALL(cuDeviceGet, int* device, int ordinal) { return *device = ordinal, ordinal == 0 ? SUCCESS : INVALID_DEVICE; }
CALL(cuDeviceGetCount, int* count) { return *count = 1, SUCCESS; }
CALL(cuDeviceGetName, char* name, int size, int) { return snprintf(name, size, "the processor"), SUCCESS; }
CALL(cuDeviceGetAttribute, int* value, int attribute, int) {
    enum { CAPABILITY_MAJOR = 75, CAPABILITY_MINOR = 76, MEMORY_POOLS = 115 };
    *value = attribute == CAPABILITY_MAJOR ? 8 : attribute == MEMORY_POOLS;
    return SUCCESS;
}

CALL(cuDevicePrimaryCtxRetain, void** retained, int) { return *retained = &context, SUCCESS; }
CALL(cuDevicePrimaryCtxRelease_v2, int) { return SUCCESS; }
CALL(cuCtxGetCurrent, void** got) { return *got = current, SUCCESS; }
CALL(cuCtxSetCurrent, void* set) { return current = set, SUCCESS; }
CALL(cuCtxSynchronize) {
    IN_CONTEXT;
    return run_all(), SUCCESS;
}

CALL(cuStreamCreate, Stream** stream, unsigned) {
    IN_CONTEXT;
    streams.push_back(std::make_unique<Stream>());
    return *stream = streams.back().get(), SUCCESS;
}
// Its work is still to be done.
CALL(cuStreamDestroy_v2, Stream*) { return SUCCESS; }
CALL(cuStreamSynchronize, Stream* stream) {
    IN_CONTEXT;
    return of(stream).run(), SUCCESS;
}
CALL(cuStreamWaitEvent, Stream* stream, Event* event, unsigned) {
    IN_CONTEXT;
    if (event->stream) of(stream).enqueue([place = *event] { place.stream->run_until(place.until); });
    return SUCCESS;
}

CALL(cuEventCreate, Event** event, unsigned) {
    IN_CONTEXT;
    return *event = new Event, SUCCESS;
}
CALL(cuEventDestroy_v2, Event* event) {
    IN_CONTEXT;
    return delete event, SUCCESS;
}
CALL(cuEventRecord, Event* event, Stream* stream) {
    IN_CONTEXT;
    return *event = {&of(stream), of(stream).enqueued}, SUCCESS;
}
CALL(cuEventSynchronize, Event* event) {
    IN_CONTEXT;
    if (event->stream) event->stream->run_until(event->until);
    return SUCCESS;
}

CALL(cuMemAlloc_v2, uint64_t* address, size_t size) {
    IN_CONTEXT;
    return *address = allocate(size), SUCCESS;
}
CALL(cuMemAllocAsync, uint64_t* address, size_t size, Stream*) {
    IN_CONTEXT;
    return *address = allocate(size), SUCCESS;
}
CALL(cuMemFree_v2, uint64_t address) {
    IN_CONTEXT;
    return run_all(), poison(address), SUCCESS;
}
CALL(cuMemFreeAsync, uint64_t address, Stream* stream) {
    IN_CONTEXT;
    return of(stream).enqueue([=] { poison(address); }), SUCCESS;
}
CALL(cuMemsetD8Async, uint64_t address, unsigned char value, size_t size, Stream* stream) {
    IN_CONTEXT;
    return of(stream).enqueue([=] { memset(bytes(address), value, size); }), SUCCESS;
}
// The host's memory is pageable: it has been read when the call returns, and written.
CALL(cuMemcpyHtoDAsync_v2, uint64_t to, const unsigned char* from, size_t size, Stream* stream) {
    IN_CONTEXT;
    std::vector<unsigned char> staged(from, from + size);
    return of(stream).enqueue([to, staged = std::move(staged)] { memcpy(bytes(to), staged.data(), staged.size()); }), SUCCESS;
}
CALL(cuMemcpyDtoHAsync_v2, void* to, uint64_t from, size_t size, Stream* stream) {
    IN_CONTEXT;
    return of(stream).run(), memcpy(to, bytes(from), size), SUCCESS;
}

CALL(cuModuleLoadData, Module** module, const char* ptx) {
    IN_CONTEXT;
    return *module = new Module{ptx, {}}, SUCCESS;
}
CALL(cuModuleUnload, Module* module) {
    IN_CONTEXT;
    // A function that is still to run would be gone.
    return run_all(), delete module, SUCCESS;
}
CALL(cuModuleGetFunction, Function** function, Module* module, const char* name) {
    IN_CONTEXT;
    auto kernel = KERNELS.find(name);
    if (kernel == KERNELS.end() || module->ptx.find(".entry " + std::string(name) + "(") == std::string::npos) return NOT_FOUND;
    return *function = &module->functions.try_emplace(name, Function{kernel->second}).first->second, SUCCESS;
}
CALL(cuFuncSetAttribute, Function* function, int attribute, int value) {
    IN_CONTEXT;
    enum { MAX_DYNAMIC_SHARED_SIZE_BYTES = 8 };
    if (attribute != MAX_DYNAMIC_SHARED_SIZE_BYTES || value < 0) return INVALID_VALUE;
    return function->most_shared = static_cast<unsigned>(value), SUCCESS;
}
CALL(cuLaunchKernel, Function* function, unsigned blocks, unsigned, unsigned, unsigned threads, unsigned, unsigned, unsigned shared, Stream* stream,
     void** arguments, void**) {
    IN_CONTEXT;
    if (blocks == 0 || threads == 0 || threads > 1024 || shared > function->most_shared) return INVALID_VALUE;
    std::function<void()> launch = function->kernel(arguments, static_cast<int>(blocks), static_cast<int>(threads), static_cast<int>(shared));
    return of(stream).enqueue(std::move(launch)), SUCCESS;
}
