// The first real file of CEL replaces this one.
