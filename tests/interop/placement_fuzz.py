def run(both, seed, steps):
    pass
