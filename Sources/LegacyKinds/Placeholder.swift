// The first real file of LegacyKinds replaces this one.
