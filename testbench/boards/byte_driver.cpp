// Bytes in and out of the system above, each way at most one in `gap` cycles.

#include <cstdint>
#include <deque>

using System = cxxrtl_design::p_toreq__system;

namespace {

// An output is a value or, registered at the top, a wire.
template <size_t Bits>
uint32_t get(const cxxrtl::value<Bits> &port) { return port.data[0]; }
template <size_t Bits>
uint32_t get(const cxxrtl::wire<Bits> &port) { return port.curr.data[0]; }

struct Board {
    System system;
    int64_t gap;
    int64_t cycle = 0;
    int64_t send_at = 0, take_at = 0;
    std::deque<uint8_t> waiting;

    // One cycle; the byte that came in, or -1.
    int tick() {
        bool sends = !waiting.empty() && cycle >= send_at;
        system.p_valid.data[0] = sends;
        if (sends) {
            system.p_data.data[0] = waiting.front();
            waiting.pop_front();
            send_at = cycle + gap;
        }
        bool takes = cycle >= take_at;
        system.p_ready.data[0] = takes;
        system.p_clk.data[0] = 0;
        system.step();
        int byte = -1;
        if (takes && get(system.p_sends)) {
            byte = int(get(system.p_byte));
            take_at = cycle + gap;
        }
        system.p_clk.data[0] = 1;
        system.step();
        cycle++;
        return byte;
    }
};

}  // namespace

extern "C" {

void *board_new(int64_t gap) {
    auto *board = new Board;
    board->gap = gap;
    board->system.p_rst.data[0] = 1;
    board->tick();
    board->tick();
    board->system.p_rst.data[0] = 0;
    return board;
}

void board_free(void *handle) { delete static_cast<Board *>(handle); }

int64_t board_cycle(void *handle) { return static_cast<Board *>(handle)->cycle; }

void board_write(void *handle, const uint8_t *bytes, int64_t count) {
    auto &waiting = static_cast<Board *>(handle)->waiting;
    waiting.insert(waiting.end(), bytes, bytes + count);
}

// Runs until `most` bytes came in, or nothing moved either way for `quiet` cycles, or for `closed`
// since a flag that ended a frame.
int64_t board_wait(void *handle, uint8_t *into, int64_t most, int64_t quiet, int64_t closed) {
    auto &board = *static_cast<Board *>(handle);
    int64_t count = 0, limit = quiet;
    for (int64_t rest = 0; rest < limit && count < most; rest++) {
        if (!board.waiting.empty())
            rest = 0;
        int byte = board.tick();
        if (byte >= 0) {
            limit = byte == 0x7e && count && into[count - 1] != 0x7e ? closed : quiet;
            into[count++] = uint8_t(byte);
            rest = 0;
        }
    }
    return count;
}

}  // extern "C"
