// Bytes in and out of the system above, each way at most one in `spacing` cycles.

struct Board : Line {
    int64_t send_at = 0, take_at = 0;

    Board() { reset(*this); }

    // One cycle; the byte that came in, or -1.
    int tick() {
        bool sends = !waiting.empty() && cycles >= send_at;
        design.p_valid.data[0] = sends;
        if (sends) {
            design.p_data.data[0] = waiting.front();
            waiting.pop_front();
            send_at = cycles + spacing;
        }
        bool takes = cycles >= take_at;
        design.p_ready.data[0] = takes;
        clock(false);
        int byte = -1;
        if (takes && get(design.p_sends)) {
            byte = int(get(design.p_byte));
            take_at = cycles + spacing;
        }
        clock(true);
        return byte;
    }
};

Model *make_model() { return new Board; }

extern "C" {

// Runs until `most` bytes came in, or nothing moved either way for `quiet` cycles, or for `closed`
// since a flag that ended a frame.
int64_t board_wait(void *handle, uint8_t *into, int64_t most, int64_t quiet, int64_t closed) {
    auto &board = model_of<Board>(handle);
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
