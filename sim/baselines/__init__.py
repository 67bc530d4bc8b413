"""What integer equilibrium propagation is measured against: real numbers, and backpropagation."""
