// The first real file of CustomResources replaces this one.
