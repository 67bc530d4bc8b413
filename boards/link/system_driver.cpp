// A UART around the system above: bytes in, bytes out, at the level of bits.
// Times are in clock cycles, those of the sender's bits in 1/65536 of one.

#include <cstdint>
#include <deque>

using System = cxxrtl_design::p_toreq__system;

namespace {

// An output is a value or, registered at the top, a wire.
template <size_t Bits>
bool high(const cxxrtl::value<Bits> &port) { return port.data[0] & 1; }
template <size_t Bits>
bool high(const cxxrtl::wire<Bits> &port) { return port.curr.data[0] & 1; }

struct Board {
    System system;
    int64_t bit;                // cycles a bit, of the board
    int64_t cycle = 0;
    std::deque<uint8_t> waiting;
    int64_t send_at = 0;        // when the next bit goes out, in 1/65536 cycles
    unsigned send_bits = 0;     // stop bit, data and start bit that are left, lowest first
    int64_t sample_at = -1;     // when the next bit is taken in; -1 between bytes
    int sampled = 0;
    unsigned byte = 0;
    bool last = true;

    void send(int64_t period) {
        if ((cycle << 16) < send_at)
            return;
        if (!send_bits && !waiting.empty()) {
            send_bits = 1u << 10 | 1u << 9 | unsigned(waiting.front()) << 1;
            waiting.pop_front();
            send_at = cycle << 16;
        }
        if (send_bits > 1) {
            system.p_rx.data[0] = send_bits & 1;
            send_bits >>= 1;
            send_at += period;
        }
        if (send_bits == 1)
            send_bits = 0;
    }

    // Whether a byte came in.
    bool receive() {
        bool level = high(system.p_tx), done = false;
        if (sample_at < 0 && last && !level) {
            sample_at = cycle + bit + bit / 2;
            sampled = 0;
        } else if (sample_at == cycle) {
            sample_at += bit;
            if (sampled++ < 8) {
                byte = byte >> 1 | unsigned(level) << 7;
            } else {
                sample_at = -1;
                done = level;
            }
        }
        last = level;
        return done;
    }

    void tick() {
        system.p_clk.data[0] = 0;
        system.step();
        system.p_clk.data[0] = 1;
        system.step();
        cycle++;
    }
};

}  // namespace

extern "C" {

void *board_new(int64_t bit) {
    auto *board = new Board;
    board->bit = bit;
    board->system.p_rx.data[0] = 1;
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

// Runs until a byte comes in, which it returns, or for `limit` cycles: then -1.
int board_read(void *handle, int64_t period, int64_t limit) {
    auto &board = *static_cast<Board *>(handle);
    for (int64_t end = board.cycle + limit; board.cycle < end;) {
        board.send(period);
        board.tick();
        if (board.receive())
            return board.byte;
    }
    return -1;
}

}  // extern "C"
