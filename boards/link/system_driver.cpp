// A UART around the system above: bytes in, bytes out, at the level of bits.
// Times are in clock cycles, those of the sender's bits in 1/65536 of one.

struct Board : Line {
    int64_t send_at = 0;        // when the next bit goes out, in 1/65536 cycles
    unsigned send_bits = 0;     // stop bit, data and start bit that are left, lowest first
    int64_t sample_at = -1;     // when the next bit is taken in; -1 between bytes
    int sampled = 0;
    unsigned byte = 0;
    bool last = true;

    Board() {
        design.p_rx.data[0] = 1;
        reset(*this);
    }

    void send(int64_t period) {
        if ((cycles << 16) < send_at)
            return;
        if (!send_bits && !waiting.empty()) {
            send_bits = 1u << 10 | 1u << 9 | unsigned(waiting.front()) << 1;
            waiting.pop_front();
            send_at = cycles << 16;
        }
        if (send_bits > 1) {
            design.p_rx.data[0] = send_bits & 1;
            send_bits >>= 1;
            send_at += period;
        }
        if (send_bits == 1)
            send_bits = 0;
    }

    // Whether a byte came in.
    bool receive() {
        bool level = high(design.p_tx), done = false;
        if (sample_at < 0 && last && !level) {
            sample_at = cycles + spacing + spacing / 2;
            sampled = 0;
        } else if (sample_at == cycles) {
            sample_at += spacing;
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
};

Model *make_model() { return new Board; }

extern "C" {

// Runs until a byte comes in, which it returns, or for `limit` cycles: then -1.
int64_t board_read(void *handle, int64_t period, int64_t limit) {
    auto &board = model_of<Board>(handle);
    for (int64_t end = board.cycles + limit; board.cycles < end;) {
        board.send(period);
        board.cycle();
        if (board.receive())
            return board.byte;
    }
    return -1;
}

}  // extern "C"
