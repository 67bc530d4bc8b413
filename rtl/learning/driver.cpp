// Reads back what a core above has learned: `asked` and `readings` are 64-bit words and 32-bit words.

extern "C" {

int64_t core_read(void *handle, const uint64_t *asked, int64_t count, uint32_t *readings,
                  int64_t limit) {
    Core &core = model_of<Core>(handle);
    Design &ports = core.design;
    int64_t sent = 0, answered = 0, cycle = 0;
    ports.p_readings____ready.data[0] = 1;
    for (; answered < count && cycle < limit; cycle++) {
        ports.p_reads____valid.data[0] = sent < count;
        if (sent < count)
            put(ports.p_reads____payload, asked[sent]);
        core.clock(false);
        sent += sent < count && high(ports.p_reads____ready);
        if (high(ports.p_readings____valid)) {
            readings = copy(ports.p_readings____payload, readings);
            answered++;
        }
        core.clock(true);
    }
    ports.p_reads____valid.data[0] = 0;
    return answered == count ? cycle : -1;
}

}  // extern "C"
