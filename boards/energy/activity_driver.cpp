
// Steps the design above a half cycle at a time and counts what changes: bits of registers, and
// words of memories. Every wire of the model is a register, or the output of a clocked memory:
// CXXRTL keeps others only for combinational loops.

#include <cstdint>

using Design = cxxrtl_design::p_top;

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

struct Activity {
    Design design;
    cxxrtl::debug_items items;
    Counting counting;
};

extern "C" {

void *activity_new() {
    auto *activity = new Activity;
    activity->design.debug_info(&activity->items, nullptr, "");
    for (const auto &entry : activity->items.table)
        for (const auto &item : entry.second)
            if (item.type == cxxrtl::debug_item::MEMORY)
                activity->counting.widths[item.curr] = item.width;
    return activity;
}

void activity_free(void *handle) { delete static_cast<Activity *>(handle); }

// Where the words of a port lie, 32 bits each, and how many bits wide it is.
uint32_t *activity_item(void *handle, const char *name, int64_t *width) {
    auto &items = static_cast<Activity *>(handle)->items;
    if (!items.count(name))
        return nullptr;
    const auto &item = items[name];
    *width = item.width;
    return item.curr;
}

void activity_clock(void *handle, int level) {
    auto *activity = static_cast<Activity *>(handle);
    activity->design.p_clk.data[0] = level;
    bool converged, changed;
    do {
        converged = activity->design.eval(nullptr);
        changed = activity->design.commit(activity->counting);
    } while (changed && !converged);
}

// toggles of registers, bits of memory words that were written and changed
void activity_counts(void *handle, uint64_t *counts) {
    const auto &counting = static_cast<Activity *>(handle)->counting;
    counts[0] = counting.toggles;
    counts[1] = counting.written_bits;
}

}  // extern "C"
