// A line of bytes into a board: those that wait for their turn, and the board's time.

#include <deque>

struct Line : Model {
    int64_t spacing = 0;  // cycles a bit, or from byte to byte
    int64_t cycles = 0;
    std::deque<uint8_t> waiting;

    void clock(bool level) override {
        Model::clock(level);
        cycles += level;
    }
};

extern "C" {

int64_t board_cycle(void *handle) { return model_of<Line>(handle).cycles; }

void board_space(void *handle, int64_t spacing) { model_of<Line>(handle).spacing = spacing; }

void board_write(void *handle, const uint8_t *bytes, int64_t count) {
    auto &waiting = model_of<Line>(handle).waiting;
    waiting.insert(waiting.end(), bytes, bytes + count);
}

}  // extern "C"
