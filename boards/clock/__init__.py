"""From the oscillator to the core's clock."""
