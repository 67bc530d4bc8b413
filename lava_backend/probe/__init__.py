"""What writes every change down. Lava runs every file here to find models."""
