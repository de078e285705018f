/*
 * The laboratory's workload for real, on the machine that runs this program: what its simulated hosts are held against.
 *
 *     cc -O2 -std=gnu11 silicon.c -o silicon -pthread && ./silicon > out.json
 *
 * Each thread, on a core of its own, works for some time, maps a page, and unmaps one of the pages that it has mapped before, again and again:
 * the work of an IOMMU driver in user space, with the tree, the tables and the locks of Linux v4.3 (and v4.9's magazines), and with a wait in
 * the place of the hardware. It also measures what the simulated host needs to know of a machine: latencies of caches and memory, of a line
 * that comes from another core, of an atomic. One JSON document goes to the standard output, progress to the standard error.
 *
 * Everything here is written for this project from the description of what Linux does. src/iova and src/dma are the same algorithms in
 * TypeScript, and a test holds both against the same recorded answers (--replay). Nothing is needed beside libc and POSIX threads.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>
#ifdef __APPLE__
#include <sys/sysctl.h>
#endif

#define VERSION 1
#define LINE 64
#define ALIGNED __attribute__((aligned(LINE)))
#define MAX_CPUS 1024
#define MAX_REPEATS 99
#define ARRAY(a) (sizeof(a) / sizeof((a)[0]))
typedef uint64_t u64;
typedef uint32_t u32;
typedef uint16_t u16;
typedef uint8_t u8;

#define LOAD(p) __atomic_load_n(p, __ATOMIC_ACQUIRE)
#define STORE(p, v) __atomic_store_n(p, v, __ATOMIC_RELEASE)
#define PEEK(p) __atomic_load_n(p, __ATOMIC_RELAXED)

static void die(const char *format, ...)
{
	va_list list;
	va_start(list, format);
	fputs("silicon: ", stderr);
	vfprintf(stderr, format, list);
	fputc('\n', stderr);
	va_end(list);
	exit(1);
}

static void *lines(size_t bytes)
{
	void *p;
	if (posix_memalign(&p, 4096, (bytes + 4095) & ~(size_t)4095)) die("no memory for %zu bytes", bytes);
	memset(p, 0, bytes);
	return p;
}

/* ---- time ---- */

static double now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

/* A counter that is cheap to read; how many nanoseconds a tick has is measured. */
static inline u64 ticks(void)
{
#if defined(__x86_64__) || defined(__i386__)
	return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
	u64 t;
	__asm__ volatile("mrs %0, cntvct_el0" : "=r"(t));
	return t;
#else
	return (u64)now_ns();
#endif
}

static inline void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

static double tick_ns = 1;

static void calibrate_ticks(void)
{
	double from = now_ns();
	u64 first = ticks();
	while (now_ns() - from < 30e6) { }
	u64 last = ticks();
	tick_ns = (now_ns() - from) / (double)(last - first);
}

/* ---- work: a chain of multiplications, each of which waits for the one before ---- */

static double step_ns = 1;

static __attribute__((noinline)) u64 chain(u64 steps, u64 x)
{
	for (u64 i = 0; i < steps; i++) {
		x = x * 6364136223846793005ull + 1442695040888963407ull;
		__asm__ volatile("" : "+r"(x));
	}
	return x;
}

static volatile u64 sink;

static void calibrate_work(void)
{
	double best = 1e18;
	for (int i = 0; i < 60; i++) {
		double from = now_ns();
		sink = chain(200000, i);
		double each = (now_ns() - from) / 200000;
		if (each < best) best = each;
	}
	step_ns = best;
}

static inline u32 random_below(u64 *state, u32 bound)
{
	*state ^= *state << 13; *state ^= *state >> 7; *state ^= *state << 17;
	return (u32)(((*state >> 32) * bound) >> 32);
}

/* ---- locks: who waits is charged by its thread; the clock is read only where there is something to wait for ---- */

struct waiter { struct waiter *next; u32 blocked; } ALIGNED;
static struct waiter waiters[MAX_CPUS];

struct thread {
	int index, cpu;
	u64 spun;               /* ticks that it has waited for locks */
	u64 done;               /* transactions */
	u64 visits, maps;
	u64 random;
	struct slab { struct node *free[120]; int depth; } slab;
	pthread_t id;
	u32 *ring;
	char pad[LINE];
} ALIGNED;

enum { TICKET, QUEUED };
static int lock_kind = QUEUED;

/* One word: locked byte, pending byte and tail of the queue; or the owner's and the next ticket. */
typedef union {
	u32 word;
	struct { u16 low, high; } half;
	struct { u8 locked, pending; u16 tail; } part;
} lock_t;

enum { LOCKED = 1, PENDING = 0x100 };

static void ticket_wait(lock_t *lock, u16 mine)
{
	while (LOAD(&lock->half.low) != mine) relax();
}

/* Somebody holds it. The first to wait sets the pending byte; the others queue, each on a line of its own, and their head waits for both. */
static void queued_wait(lock_t *lock, int me, u32 seen)
{
	if ((seen & ~(u32)LOCKED) == 0) {
		u32 before = __atomic_fetch_or(&lock->word, PENDING, __ATOMIC_ACQ_REL);
		if ((before & ~(u32)LOCKED) == 0) {
			while (LOAD(&lock->word) & LOCKED) relax();
			STORE(&lock->half.low, LOCKED);
			return;
		}
		if (!(before & PENDING)) __atomic_fetch_and(&lock->word, ~(u32)PENDING, __ATOMIC_ACQ_REL);
	}
	struct waiter *mine = &waiters[me];
	mine->next = NULL;
	mine->blocked = 1;
	u16 before = __atomic_exchange_n(&lock->part.tail, (u16)(me + 1), __ATOMIC_ACQ_REL);
	if (before) {
		STORE(&waiters[before - 1].next, mine);
		while (LOAD(&mine->blocked)) relax();
	}
	for (;;) {
		u32 word;
		while ((word = LOAD(&lock->word)) & (LOCKED | PENDING)) relax();
		if (word >> 16 == (u32)(me + 1)) {
			if (__atomic_compare_exchange_n(&lock->word, &word, LOCKED, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) return;
			continue;
		}
		STORE(&lock->part.locked, 1);
		struct waiter *next;
		while (!(next = LOAD(&mine->next))) relax();
		STORE(&next->blocked, 0);
		return;
	}
}

static inline void acquire(lock_t *lock, struct thread *t)
{
	if (lock_kind == TICKET) {
		u32 word = __atomic_fetch_add(&lock->word, 1u << 16, __ATOMIC_ACQ_REL);
		if ((u16)word == (u16)(word >> 16)) return;
		u64 from = ticks();
		ticket_wait(lock, (u16)(word >> 16));
		t->spun += ticks() - from;
	} else {
		u32 seen = 0;
		if (__atomic_compare_exchange_n(&lock->word, &seen, LOCKED, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) return;
		u64 from = ticks();
		queued_wait(lock, t->index, seen);
		t->spun += ticks() - from;
	}
}

static inline void release(lock_t *lock)
{
	if (lock_kind == TICKET) STORE(&lock->half.low, (u16)(lock->half.low + 1));
	else STORE(&lock->part.locked, 0);
}

/* ---- the slab that nodes come from: a stack a core, half of which moves at once ---- */

struct node { struct node *left, *right, *parent; u64 lo, hi; u32 red; } ALIGNED;

static struct { pthread_mutex_t lock; struct node **free; size_t depth, room; } shared_nodes = { .lock = PTHREAD_MUTEX_INITIALIZER };

enum { SLAB_STACK = 120, SLAB_BATCH = 60, SLAB_PAGE = 4096 / LINE };

static void slab_refill(struct slab *slab)
{
	pthread_mutex_lock(&shared_nodes.lock);
	while (shared_nodes.depth > 0 && slab->depth < SLAB_BATCH) slab->free[slab->depth++] = shared_nodes.free[--shared_nodes.depth];
	pthread_mutex_unlock(&shared_nodes.lock);
	if (slab->depth > 0) return;
	struct node *page = lines(4096);
	for (int i = SLAB_PAGE; i-- > 0; ) slab->free[slab->depth++] = &page[i];
}

static void slab_spill(struct slab *slab)
{
	pthread_mutex_lock(&shared_nodes.lock);
	if (shared_nodes.depth + SLAB_BATCH > shared_nodes.room) {
		shared_nodes.room = 2 * shared_nodes.room + 4096;
		shared_nodes.free = realloc(shared_nodes.free, shared_nodes.room * sizeof(struct node *));
		if (!shared_nodes.free) die("no memory");
	}
	memcpy(shared_nodes.free + shared_nodes.depth, slab->free, SLAB_BATCH * sizeof(struct node *));
	shared_nodes.depth += SLAB_BATCH;
	pthread_mutex_unlock(&shared_nodes.lock);
	slab->depth -= SLAB_BATCH;
	memmove(slab->free, slab->free + SLAB_BATCH, slab->depth * sizeof(struct node *));
}

static inline struct node *take_node(struct thread *t)
{
	if (t->slab.depth == 0) slab_refill(&t->slab);
	return t->slab.free[--t->slab.depth];
}

static inline void give_node(struct thread *t, struct node *node)
{
	if (!node) return;
	if (t->slab.depth == SLAB_STACK) slab_spill(&t->slab);
	t->slab.free[t->slab.depth++] = node;
}

/* ---- a red-black tree of ranges, after Cormen, Leiserson, Rivest and Stein; nil is one black sentinel ---- */

static struct node nil_node, *const nil = &nil_node;

/* Lock, root, remembered node and limits share a line, as in Linux. */
static struct domain {
	lock_t lock;
	u32 aligned;
	struct node *root, *remembered;
	u64 start, dma32;
} domain ALIGNED;

static struct node *lowest(struct node *n) { while (n->left != nil) n = n->left; return n; }
static struct node *highest(struct node *n) { while (n->right != nil) n = n->right; return n; }

static struct node *below(struct node *n)
{
	if (n->left != nil) return highest(n->left);
	struct node *p = n->parent;
	while (p != nil && n == p->left) { n = p; p = p->parent; }
	return p;
}

static struct node *above(struct node *n)
{
	if (n->right != nil) return lowest(n->right);
	struct node *p = n->parent;
	while (p != nil && n == p->right) { n = p; p = p->parent; }
	return p;
}

static inline void hang(struct node *parent, struct node *old, struct node *now)
{
	if (parent == nil) domain.root = now;
	else if (parent->left == old) parent->left = now;
	else parent->right = now;
}

static void rotate(struct node *n, int to_left)
{
	struct node *up = to_left ? n->right : n->left;
	struct node *middle = to_left ? up->left : up->right;
	if (to_left) n->right = middle; else n->left = middle;
	if (middle != nil) middle->parent = n;
	up->parent = n->parent;
	hang(n->parent, n, up);
	if (to_left) up->left = n; else up->right = n;
	n->parent = up;
}

/* `from` is an ancestor of the place, or nil for the root. */
static void insert(struct node *z, struct node *from)
{
	struct node *p = nil, *at = from != nil ? from : domain.root;
	while (at != nil) { p = at; at = z->lo < at->lo ? at->left : at->right; }
	z->parent = p;
	z->left = z->right = nil;
	z->red = 1;
	if (p == nil) domain.root = z;
	else if (z->lo < p->lo) p->left = z;
	else p->right = z;
	while (z->parent->red) {
		struct node *parent = z->parent, *grand = parent->parent;
		int left = parent == grand->left;
		struct node *uncle = left ? grand->right : grand->left;
		if (uncle->red) { parent->red = uncle->red = 0; grand->red = 1; z = grand; continue; }
		if (z == (left ? parent->right : parent->left)) { z = parent; rotate(z, left); parent = z->parent; }
		parent->red = 0;
		grand->red = 1;
		rotate(grand, !left);
	}
	domain.root->red = 0;
}

static void put_in_place(struct node *old, struct node *now) { hang(old->parent, old, now); now->parent = old->parent; }

static void erase(struct node *z)
{
	struct node *x;
	u32 red = z->red;
	if (z->left == nil) { x = z->right; put_in_place(z, x); }
	else if (z->right == nil) { x = z->left; put_in_place(z, x); }
	else {
		struct node *y = lowest(z->right);
		red = y->red;
		x = y->right;
		if (y->parent == z) x->parent = y;
		else { put_in_place(y, x); y->right = z->right; y->right->parent = y; }
		put_in_place(z, y);
		y->left = z->left;
		y->left->parent = y;
		y->red = z->red;
	}
	if (red) return;
	while (x != domain.root && !x->red) {
		struct node *p = x->parent;
		int left = x == p->left;
		struct node *w = left ? p->right : p->left;
		if (w->red) { w->red = 0; p->red = 1; rotate(p, left); w = left ? p->right : p->left; }
		if (!w->left->red && !w->right->red) { w->red = 1; x = p; continue; }
		if (!(left ? w->right : w->left)->red) {
			(left ? w->left : w->right)->red = 0;
			w->red = 1;
			rotate(w, !left);
			w = left ? p->right : p->left;
		}
		w->red = p->red;
		p->red = 0;
		(left ? w->right : w->left)->red = 0;
		rotate(p, left);
		break;
	}
	x->red = 0;
}

static struct node *find(u64 pfn)
{
	struct node *n = domain.root;
	while (n != nil && (pfn < n->lo || pfn > n->hi)) n = pfn < n->lo ? n->left : n->right;
	return n;
}

/* ---- the allocators: v4.3's tree, and the same with one node for each run of abutting ranges ---- */

#define NONE UINT64_MAX
#define DMA32 0xfffffull
static int merging;

static inline u64 padding(u64 size, u64 limit)
{
	u64 round = 1;
	if (!domain.aligned) return 0;
	while (round < size) round <<= 1;
	return (limit + 1 - size) & (round - 1);
}

/* Puts [lo, hi] between `lower` and `upper`; gives the node that holds it, and in *left what is no longer used. */
static struct node *place(struct node *fresh, u64 lo, u64 hi, struct node *lower, struct node *upper, struct node *from, struct node *left[2])
{
	if (merging) {
		int joins_lower = lower != nil && lower->hi == lo - 1;
		if (upper != nil && upper->lo == hi + 1) {
			left[0] = fresh;
			if (!joins_lower) { upper->lo = lo; return upper; }
			u64 least = lower->lo;
			erase(lower);
			if (domain.remembered == lower) domain.remembered = upper;
			left[1] = lower;
			upper->lo = least;
			return upper;
		}
		if (joins_lower) { left[0] = fresh; lower->hi = hi; return lower; }
	}
	fresh->lo = lo;
	fresh->hi = hi;
	insert(fresh, from);
	return fresh;
}

/* Down from the remembered node (or the highest) until a gap fits; under the lock. */
static u64 search_and_insert(struct node *fresh, u64 size, u64 limit, struct thread *t, struct node *left[2])
{
	u64 working = limit, pad;
	struct node *n, *from, *upper = nil;
	if (limit == domain.dma32 && domain.remembered) {
		working = domain.remembered->lo - 1;
		upper = domain.remembered;
		n = below(domain.remembered);
	} else n = domain.root == nil ? nil : highest(domain.root);
	for (from = n; n != nil; from = upper = n, n = below(n)) {
		t->visits++;
		if (working < n->lo) continue;
		if (working >= n->hi) {
			pad = padding(size, working);
			if (n->hi + size + pad <= working) break;
		}
		working = n->lo - 1;
	}
	pad = padding(size, working);
	if (n == nil && domain.start + size + pad > working) { left[0] = fresh; return NONE; }
	u64 lo = working - size - pad + 1;
	struct node *held = place(fresh, lo, lo + size - 1, n, upper, from, left);
	if (limit == domain.dma32) domain.remembered = held;
	return lo;
}

static u64 tree_alloc(struct thread *t, u64 size, u64 limit)
{
	struct node *fresh = take_node(t), *left[2] = { NULL, NULL };
	acquire(&domain.lock, t);
	u64 pfn = search_and_insert(fresh, size, limit, t, left);
	release(&domain.lock);
	give_node(t, left[0]);
	give_node(t, left[1]);
	t->maps++;
	return pfn;
}

static void remember(struct node *n) { domain.remembered = n != nil && n->lo < domain.dma32 ? n : NULL; }

/* Takes a range out, under the lock; gives its node where that is no longer used. `known` is what a find gave, or nil. */
static struct node *remove_range(struct thread *t, u64 pfn, u64 pages, struct node *known)
{
	struct node *n = known != nil ? known : find(pfn);
	if (n == nil) return NULL;
	struct node *last = domain.remembered;
	if (!merging) {
		if (last && n->lo >= last->lo) remember(above(n));
		erase(n);
		return n;
	}
	u64 hi = pfn + pages - 1, lo = n->lo, high = n->hi;
	int update = last && pfn >= last->lo;
	if (pfn > lo && hi < high) {
		struct node *piece = take_node(t);
		n->hi = pfn - 1;
		piece->lo = hi + 1;
		piece->hi = high;
		insert(piece, n);
		if (update) remember(piece);
		return NULL;
	}
	if (hi < high) {
		n->lo = hi + 1;
		if (update) remember(n);
		return NULL;
	}
	if (update) remember(above(n));
	if (pfn > lo) { n->hi = pfn - 1; return NULL; }
	erase(n);
	return n;
}

static struct node *tree_find(struct thread *t, u64 pfn)
{
	acquire(&domain.lock, t);
	struct node *n = find(pfn);
	release(&domain.lock);
	return n;
}

static void tree_free(struct thread *t, u64 pfn, u64 pages, struct node *known)
{
	acquire(&domain.lock, t);
	struct node *left = remove_range(t, pfn, pages, merging ? nil : known);
	release(&domain.lock);
	give_node(t, left);
}

/* Reserves [lo, hi] at setup. */
static void reserve(struct thread *t, u64 lo, u64 hi)
{
	struct node *n = domain.root == nil ? nil : lowest(domain.root), *next;
	int overlapped = 0;
	for (; n != nil; n = next) {
		next = above(n);
		if (merging) {
			if (n->lo > hi + 1) break;
			if (n->hi + 1 < lo) continue;
			if (n->lo < lo) lo = n->lo;
			if (n->hi > hi) hi = n->hi;
			if (domain.remembered == n) domain.remembered = NULL;
			erase(n);
			give_node(t, n);
		} else if (lo <= n->hi && hi >= n->lo) {
			if (lo < n->lo) n->lo = lo;
			if (hi <= n->hi) return;
			lo = n->hi + 1;
			overlapped = 1;
		} else if (overlapped) break;
	}
	struct node *fresh = take_node(t);
	fresh->lo = lo;
	fresh->hi = hi;
	insert(fresh, nil);
}

/* ---- v4.9: magazines of freed ranges for each core, and a depot, before the tree ---- */

enum { MAGAZINE = 128, DEPOT = 32, CLASSES = 6 };
struct magazine { u64 size, pfns[MAGAZINE]; struct magazine *spare; } ALIGNED;
struct cache { lock_t lock; struct magazine *loaded, *previous; } ALIGNED;
static struct cache (*caches)[CLASSES];
static struct depot { lock_t lock; u32 count; struct magazine *magazines[DEPOT]; } ALIGNED depots[CLASSES];
static int cache_cpus;

static int order_of(u64 pages)
{
	int order = 0;
	while ((1ull << order) < pages) order++;
	return order;
}

static void magazine_to_tree(struct thread *t, struct magazine *m)
{
	for (u64 i = 0; i < m->size; i++) give_node(t, remove_range(t, m->pfns[i], 1, nil));
	m->size = 0;
}

static u64 cached_alloc(struct thread *t, u64 pages, u64 limit, int *hit)
{
	int order = order_of(pages);
	u64 pfn = NONE;
	*hit = 0;
	if (order < CLASSES) {
		struct cache *c = &caches[t->index][order];
		struct depot *d = &depots[order];
		acquire(&c->lock, t);
		if (c->loaded->size == 0) {
			if (c->previous->size > 0) {
				struct magazine *m = c->loaded;
				c->loaded = c->previous;
				c->previous = m;
			} else {
				acquire(&d->lock, t);
				if (d->count > 0) {
					free(c->loaded);
					c->loaded = d->magazines[--d->count];
				}
				release(&d->lock);
			}
		}
		struct magazine *m = c->loaded;
		if (m->size > 0 && m->pfns[m->size - 1] < limit) {
			pfn = m->pfns[--m->size];
			*hit = 1;
		}
		release(&c->lock);
	}
	if (*hit) { t->maps++; return pfn; }
	pfn = tree_alloc(t, pages, limit);
	if (pfn != NONE) return pfn;
	for (int cpu = 0; cpu < cache_cpus; cpu++)
		for (order = 0; order < CLASSES; order++) {
			struct cache *c = &caches[cpu][order];
			acquire(&c->lock, t);
			acquire(&domain.lock, t);
			magazine_to_tree(t, c->loaded);
			magazine_to_tree(t, c->previous);
			release(&domain.lock);
			release(&c->lock);
		}
	return tree_alloc(t, pages, limit);
}

static void cached_free(struct thread *t, u64 pfn, u64 pages)
{
	int order = order_of(pages);
	if (order >= CLASSES) { tree_free(t, pfn, pages, tree_find(t, pfn)); return; }
	struct cache *c = &caches[t->index][order];
	struct depot *d = &depots[order];
	struct magazine *over = NULL;
	acquire(&c->lock, t);
	if (c->loaded->size == MAGAZINE) {
		struct magazine *full = c->loaded;
		if (c->previous->size < MAGAZINE) {
			c->loaded = c->previous;
			c->previous = full;
		} else {
			acquire(&d->lock, t);
			if (d->count < DEPOT) d->magazines[d->count++] = full;
			else over = full;
			c->loaded = lines(sizeof *full);
			release(&d->lock);
		}
	}
	c->loaded->pfns[c->loaded->size++] = pfn;
	release(&c->lock);
	if (!over) return;
	acquire(&domain.lock, t);
	magazine_to_tree(t, over);
	release(&domain.lock);
	free(over);
}

/* ---- page table: four levels of 512 entries ---- */

static u64 *table_root;

static u64 *entry_of(u64 pfn)
{
	u64 *table = table_root;
	for (int shift = 27; shift > 0; shift -= 9) {
		u64 *slot = &table[(pfn >> shift) & 511];
		u64 child = LOAD(slot);
		if (!child) {
			u64 *page = lines(4096);
			u64 none = 0;
			child = (u64)(uintptr_t)page;
			if (!__atomic_compare_exchange_n(slot, &none, child, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) { free(page); child = none; }
		}
		table = (u64 *)(uintptr_t)child;
	}
	return &table[pfn & 511];
}

/* ---- invalidation: a wait, with the queue's lock held; and the list of devices, looked through under a lock of its own ---- */

enum { WATERMARK = 250 };
static double invalidation_ns = 500;
static u64 invalidation_ticks;
static struct { lock_t lock; } ALIGNED queue_lock;
static struct { u64 words[8]; } ALIGNED descriptors[256], status[256];
static struct { u32 slot; } ALIGNED queue_tail;
static struct { lock_t lock; } ALIGNED device_lock;
static struct { u64 words[8]; } ALIGNED device_list[3];

static void invalidate(struct thread *t, u64 pfn)
{
	acquire(&queue_lock.lock, t);
	u32 slot = queue_tail.slot++ & 255;
	descriptors[slot].words[0] = pfn;
	status[slot].words[0] = 1;
	u64 until = ticks() + invalidation_ticks;
	while (ticks() < until) relax();
	/* The first look at the status finds nothing in Linux; between two looks the lock is dropped. */
	release(&queue_lock.lock);
	relax();
	acquire(&queue_lock.lock, t);
	if (*(volatile u64 *)&status[slot].words[0] != 1) die("another's status word");
	release(&queue_lock.lock);
}

static void look_for_devices(struct thread *t)
{
	acquire(&device_lock.lock, t);
	u64 sum = 0;
	for (int i = 0; i < 3; i++) sum += *(volatile u64 *)&device_list[i].words[0];
	if (sum) die("a device that caches translations");
	release(&device_lock.lock);
}

/* ---- unmapping: at once, or by a table of 250 ---- */

struct table {
	lock_t lock;
	u32 size;
	char pad[LINE - 8];
	struct node *nodes[256];
	u64 pfns[256], tables[256];
} ALIGNED;
static struct table *tables;
static int table_count;

enum { OFF, TREE, MERGED, MAGAZINES };
enum { NO_POLICY, STRICT, DEFERRED };
static const struct variant { const char *name; int allocator, policy; } variants[] = {
	{ "off", OFF, NO_POLICY },
	{ "strict", TREE, STRICT },
	{ "deferred", TREE, DEFERRED },
	{ "merged-strict", MERGED, STRICT },
	{ "merged-deferred", MERGED, DEFERRED },
	{ "magazines-strict", MAGAZINES, STRICT },
	{ "magazines-deferred", MAGAZINES, DEFERRED },
};
static const struct variant *variant = variants;

static void free_range(struct thread *t, u64 pfn, struct node *known)
{
	if (variant->allocator == MAGAZINES) cached_free(t, pfn, 1);
	else tree_free(t, pfn, 1, known);
}

/* One invalidation of everything, then entry by entry, the tree's lock inside; the table's lock is the caller's. */
static void flush_table(struct thread *t, struct table *table)
{
	if (table->size > 0) invalidate(t, 0);
	for (u32 i = 0; i < table->size; i++) {
		u64 unlinked = *(volatile u64 *)&table->tables[i];
		if (unlinked) die("a table page to free");
		if (variant->allocator != MAGAZINES) look_for_devices(t);
		free_range(t, table->pfns[i], table->nodes[i]);
	}
	table->size = 0;
}

static void add_unmap(struct thread *t, u64 pfn, struct node *node)
{
	struct table *table = tables;
	if (table_count > 1) {
		table = &tables[t->index];
		if (PEEK(&table->size) >= WATERMARK)
			for (int i = 0; i < table_count; i++) {
				acquire(&tables[i].lock, t);
				flush_table(t, &tables[i]);
				release(&tables[i].lock);
			}
		acquire(&table->lock, t);
	} else {
		acquire(&table->lock, t);
		if (table->size >= WATERMARK) flush_table(t, table);
	}
	table->nodes[table->size] = node;
	table->pfns[table->size] = pfn;
	table->tables[table->size++] = 0;
	release(&table->lock);
}

static u64 map_page(struct thread *t)
{
	int hit;
	if (variant->allocator == OFF) return 0;
	u64 pfn = variant->allocator == MAGAZINES ? cached_alloc(t, 1, DMA32, &hit) : tree_alloc(t, 1, DMA32);
	if (pfn == NONE) die("no address is free");
	STORE(entry_of(pfn), pfn << 12 | 3);
	return pfn;
}

static void unmap_page(struct thread *t, u64 pfn)
{
	if (variant->allocator == OFF) return;
	struct node *node = nil;
	if (variant->allocator != MAGAZINES && (node = tree_find(t, pfn)) == nil) die("page %llu is not mapped", (unsigned long long)pfn);
	STORE(entry_of(pfn), 0);
	if (variant->policy == DEFERRED) { add_unmap(t, pfn, node); return; }
	invalidate(t, pfn);
	if (variant->allocator != MAGAZINES) look_for_devices(t);
	free_range(t, pfn, node);
}

static void set_up(const struct variant *which, int lock, int threads)
{
	variant = which;
	merging = which->allocator == MERGED;
	lock_kind = lock;
	memset(&domain, 0, sizeof domain);
	domain.root = nil;
	domain.start = 1;
	domain.dma32 = DMA32;
	domain.aligned = 1;
	memset(&queue_lock, 0, sizeof queue_lock);
	memset(&device_lock, 0, sizeof device_lock);
	memset(depots, 0, sizeof depots);
	table_count = which->allocator == MAGAZINES ? threads : 1;
	tables = lines(table_count * sizeof *tables);
	cache_cpus = threads;
	caches = lines(threads * sizeof *caches);
	for (int i = 0; i < threads; i++)
		for (int order = 0; order < CLASSES; order++) {
			caches[i][order].loaded = lines(sizeof(struct magazine));
			caches[i][order].previous = lines(sizeof(struct magazine));
		}
	table_root = lines(4096);
	invalidation_ticks = (u64)(invalidation_ns / tick_ns);
}

/* ---- the machine: which CPUs there are, and what they share ---- */

struct cpu { int number, core, package, l3; };
static struct cpu cpus[MAX_CPUS];
static int cpu_count;           /* one a core, in the order in which threads take them */
static struct cpu siblings[2];  /* two of one core, where there are */
static int have_siblings, known_topology;

static int read_line(char *to, size_t size, const char *format, ...)
{
	char path[256];
	va_list list;
	va_start(list, format);
	vsnprintf(path, sizeof path, format, list);
	va_end(list);
	FILE *f = fopen(path, "r");
	if (!f) return 0;
	int found = fgets(to, (int)size, f) != NULL;
	fclose(f);
	if (found) to[strcspn(to, "\n")] = 0;
	return found;
}

static void pin(int cpu)
{
#ifdef __linux__
	cpu_set_t set;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof set, &set)) die("CPU %d: %s", cpu, strerror(errno));
#else
	(void)cpu;
#endif
}

static int by_place(const void *a, const void *b)
{
	const struct cpu *x = a, *y = b;
	if (x->package != y->package) return x->package - y->package;
	if (x->l3 != y->l3) return x->l3 - y->l3;
	return x->number - y->number;
}

static void look_at_cpus(void)
{
	char text[256];
	int allowed[MAX_CPUS], count = 0;
#ifdef __linux__
	cpu_set_t set;
	CPU_ZERO(&set);
	if (sched_getaffinity(0, sizeof set, &set)) die("which CPUs: %s", strerror(errno));
	for (int i = 0; i < CPU_SETSIZE && count < MAX_CPUS; i++) if (CPU_ISSET(i, &set)) allowed[count++] = i;
#else
	long n = sysconf(_SC_NPROCESSORS_ONLN);
	for (int i = 0; i < n && count < MAX_CPUS; i++) allowed[count++] = i;
#endif
	for (int i = 0; i < count; i++) {
		struct cpu one = { allowed[i], allowed[i], 0, 0 };
		const char *sys = "/sys/devices/system/cpu/cpu";
		if (read_line(text, sizeof text, "%s%d/topology/physical_package_id", sys, one.number)) one.package = atoi(text);
		if (read_line(text, sizeof text, "%s%d/topology/thread_siblings_list", sys, one.number)) { one.core = atoi(text); known_topology = 1; }
		for (int k = 0; k < 8; k++) {
			if (!read_line(text, sizeof text, "%s%d/cache/index%d/level", sys, one.number, k)) break;
			if (atoi(text) == 3 && read_line(text, sizeof text, "%s%d/cache/index%d/shared_cpu_list", sys, one.number, k)) one.l3 = atoi(text);
		}
		int twin = -1;
		for (int k = 0; k < cpu_count; k++) if (cpus[k].core == one.core) twin = k;
		if (twin < 0) cpus[cpu_count++] = one;
		else if (!have_siblings) { have_siblings = 1; siblings[0] = cpus[twin]; siblings[1] = one; }
	}
	qsort(cpus, cpu_count, sizeof *cpus, by_place);
}

/* ---- JSON ---- */

static int first_item;
static void separate(void) { if (!first_item) putchar(','); first_item = 0; }
static void open_list(const char *name) { separate(); printf("\n\"%s\":[", name); first_item = 1; }
static void close_list(void) { putchar(']'); first_item = 0; }
static void name_of(const char *name) { separate(); printf("\"%s\":", name); }
static void number(const char *name, double value)
{
	name_of(name);
	if (value == value && value >= 0) printf("%.12g", value); else fputs("null", stdout);
}
static void text(const char *name, const char *value)
{
	name_of(name);
	putchar('"');
	for (; *value; value++) {
		unsigned char c = (unsigned char)*value;
		if (c == '"' || c == '\\') printf("\\%c", c);
		else if (c >= 0x20 && c < 0x7f) putchar(c);
	}
	putchar('"');
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

/* The median of samples, and the values between which four of five lie; in ns. */
static void spread(const char *name, double *samples, int n)
{
	name_of(name);
	if (n == 0) { fputs("null", stdout); return; }
	qsort(samples, n, sizeof *samples, ascending);
	printf("{\"median\":%.5g,\"low\":%.5g,\"high\":%.5g,\"n\":%d}", samples[n / 2], samples[n / 10], samples[n - 1 - n / 10], n);
}

/* ---- latencies ---- */

enum { SAMPLES = 101, WALKS = 5 };

static double seconds = 120, started;
static double elapsed(void) { return (now_ns() - started) / 1e9; }

/* On a terminal one line that changes; elsewhere a line every ten seconds. */
static void progress(const char *format, ...)
{
	static double last = -1e9;
	int terminal = isatty(2);
	if (!terminal && elapsed() - last < 10) return;
	last = elapsed();
	fprintf(stderr, "%ssilicon: %.0f of %.0f s; ", terminal ? "\r\033[K" : "", last, seconds);
	va_list list;
	va_start(list, format);
	vfprintf(stderr, format, list);
	va_end(list);
	if (!terminal) fputc('\n', stderr);
}

static long cache_bytes(int level, int *ways)
{
	char line[64];
	*ways = 0;
#ifdef __APPLE__
	static const char *names[] = { "", "hw.l1dcachesize", "hw.l2cachesize", "hw.l3cachesize" };
	int64_t bytes = 0;
	size_t size = sizeof bytes;
	if (sysctlbyname(names[level], &bytes, &size, NULL, 0) == 0) return (long)bytes;
#endif
	for (int k = 0; k < 8; k++) {
		if (!read_line(line, sizeof line, "/sys/devices/system/cpu/cpu0/cache/index%d/level", k)) break;
		if (atoi(line) != level) continue;
		if (!read_line(line, sizeof line, "/sys/devices/system/cpu/cpu0/cache/index%d/type", k) || line[0] == 'I') continue;
		if (read_line(line, sizeof line, "/sys/devices/system/cpu/cpu0/cache/index%d/ways_of_associativity", k)) *ways = atoi(line);
		if (!read_line(line, sizeof line, "/sys/devices/system/cpu/cpu0/cache/index%d/size", k)) continue;
		return atol(line) * (strchr(line, 'M') ? 1048576 : 1024);
	}
	return 0;
}

/* A walk through memory in which each load waits for the one before. */
struct walk { char *memory; size_t bytes, stride; int builder, runner; double *samples; int n; };

static void *build_walk(void *data)
{
	struct walk *w = data;
	pin(w->builder);
	size_t count = w->bytes / w->stride;
	u32 *order = malloc(count * sizeof *order);
	if (!order) die("no memory");
	u64 random = 88172645463325252ull;
	for (size_t i = 0; i < count; i++) order[i] = (u32)i;
	for (size_t i = count; i-- > 1; ) {
		u32 j = random_below(&random, (u32)i + 1), swap = order[i];
		order[i] = order[j];
		order[j] = swap;
	}
	for (size_t i = 0; i < count; i++)
		*(void **)(w->memory + order[i] * w->stride) = w->memory + order[(i + 1) % count] * w->stride;
	free(order);
	return NULL;
}

static inline void *follow(void *p, size_t steps)
{
	while (steps--) { p = *(void *volatile *)p; }
	return p;
}

static void *run_walk(void *data)
{
	struct walk *w = data;
	pin(w->runner);
	size_t count = w->bytes / w->stride, steps = 1000;
	void *p = follow(w->memory, count < 4000000 ? 2 * count : count);
	for (w->n = 0; w->n < SAMPLES; w->n++) {
		double from = now_ns();
		p = follow(p, steps);
		w->samples[w->n] = (now_ns() - from) / (double)steps;
	}
	sink = (u64)(uintptr_t)p;
	return NULL;
}

static void in_thread(void *(*work)(void *), void *data)
{
	pthread_t id;
	if (pthread_create(&id, NULL, work, data)) die("no thread");
	pthread_join(id, NULL);
}

static void measure_walk(const char *level, size_t bytes, int builder, int runner)
{
	double samples[WALKS * SAMPLES];
	int n = 0;
	bytes &= ~(size_t)4095;
	struct walk w = { NULL, bytes, LINE, builder, runner, samples, 0 };
	size_t room = (bytes + 0x3fffff) & ~(size_t)0x1fffff;
	char *memory = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0);
	if (memory == MAP_FAILED) return;
	w.memory = (char *)(((uintptr_t)memory + 0x1fffff) & ~(uintptr_t)0x1fffff);
#ifdef MADV_HUGEPAGE
	madvise(memory, room, MADV_HUGEPAGE);
#endif
	/* On memory in other places, where that takes no long time: where it lies in the caches is chance. */
	for (int i = 0; i < (bytes > (16u << 20) ? 1 : WALKS); i++) {
		w.samples = samples + n;
		in_thread(build_walk, &w);
		in_thread(run_walk, &w);
		n += w.n;
		madvise(w.memory, bytes, MADV_DONTNEED);
	}
	separate();
	printf("\n{");
	first_item = 1;
	text("level", level);
	number("bytes", (double)bytes);
	spread("ns", samples, n);
	putchar('}');
	munmap(memory, room);
}

/* Two cores and a set of lines between them. */
enum { PAIR_LINES = 96, PAIR_ROUNDS = 300, RUN_ROUNDS = 15, WRITTEN = 0, SHARED = 1, CLEAN = 2, STATES = 3 };
struct pair {
	int a, b;
	char *memory;
	double modified[PAIR_ROUNDS], clean[PAIR_ROUNDS], taken[PAIR_ROUNDS], turns[SAMPLES];
	volatile u64 zero;
	int flushed, rounds, hand_overs;
};
static struct { u32 turn; } ALIGNED baton;
static struct { u32 flag; } ALIGNED ping;

static int flush_line(void *p)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_clflush(p);
	return 1;
#elif defined(__aarch64__) && defined(__linux__)
	__asm__ volatile("dc civac, %0" : : "r"(p) : "memory");
	return 1;
#else
	(void)p;
	return 0;
#endif
}

static void wait_for(u32 turn) { while (LOAD(&baton.turn) != turn) relax(); }

static u64 *pair_line(struct pair *p, int i) { return (u64 *)(p->memory + i * 2 * LINE); }

/* The first of a pair brings the lines into a state; the second goes through them. */
static void *pair_first(void *data)
{
	struct pair *p = data;
	pin(p->a);
	u32 turn = 0;
	for (int round = 0; round < p->rounds; round++)
		for (int state = 0; state < STATES; state++) {
			wait_for(turn);
			for (int i = 0; i < PAIR_LINES; i++) {
				if (state == WRITTEN) pair_line(p, i)[2]++;
				else if (state == CLEAN) p->flushed = flush_line(pair_line(p, i));
			}
			__atomic_thread_fence(__ATOMIC_SEQ_CST);
			if (state != WRITTEN) for (int i = 0; i < PAIR_LINES; i++) sink = ((volatile u64 *)pair_line(p, i))[2];
			__atomic_thread_fence(__ATOMIC_SEQ_CST);
			STORE(&baton.turn, ++turn);
			turn++;
		}
	for (int i = 0; i < p->hand_overs * 400; i++) {
		while (LOAD(&ping.flag) != 0) { }
		u32 zero = 0;
		__atomic_compare_exchange_n(&ping.flag, &zero, 1, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
	}
	return NULL;
}

static void *pair_second(void *data)
{
	struct pair *p = data;
	pin(p->b);
	u32 turn = 1;
	for (int round = 0; round < p->rounds; round++)
		for (int state = 0; state < STATES; state++) {
			wait_for(turn);
			void *at = p->memory;
			double from = now_ns();
			if (state == SHARED)
				/* What it takes to have a line alone that both have, by a locked addition; the next address waits for its result. */
				for (int i = 0; i < PAIR_LINES; i++) {
					u64 old = __atomic_fetch_add((u64 *)at + 3, 1, __ATOMIC_SEQ_CST);
					at = *(void *volatile *)((char *)at + (old & p->zero));
				}
			else at = follow(at, PAIR_LINES);
			double each = (now_ns() - from) / PAIR_LINES;
			sink = (u64)(uintptr_t)at;
			(state == WRITTEN ? p->modified : state == SHARED ? p->taken : p->clean)[round] = each;
			STORE(&baton.turn, turn + 1);
			turn += 2;
		}
	for (int s = 0; s < p->hand_overs; s++) {
		double from = now_ns();
		for (int i = 0; i < 400; i++) {
			while (LOAD(&ping.flag) != 1) { }
			u32 one = 1;
			__atomic_compare_exchange_n(&ping.flag, &one, 0, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
		}
		p->turns[s] = (now_ns() - from) / 800;
	}
	return NULL;
}

static struct pair pair;

static void run_pair(int a, int b, int rounds, int hand_overs)
{
	memset(&pair, 0, sizeof pair);
	pair.a = a;
	pair.b = b;
	pair.rounds = rounds;
	pair.hand_overs = hand_overs;
	pair.memory = lines(PAIR_LINES * 2 * LINE);
	struct walk w = { pair.memory, PAIR_LINES * 2 * LINE, 2 * LINE, a, a, NULL, 0 };
	in_thread(build_walk, &w);
	baton.turn = 0;
	ping.flag = 0;
	pthread_t first, second;
	if (pthread_create(&first, NULL, pair_first, &pair) || pthread_create(&second, NULL, pair_second, &pair)) die("no thread");
	pthread_join(first, NULL);
	pthread_join(second, NULL);
	free(pair.memory);
}

static void measure_pair(const struct cpu *a, const struct cpu *b, const char *relation)
{
	run_pair(a->number, b->number, PAIR_ROUNDS, SAMPLES);
	separate();
	printf("\n{");
	first_item = 1;
	text("relation", relation);
	number("from", pair.a);
	number("to", pair.b);
	spread("modifiedNs", pair.modified, PAIR_ROUNDS);
	spread("cleanNs", pair.clean, pair.flushed ? PAIR_ROUNDS : 0);
	spread("takenNs", pair.taken, PAIR_ROUNDS);
	spread("handOverNs", pair.turns, SAMPLES);
	putchar('}');
}

static const char *relation_of(const struct cpu *a, const struct cpu *b)
{
	if (!known_topology) return "unknown";
	if (a->package != b->package) return "other socket";
	return a->l3 == b->l3 ? "same cluster" : "other cluster";
}

static void measure_pairs(const char *name)
{
	static const char *relations[] = { "same cluster", "other cluster", "other socket", "unknown" };
	open_list(name);
	if (have_siblings) measure_pair(&siblings[0], &siblings[1], "same core");
	for (size_t r = 0; r < ARRAY(relations); r++) {
		/* The nearest by number, and the farthest. */
		int near = 0, far = 0;
		for (int i = 1; i < cpu_count; i++)
			if (strcmp(relation_of(&cpus[0], &cpus[i]), relations[r]) == 0) { if (!near) near = i; far = i; }
		if (near) measure_pair(&cpus[0], &cpus[near], relations[r]);
		if (far != near) measure_pair(&cpus[0], &cpus[far], relations[r]);
	}
	close_list();
}

#define SAMPLE(into, count, body) \
	for (int s_ = 0; s_ < SAMPLES; s_++) { \
		double from_ = now_ns(); \
		for (int i_ = 0; i_ < (count); i_++) { body; } \
		(into)[s_] = (now_ns() - from_) / (count); \
	}

static void *measure_core(void *unused)
{
	(void)unused;
	static u64 own ALIGNED;
	double samples[SAMPLES];
	pin(cpus[0].number);
	sink = chain(50000000, 1); /* until the clock is up */
#if defined(__x86_64__) || defined(__aarch64__)
	u64 x = 1, y = 3;
	for (int s = 0; s < SAMPLES; s++) {
		double from = now_ns();
		for (int i = 0; i < 20000; i++) {
#if defined(__x86_64__)
#define STEP "xorq %1, %0\n\t"
#else
#define STEP "eor %0, %0, %1\n\t"
#endif
			__asm__ volatile(STEP STEP STEP STEP STEP STEP STEP STEP STEP STEP STEP STEP STEP STEP STEP STEP STEP STEP STEP STEP : "+r"(x) : "r"(y));
		}
		samples[s] = (now_ns() - from) / 400000;
	}
	sink = x;
	spread("cycleNs", samples, SAMPLES);
#else
	spread("cycleNs", samples, 0);
#endif
	SAMPLE(samples, 20000, __atomic_fetch_add(&own, 1, __ATOMIC_SEQ_CST));
	spread("atomicNs", samples, SAMPLES);
	SAMPLE(samples, 20000, relax());
	spread("relaxNs", samples, SAMPLES);
	SAMPLE(samples, 20000, sink = ticks());
	spread("tickNs", samples, SAMPLES);
	SAMPLE(samples, 5000, sink = (u64)now_ns());
	spread("clockNs", samples, SAMPLES);
	return NULL;
}

static void measure_latencies(void)
{
	int ways;
	long l1 = cache_bytes(1, &ways), l2 = cache_bytes(2, &ways), l3 = cache_bytes(3, &ways);
	progress("latencies");
	separate();
	printf("\n\"core\":{");
	first_item = 1;
	in_thread(measure_core, NULL);
	putchar('}');
	first_item = 0;
	open_list("loads");
	int home = cpus[0].number;
	if (l1) measure_walk("L1", l1 / 2, home, home);
	if (l2) measure_walk("L2", l2 / 2, home, home);
	if (l3) measure_walk("L3", l3 / 4 > 3 * l2 ? l3 / 4 : l3 / 2, home, home);
	size_t all = (size_t)sysconf(_SC_PHYS_PAGES) * (size_t)sysconf(_SC_PAGESIZE);
	size_t far = 4 * (size_t)(l3 ? l3 : 33554432);
	if (far > (512u << 20)) far = 512u << 20;
	if (far > all / 4) far = all / 4;
	if (seconds < 5 && far > (16u << 20)) far = 16u << 20;
	measure_walk("memory", far, home, home);
	for (int i = 1; i < cpu_count; i++)
		if (cpus[i].package != cpus[0].package) { measure_walk("memory of the other socket", far, cpus[i].number, home); break; }
	close_list();
	measure_pairs("transfers");
}

/* ---- the workload ---- */

static int depth = 64, repeats = 15;
static struct thread *threads;
static struct { u32 stop; } ALIGNED halt;
static pthread_barrier_t *gate;
static u64 work_low, work_range;

static void *work_loop(void *data)
{
	struct thread *t = data;
	pin(t->cpu);
	/* In turn, so that the addresses lie as they do in the simulated host. */
	while (LOAD(&baton.turn) < (u32)t->index) relax();
	for (int i = 0; i < depth; i++) t->ring[i] = (u32)map_page(t);
	STORE(&baton.turn, (u32)t->index + 1);
	pthread_barrier_wait(gate);
	u64 x = t->index;
	while (!PEEK(&halt.stop)) {
		x = chain(work_low + random_below(&t->random, (u32)work_range + 1), x);
		u64 fresh = map_page(t);
		u32 slot = random_below(&t->random, (u32)depth);
		u64 old = t->ring[slot];
		t->ring[slot] = (u32)fresh;
		unmap_page(t, old);
		__atomic_store_n(&t->done, t->done + 1, __ATOMIC_RELAXED);
	}
	sink = x;
	return NULL;
}

struct reading { double at; u64 done, spun, visits, maps; double cpu; };

static double cpu_time(int count)
{
#ifdef __linux__
	double sum = 0;
	for (int i = 0; i < count; i++) {
		clockid_t id;
		struct timespec t;
		if (pthread_getcpuclockid(threads[i].id, &id) == 0 && clock_gettime(id, &t) == 0) sum += t.tv_sec * 1e9 + t.tv_nsec;
	}
	return sum;
#else
	(void)count;
	return 0.0 / 0.0;
#endif
}

/* Counters and processor times of one moment: once more where this thread was interrupted in between. */
static struct reading read_counters(int count)
{
	struct reading r;
	for (int try = 0; ; try++) {
		memset(&r, 0, sizeof r);
		r.at = now_ns();
		for (int i = 0; i < count; i++) {
			r.done += PEEK(&threads[i].done);
			r.spun += PEEK(&threads[i].spun);
			r.visits += PEEK(&threads[i].visits);
			r.maps += PEEK(&threads[i].maps);
		}
		r.cpu = cpu_time(count);
		double late = now_ns() - r.at;
		r.at += late / 2;
		if (late < 15000 + 1500 * count || try == 20) break;
	}
	return r;
}

static void pause_for(double ns)
{
	struct timespec t = { (time_t)(ns / 1e9), (long)(ns - 1e9 * (time_t)(ns / 1e9)) };
	nanosleep(&t, NULL);
}

static void numbers(const char *name, const double *values, int n)
{
	open_list(name);
	for (int i = 0; i < n; i++) {
		separate();
		if (values[i] == values[i]) printf("%.5g", values[i]); else fputs("null", stdout);
	}
	close_list();
}

/* From this share of the time on that its threads ran, a window was undisturbed. */
static const double quiet_share = 0.97;

/* Windows until there are enough in which nobody else had the cores, or the time is over; on a busy machine short ones. */
static void measure_run(const struct variant *which, int lock, int count, double work_ns, double allotted_ns)
{
	double rate[MAX_REPEATS], spun[MAX_REPEATS], share[MAX_REPEATS];
	u64 visits = 0, maps = 0;
	double began = now_ns();
	/* Where a hypervisor moves its CPUs about, a line's way is another from run to run. */
	if (count > 1) run_pair(cpus[0].number, cpus[count - 1].number, RUN_ROUNDS, 0);
	set_up(which, lock, count);
	pthread_barrier_t barrier;
	pthread_barrier_init(&barrier, NULL, count + 1);
	gate = &barrier;
	halt.stop = 0;
	baton.turn = 0;
	/* From three quarters of the work to five quarters, evenly. */
	work_low = (u64)(0.75 * work_ns / step_ns);
	work_range = (u64)(0.5 * work_ns / step_ns);
	struct thread setter = { 0 };
	if (which->allocator != OFF) {
		reserve(&setter, 0xfee00, 0xfeeff);
		/* v4.9 never takes the limit itself from a magazine, below which it would lie for good. */
		reserve(&setter, DMA32, DMA32);
	}
	for (int i = 0; i < count; i++) {
		struct thread *t = &threads[i];
		u32 *ring = t->ring;
		memset(t, 0, sizeof *t);
		t->ring = ring;
		t->index = i;
		t->cpu = cpus[i].number;
		t->random = 0x9e3779b97f4a7c15ull * (u64)(i + 1);
		if (pthread_create(&t->id, NULL, work_loop, t)) die("no thread");
	}
	pthread_barrier_wait(&barrier);
	double window = allotted_ns / (repeats + 1.5);
	if (window < 1e6) window = 1e6;
	if (window > 200e6) window = 200e6;
	pause_for(window < 10e6 ? 10e6 : window);
	struct reading last = read_counters(count);
	int found = 0, quiet = 0, windows = 0, calm_before = 0;
	while (quiet < repeats && (windows < repeats || now_ns() - began < allotted_ns)) {
		pause_for(window);
		struct reading now = read_counters(count);
		double wall = now.at - last.at, share_now = (now.cpu - last.cpu) / (wall * count);
		/* A wait is counted when it is over: one that began before must not have been long. */
		int calm = !(share_now < quiet_share || share_now > 2 - quiet_share), undisturbed = calm && calm_before;
		calm_before = calm;
		/* The undisturbed first; what was disturbed stays only as long as there is nothing better. */
		int at = undisturbed ? quiet++ : found < repeats ? found : -1;
		if (undisturbed && found > at) {
			if (found < repeats) found++;
			int to = found - 1;
			rate[to] = rate[at]; spun[to] = spun[at]; share[to] = share[at];
		} else if (at == found) found++;
		if (at >= 0) {
			rate[at] = (now.done - last.done) / wall * 1e9;
			spun[at] = (now.spun - last.spun) * tick_ns / (wall * count);
			share[at] = share_now;
		}
		visits += now.visits - last.visits;
		maps += now.maps - last.maps;
		if (++windows == 3 && quiet == 0) window = 1.5e6;
		last = now;
	}
	STORE(&halt.stop, 1);
	for (int i = 0; i < count; i++) pthread_join(threads[i].id, NULL);
	pthread_barrier_destroy(&barrier);
	separate();
	printf("\n{");
	first_item = 1;
	text("variant", which->name);
	text("lock", which->allocator == OFF ? "none" : lock == TICKET ? "ticket" : "queued");
	number("workNs", work_ns);
	number("threads", count);
	number("quiet", quiet);
	number("windows", windows);
	numbers("transactionsPerSecond", rate, found);
	numbers("spinningShare", spun, found);
	numbers("cpuShare", share, found);
	number("visitsPerMap", maps ? (double)visits / maps : 0);
	spread("transferNs", pair.modified, count > 1 ? RUN_ROUNDS : 0);
	number("tookSeconds", (now_ns() - began) / 1e9);
	putchar('}');
}

/* 1, 2, 4, 8 … and all. */
static int thread_counts(int *counts)
{
	int n = 0;
	for (int t = 1; t < cpu_count; t *= 2) counts[n++] = t;
	counts[n++] = cpu_count;
	return n;
}

static double works[8] = { 300, 2000 };
static int work_count = 2;

static void measure_runs(void)
{
	int counts[16], n = thread_counts(counts);
	int total = work_count * n * (1 + 2 * (int)(ARRAY(variants) - 1)), done = 0;
	threads = lines(cpu_count * sizeof *threads);
	for (int i = 0; i < cpu_count; i++) threads[i].ring = malloc(depth * sizeof(u32));
	open_list("runs");
	for (int w = 0; w < work_count; w++)
		for (size_t v = 0; v < ARRAY(variants); v++)
			for (int lock = TICKET; lock <= QUEUED; lock++) {
				if (variants[v].allocator == OFF && lock != QUEUED) continue;
				for (int i = 0; i < n; i++, done++) {
					double left = (seconds - elapsed()) / (total - done) - 0.01;
					progress("%d of %d runs: %s, %d threads", done, total, variants[v].name, counts[i]);
					measure_run(&variants[v], lock, counts[i], works[w], left * 1e9);
				}
			}
	close_list();
	progress("%d of %d runs", total, total);
	if (isatty(2)) fputc('\n', stderr);
}

/* ---- the machine in words: no name of the host, and no path ---- */

static void cpu_model(char *to, size_t size)
{
	snprintf(to, size, "unknown");
#ifdef __APPLE__
	sysctlbyname("machdep.cpu.brand_string", to, &size, NULL, 0);
#else
	FILE *f = fopen("/proc/cpuinfo", "r");
	char line[512], part[64] = "", implementer[64] = "";
	if (!f) return;
	while (fgets(line, sizeof line, f)) {
		line[strcspn(line, "\n")] = 0;
		char *value = strchr(line, ':');
		if (!value) continue;
		value += value[1] == ' ' ? 2 : 1;
		if (strncmp(line, "model name", 10) == 0) { snprintf(to, size, "%s", value); break; }
		if (strncmp(line, "CPU implementer", 15) == 0) snprintf(implementer, sizeof implementer, "%.60s", value);
		if (strncmp(line, "CPU part", 8) == 0) snprintf(part, sizeof part, "%.60s", value);
	}
	fclose(f);
	if (part[0] && strcmp(to, "unknown") == 0) snprintf(to, size, "ARM implementer %s, part %s", implementer, part);
#endif
}

/* Share of time that the hypervisor gave to others, as the kernel sees it; as two counters. */
static void stolen(double *stolen_ticks, double *all_ticks)
{
	double v[8] = { 0 };
	*stolen_ticks = *all_ticks = 0;
	FILE *f = fopen("/proc/stat", "r");
	if (!f) return;
	if (fscanf(f, "cpu %lf %lf %lf %lf %lf %lf %lf %lf", v, v + 1, v + 2, v + 3, v + 4, v + 5, v + 6, v + 7) == 8) {
		*stolen_ticks = v[7];
		for (int i = 0; i < 8; i++) *all_ticks += v[i];
	}
	fclose(f);
}

static void load_of(const char *name)
{
	double load[3];
	open_list(name);
	if (getloadavg(load, 3) == 3) for (int i = 0; i < 3; i++) { separate(); printf("%.2f", load[i]); }
	close_list();
}

static void describe_machine(void)
{
	char model[256], date[32];
	struct utsname system;
	int ways, packages = 0, clusters = 0;
	uname(&system);
	cpu_model(model, sizeof model);
	time_t now = time(NULL);
	strftime(date, sizeof date, "%Y-%m-%d", gmtime(&now));
	for (int i = 0; i < cpu_count; i++) {
		int new_package = 1, new_cluster = 1;
		for (int k = 0; k < i; k++) {
			if (cpus[k].package == cpus[i].package) new_package = 0;
			if (cpus[k].package == cpus[i].package && cpus[k].l3 == cpus[i].l3) new_cluster = 0;
		}
		packages += new_package;
		clusters += new_cluster;
	}
	text("date", date);
	separate();
	printf("\n\"machine\":{");
	first_item = 1;
	text("model", model);
	text("architecture", system.machine);
	text("system", system.sysname);
	text("kernel", system.release);
	number("cores", cpu_count);
	number("sockets", packages);
	number("clusters", clusters);
	number("threadsPerCore", have_siblings ? 2 : 1);
	name_of("topologyKnown");
	fputs(known_topology ? "true" : "false", stdout);
	char hypervisor[128];
	name_of("virtual");
	int guest = read_line(hypervisor, sizeof hypervisor, "/sys/hypervisor/type");
	FILE *f = fopen("/proc/cpuinfo", "r");
	char line[8192];
	while (f && fgets(line, sizeof line, f)) if (strncmp(line, "flags", 5) == 0 && strstr(line, " hypervisor")) guest = 1;
	if (f) fclose(f);
	fputs(guest ? "true" : "false", stdout);
	open_list("caches");
	for (int level = 1; level <= 3; level++) {
		long bytes = cache_bytes(level, &ways);
		if (!bytes) continue;
		separate();
		printf("{");
		first_item = 1;
		number("level", level);
		number("bytes", (double)bytes);
		number("ways", ways ? ways : -1);
		putchar('}');
		first_item = 0;
	}
	close_list();
	putchar('}');
	first_item = 0;
}

/* ---- --replay: recorded requests on one thread, for a test that compares every answer ---- */

enum { REPLAY_CPUS = 64 };

/* A trace in the format of src/iova/trace.ts; the answer of each map: "PFN VISITS HIT". Limits above 4 GiB are not tried in two steps. */
static int replay(const char *name)
{
	char line[256];
	size_t maps = 0, room = 0;
	int roundup = 1;
	struct { u64 pfn, pages; } *made = NULL;
	const struct variant *which = NULL;
	if (strcmp(name, "rbtree") == 0) which = &variants[1];
	else if (strcmp(name, "rbtree-merged") == 0) which = &variants[3];
	else if (strcmp(name, "magazines") == 0) which = &variants[5];
	if (!which) die("--replay takes rbtree, rbtree-merged or magazines; got %s", name);
	set_up(which, QUEUED, REPLAY_CPUS);
	struct thread *all = lines(REPLAY_CPUS * sizeof *all);
	for (int i = 0; i < REPLAY_CPUS; i++) all[i].index = i;
	while (fgets(line, sizeof line, stdin)) {
		char *word[4] = { strtok(line, " \t\r\n"), NULL, NULL, NULL };
		if (!word[0] || word[0][0] == '#') continue;
		for (int i = 1; i < 4; i++) word[i] = strtok(NULL, " \t\r\n");
		char kind = word[0][0];
		if (kind == 'w') continue;
		if (!word[1]) die("%c stands alone", kind);
		if (kind == 'i') {
			u64 value = word[2] ? strtoull(word[2], NULL, 0) : 0;
			if (strcmp(word[1], "start_pfn") == 0) domain.start = value;
			else if (strcmp(word[1], "dma32") == 0) domain.dma32 = value;
			else if (strcmp(word[1], "aligned") == 0) domain.aligned = (u32)value;
			else if (strcmp(word[1], "roundup") == 0) roundup = (int)value;
			continue;
		}
		char *where = kind == 'm' ? word[3] : kind == 'u' ? word[2] : NULL;
		u64 cpu = where ? strtoull(where, NULL, 0) : 0, first = strtoull(word[1], NULL, 0);
		u64 second = word[2] ? strtoull(word[2], NULL, 0) : 0;
		if (cpu >= REPLAY_CPUS) die("CPU %s of %d", where, REPLAY_CPUS);
		struct thread *t = &all[cpu];
		if (kind == 'r') reserve(t, first, second);
		else if (kind == 'm') {
			int hit = 0;
			u64 visits = t->visits, pages = 1;
			while (roundup && pages < first) pages <<= 1;
			if (!roundup) pages = first;
			if (maps == room) {
				room = 2 * room + 1024;
				made = realloc(made, room * sizeof *made);
				if (!made) die("no memory");
			}
			u64 pfn = which->allocator == MAGAZINES ? cached_alloc(t, pages, second, &hit) : tree_alloc(t, pages, second);
			made[maps].pfn = pfn;
			made[maps++].pages = pages;
			if (pfn == NONE) printf("-1"); else printf("%llu", (unsigned long long)pfn);
			printf(" %llu %d\n", (unsigned long long)(t->visits - visits), hit);
		} else if (kind == 'u') {
			if (first >= maps) die("no map has the number %s", word[1]);
			u64 pfn = made[first].pfn;
			if (pfn == NONE) continue;
			made[first].pfn = NONE;
			if (which->allocator == MAGAZINES) cached_free(t, pfn, made[first].pages);
			else tree_free(t, pfn, made[first].pages, tree_find(t, pfn));
		} else die("%c is no operation; they are i, m, u, r and w", kind);
	}
	return 0;
}

static double argument(char **argv, int i, double least, double most)
{
	char *end = NULL;
	double value = argv[i + 1] ? strtod(argv[i + 1], &end) : 0;
	if (!argv[i + 1] || *end || end == argv[i + 1] || !(value >= least && value <= most))
		die("%s takes a number from %g to %g; got %s", argv[i], least, most, argv[i + 1] ? argv[i + 1] : "nothing");
	return value;
}

int main(int argc, char **argv)
{
	const char *replayed = NULL;
	for (int i = 1; i < argc; i += 2) {
		if (strcmp(argv[i], "--seconds") == 0) seconds = argument(argv, i, 1, 3600);
		else if (strcmp(argv[i], "--repeats") == 0) repeats = (int)argument(argv, i, 5, MAX_REPEATS);
		else if (strcmp(argv[i], "--replay") == 0 && argv[i + 1]) replayed = argv[i + 1];
		else die("there is no %s; there is --seconds N (1 to 3600, 120 without it), --repeats N (5 to %d, 15 without it)", argv[i], MAX_REPEATS);
	}
	if (replayed) return replay(replayed);
	started = now_ns();
	look_at_cpus();
	if (cpu_count == 0) die("there is no CPU to run on");
	double stolen_before, stolen_after, all_before, all_after;
	stolen(&stolen_before, &all_before);
	calibrate_ticks();
	printf("{");
	first_item = 1;
	number("version", VERSION);
	text("program", "silicon.c");
	describe_machine();
	load_of("loadBefore");
	measure_latencies();
	double latencies_took = elapsed();
	calibrate_work();
	separate();
	printf("\n\"load\":{");
	first_item = 1;
	number("depth", depth);
	number("flushEntries", WATERMARK);
	number("invalidationNs", invalidation_ns);
	number("repeats", repeats);
	number("workStepNs", step_ns);
	putchar('}');
	first_item = 0;
	measure_runs();
	measure_pairs("transfersAfter");
	load_of("loadAfter");
	stolen(&stolen_after, &all_after);
	number("stolenShare", all_after > all_before ? (stolen_after - stolen_before) / (all_after - all_before) : -1);
	number("latenciesSeconds", latencies_took);
	number("tookSeconds", elapsed());
	puts("\n}");
	return 0;
}
