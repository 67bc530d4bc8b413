/* Loads the network of toreq_network.h into a board and runs images: TOREQ_IMAGES=FILE ./host PORT

   PORT: a serial port that is set up already (stty -F PORT raw 1000000), that of a simulated board
   (toreq-hw host --serve), or - for a line on standard input and output. FILE holds images as text: a
   label, then values. One line a phase goes to standard error: settled, label, sweeps, events, input
   events, states. */
#define _POSIX_C_SOURCE 200809L

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "toreq_link.h"
#include "toreq_network.h"

typedef struct {
  int in, out;
} line;

static int line_write(void *context, const uint8_t *data, size_t size) {
  const line *l = context;
  while (size) {
    ssize_t sent = write(l->out, data, size);
    if (sent <= 0) return -1;
    data += sent;
    size -= (size_t)sent;
  }
  return 0;
}

static int line_read(void *context, uint8_t *data, size_t size, uint32_t timeout_ms) {
  const line *l = context;
  struct pollfd wait = {.fd = l->in, .events = POLLIN};
  int ready = poll(&wait, 1, (int)timeout_ms);
  if (ready <= 0) return ready;
  ssize_t count = read(l->in, data, size);
  return count > 0 ? (int)count : -1;
}

static void show(const char *phase, const toreq_summary *s, const uint8_t *states) {
  fprintf(stderr, "%s %u %u %u %u %u", phase, s->settled, s->label, s->sweeps,
          (unsigned)s->events, s->input_events);
  for (size_t p = 0; p < TOREQ_POPULATIONS; p++)
    for (size_t k = 0; k < toreq_populations[p].neurons; k++)
      fprintf(stderr, " %d",
              (int)toreq_state(states, TOREQ_SLICE_BYTES, TOREQ_UPDATE_LANES, TOREQ_STATE_BITS,
                               TOREQ_STATES_SIGNED, toreq_populations[p].first + k));
  fprintf(stderr, "\n");
}

static int run_image(toreq_link *link, const uint8_t *values, uint16_t label) {
  static const char *const names[] = {"free", "positive", "negative"};
  static uint8_t states[3][TOREQ_STATES_BYTES];
  toreq_summary found[3];
  int error = toreq_image(link, values, TOREQ_INPUTS, TOREQ_MAX_SWEEPS, &found[0], states[0],
                          TOREQ_STATES_BYTES);
  for (uint8_t k = 1; !error && k < 3; k++)
    error = toreq_nudge(link, k, label, &found[k], states[k], TOREQ_STATES_BYTES);
  for (int k = 0; !error && k < 3; k++) show(names[k], &found[k], states[k]);
  return error;
}

static int run(toreq_link *link, FILE *images) {
  unsigned label;
  int error = TOREQ_LOST;
  for (int k = 0; k < TOREQ_ATTEMPTS && error == TOREQ_LOST; k++)
    error = toreq_load(link, toreq_load_image, sizeof toreq_load_image);
  while (!error && fscanf(images, "%u", &label) == 1) {
    uint8_t values[TOREQ_INPUTS];
    for (size_t k = 0; k < TOREQ_INPUTS; k++) {
      int value;
      if (fscanf(images, "%d", &value) != 1) return TOREQ_SPACE;
      values[k] = (uint8_t)value;
    }
    error = TOREQ_LOST;
    for (int k = 0; k < TOREQ_ATTEMPTS && error == TOREQ_LOST; k++)
      error = run_image(link, values, (uint16_t)label);
  }
  return error;
}

static const char *words(int error) {
  switch (error) {
    case TOREQ_LINE: return "the port must stay open; is its name right, and is it yours to open?";
    case TOREQ_SILENT: return "the board does not answer; is it programmed, and the rate right?";
    case TOREQ_LOST: return "parts of a load or an image were lost each time";
    case TOREQ_REFUSED: return "the board refuses a request";
    case TOREQ_OTHER: return "the board holds another core; build its bitstream from this network";
    case TOREQ_SPACE: return "the buffer is too small, or an image has too few values";
    default: return "unknown";
  }
}

int main(int argc, char **argv) {
  static uint8_t buffer[TOREQ_BUFFER_BYTES];
  toreq_link link;
  toreq_board_status status;
  line l = {0, 1};
  const char *path = getenv("TOREQ_IMAGES");
  FILE *images = path ? fopen(path, "r") : NULL;
  if (argc != 2 || !images) {
    fprintf(stderr, "usage: TOREQ_IMAGES=FILE %s PORT\n", argv[0]);
    if (path && !images) fprintf(stderr, "%s must be a file of images, and cannot be read\n", path);
    return 2;
  }
  if (strcmp(argv[1], "-")) l.in = l.out = open(argv[1], O_RDWR | O_NOCTTY);
  toreq_transport transport = {&l, line_write, line_read};
  int error = l.in < 0 ? TOREQ_LINE
                       : toreq_open(&link, transport, buffer, sizeof buffer, TOREQ_TIMEOUT_MS,
                                    toreq_hardware);
  if (!error) error = run(&link, images);
  if (!error) error = toreq_status(&link, &status);
  fclose(images);
  if (error) {
    fprintf(stderr, "error %d: %s\n", error, words(error));
    return 2;
  }
  fprintf(stderr, "faults %u, wrong frames %u, retries %u\n", status.faults, status.frame_errors,
          (unsigned)link.retries);
  return status.faults ? 1 : 0;
}
