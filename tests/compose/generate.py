def project(rng, folder):
    raise NotImplementedError
