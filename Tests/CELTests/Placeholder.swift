// The first real suite of CEL replaces this one.
