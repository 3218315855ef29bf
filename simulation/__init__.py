"""A whole shop in one process and one thread, from a seed: its people, its customers, the bank, the weather, and death.

`counterfoil simulate --seed N --orders N`. It stands beside the shop and beside the sandbox, because it knows both.
"""
