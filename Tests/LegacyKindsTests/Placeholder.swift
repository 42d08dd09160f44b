// The first real suite of LegacyKinds replaces this one.
