/*
 * The yardstick of `npm run bench:iova`: the allocator of Linux 6.18 as one would write it in C, from the same rules as src/iova: a textbook
 * red-black tree of pointers with an anchor, a node from malloc for each range, two remembered nodes, and per-CPU magazines with depots before it.
 * Reads a trace as binary (kind, first, second, CPU: four doubles an operation; settings: start pfn, CPUs, operations) and replays it ROUNDS times. Each
 * replay makes the arrays of its answers and starts from an empty tree. Prints the CPU time of the first replay, in which every page of
 * memory is touched for the first time, the best of the later ones, visits, hits, the locks of tree, CPU caches and depots, and the sum of pfns.
 */
#include <stdio.h>
#include <stdlib.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include "redblack.h"

static struct node *anchor, *c32, *c64;
static uint64_t max32, start_pfn, visits, hits;
/* Acquisitions of the locks: the tree's are an answer to every map. */
static uint64_t tree_locks, cpu_locks, depot_locks;
#define D32 0x100000ull
#define NOPE UINT64_MAX

/* The downward search; *above gets the node over the place. */
static uint64_t search(struct node *n, uint64_t top, uint64_t floor, uint64_t size, uint64_t mask, struct node **above)
{
	uint64_t pfn;
	do {
		if (n->lo < top) top = n->lo;
		pfn = (top - size) & mask;
		*above = n;
		n = prev(n);
		if (n != nil) visits++;
	} while (n != nil && pfn <= n->hi && pfn >= floor);
	return top >= size && pfn >= floor ? pfn : NOPE;
}
static struct node *find_limit(uint64_t limit)
{
	struct node *n = root, *m;
	while (n->hi < limit) n = n->right;
	for (;;) {
		while (n->left != nil && n->left->lo >= limit) n = n->left;
		if (n->left == nil) return n;
		for (m = n->left->right; m != nil && m->lo < limit; m = m->right);
		if (m == nil) return n;
		n = m;
	}
}
static uint64_t tree_allocate(uint64_t size, uint64_t limit)
{
	uint64_t top = limit + 1, round = 1;
	tree_locks++;
	if (top <= D32 && size >= max32) return NOPE;
	while (round < size) round <<= 1;
	struct node *from = top <= D32 ? c32 : c64, *above;
	uint64_t pfn = search(from, top, start_pfn, size, -round, &above);
	if (pfn == NOPE && from->hi < top)
		pfn = search(top > D32 ? anchor : find_limit(top), top, from->hi + 1, size, -round, &above);
	if (pfn == NOPE) { max32 = size; return NOPE; }
	struct node *z = malloc(sizeof *z);
	z->lo = pfn; z->hi = pfn + size - 1;
	insert(z, above);
	if (z->hi < D32) c32 = z; else c64 = z;
	return pfn;
}
static void tree_free(uint64_t pfn)
{
	struct node *n = root;
	while (n != nil && (pfn < n->lo || pfn > n->hi)) n = pfn < n->lo ? n->left : n->right;
	if (n == nil) return;
	if (n == c32 || (n->hi < D32 && n->lo >= c32->lo)) c32 = next(n);
	if (n->lo < D32) max32 = D32;
	if (n->lo >= c64->lo) c64 = next(n);
	erase(n);
	free(n);
}

#define MAGAZINE 127
#define BINS 6
struct magazine { union { uint64_t size; struct magazine *next; }; uint64_t pfns[MAGAZINE]; };
struct cache { struct magazine *loaded, *previous; };
static struct cache *caches;
static struct magazine *depot[BINS];
static int cpus;

static struct magazine *new_magazine(void) { struct magazine *m = malloc(sizeof *m); m->size = 0; return m; }
static void empty(struct magazine *m) { tree_locks++; for (uint64_t i = 0; i < m->size; i++) tree_free(m->pfns[i]); m->size = 0; }
static int bin_of(uint64_t pages) { int bin = 0; while ((1ull << bin) < pages) bin++; return bin; }
static struct magazine *depot_pop(int bin) { struct magazine *m = depot[bin]; depot[bin] = m->next; m->size = MAGAZINE; return m; }

static uint64_t cache_get(int bin, uint64_t limit, int cpu)
{
	struct cache *c = &caches[cpu * BINS + bin];
	cpu_locks++;
	if (c->loaded->size == 0) {
		if (c->previous->size != 0) { struct magazine *m = c->loaded; c->loaded = c->previous; c->previous = m; }
		else {
			depot_locks++;
			if (!depot[bin]) return NOPE;
			free(c->loaded);
			c->loaded = depot_pop(bin);
		}
	}
	struct magazine *m = c->loaded;
	for (int64_t i = m->size - 1; i >= 0; i--) {
		uint64_t pfn = m->pfns[i];
		if (pfn + (1ull << bin) - 1 > limit) continue;
		m->pfns[i] = m->pfns[--m->size];
		return pfn;
	}
	return NOPE;
}
static void cache_put(int bin, uint64_t pfn, int cpu)
{
	struct cache *c = &caches[cpu * BINS + bin];
	cpu_locks++;
	if (c->loaded->size == MAGAZINE) {
		if (c->previous->size != MAGAZINE) { struct magazine *m = c->loaded; c->loaded = c->previous; c->previous = m; }
		else { depot_locks++; c->loaded->next = depot[bin]; depot[bin] = c->loaded; c->loaded = new_magazine(); }
	}
	c->loaded->pfns[c->loaded->size++] = pfn;
}
static void drain(void)
{
	for (int i = 0; i < cpus * BINS; i++) { cpu_locks++; empty(caches[i].loaded); empty(caches[i].previous); }
	for (int bin = 0; bin < BINS; bin++, depot_locks++)
		while (depot[bin]) { struct magazine *m = depot_pop(bin); empty(m); free(m); }
}
static uint64_t allocate_fast(uint64_t pages, uint64_t limit, int cpu, int may_drain, uint8_t *hit)
{
	*hit = 0;
	uint64_t pfn = NOPE;
	if (pages <= 32) {
		if (pages < 32) pages = 1ull << bin_of(pages);
		pfn = cache_get(bin_of(pages), limit, cpu);
		if (pfn != NOPE) { hits++; *hit = 1; return pfn; }
	}
	pfn = tree_allocate(pages, limit);
	if (pfn == NOPE && may_drain) { drain(); pfn = tree_allocate(pages, limit); }
	return pfn;
}

int main(int argc, char **argv)
{
	FILE *f = fopen(argv[1], "rb");
	int rounds = atoi(argv[2]);
	double head[3];
	if (argc != 3 || fread(head, 3 * sizeof(double), 1, f) != 1) return 1;
	start_pfn = head[0]; cpus = head[1];
	long ops = head[2];
	double *in = malloc(ops * 4 * sizeof *in);
	if (fread(in, 4 * sizeof(double), ops, f) != (size_t)ops) return 1;
	long maps = 0;
	for (long i = 0; i < ops; i++) maps += in[4 * i] == 0;
	double first = 0, best = 1e18;
	uint64_t sum = 0, answers[5];
	for (int r = 0; r < rounds; r++) {
		struct timespec a, b;
		long id = 0;
		int low_first = 1;
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
		root = nil; max32 = D32; visits = sum = hits = tree_locks = cpu_locks = depot_locks = 0;
		anchor = malloc(sizeof *anchor);
		anchor->lo = anchor->hi = UINT64_MAX;
		insert(anchor, nil);
		c32 = c64 = anchor;
		caches = malloc(cpus * BINS * sizeof *caches);
		for (int i = 0; i < cpus * BINS; i++) { caches[i].loaded = new_magazine(); caches[i].previous = new_magazine(); }
		uint64_t *pfns = malloc((maps + 1) * sizeof *pfns);
		uint64_t *pages = malloc((maps + 1) * sizeof *pages);
		int32_t *looked = malloc((maps + 1) * sizeof *looked);
		int32_t *locked = malloc((maps + 1) * sizeof *locked);
		uint8_t *hit = calloc(maps + 1, 1), *unmapped = calloc(maps + 1, 1);
		for (long i = 0; i < ops; i++) {
			const double *op = &in[4 * i];
			int cpu = op[3];
			if (op[0] == 0) {
				uint64_t limit = op[2], before = visits, locks = tree_locks, pfn = NOPE;
				pages[id] = op[1];
				if (low_first && limit >= D32) {
					pfn = allocate_fast(pages[id], D32 - 1, cpu, 0, &hit[id]);
					if (pfn == NOPE) low_first = 0;
				}
				if (pfn == NOPE) pfn = allocate_fast(pages[id], limit, cpu, 1, &hit[id]);
				pfns[id] = pfn;
				looked[id] = visits - before;
				locked[id] = tree_locks - locks;
				id++;
			} else {
				long which = op[1];
				if (pfns[which] == NOPE || unmapped[which]) continue;
				unmapped[which] = 1;
				if (pages[which] <= 32) cache_put(bin_of(pages[which]), pfns[which], cpu);
				else { tree_locks++; tree_free(pfns[which]); }
			}
		}
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
		answers[0] = visits; answers[1] = hits; answers[2] = tree_locks; answers[3] = cpu_locks; answers[4] = depot_locks;
		for (long k = 0; k < id; k++) if (pfns[k] != NOPE) sum += pfns[k];
		double ns = (b.tv_sec - a.tv_sec) * 1e9 + (b.tv_nsec - a.tv_nsec);
		if (r == 0) first = ns;
		else if (ns < best) best = ns;
		drain();
		for (int i = 0; i < cpus * BINS; i++) { free(caches[i].loaded); free(caches[i].previous); }
		while (root != nil) { struct node *n = root; erase(n); free(n); }
		free(caches); free(pfns); free(pages); free(looked); free(locked); free(hit); free(unmapped);
	}
	printf("%.0f %.0f", first, best);
	for (int i = 0; i < 5; i++) printf(" %llu", (unsigned long long)answers[i]);
	printf(" %llu\n", (unsigned long long)sum);
	return 0;
}
