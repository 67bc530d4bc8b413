
// Steps the core above a half cycle at a time, with every wire and memory in reach by name.

#include <cstdint>

using Core = cxxrtl_design::p_toreq__core;

struct Replay {
    Core core;
    cxxrtl::debug_items items;
};

extern "C" {

void *replay_new() {
    auto *replay = new Replay;
    replay->core.debug_info(&replay->items, nullptr, "");
    return replay;
}

void replay_free(void *handle) { delete static_cast<Replay *>(handle); }

// Where the words of a wire or memory lie, 32 bits each, and how many bits wide it is.
uint32_t *replay_item(void *handle, const char *name, int64_t *width) {
    auto &items = static_cast<Replay *>(handle)->items;
    if (!items.count(name))
        return nullptr;
    const auto &item = items[name];
    *width = item.width;
    return item.curr;
}

void replay_clock(void *handle, int level) {
    Core &core = static_cast<Replay *>(handle)->core;
    core.p_clk.data[0] = level;
    core.step();
}

}  // extern "C"
