def hunt(a: str, b: int, c: int) -> int:
    return 0
