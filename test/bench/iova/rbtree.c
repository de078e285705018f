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

struct node { struct node *left, *right, *parent; int red; uint64_t lo, hi; };
static struct node nil_node, *const nil = &nil_node;
static struct node *root, *remembered;

static struct node *first_of(struct node *n) { while (n->left != nil) n = n->left; return n; }
static struct node *last_of(struct node *n) { while (n->right != nil) n = n->right; return n; }
static struct node *prev(struct node *n)
{
	if (n->left != nil) return last_of(n->left);
	struct node *p = n->parent;
	while (p != nil && n == p->left) { n = p; p = p->parent; }
	return p;
}
static struct node *next(struct node *n)
{
	if (n->right != nil) return first_of(n->right);
	struct node *p = n->parent;
	while (p != nil && n == p->right) { n = p; p = p->parent; }
	return p;
}
static void replace_child(struct node *parent, struct node *old, struct node *new)
{
	if (parent == nil) root = new;
	else if (parent->left == old) parent->left = new;
	else parent->right = new;
}
static void rotate_left(struct node *x)
{
	struct node *y = x->right;
	x->right = y->left;
	if (y->left != nil) y->left->parent = x;
	y->parent = x->parent;
	replace_child(x->parent, x, y);
	y->left = x; x->parent = y;
}
static void rotate_right(struct node *x)
{
	struct node *y = x->left;
	x->left = y->right;
	if (y->right != nil) y->right->parent = x;
	y->parent = x->parent;
	replace_child(x->parent, x, y);
	y->right = x; x->parent = y;
}
static void insert(struct node *z, struct node *start)
{
	struct node *p = nil, *at = start != nil ? start : root;
	while (at != nil) { p = at; at = z->lo < at->lo ? at->left : at->right; }
	z->parent = p; z->left = z->right = nil; z->red = 1;
	if (p == nil) root = z; else if (z->lo < p->lo) p->left = z; else p->right = z;
	while (z->parent->red) {
		struct node *parent = z->parent, *grand = parent->parent;
		struct node *uncle = parent == grand->left ? grand->right : grand->left;
		if (uncle->red) { parent->red = uncle->red = 0; grand->red = 1; z = grand; continue; }
		if (parent == grand->left) {
			if (z == parent->right) { z = parent; rotate_left(z); }
			z->parent->red = 0; grand->red = 1; rotate_right(grand);
		} else {
			if (z == parent->left) { z = parent; rotate_right(z); }
			z->parent->red = 0; grand->red = 1; rotate_left(grand);
		}
	}
	root->red = 0;
}
static void transplant(struct node *u, struct node *v) { replace_child(u->parent, u, v); v->parent = u->parent; }
static void erase(struct node *z)
{
	struct node *x, *y = z;
	int red = y->red;
	if (z->left == nil) { x = z->right; transplant(z, x); }
	else if (z->right == nil) { x = z->left; transplant(z, x); }
	else {
		y = first_of(z->right); red = y->red; x = y->right;
		if (y->parent == z) x->parent = y;
		else { transplant(y, x); y->right = z->right; y->right->parent = y; }
		transplant(z, y); y->left = z->left; y->left->parent = y; y->red = z->red;
	}
	if (red) return;
	while (x != root && !x->red) {
		struct node *p = x->parent, *w;
		if (x == p->left) {
			w = p->right;
			if (w->red) { w->red = 0; p->red = 1; rotate_left(p); w = p->right; }
			if (!w->left->red && !w->right->red) { w->red = 1; x = p; continue; }
			if (!w->right->red) { w->left->red = 0; w->red = 1; rotate_right(w); w = p->right; }
			w->red = p->red; p->red = 0; w->right->red = 0; rotate_left(p);
		} else {
			w = p->left;
			if (w->red) { w->red = 0; p->red = 1; rotate_right(p); w = p->left; }
			if (!w->left->red && !w->right->red) { w->red = 1; x = p; continue; }
			if (!w->left->red) { w->right->red = 0; w->red = 1; rotate_left(w); w = p->left; }
			w->red = p->red; p->red = 0; w->left->red = 0; rotate_right(p);
		}
		x = root;
	}
	x->red = 0;
}

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
