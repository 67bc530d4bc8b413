"""What presents samples and hears silence. Lava runs every file here to find models."""
