// Runs commands on the core above: all streams at full rate, one image at a time.
// `inputs` and `commands` are one 64-bit word a payload; loads and results are 32-bit words.

// Where somebody watches, `log` takes the sweep, neuron address and delta of each event of a neuron.
struct Core : Model {
    uint32_t *log = nullptr;
    int64_t room = 0, logged = 0;

    Core() { reset(*this); }

    void clock(bool level) override {
        Model::clock(level);
        if (log == nullptr || level || !high(design.p_monitor____strobe) ||
            high(design.p_monitor____is__input))
            return;
        if (logged < room) {
            uint32_t *row = log + 3 * logged;
            row[0] = get(design.p_monitor____sweep);
            row[1] = get(design.p_monitor____neuron);
            row[2] = get(design.p_monitor____delta);
        }
        logged++;
    }
};

Model *make_model() { return new Core; }

extern "C" {

// Logs events from now on, into `room` rows of three words; without a log no more.
void core_log(void *handle, uint32_t *log, int64_t room) {
    Core &core = model_of<Core>(handle);
    core.log = log;
    core.room = room;
    core.logged = 0;
}

int64_t core_logged(void *handle) { return model_of<Core>(handle).logged; }

int64_t core_load(void *handle, const uint32_t *words, int64_t count, int64_t limit) {
    Core &core = model_of<Core>(handle);
    auto &port = core.design.p_loads____payload;
    core.design.p_loads____valid.data[0] = 1;
    int64_t taken = 0, cycle = 0;
    for (; taken < count && cycle < limit; cycle++) {
        std::memcpy(port.data, words + taken * port.chunks, sizeof port.data);
        core.clock(false);
        taken += high(core.design.p_loads____ready);
        core.clock(true);
    }
    core.design.p_loads____valid.data[0] = 0;
    return taken == count ? cycle : -1;
}

int64_t core_run(void *handle, const uint64_t *inputs, int64_t input_count,
                 const uint64_t *commands, int64_t command_count, uint32_t *states,
                 uint32_t *summaries, int64_t limit) {
    Core &core = model_of<Core>(handle);
    Design &ports = core.design;
    int64_t input = 0, command = 0, answered = 0, cycle = 0;
    ports.p_states____ready.data[0] = 1;
    ports.p_summary____ready.data[0] = 1;
    for (; answered < command_count; cycle++) {
        if (cycle == limit)
            return -1;
        ports.p_inputs____valid.data[0] = input < input_count;
        ports.p_commands____valid.data[0] = command < command_count;
        if (input < input_count)
            put(ports.p_inputs____payload, inputs[input]);
        if (command < command_count)
            put(ports.p_commands____payload, commands[command]);
        core.clock(false);
        if (input < input_count && high(ports.p_inputs____ready))
            input++;
        if (command < command_count && high(ports.p_commands____ready))
            command++;
        if (high(ports.p_states____valid))
            states = copy(ports.p_states____payload, states);
        if (high(ports.p_summary____valid)) {
            summaries = copy(ports.p_summary____payload, summaries);
            answered++;
        }
        core.clock(true);
    }
    return cycle;
}

}  // extern "C"
