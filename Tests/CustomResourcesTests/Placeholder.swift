// The first real suite of CustomResources replaces this one.
