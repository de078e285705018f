/*
 * The yardstick of `npm run bench:iova`: the allocator of Linux v4.3 as one would write it in C, with a textbook red-black tree of
 * pointers, a node from malloc for each range, and neighbours found through the tree. Reads a trace of 32-bit-limit requests as
 * binary (kind, first, second: three doubles an operation) and replays it ROUNDS times. Each replay makes the arrays of its answers (the
 * pfn and the visits of every map) and starts from an empty tree, as the replay that it is compared with does. Prints the CPU time of the
 * first replay, in which every page of memory is touched for the first time, the best of the later ones, the visits and the sum of pfns.
 */
#include <stdio.h>
#include <stdlib.h>
#include <stdint.h>
#include <time.h>

#include "redblack.h"

static struct node *remembered;

#define DMA32 0xfffffull
static uint64_t allocate(uint64_t size, uint64_t limit, uint64_t *visits)
{
	uint64_t working = limit, round = 1, pad = 0;
	while (round < size) round <<= 1;
	struct node *n, *from;
	if (limit == DMA32 && remembered) { working = remembered->lo - 1; n = prev(remembered); }
	else n = root == nil ? nil : last_of(root);
	from = n;
	for (; n != nil; from = n, n = prev(n)) {
		++*visits;
		if (working < n->lo) continue;
		if (working >= n->hi) {
			pad = (working + 1 - size) & (round - 1);
			if (n->hi + size + pad <= working) break;
		}
		working = n->lo - 1;
	}
	if (n == nil) {
		pad = (working + 1 - size) & (round - 1);
		if (1 + size + pad > working) return UINT64_MAX;
	}
	struct node *z = malloc(sizeof *z);
	z->lo = working - size - pad + 1; z->hi = z->lo + size - 1;
	insert(z, from);
	if (limit == DMA32) remembered = z;
	return z->lo;
}
static void release(uint64_t pfn)
{
	struct node *n = root;
	while (n != nil && (pfn < n->lo || pfn > n->hi)) n = pfn < n->lo ? n->left : n->right;
	if (n == nil) return;
	if (remembered && n->lo >= remembered->lo) {
		struct node *up = next(n);
		remembered = up != nil && up->lo < DMA32 ? up : NULL;
	}
	erase(n);
	free(n);
}

int main(int argc, char **argv)
{
	FILE *f = fopen(argv[1], "rb");
	int rounds = atoi(argv[2]);
	fseek(f, 0, SEEK_END);
	long ops = ftell(f) / (3 * sizeof(double));
	rewind(f);
	double *in = malloc(ops * 3 * sizeof *in);
	uint64_t visits = 0, sum = 0;
	if (argc != 3 || fread(in, 3 * sizeof(double), ops, f) != (size_t)ops) return 1;
	long maps = 0;
	for (long i = 0; i < ops; i++) maps += in[3 * i] == 0;
	double first = 0, best = 1e18;
	for (int r = 0; r < rounds; r++) {
		struct timespec a, b;
		long id = 0;
		root = nil; remembered = NULL; visits = sum = 0;
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
		uint64_t *pfns = malloc((maps + 1) * sizeof *pfns);
		int32_t *looked = malloc((maps + 1) * sizeof *looked);
		uint8_t *unmapped = calloc(maps + 1, 1);
		for (long i = 0; i < ops; i++) {
			if (in[3 * i] == 0) {
				uint64_t pages = in[3 * i + 1], pow2 = 1;
				while (pow2 < pages) pow2 <<= 1;
				uint64_t before = visits;
				pfns[id] = allocate(pow2, in[3 * i + 2], &visits);
				looked[id] = visits - before;
				id++;
			} else {
				long which = in[3 * i + 1];
				if (pfns[which] != UINT64_MAX && !unmapped[which]) release(pfns[which]);
				unmapped[which] = 1;
			}
		}
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
		for (long k = 0; k < id; k++) sum += pfns[k];
		double ns = (b.tv_sec - a.tv_sec) * 1e9 + (b.tv_nsec - a.tv_nsec);
		if (r == 0) first = ns;
		else if (ns < best) best = ns;
		while (root != nil) { struct node *n = root; erase(n); free(n); }
		free(pfns); free(looked); free(unmapped);
	}
	printf("%.0f %.0f %llu %llu\n", first, best, (unsigned long long)visits, (unsigned long long)sum);
	return 0;
}
