/* A textbook red-black tree of ranges, with pointers and one sentinel: what the two yardsticks in C share. */
#include <stdint.h>

struct node { struct node *left, *right, *parent; int red; uint64_t lo, hi; };
static struct node nil_node, *const nil = &nil_node;
static struct node *root;

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
