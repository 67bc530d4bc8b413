// Counts what changes in the design above: bits of registers, and words of memories. Every wire of
// the model is a register, or the output of a clocked memory: CXXRTL keeps others only for
// combinational loops.

struct Counting {
    std::map<const cxxrtl::chunk_t *, size_t> widths;  // of memories, by their first word
    uint64_t toggles = 0, written_bits = 0;

    void on_update(size_t chunks, const cxxrtl::chunk_t *base, const cxxrtl::chunk_t *value) {
        for (size_t k = 0; k < chunks; k++)
            toggles += __builtin_popcount(base[k] ^ value[k]);
    }

    void on_update(size_t, const cxxrtl::chunk_t *base, const cxxrtl::chunk_t *, size_t) {
        written_bits += widths.at(base);
    }
};

struct Activity : Model {
    Counting counting;

    Activity() {
        design.debug_info(&items, nullptr, "");
        for (const auto &entry : items.table)
            for (const auto &item : entry.second)
                if (item.type == cxxrtl::debug_item::MEMORY)
                    counting.widths[item.curr] = item.width;
    }

    void clock(bool level) override {
        design.p_clk.data[0] = level;
        bool converged, changed;
        do {
            converged = design.eval(nullptr);
            changed = design.commit(counting);
        } while (changed && !converged);
    }
};

Model *make_model() { return new Activity; }

extern "C" {

// toggles of registers, bits of memory words that were written and changed
void activity_counts(void *handle, uint64_t *counts) {
    const auto &counting = model_of<Activity>(handle).counting;
    counts[0] = counting.toggles;
    counts[1] = counting.written_bits;
}

}  // extern "C"
