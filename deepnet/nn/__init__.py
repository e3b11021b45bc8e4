"""What is learned: parameters, units, losses, layers, networks, Boltzmann machines and stacks of them."""
