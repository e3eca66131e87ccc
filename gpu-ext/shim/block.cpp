// Fibres (the default: fast, and a barrier that not every thread reaches is noticed) or threads (-DSHIM_THREADS: a race is noticed by
// ThreadSanitizer).
#include "block.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <atomic>
#include <memory>
#include <vector>

#ifdef SHIM_THREADS
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#else
#include <ucontext.h>
#endif

namespace shim {
namespace {

constexpr int WARP = 32;

struct Barrier {
    int expected = 0, arrived = 0;
    unsigned generation = 0;
#ifdef SHIM_THREADS
    std::mutex mutex;
    std::condition_variable released;
#endif
    void wait();
};

struct Block {
    std::vector<Thread> threads;
    Barrier all;
    std::unique_ptr<Barrier[]> warps;
    std::vector<unsigned char> exchange;
    unsigned char* shared = nullptr;
    std::atomic<long> used{0};
};

Block* block = nullptr;

[[noreturn]] void fail(const char* what) {
    fprintf(stderr, "shim: %s\n", what);
    abort();
}

#ifdef SHIM_THREADS

thread_local int self = 0;

void Barrier::wait() {
    std::unique_lock<std::mutex> lock(mutex);
    unsigned mine = generation;
    if (++arrived == expected) {
        arrived = 0;
        ++generation;
        released.notify_all();
    } else {
        // By the system's clock, whose wait ThreadSanitizer knows.
        auto patience = std::chrono::system_clock::now() + std::chrono::minutes(5);
        if (!released.wait_until(lock, patience, [&] { return generation != mine; })) fail("a barrier that not every thread reaches");
    }
}

void run(int count, const std::function<void()>& body) {
    std::vector<std::thread> threads;
    for (int i = 0; i < count; ++i)
        threads.emplace_back([i, &body] {
            self = i;
            body();
        });
    for (auto& thread : threads) thread.join();
}

#else

constexpr size_t STACK = 256 * 1024;

int self = 0;
/// Consecutive switches in which no fibre arrived at a barrier or ended.
int idle = 0;
bool backwards = false;
const std::function<void()>* task = nullptr;
ucontext_t scheduler;
std::vector<ucontext_t> fibres;
std::vector<std::unique_ptr<unsigned char[]>> stacks;
std::vector<bool> ended;

void next_fibre() {
    int count = static_cast<int>(fibres.size()), before = self;
    if (++idle > 2 * count) fail("a barrier that not every thread reaches");
    do self = (self + (backwards ? count - 1 : 1)) % count;
    while (ended[self] && self != before);
    if (self != before) swapcontext(&fibres[before], &fibres[self]);
}

void Barrier::wait() {
    unsigned mine = generation;
    idle = 0;
    if (++arrived == expected) {
        arrived = 0;
        ++generation;
    }
    while (generation == mine) next_fibre();
}

int unfinished = 0;

void fibre() {
    (*task)();
    ended[self] = true;
    idle = 0;
    if (--unfinished == 0) setcontext(&scheduler);
    next_fibre();
    fail("a fibre went on after its end");
}

void run(int count, const std::function<void()>& body) {
    task = &body;
    unfinished = count;
    fibres.resize(count);
    ended.assign(count, false);
    while (static_cast<int>(stacks.size()) < count) stacks.emplace_back(new unsigned char[STACK]);
    for (int i = 0; i < count; ++i) {
        getcontext(&fibres[i]);
        fibres[i].uc_stack.ss_sp = stacks[i].get();
        fibres[i].uc_stack.ss_size = STACK;
        fibres[i].uc_link = nullptr;
        makecontext(&fibres[i], fibre, 0);
    }
    // Every other block runs its threads the other way round, so that a missing barrier shows.
    backwards = !backwards;
    self = backwards ? count - 1 : 0;
    idle = 0;
    swapcontext(&scheduler, &fibres[self]);
}

#endif

}  // namespace

const Thread& current_thread() { return block->threads[self]; }
void wait_for_block() { block->all.wait(); }
void wait_for_warp() { block->warps[self / WARP].wait(); }
unsigned char* exchange_slot(int distance) { return &block->exchange[8 * (self ^ distance)]; }
unsigned char* shared_memory() { return block->shared; }

void note_shared(const unsigned char* end) {
    long used = end - block->shared, before = block->used.load();
    while (before < used && !block->used.compare_exchange_weak(before, used)) {
    }
}

void launch(int blocks, int threads, int shared_size, const std::function<void()>& body) {
    for (int b = 0; b < blocks; ++b) {
        Block current;
        for (int t = 0; t < threads; ++t) current.threads.push_back({{t}, {b}, {threads}, {blocks}});
        current.all.expected = threads;
        current.warps.reset(new Barrier[threads / WARP]);
        for (int w = 0; w < threads / WARP; ++w) current.warps[w].expected = WARP;
        current.exchange.resize(8 * threads);
        std::unique_ptr<unsigned char, void (*)(void*)> shared(static_cast<unsigned char*>(malloc(shared_size)), [](void* p) { free(p); });
        memset(shared.get(), 0xff, shared_size);
        current.shared = shared.get();
        block = &current;
        run(threads, body);
        if (current.used.load() != shared_size) {
            fprintf(stderr, "%ld bytes of shared memory taken, %d given\n", current.used.load(), shared_size);
            fail("the host counts the shared memory otherwise");
        }
    }
}

}  // namespace shim
