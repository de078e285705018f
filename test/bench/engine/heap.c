// The plain reference of the engine's benches: a binary heap of events by value, ordered by time and then by insertion.
// usage: heap hold|lock OPERATIONS DELAYS_FILE — prints operations, seconds and the final time (a checksum of the order).
#define _POSIX_C_SOURCE 199309L
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct event {
  double time;
  uint64_t order;
  int32_t actor, kind, data;
};

static struct event *heap;
static size_t size, capacity;
static uint64_t insertions;
static double now;
static double delays[65536];
static uint32_t drawn;

static double draw(void) { return delays[drawn++ & 65535]; }

static int before(const struct event *a, const struct event *b) {
  return a->time < b->time || (a->time == b->time && a->order < b->order);
}

static void post(double delay, int32_t kind, int32_t actor) {
  if (size == capacity) heap = realloc(heap, (capacity = capacity ? 2 * capacity : 64) * sizeof *heap);
  struct event e = {now + delay, insertions++, actor, kind, 0};
  size_t hole = size++;
  while (hole > 0) {
    size_t parent = (hole - 1) / 2;
    if (!before(&e, &heap[parent])) break;
    heap[hole] = heap[parent];
    hole = parent;
  }
  heap[hole] = e;
}

static struct event pop(void) {
  struct event first = heap[0], last = heap[--size];
  size_t hole = 0;
  for (;;) {
    size_t child = 2 * hole + 1;
    if (child >= size) break;
    if (child + 1 < size && before(&heap[child + 1], &heap[child])) child++;
    if (!before(&heap[child], &last)) break;
    heap[hole] = heap[child];
    hole = child;
  }
  heap[hole] = last;
  return first;
}

static double seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

enum { THOUGHT, DONE };
enum { PENDING = 10000, PROCESSES = 200, HOLD = 100 };

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  long operations = atol(argv[2]);
  FILE *file = fopen(argv[3], "rb");
  if (!file || fread(delays, sizeof(double), 65536, file) != 65536) return 1;
  int hold = strcmp(argv[1], "hold") == 0;
  for (int i = 0; i < (hold ? PENDING : PROCESSES); i++) post(draw(), THOUGHT, i);
  double began = seconds();
  long done = 0;
  if (hold) {
    for (; done < operations; done++) {
      struct event e = pop();
      now = e.time;
      post(draw(), THOUGHT, e.actor);
    }
  } else {
    int32_t waiting[PROCESSES], head = 0, count = 0, taken = 0;
    while (done < operations) {
      struct event e = pop();
      now = e.time;
      if (e.kind == THOUGHT) {
        if (taken) waiting[(head + count++) % PROCESSES] = e.actor;
        else {
          taken = 1;
          post(HOLD, DONE, e.actor);
        }
      } else {
        done++;
        if (count > 0) {
          post(HOLD, DONE, waiting[head]);
          head = (head + 1) % PROCESSES;
          count--;
        } else taken = 0;
        post(draw(), THOUGHT, e.actor);
      }
    }
  }
  printf("%ld %.9f %.0f\n", done, seconds() - began, now);
  return 0;
}
