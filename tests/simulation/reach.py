DECLARED: tuple[str, ...] = ()
