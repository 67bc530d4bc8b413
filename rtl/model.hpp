// What every driver of a compiled model needs. `Design` is the class of the model above, with one
// clock, `clk`. A driver defines `make_model`, and what it exports takes the handle of `model_new`.

#include <cstdint>
#include <cstring>

// An output is a value or, registered at the top, a wire.
template <size_t Bits>
const cxxrtl::value<Bits> &value_of(const cxxrtl::value<Bits> &port) { return port; }
template <size_t Bits>
const cxxrtl::value<Bits> &value_of(const cxxrtl::wire<Bits> &port) { return port.curr; }

// The lowest 32 bits of a port.
template <class Port>
uint32_t get(const Port &port) { return value_of(port).data[0]; }

template <class Port>
bool high(const Port &port) { return get(port) & 1; }

// All words of a port, 32 bits each; returns the place behind them.
template <class Port>
uint32_t *copy(const Port &port, uint32_t *to) {
    const auto &value = value_of(port);
    std::memcpy(to, value.data, sizeof value.data);
    return to + value.chunks;
}

// Sets an input of any width; bits of the word that it lacks are cut.
template <size_t Bits>
void put(cxxrtl::value<Bits> &port, uint64_t word) {
    for (size_t k = 0; k < port.chunks; k++)
        port.data[k] = k < 2 ? uint32_t(word >> (32 * k)) : 0;
    port.data[port.chunks - 1] &= port.msb_mask;
}

struct Model {
    Design design;
    cxxrtl::debug_items items;

    virtual ~Model() = default;

    virtual void clock(bool level) {
        design.p_clk.data[0] = level;
        design.step();
    }

    void cycle() {
        clock(false);
        clock(true);
    }
};

// Two cycles of reset, for designs that have one.
template <class Kind>
void reset(Kind &model) {
    model.design.p_rst.data[0] = 1;
    model.cycle();
    model.cycle();
    model.design.p_rst.data[0] = 0;
}

// The model behind a handle, as the kind that the driver makes.
template <class Kind>
Kind &model_of(void *handle) { return *static_cast<Kind *>(static_cast<Model *>(handle)); }

Model *make_model();

extern "C" {

void *model_new() { return make_model(); }

void model_free(void *handle) { delete static_cast<Model *>(handle); }

void model_clock(void *handle, int64_t level) { static_cast<Model *>(handle)->clock(level); }

// Where the words of a wire or memory lie, 32 bits each, and how many bits wide it is.
uint32_t *model_item(void *handle, const char *name, int64_t *width) {
    auto &model = *static_cast<Model *>(handle);
    if (model.items.table.empty())
        model.design.debug_info(&model.items, nullptr, "");
    if (!model.items.count(name))
        return nullptr;
    const auto &item = model.items[name];
    *width = item.width;
    return item.curr;
}

}  // extern "C"
