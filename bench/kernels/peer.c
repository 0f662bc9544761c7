/* Kernels of the bench in C: reads the name of one per line, answers each with the milliseconds of one pass over all elements. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static float *restrict p, *restrict g, *restrict m, *restrict v;
static long n;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static float *vector(float value) {
  float *x = aligned_alloc(64, (n * sizeof(float) + 63) / 64 * 64);
  for (long i = 0; i < n; i++) x[i] = value;
  return x;
}

static void sgd(void) {
  for (long i = 0; i < n; i++) p[i] -= 1e-3f * g[i];
}

static void momentum(void) {
  for (long i = 0; i < n; i++) {
    m[i] = 0.9f * m[i] + g[i];
    p[i] -= 1e-3f * m[i];
  }
}

static void adam(void) {
  for (long i = 0; i < n; i++) {
    m[i] = 0.9f * m[i] + 0.1f * g[i];
    v[i] = 0.999f * v[i] + 0.001f * g[i] * g[i];
    p[i] -= 1e-3f * m[i] / (sqrtf(v[i]) + 1e-8f);
  }
}

static void add(void) {
  for (long i = 0; i < n; i++) p[i] += g[i];
}

static void scale(void) {
  for (long i = 0; i < n; i++) p[i] = 0.5f * g[i];
}

int main(int argc, char **argv) {
  n = argc > 1 ? atol(argv[1]) : 10000000;
  long repeats = argc > 2 ? atol(argv[2]) : 1;
  p = vector(1e-3f), g = vector(2e-3f), m = vector(1e-3f), v = vector(1e-3f);
  printf("C, %s\n", __VERSION__);
  fflush(stdout);
  struct { const char *name; void (*run)(void); } kernels[] = {{"sgd", sgd}, {"momentum", momentum}, {"adam", adam}, {"add", add}, {"scale", scale}};
  char line[64];
  while (fgets(line, sizeof line, stdin)) {
    line[strcspn(line, "\n")] = 0;
    for (size_t k = 0; k < sizeof kernels / sizeof *kernels; k++) {
      if (strcmp(line, kernels[k].name)) continue;
      double begin = now();
      for (long r = 0; r < repeats; r++) kernels[k].run();
      printf("%f\n", now() - begin);
      fflush(stdout);
    }
  }
}
