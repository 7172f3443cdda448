"""The default runner: paces the engine from a terminal or a service manager, until done or told to stop."""
