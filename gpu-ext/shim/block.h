// One block of CUDA threads on a CPU.
#pragma once
#include <functional>

namespace shim {

struct Index {
    int x;
};

/// What a CUDA thread knows of its place.
struct Thread {
    Index thread, block, block_size, grid_size;
};

const Thread& current_thread();
void wait_for_block();
void wait_for_warp();
/// Eight bytes of the thread `distance` lanes away by exclusive or.
unsigned char* exchange_slot(int distance);
unsigned char* shared_memory();
/// Remembers how far the shared memory is used.
void note_shared(const unsigned char* end);

/// Runs `body` for every thread of every block. Shared memory is all NaN before each block; whether exactly `shared_size` bytes were
/// taken is checked.
void launch(int blocks, int threads, int shared_size, const std::function<void()>& body);

}  // namespace shim
