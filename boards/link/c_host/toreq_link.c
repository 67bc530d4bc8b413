#include "toreq_link.h"

#include <string.h>

#define CHUNK 64

typedef struct {
  const uint8_t *data;
  size_t size;
} span;

typedef struct {
  toreq_link *link;
  uint8_t bytes[CHUNK];
  size_t used;
  uint16_t crc;
  int error;
} sender;

static uint16_t crc_16(uint16_t crc, uint8_t byte) {
  crc = (uint16_t)(crc ^ (uint16_t)((unsigned)byte << 8));
  for (int bit = 0; bit < 8; bit++)
    crc = (uint16_t)(crc & 0x8000u ? ((unsigned)crc << 1) ^ 0x1021u : (unsigned)crc << 1);
  return crc;
}

static uint32_t crc_32(uint32_t crc, uint8_t byte) {
  crc ^= (uint32_t)byte << 24;
  for (int bit = 0; bit < 8; bit++) crc = crc & 0x80000000u ? (crc << 1) ^ 0x04C11DB7u : crc << 1;
  return crc;
}

static unsigned number_16(const uint8_t *data) { return (unsigned)data[0] << 8 | data[1]; }

static uint32_t number_32(const uint8_t *data) {
  return (uint32_t)number_16(data) << 16 | number_16(data + 2);
}

static void flush(sender *out) {
  const toreq_transport *line = &out->link->transport;
  if (!out->error && out->used && line->write(line->context, out->bytes, out->used) < 0)
    out->error = TOREQ_LINE;
  out->used = 0;
}

static void put_raw(sender *out, uint8_t byte) {
  if (out->used == CHUNK) flush(out);
  out->bytes[out->used++] = byte;
}

static void put(sender *out, uint8_t byte) {
  out->crc = crc_16(out->crc, byte);
  if (byte == TOREQ_LINK_FLAG || byte == TOREQ_LINK_ESCAPE) {
    put_raw(out, TOREQ_LINK_ESCAPE);
    byte ^= TOREQ_LINK_FLIP;
  }
  put_raw(out, byte);
}

static int send(toreq_link *link, uint8_t type, const span *parts, int count) {
  sender out = {.link = link, .crc = 0xFFFF};
  size_t size = 0;
  for (int k = 0; k < count; k++) size += parts[k].size;
  put_raw(&out, TOREQ_LINK_FLAG);
  put(&out, link->sequence);
  put(&out, type);
  put(&out, (uint8_t)(size >> 8));
  put(&out, (uint8_t)size);
  for (int k = 0; k < count; k++)
    for (size_t at = 0; at < parts[k].size; at++) put(&out, parts[k].data[at]);
  uint16_t crc = out.crc;
  put(&out, (uint8_t)(crc >> 8));
  put(&out, (uint8_t)crc);
  put_raw(&out, TOREQ_LINK_FLAG);
  flush(&out);
  return out.error;
}

/* Whether the bytes in the buffer are the answer to the last request; its data behind the status
   byte then begin at buffer + TOREQ_LINK_HEADER_BYTES + 1. */
static int is_answer(const toreq_link *link, uint8_t type, size_t size, size_t *data) {
  const uint8_t *body = link->buffer;
  uint16_t crc = 0xFFFF;
  if (size < TOREQ_LINK_HEADER_BYTES + TOREQ_LINK_CRC_BYTES + 1) return 0;
  for (size_t at = 0; at < size; at++) crc = crc_16(crc, body[at]);
  size_t payload = size - TOREQ_LINK_HEADER_BYTES - TOREQ_LINK_CRC_BYTES;
  if (crc || number_16(body + 2) != payload) return 0;
  if (body[0] != link->sequence || body[1] != (type | TOREQ_LINK_REPLY)) return 0;
  *data = payload - 1;
  return 1;
}

/* Whether the buffer holds the head of the answer to the last request, which does not fit there. */
static int is_too_long(const toreq_link *link, uint8_t type) {
  const uint8_t *body = link->buffer;
  size_t needed = number_16(body + 2) + TOREQ_LINK_HEADER_BYTES + TOREQ_LINK_CRC_BYTES;
  return body[0] == link->sequence && body[1] == (type | TOREQ_LINK_REPLY) &&
         needed > link->capacity;
}

/* Reads until the answer is whole: 1, 0 after silence or too much garbage, or an error. */
static int receive(toreq_link *link, uint8_t type, size_t *data) {
  const toreq_transport *line = &link->transport;
  size_t used = 0, budget = 8 * link->capacity + 1024;
  int escaped = 0, whole = 1;
  while (budget) {
    uint8_t bytes[CHUNK];
    int count = line->read(line->context, bytes, sizeof bytes, link->timeout_ms);
    if (count < 0) return TOREQ_LINE;
    if (count == 0) return 0;
    for (int k = 0; k < count; k++) {
      uint8_t byte = bytes[k];
      if (budget) budget--;
      if (byte == TOREQ_LINK_FLAG) {
        if (whole && !escaped && is_answer(link, type, used, data)) return 1;
        if (!whole && is_too_long(link, type)) return TOREQ_SPACE;
        used = 0;
        escaped = 0;
        whole = 1;
      } else if (byte == TOREQ_LINK_ESCAPE && !escaped) {
        escaped = 1;
      } else if (used == link->capacity) {
        whole = 0;
      } else {
        link->buffer[used++] = escaped ? (uint8_t)(byte ^ TOREQ_LINK_FLIP) : byte;
        escaped = 0;
      }
    }
  }
  return 0;
}

/* One request, sent again until its answer comes. expected: bytes of data after OK, SIZE_MAX for any. */
static int ask(toreq_link *link, uint8_t type, const span *parts, int count, size_t expected,
               size_t *size) {
  size_t data = 0;
  link->sequence++;
  for (int attempt = 0; attempt < TOREQ_ATTEMPTS; attempt++) {
    link->retries += attempt > 0;
    int error = send(link, type, parts, count);
    if (error) return error;
    int found = receive(link, type, &data);
    if (found < 0) return found;
    if (!found) continue;
    uint8_t first = link->buffer[TOREQ_LINK_HEADER_BYTES];
    link->last_code = first & 0x0F;
    link->last_state = first & 0xF0;
    if (link->last_code == TOREQ_LINK_CODE_OK) {
      if (expected != SIZE_MAX && data != expected) continue;
      if (size) *size = data;
      return TOREQ_OK;
    }
    if (link->last_code == TOREQ_LINK_CODE_REPEATED && expected == 0) return TOREQ_OK;
    switch (link->last_code) {
      case TOREQ_LINK_CODE_REPEATED:
      case TOREQ_LINK_CODE_ORDER:
      case TOREQ_LINK_CODE_CHECK:
        return TOREQ_LOST;
      case TOREQ_LINK_CODE_UNLOADED:
        return type == TOREQ_LINK_WORDS || type == TOREQ_LINK_COMMIT ? TOREQ_LOST : TOREQ_REFUSED;
      default:
        return TOREQ_REFUSED;
    }
  }
  return TOREQ_SILENT;
}

int toreq_open(toreq_link *link, toreq_transport transport, uint8_t *buffer, size_t capacity,
               uint32_t timeout_ms, const uint8_t *hardware) {
  size_t size = 0;
  memset(link, 0, sizeof *link);
  link->transport = transport;
  link->buffer = buffer;
  link->capacity = capacity;
  link->timeout_ms = timeout_ms;
  size_t least = TOREQ_LINK_HEADER_BYTES + TOREQ_LINK_CRC_BYTES + 1 + TOREQ_LINK_IDENTITY_BYTES;
  if (capacity < least) return TOREQ_SPACE;
  int error = ask(link, TOREQ_LINK_IDENTIFY, NULL, 0, SIZE_MAX, &size);
  if (error) return error;
  const uint8_t *data = buffer + TOREQ_LINK_HEADER_BYTES + 1;
  if (size < TOREQ_LINK_IDENTITY_BYTES || data[0] != TOREQ_LINK_VERSION) return TOREQ_OTHER;
  memcpy(link->identity.hardware, data + 1, 8);
  link->identity.clock_hz = number_32(data + 9);
  link->identity.request_bytes = (uint16_t)number_16(data + 13);
  link->identity.lanes = data[15];
  if (hardware && memcmp(hardware, link->identity.hardware, 8)) return TOREQ_OTHER;
  if (link->identity.request_bytes <= TOREQ_LINK_IMAGE_HEADER) return TOREQ_OTHER;
  return TOREQ_OK;
}

int toreq_load(toreq_link *link, const uint8_t *image, size_t size) {
  uint32_t check = 0xFFFFFFFFu;
  int error = ask(link, TOREQ_LINK_BEGIN, NULL, 0, 0, NULL);
  for (size_t at = 0; !error && at < size;) {
    if (size - at < 2 || number_16(image + at) > size - at - 2) return TOREQ_SPACE;
    span part = {image + at + 2, number_16(image + at)};
    for (size_t k = 0; k < part.size; k++) check = crc_32(check, part.data[k]);
    error = ask(link, TOREQ_LINK_WORDS, &part, 1, 0, NULL);
    at += 2 + part.size;
  }
  if (error == TOREQ_REFUSED) return TOREQ_LOST;
  if (error) return error;
  check = ~check;
  uint8_t bytes[4] = {(uint8_t)(check >> 24), (uint8_t)(check >> 16), (uint8_t)(check >> 8),
                      (uint8_t)check};
  span part = {bytes, sizeof bytes};
  error = ask(link, TOREQ_LINK_COMMIT, &part, 1, 0, NULL);
  if (!error && !(link->last_state & TOREQ_LINK_STATE_LOADED)) return TOREQ_LOST;
  return error;
}

/* The end of an answer as a result, what is before it as states. */
static void read_result(const toreq_link *link, toreq_summary *summary, uint8_t *states,
                        size_t states_bytes) {
  const uint8_t *data = link->buffer + TOREQ_LINK_HEADER_BYTES + 1;
  if (states) memcpy(states, data, states_bytes);
  data += states ? states_bytes : 0;
  summary->settled = data[TOREQ_LINK_SUMMARY_SETTLED] & 1;
  summary->label = (uint16_t)number_16(data + TOREQ_LINK_SUMMARY_LABEL);
  summary->sweeps = (uint16_t)number_16(data + TOREQ_LINK_SUMMARY_SWEEPS);
  summary->input_events = (uint16_t)number_16(data + TOREQ_LINK_SUMMARY_INPUT_EVENTS);
  summary->events = number_32(data + TOREQ_LINK_SUMMARY_EVENTS);
  summary->cycles = number_32(data + TOREQ_LINK_SUMMARY_CYCLES);
}

/* Bytes of an answer with a result, 0 where the buffer cannot hold them. */
static size_t result_bytes(const toreq_link *link, const uint8_t *states, size_t states_bytes) {
  size_t size = TOREQ_LINK_SUMMARY_BYTES + (states ? states_bytes : 0);
  return size + TOREQ_LINK_HEADER_BYTES + TOREQ_LINK_CRC_BYTES + 1 > link->capacity ? 0 : size;
}

int toreq_image(toreq_link *link, const uint8_t *values, size_t count, uint16_t max_sweeps,
                toreq_summary *summary, uint8_t *states, size_t states_bytes) {
  size_t room = (size_t)link->identity.request_bytes - TOREQ_LINK_IMAGE_HEADER;
  size_t size = result_bytes(link, states, states_bytes);
  if (!size) return TOREQ_SPACE;
  for (size_t at = 0; at < count;) {
    size_t left = count - at, taken = left < room ? left : room;
    uint8_t flags = (uint8_t)((at ? 0 : TOREQ_LINK_IMAGE_FIRST) |
                              (taken == left ? TOREQ_LINK_IMAGE_LAST : 0) |
                              (states ? TOREQ_LINK_IMAGE_REPORT : 0));
    uint8_t head[TOREQ_LINK_IMAGE_HEADER] = {flags, (uint8_t)(max_sweeps >> 8), (uint8_t)max_sweeps};
    span parts[2] = {{head, sizeof head}, {values + at, taken}};
    int error = ask(link, TOREQ_LINK_IMAGE, parts, 2, taken == left ? size : 0, NULL);
    if (error) return error;
    at += taken;
  }
  if (count) read_result(link, summary, states, states_bytes);
  return count ? TOREQ_OK : TOREQ_REFUSED;
}

int toreq_nudge(toreq_link *link, uint8_t command, uint16_t label, toreq_summary *summary,
                uint8_t *states, size_t states_bytes) {
  uint8_t flags = (uint8_t)(command | (states ? TOREQ_LINK_IMAGE_REPORT : 0));
  uint8_t bytes[TOREQ_LINK_NUDGE_HEADER] = {flags, (uint8_t)(label >> 8), (uint8_t)label};
  span part = {bytes, sizeof bytes};
  size_t size = result_bytes(link, states, states_bytes);
  if (!size) return TOREQ_SPACE;
  int error = ask(link, TOREQ_LINK_NUDGE, &part, 1, size, NULL);
  if (!error) read_result(link, summary, states, states_bytes);
  return error;
}

int toreq_status(toreq_link *link, toreq_board_status *status) {
  int error = ask(link, TOREQ_LINK_STATUS, NULL, 0, TOREQ_LINK_STATUS_BYTES, NULL);
  if (error) return error;
  status->faults = link->buffer[TOREQ_LINK_HEADER_BYTES + 1];
  status->frame_errors = link->buffer[TOREQ_LINK_HEADER_BYTES + 2];
  return TOREQ_OK;
}

int toreq_reset(toreq_link *link) { return ask(link, TOREQ_LINK_RESET, NULL, 0, 0, NULL); }

int32_t toreq_state(const uint8_t *states, size_t slice_bytes, unsigned update_lanes, unsigned bits,
                    int is_signed, size_t neuron) {
  const uint8_t *slice = states + neuron / update_lanes * slice_bytes;
  size_t low = neuron % update_lanes * bits;
  uint32_t value = 0;
  for (unsigned k = 0; k < bits; k++) {
    size_t bit = low + k;
    value |= (uint32_t)(slice[slice_bytes - 1 - bit / 8] >> bit % 8 & 1) << k;
  }
  if (is_signed && value >> (bits - 1) & 1) return (int32_t)value - (int32_t)(1u << bits);
  return (int32_t)value;
}
