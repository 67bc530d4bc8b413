"""What an image costs in energy, estimated: counted activity times published coefficients."""
