
// Runs commands on the core above: all streams at full rate, one image at a time.
// `inputs` and `commands` are one 64-bit word a payload; loads and results are 32-bit words.

#include <cstdint>
#include <cstring>

using Core = cxxrtl_design::p_toreq__core;

namespace {

template <size_t Bits>
void put(cxxrtl::value<Bits> &port, uint64_t word) {
    for (size_t k = 0; k < port.chunks; k++)
        port.data[k] = k < 2 ? uint32_t(word >> (32 * k)) : 0;
    port.data[port.chunks - 1] &= port.msb_mask;
}

template <class Port>
uint32_t *copy(const Port &port, uint32_t *to) {
    const auto &bits = port.curr;
    std::memcpy(to, bits.data, sizeof bits.data);
    return to + bits.chunks;
}

template <size_t Bits>
uint32_t *copy(const cxxrtl::value<Bits> &port, uint32_t *to) {
    std::memcpy(to, port.data, sizeof port.data);
    return to + port.chunks;
}

template <size_t Bits>
bool high(const cxxrtl::value<Bits> &port) { return port.data[0] & 1; }
template <size_t Bits>
bool high(const cxxrtl::wire<Bits> &port) { return port.curr.data[0] & 1; }

}  // namespace

extern "C" {

void *core_new() {
    auto *core = new Core;
    core->p_rst.data[0] = 1;
    for (int k = 0; k < 2; k++) {
        core->p_clk.data[0] = 0;
        core->step();
        core->p_clk.data[0] = 1;
        core->step();
    }
    core->p_rst.data[0] = 0;
    return core;
}

void core_free(void *handle) { delete static_cast<Core *>(handle); }

int64_t core_load(void *handle, const uint32_t *words, int64_t count, int64_t limit) {
    Core &core = *static_cast<Core *>(handle);
    auto &port = core.p_loads____payload;
    core.p_loads____valid.data[0] = 1;
    int64_t taken = 0, cycle = 0;
    for (; taken < count && cycle < limit; cycle++) {
        std::memcpy(port.data, words + taken * port.chunks, sizeof port.data);
        core.p_clk.data[0] = 0;
        core.step();
        taken += high(core.p_loads____ready);
        core.p_clk.data[0] = 1;
        core.step();
    }
    core.p_loads____valid.data[0] = 0;
    return taken == count ? cycle : -1;
}

int64_t core_run(void *handle, const uint64_t *inputs, int64_t input_count,
                 const uint64_t *commands, int64_t command_count, uint32_t *states,
                 uint32_t *summaries, int64_t limit) {
    Core &core = *static_cast<Core *>(handle);
    int64_t input = 0, command = 0, answered = 0, cycle = 0;
    core.p_states____ready.data[0] = 1;
    core.p_summary____ready.data[0] = 1;
    for (; answered < command_count; cycle++) {
        if (cycle == limit)
            return -1;
        core.p_inputs____valid.data[0] = input < input_count;
        core.p_commands____valid.data[0] = command < command_count;
        if (input < input_count)
            put(core.p_inputs____payload, inputs[input]);
        if (command < command_count)
            put(core.p_commands____payload, commands[command]);
        core.p_clk.data[0] = 0;
        core.step();
        if (input < input_count && high(core.p_inputs____ready))
            input++;
        if (command < command_count && high(core.p_commands____ready))
            command++;
        if (high(core.p_states____valid))
            states = copy(core.p_states____payload, states);
        if (high(core.p_summary____valid)) {
            summaries = copy(core.p_summary____payload, summaries);
            answered++;
        }
        core.p_clk.data[0] = 1;
        core.step();
    }
    return cycle;
}

}  // extern "C"
