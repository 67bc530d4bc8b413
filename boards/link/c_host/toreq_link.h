/* Host's end of the link to a board that does not learn (docs/link.md). C99, no allocation.

   A load or an image that loses a part is begun again by the caller, on TOREQ_LOST. */
#ifndef TOREQ_LINK_H
#define TOREQ_LINK_H

#include <stddef.h>
#include <stdint.h>

#include "toreq_link_protocol.h"

#ifdef __cplusplus
extern "C" {
#endif

/* write: sends all bytes; 0, or below 0 where the line is gone.
   read: waits until a byte comes, at most timeout_ms, and takes up to size bytes; their number, 0 for
   none in time, below 0 where the line is gone. */
typedef struct {
  void *context;
  int (*write)(void *context, const uint8_t *data, size_t size);
  int (*read)(void *context, uint8_t *data, size_t size, uint32_t timeout_ms);
} toreq_transport;

typedef enum {
  TOREQ_OK = 0,
  TOREQ_LINE = -1,    /* the transport has failed */
  TOREQ_SILENT = -2,  /* no answer after TOREQ_ATTEMPTS */
  TOREQ_LOST = -3,    /* a part was lost: begin the load or the image again */
  TOREQ_REFUSED = -4, /* the board says no; last_code says why */
  TOREQ_OTHER = -5,   /* another protocol version or another core */
  TOREQ_SPACE = -6    /* the buffer is too small for the answer, or the load is no load */
} toreq_result_code;

#define TOREQ_ATTEMPTS 5

typedef struct {
  uint32_t clock_hz;
  uint16_t request_bytes;
  uint8_t lanes;
  uint8_t hardware[8];
} toreq_identity;

/* Of one phase. */
typedef struct {
  uint8_t settled;
  uint16_t label;
  uint16_t sweeps;
  uint16_t input_events;
  uint32_t events;
  uint32_t cycles;
} toreq_summary;

typedef struct {
  uint8_t faults;
  uint8_t frame_errors;
} toreq_board_status;

/* buffer: holds one answer; TOREQ_BUFFER_BYTES of toreq_network.h are enough. */
typedef struct {
  toreq_transport transport;
  uint8_t *buffer;
  size_t capacity;
  uint32_t timeout_ms;
  uint8_t sequence;
  uint8_t last_code;
  uint8_t last_state;
  uint32_t retries;
  toreq_identity identity;
} toreq_link;

/* Finds the board. hardware: eight bytes that it must have, NULL for any. */
int toreq_open(toreq_link *link, toreq_transport transport, uint8_t *buffer, size_t capacity,
               uint32_t timeout_ms, const uint8_t *hardware);

/* Loads a network. image: payloads of WORDS, each behind its length in two bytes. */
int toreq_load(toreq_link *link, const uint8_t *image, size_t size);

/* Runs the free phase of an image. values: one byte each, two's complement where inputs are signed.
   states: NULL, or states_bytes bytes for the slices of states. */
int toreq_image(toreq_link *link, const uint8_t *values, size_t count, uint16_t max_sweeps,
                toreq_summary *summary, uint8_t *states, size_t states_bytes);

/* Runs a nudged phase. command: 1 for NUDGE_POSITIVE, then 2 for NUDGE_NEGATIVE. */
int toreq_nudge(toreq_link *link, uint8_t command, uint16_t label, toreq_summary *summary,
                uint8_t *states, size_t states_bytes);

int toreq_status(toreq_link *link, toreq_board_status *status);
int toreq_reset(toreq_link *link);

/* One state out of the slices. neuron: counted over lanes of all slices, as toreq_network.h says where
   a population begins. */
int32_t toreq_state(const uint8_t *states, size_t slice_bytes, unsigned update_lanes, unsigned bits,
                    int is_signed, size_t neuron);

#ifdef __cplusplus
}
#endif

#endif
