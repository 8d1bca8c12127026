"""A real OpenID provider for the demonstration and the tests: people instead of passwords, on loopback alone."""
