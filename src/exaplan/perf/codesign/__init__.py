"""Co-design: model shape, kernels, silicon and parallelism as variables of one search at equal loss."""
